"""The fit that describes a chain: the composed law at the estimate, the inner law held."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

import jscale as js
from jscale.uncertainty.chain.described import describe
from jscale.uncertainty.chain.stages import Stages
from jscale.uncertainty.chain.table import Parts, Table
from tests.uncertainty.chain.planted import (
    BASE,
    BOTH,
    GUESS,
    INNER,
    LINK,
    chained,
    world,
)  # fmt: skip


@pytest.fixture(scope="module")
def stages() -> Stages:
    parts = Parts.of(BASE, LINK, None, GUESS)
    return Stages.of(Table.of(world(), parts, "loss", "score", {}), "huber", "observed")


def described(stages: Stages, samples: pd.DataFrame, **changed: Any) -> js.Fit:
    """Describe two stages by samples, the first stage changed."""
    fits = (replace(stages.first, **changed), stages.second)
    return describe(
        stages.table.parts, stages.scored, "huber", fits, samples, stages.estimate
    )  # fmt: skip


@pytest.fixture(scope="module")
def samples(stages: Stages) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    factors = np.exp(0.01 * rng.standard_normal((500, len(stages.names))))
    table = pd.DataFrame(stages.estimate.to_numpy() * factors, columns=stages.names)
    return table.assign(floor=0.25)[reversed(stages.names)]


def test_errors_are_those_of_the_samples(stages: Stages, samples: pd.DataFrame) -> None:
    fit = described(stages, samples)
    assert tuple(fit.params.index) == BOTH.names
    pd.testing.assert_series_equal(
        fit.stderr, samples.std()[list(BOTH.names)], check_names=False
    )  # fmt: skip
    assert list(fit.covariance.columns) == list(BOTH.names)
    # Of what is free, k has a logarithm as its coordinate, and rise a logit.
    assert set(fit.problem.layout.labels) == {"rise", "k", "L0"}
    line = dict(zip(fit.problem.layout.labels, np.diag(fit.theta_covariance), strict=True))
    assert line["k"] == pytest.approx(np.log(samples["k"]).var())
    assert line["rise"] == pytest.approx(logit(samples["rise"]).var())


def test_it_is_as_sure_as_its_weakest_stage(stages: Stages, samples: pd.DataFrame) -> None:
    fit = described(stages, samples, agree=(1, 40), condition=1e12)
    assert fit.agree == (1, 40)
    assert fit.condition == 1e12


def test_notes_say_of_which_law_they_are(stages: Stages, samples: pd.DataFrame) -> None:
    note = js.fit("power", pd.DataFrame({"C": [1e9, 1e10, 1e11, 1e12, 1e13],
                                         "loss": [4.0, 3.5, 3.1, 2.9, 2.8]})).notes[:1]  # fmt: skip
    fit = described(stages, samples, notes=note)
    assert [n.seen for n in fit.notes] == [
        *(f"chinchilla: {n.seen}" for n in note),
        *(f"sigmoid_link: {n.seen}" for n in stages.second.notes),
    ]


def test_the_fit_describes_the_composed_law() -> None:
    frame = world()
    fit = chained(frame).fit
    curve = BOTH(frame["N"], frame["D"], **fit.params)
    np.testing.assert_allclose(fit.fitted, curve, rtol=1e-12)
    np.testing.assert_allclose(fit.residuals, curve - frame["score"], atol=1e-14)
    assert fit.settings.fixed == pytest.approx({**fit.params.loc[[*INNER, "floor"]]})
    assert fit.problem.freedom == 30 - 3  # what the scores decided: rise, k, L0
    assert (fit.stderr[list(INNER)] > 0).all()
    assert fit.stderr["floor"] == 0.0


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
def test_families_with_losses_or_scores_alone() -> None:
    table = pd.concat(
        [world(s, 20).assign(family=name) for s, name in enumerate("abc")], ignore_index=True
    )
    lone = table.assign(score=table["score"].where(table["family"] != "c"))
    says = r"Parameters of both laws differ by 'family', but c has losses or scores alone\."
    with pytest.raises(js.DataError, match=says):
        chained(lone, 20, per={"E": "family", "L0": "family"})
    lone = table.assign(loss=table["loss"].where(table["family"] != "c"))
    says = r"Parameters differ by 'family', but no row they were fitted to has the label of row 40"
    with pytest.raises(js.DataError, match=says):
        chained(lone, 20, per={"E": "family"})
