"""Scores of predictions in the benchmarks: which runs are the frontier, errors, widths, rows."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import jscale as js
from benchmarks import scoring

BENCHMARKS = Path(scoring.__file__).parent


def runs(seed: int = 0) -> pd.DataFrame:
    """Twenty-five runs of a known law with a little noise, in no order, with odd row labels."""
    draw = np.random.default_rng(seed)
    size, length = (values.ravel() for values in np.meshgrid(np.geomspace(1e4, 1e6, 5),
                                                            np.geomspace(1e6, 1e8, 5)))  # fmt: skip
    loss = (1.0 + 20 * size**-0.3 + 60 * length**-0.3) * np.exp(0.003 * draw.normal(size=25))
    table = pd.DataFrame({"N": size, "D": length, "C": 6 * size * length, "loss": loss})
    table.index = draw.permutation(25) + 100
    return table.sample(frac=1, random_state=seed)


# ── Frontier ─────────────────────────────────────────────────────────────────────────────────


def test_frontier_has_the_runs_that_none_of_their_compute_beats():
    table = pd.DataFrame(
        {"C": [4.0, 1.0, 2.0, 3.0], "loss": [2.0, 5.0, 3.0, 3.5]}, index=["a", "b", "c", "d"]
    )
    assert scoring.frontier(table).index.tolist() == ["b", "c", "a"]


@pytest.mark.parametrize(("more", "kept"), [(1.009, [1]), (1.02, [0, 1])])
def test_runs_within_one_percent_of_compute_are_of_one_budget(more, kept):
    table = pd.DataFrame({"C": [1e9, more * 1e9], "loss": [3.0, 2.9]})
    assert scoring.frontier(table).index.tolist() == kept


def test_the_package_has_the_same_rule() -> None:
    table = js.datasets.load("stdlib_lm")
    expected = scoring.frontier(table)
    found = js.frontier(table, resamples=10)
    assert found.table.index.tolist() == expected.index.tolist()
    assert found.to_frame()["loss"].tolist() == expected["loss"].tolist()


# ── Scores ───────────────────────────────────────────────────────────────────────────────────


def test_scores_of_runs_inside_below_and_above_their_intervals():
    frame = pd.DataFrame(
        {"curve": [2.0, 2.0, 2.2], "prediction_low": 1.5, "prediction_high": 2.5}, index=[7, 8, 9]
    )
    found = scoring.scored(frame, pd.Series([2.0, 1.25, 2.75], index=[7, 8, 9]))
    assert found["inside"].tolist() == [True, False, False]
    assert found["error"].tolist() == pytest.approx([0, 0.6, -0.2])
    assert found["width"].tolist() == [1, 1, 1]
    # 2 / (1 - 0.9) times 0.25 outside.
    assert found["score"].tolist() == pytest.approx([1, 6, 6])


def test_predictions_are_scored_against_the_run_of_their_row_label():
    frame = pd.DataFrame(
        {"curve": [1.0, 2.0, 3.0], "prediction_low": 0.0, "prediction_high": 4.0}, index=[3, 1, 2]
    )
    found = scoring.scored(frame, pd.Series([2.0, 3.0, 1.0], index=[1, 2, 3]))
    assert found["error"].tolist() == [0, 0, 0]


CURVES = {
    "chinchilla": lambda t, p: (
        p["E"] + p["A"] * t["N"] ** -p["alpha"] + p["B"] * t["D"] ** -p["beta"]
    ),
    "power_const": lambda t, p: p["E"] + p["A"] * t["C"] ** -p["alpha"],
}


@pytest.mark.full
@pytest.mark.parametrize("law", CURVES)
def test_a_trial_has_each_target_run_beside_its_own_prediction(law):
    table = runs()
    fitting, target = table[table["C"] < 2e13], table[table["C"] >= 2e13]
    assert not target.index.is_monotonic_increasing
    trial = scoring.try_law(law, fitting, target, resamples=20)
    assert trial.scored.index.tolist() == target.index.tolist()
    expected = CURVES[law](target, trial.fit.params) / target["loss"] - 1
    np.testing.assert_allclose(trial.scored["error"], expected, atol=1e-9)
    # A law of C is fitted to the frontier alone.
    fitted = scoring.frontier(fitting) if law == "power_const" else fitting
    assert len(trial.fit.runs) == len(fitted)


def test_scatter_is_corrected_for_the_parameters_and_robust_to_one_run():
    fit = SimpleNamespace(residuals=np.array([0.01, -0.01, 0.01, -0.01, 0.3]), theta=np.zeros(3))
    rms, robust = scoring.residual_scatter(fit)
    assert rms == pytest.approx(((4 * 0.01**2 + 0.3**2) / 2) ** 0.5)
    assert robust == pytest.approx(0.014826)


# ── Command line ─────────────────────────────────────────────────────────────────────────────


def test_unknown_size(monkeypatch, capsys):
    monkeypatch.syspath_prepend(BENCHMARKS)
    held_out = importlib.import_module("held_out")
    monkeypatch.setattr(sys, "argv", ["held_out.py", "--size", "nosuch"])
    with pytest.raises(SystemExit, match="2"):
        held_out.main()
    said = capsys.readouterr().err
    assert "--size: invalid choice: 'nosuch' (choose from" in said
    assert "N_non_embedding" in said
