"""Priors: what a file holds, and what is said of one that is damaged or of another version."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import jscale as js
from jscale.discrepancy.prior import ForecastPrior, as_prior, read_prior


def test_a_prior_is_saved_and_read(prior: ForecastPrior, tmp_path: Path) -> None:
    again = read_prior(prior.save(tmp_path / "prior.json"))
    assert again.digest == prior.digest
    for name, family in prior.families.items():
        np.testing.assert_array_equal(again.families[name].kernel_bias, family.kernel_bias)


def test_log_weights_add_up_to_one(prior: ForecastPrior) -> None:
    for family in prior.families.values():
        for n, scale in ((3, 0.1), (40, 0.006), (2000, 1e-4)):
            assert np.exp(family.log_weights(n, scale)).sum() == pytest.approx(1.0)


def test_weights_follow_the_number_of_runs(prior: ForecastPrior) -> None:
    family = prior.families["loss_surface"]
    assert not np.allclose(family.log_weights(5, 0.01), family.log_weights(500, 0.01))
    assert family.temperature(40, 0.01) > 0


def test_the_packages_prior_holds_no_rows_and_names_its_sources(prior: ForecastPrior) -> None:
    assert set(prior.families) == {"loss_surface", "one_axis"}
    assert {"data_sets", "questions", "versions"} <= set(prior.provenance)
    assert len(prior.provenance["data_sets"]) >= 8


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "prior.json"
    path.write_text('{"format": "other"}')
    with pytest.raises(js.FileError, match="is not a forecast prior"):
        read_prior(path)


def test_another_version_is_named(prior: ForecastPrior, tmp_path: Path) -> None:
    path = prior.save(tmp_path / "prior.json")
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "version": 99}))
    with pytest.raises(js.FileError, match="of version 99; this jscale reads version 1"):
        read_prior(path)


@pytest.mark.parametrize("text", ["{", '{"format": "jscale.forecast_prior", "version": 1}'])
def test_a_damaged_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "prior.json"
    path.write_text(text)
    with pytest.raises(js.FileError, match=r"is not JSON|is a damaged forecast prior"):
        read_prior(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(js.FileError, match="cannot be read"):
        as_prior(tmp_path / "none.json")


def test_what_a_prior_can_be(prior: ForecastPrior) -> None:
    assert as_prior(prior) is prior
    assert as_prior("weak") is as_prior(None) is None
    assert as_prior("default").digest == prior.digest  # type: ignore[union-attr]
    with pytest.raises(js.JscaleError, match=r"prior=3 is not known; use \"default\""):
        as_prior(3)
