"""A chain fitted at once: both outputs in one law, each in units of its residual scale."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from jscale._precision import float64_scope
from jscale.uncertainty.chain.joint import Joint, _stacked
from jscale.uncertainty.chain.table import ROW, Parts, Table
from tests.uncertainty.chain.planted import BASE, BOTH, GUESS, INNER, LINK, OUTER, world


def table_of(frame: pd.DataFrame) -> Table:
    return Table.of(frame, Parts.of(BASE, LINK, None, GUESS), "loss", "score", {})


def test_both_outputs_are_one_law_of_what_a_row_holds() -> None:
    """The logarithm of the loss for part 0, the score itself for part 1, over their scale."""
    law = _stacked(Parts.of(BASE, LINK, None, None))
    assert law.inputs == ("N", "D", "part", "scale")
    N, D, part, scale = (np.array(x) for x in ([1e8] * 2, [1e10] * 2, [0.0, 1.0], [0.5, 0.01]))
    with float64_scope():
        found = law.function(N, D, part, scale, **INNER, **OUTER)
    expected = [
        np.log(BASE(1e8, 1e10, **INNER)) / 0.5, BOTH(1e8, 1e10, **INNER, **OUTER) / 0.01
    ]  # fmt: skip
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_an_output_without_a_logarithm_spoils_no_score() -> None:
    law = _stacked(Parts.of(BASE, LINK, None, None))
    with float64_scope():
        found = law.function(1e8, 1e10, 1.0, 1.0, **{**INNER, "E": -50.0}, **OUTER)
    assert np.isfinite(found)


@pytest.fixture(scope="module")
def joint() -> Joint:
    frame = world(6, rows=40, loss=0.02, score=0.005)
    frame.loc[:9, "score"] = np.nan
    frame.loc[35:, "loss"] = np.nan
    return Joint.of(table_of(frame), "huber")


@pytest.mark.full
def test_scales_are_those_of_each_stages_residuals(joint: Joint) -> None:
    frame = joint.fit.runs.frame
    scales = frame.groupby("part")["scale"].agg(["min", "max"])
    np.testing.assert_array_equal(scales["min"], scales["max"])
    assert scales.loc[0.0, "max"] == pytest.approx(0.02, rel=0.4)
    assert scales.loc[1.0, "max"] == pytest.approx(0.005, rel=0.4)
    assert joint.fit.residuals.std() == pytest.approx(1.0, abs=0.3)


@pytest.mark.full
def test_each_row_is_there_once_for_each_output_that_it_has(joint: Joint) -> None:
    frame = joint.fit.runs.frame
    assert frame.loc[frame["part"] == 0, ROW].tolist() == list(range(35))
    assert frame.loc[frame["part"] == 1, ROW].tolist() == list(range(10, 40))
    assert joint.fit.runs.run == ROW
    np.testing.assert_allclose(
        frame["scaled"] * frame["scale"],
        np.where(frame["part"] == 0, np.log(frame["loss"]), frame["score"]),
        rtol=1e-12,
    )


def test_scores_bend_the_inner_law_too(joint: Joint) -> None:
    """Where losses are noisy and scores are not, the curve is nearer to the truth than alone."""
    frame = joint.stages.scored.frame
    truth = BOTH(frame["N"], frame["D"], **INNER, **OUTER)
    at_once, by_stage = (
        np.asarray(BOTH(frame["N"], frame["D"], **values)) - truth
        for values in (joint.fit.params, joint.stages.estimate)
    )
    assert np.sqrt(np.mean(at_once**2)) < np.sqrt(np.mean(by_stage**2))
