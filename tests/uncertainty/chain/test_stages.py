"""The two stages: where their rows are, the weights they share, and losses at a curve."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import jscale as js
from jscale.uncertainty.chain import stages as chain_stages
from jscale.uncertainty.chain.stages import PrescribedWeights, Stages, losses_at
from jscale.uncertainty.chain.table import Parts, Table
from tests.uncertainty.chain.planted import BASE, GUESS, INNER, LINK, OUTER, WAYS, chained, world


@pytest.fixture(scope="module")
def stages() -> Stages:
    frame = world(6, rows=40)
    frame.loc[:9, "score"] = np.nan
    frame.loc[35:, "loss"] = np.nan
    parts = Parts.of(BASE, LINK, None, GUESS)
    return Stages.of(Table.of(frame, parts, "loss", "score", {}), "huber", "observed")


@pytest.mark.full
def test_each_stage_knows_where_its_rows_are(stages: Stages) -> None:
    assert stages.first_rows.tolist() == list(range(35))
    assert stages.second_rows.tolist() == list(range(10, 35))
    assert len(stages.scored) == 30
    assert not stages.refitted
    assert stages.second.runs["loss"].tolist() == stages.first.runs["loss"][10:].tolist()


@pytest.mark.full
def test_estimates_have_the_composed_laws_names(stages: Stages) -> None:
    assert stages.names == [*INNER, *OUTER]
    np.testing.assert_array_equal(stages.estimate[list(INNER)], stages.first.params)
    np.testing.assert_array_equal(stages.estimate[list(OUTER)], stages.second.params)


def test_losses_at_samples_are_the_laws(stages: Stages) -> None:
    frame = stages.scored.frame
    samples = np.array([[*INNER.values()], [1.9, 300.0, 0.3, 500.0, 0.25]])
    found = losses_at(stages.first, frame, samples)
    for row, sample in zip(found, samples, strict=True):
        curve = BASE(frame["N"], frame["D"], **dict(zip(INNER, sample, strict=True)))
        np.testing.assert_allclose(row, curve, rtol=1e-12)


def test_prescribed_weights_multiply_those_of_the_rows() -> None:
    frame = world(0, rows=12)
    own = np.linspace(1.0, 2.0, 12)
    fit = js.fit(BASE, frame, weights=own)
    drawn = np.random.default_rng(0).exponential(size=(5, 12))
    [chunk] = PrescribedWeights(fit.problem, fit.theta, drawn).chunks(5)
    assert chunk.weights is not None
    np.testing.assert_allclose(chunk.weights, drawn * fit.problem.weights[:12])
    link = js.fit(LINK, frame, fixed=GUESS)
    losses = 2.0 + drawn
    [chunk] = PrescribedWeights(link.problem, link.theta, drawn, losses).chunks(5)
    assert chunk.families is not None
    np.testing.assert_array_equal(chunk.families.data.inputs[0][:, :12], losses)
    np.testing.assert_array_equal(chunk.families.weights[:, 12:], 0.0)


def test_draws_of_the_first_stage_are_its_own_bootstrap() -> None:
    frame = world()
    draws = chained(frame, 50, seed=4)
    inner = js.bootstrap(js.fit(BASE, frame), 50, kind="bayesian", seed=4)
    outer = js.bootstrap(js.fit(LINK, frame, fixed=GUESS), 50, kind="bayesian", seed=4)
    expected = np.concatenate([inner.values, outer.values], axis=2)
    np.testing.assert_allclose(draws.values, expected, rtol=1e-9)


def test_resamples_taken_in_parts_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = world()
    for choices in WAYS[:2]:
        whole = chained(frame, 60, **choices)
        with monkeypatch.context() as less:
            less.setattr("jscale.uncertainty.refits._NUMBERS_AT_ONCE", 25 * 32)
            parts = chained(frame, 60, **choices)
        np.testing.assert_allclose(parts.values, whole.values, rtol=1e-5)


def test_rows_without_a_score_or_a_loss_serve_the_other_stage() -> None:
    frame = world(6, rows=40)
    frame.loc[:9, "score"] = np.nan
    frame.loc[35:, "loss"] = np.nan
    draws = chained(frame)
    inner = js.fit(BASE, frame.loc[:34])
    outer = js.fit(LINK, frame.loc[10:34], fixed=GUESS)
    np.testing.assert_allclose(draws.fit.params, [*inner.params, *outer.params], rtol=1e-12)
    # The composed law's residuals are of all scores, also those of runs without a loss.
    assert draws.fit.runs.frame.index.tolist() == list(range(10, 40))


def test_resamples_of_which_none_could_be_refitted(monkeypatch: pytest.MonkeyPatch) -> None:
    found = chain_stages.refit

    def lost(*args: Any) -> Any:
        refits = found(*args)
        return replace(refits, objective=np.full_like(refits.objective, np.nan))

    monkeypatch.setattr(chain_stages, "refit", lost)
    with pytest.raises(js.FitError, match=r"None of 5 resamples could be refitted; read the fits'"):
        chained(world(), 5)
