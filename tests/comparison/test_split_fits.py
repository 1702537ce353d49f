"""Split fits: what laws fitted to sets of rows say of other rows, all in flat arrays."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale.comparison import split_fits as module
from jscale.comparison.split_fits import Questions, SplitFits
from jscale.simulation.worlds import compute

POWER = {"E": 1.7, "A": 900.0, "alpha": 0.15}
RUNS = js.simulate("power_const", POWER, compute(1e17, 1e21, 16), noise=0.005, seed=0)
# All but the last, the first half, as many as there are parameters, fewer.
SETS = [np.arange(15), np.arange(8), np.arange(3), np.arange(2)]
SPLIT_FITS = SplitFits(RUNS, js.huber(), resamples=60, seed=4)
LAW = js.laws.get("power_const")


@pytest.fixture(scope="module")
def table() -> js.FitTable:
    return SPLIT_FITS.fit(LAW, SETS, ["most", "half", "three", "two"])


def everything(own: SplitFits, table: js.FitTable, questions: Questions):
    (piece,) = own.pieces(questions)
    return own.samples(table, questions, piece)


def test_questions_are_flat() -> None:
    asked = Questions.of([np.array([4, 2]), np.array([], dtype=int), np.array([2])])
    assert asked.sets.tolist() == [0, 0, 2]
    assert asked.rows.tolist() == [4, 2, 2]
    assert len(asked) == 3
    assert len(Questions.of([])) == 0
    np.testing.assert_array_equal(SPLIT_FITS.measured(asked), RUNS["loss"][[4, 2, 2]])


def test_curves_are_the_law_at_each_sets_own_parameters(table: js.FitTable) -> None:
    asked = Questions(np.array([1, 0, 1]), np.array([15, 15, 3]))
    found = everything(SPLIT_FITS, table, asked)
    assert table.draws is not None
    for j, (k, row) in enumerate(zip(asked.sets, asked.rows, strict=True)):
        C = RUNS["C"][row]
        own = dict(zip(LAW.names, table.params.iloc[k], strict=True))
        assert found.curve[j] == pytest.approx(np.log(LAW(C, **own)), rel=1e-12)
        drawn = dict(zip(LAW.names, table.draws[k].T, strict=True))
        np.testing.assert_allclose(found.curves[:, j], np.log(LAW(C, **drawn)), rtol=1e-12)


def test_new_runs_err_by_residuals_of_their_own_set(table: js.FitTable) -> None:
    asked = Questions(np.repeat([0, 1], 8), np.tile(np.arange(8, 16), 2))
    found = everything(SPLIT_FITS, table, asked)
    error = found.new - found.curves
    for j, k in enumerate(asked.sets):
        off = np.abs(error[:, j, None] - table.noise[k]).min(axis=1)
        assert off.max() < 1e-12
    # Each residual as often as any other: 480 draws of 8.
    nearest = np.abs(error[:, 8:, None] - table.noise[1]).argmin(axis=2)
    counts = np.bincount(nearest.ravel(), minlength=8)
    assert np.abs(counts - 60).max() < 5 * np.sqrt(480 / 8 * 7 / 8)
    assert len(np.unique(nearest[:, 0])) > 1


def test_a_set_that_says_nothing_is_no_number_and_harms_no_other(table: js.FitTable) -> None:
    asked = Questions(np.array([0, 2, 3, 1]), np.full(4, 15))
    found = everything(SPLIT_FITS, table, asked)
    assert np.isfinite(found.curve[[0, 1, 3]]).all()
    assert np.isnan(found.curve[2])
    assert np.isnan(found.new[:, 2]).all()
    alone = everything(SPLIT_FITS, table, Questions(np.array([0, 1]), np.full(2, 15)))
    np.testing.assert_array_equal(found.curves[:, [0, 3]], alone.curves)


def test_pieces_change_nothing_of_the_curves(
    table: js.FitTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Questions(np.tile([0, 1], 20), np.repeat(np.arange(15, 10, -1), 8))
    whole = everything(SPLIT_FITS, table, asked)
    monkeypatch.setattr(module, "_SAMPLES_AT_ONCE", 7 * 60 + 59)
    pieces = list(SPLIT_FITS.pieces(asked))
    assert [p.stop - p.start for p in pieces] == [7, 7, 7, 7, 7, 5]
    parts = [SPLIT_FITS.samples(table, asked, p) for p in pieces]
    np.testing.assert_array_equal(np.concatenate([p.curve for p in parts]), whole.curve)
    np.testing.assert_array_equal(np.concatenate([p.curves for p in parts], axis=1), whole.curves)
    errors = [p.new - p.curves for p in parts]
    # The noise of one piece is not that of the next.
    assert not np.allclose(errors[0], errors[2])
    # More draws than are held at once still go one question at a time.
    monkeypatch.setattr(module, "_SAMPLES_AT_ONCE", 10)
    assert len(list(SPLIT_FITS.pieces(asked))) == len(asked)


def test_the_seed_decides(table: js.FitTable) -> None:
    asked = Questions(np.array([0]), np.array([15]))
    first, again = (everything(SPLIT_FITS, table, asked).new for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = everything(SplitFits(RUNS, js.huber(), 60, seed=5), table, asked).new
    assert (other != first).any()


def test_quick_draws_answer_too() -> None:
    quick = SplitFits(RUNS, js.huber(), 60, method="laplace").fit(LAW, SETS, list("abcd"))
    asked = Questions(np.array([0, 2]), np.array([15, 15]))
    found = everything(SPLIT_FITS, quick, asked)
    assert np.isfinite(found.new[:, 0]).all()
    assert np.isnan(found.new[:, 1]).all()
    assert np.isfinite(found.curve).all()


def test_in_linear_space_samples_are_the_outputs(table: js.FitTable) -> None:
    own = SplitFits(RUNS, js.huber(1e-2, space="linear"), 60)
    found = everything(own, table, Questions(np.array([0]), np.array([15])))
    params = dict(zip(LAW.names, table.params.iloc[0], strict=True))
    assert found.space == "linear"
    assert found.curve[0] == pytest.approx(LAW(RUNS["C"][15], **params), rel=1e-12)


def test_two_laws_at_a_time_are_as_one_after_the_other() -> None:
    """A bar of progress makes it one at a time; order and errors stay what they are."""
    laws = {name: js.laws.get(name) for name in ("power_const", "power")}
    by_two = SPLIT_FITS.fit_all(laws, SETS[:2], ["most", "half"])
    assert list(by_two) == ["power_const", "power"]
    for name, law in laws.items():
        alone = SPLIT_FITS.fit(law, SETS[:2], ["most", "half"])
        np.testing.assert_array_equal(by_two[name].draws, alone.draws)
        np.testing.assert_array_equal(by_two[name].params, alone.params)
    one_by_one = SplitFits(RUNS, js.huber(), 60, progress=True)
    for own in (SPLIT_FITS, one_by_one):
        assert own.each(lambda x: x + 1, [3, 1, 2]) == [4, 2, 3]
        assert own.each(lambda x: x + 1, []) == []
        with pytest.raises(ZeroDivisionError):
            own.each(lambda x: 1 / x, [1, 0, 2])
