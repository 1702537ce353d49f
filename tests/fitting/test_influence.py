"""influence: against refits without each run, closed forms, and standard errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.errors import DataError, JscaleError, NotDifferentiable, PredictionError
from jscale.fitting.diagnostics import natural_parameters
from jscale.fitting.influence import Influence, influence
from jscale.fitting.solver.gauss_newton import WARM, solve
from tests.worlds import line, real_fit, real_runs

POINT = {"N": 2e7, "D": 1e9}


@pytest.fixture(scope="module")
def fit() -> js.Fit:
    return real_fit(js.huber(1e-2))


@pytest.fixture(scope="module")
def smooth() -> js.Fit:
    return real_fit(js.pseudo_huber(1e-2))


@pytest.fixture(scope="module")
def found(fit: js.Fit) -> Influence:
    return influence(fit, at=POINT)


def without_each(fit: js.Fit, share: float = 1.0) -> np.ndarray:
    """The change of the natural parameters (n, q) in refits with a share of a row's weight gone."""
    n = fit.problem.n
    weights = np.tile(fit.problem.weights[:n], (n, 1))
    weights[np.arange(n), np.arange(n)] *= 1 - share
    with float64_scope():
        lanes = solve(fit.problem, np.tile(fit.theta, (n, 1)), weights=weights, settings=WARM)
        return natural_parameters(fit.problem, lanes.theta) - fit.params.to_numpy()


@pytest.mark.full
def test_first_order_is_that_of_refits_with_a_little_less_weight(smooth: js.Fit) -> None:
    """A thousandth of a row's weight: what is left of higher orders is a thousandth."""
    moved = without_each(smooth, 1e-3) / 1e-3
    first = influence(smooth).parameters.to_numpy()
    size = smooth.stderr.to_numpy()
    np.testing.assert_allclose(first / size, moved / size, rtol=3e-3, atol=1e-4)


@pytest.mark.full
@pytest.mark.parametrize("which", ["fit", "smooth"])
def test_first_order_foretells_refits_without_a_row(
    which: str, request: pytest.FixtureRequest
) -> None:
    """A row's leverage h makes the true move 1/(1 − h) times the first-order one.

    Mean leverage is p/n = 5%, up to 30% in the corners of the design, and Huber's active set
    changes: over all rows errors are a tenth of the moves: .098 and .070 for the two.
    """
    fit = request.getfixturevalue(which)
    true = without_each(fit) / fit.stderr.to_numpy()
    first = influence(fit).parameters.to_numpy() / fit.stderr.to_numpy()
    assert np.corrcoef(true.ravel(), first.ravel())[0, 1] > 0.98
    assert np.sqrt(np.mean((true - first) ** 2)) < 0.2 * np.sqrt(np.mean(true**2))


@pytest.mark.full
def test_of_a_straight_line_it_is_the_closed_form() -> None:
    """Leaving a row out of least squares moves the line by first order/(1 − leverage)."""
    rng = np.random.default_rng(0)
    x = np.linspace(1, 5, 20)
    table = pd.DataFrame({"x": x, "loss": 2 - 0.3 * x + 0.1 * rng.standard_normal(20)})
    objective = js.least_squares(space="linear")
    fit = js.fit(line, table, objective=objective, loss_unit="other", starts=4)
    found = influence(fit, at={"x": [0.0, 7.0]})
    X = np.column_stack([np.ones(20), x])
    leverage = np.sum(X @ np.linalg.inv(X.T @ X) * X, axis=1)
    for row in range(20):
        keep = np.arange(20) != row
        moved = np.linalg.lstsq(X[keep], table["loss"][keep], rcond=None)[0] - fit.params.to_numpy()
        first = found.parameters.iloc[row].to_numpy()
        np.testing.assert_allclose(moved, first / (1 - leverage[row]), rtol=1e-7, atol=1e-12)
        assert found.predictions is not None
        at = [first[0], first[0] + 7 * first[1]]
        np.testing.assert_allclose(found.predictions.iloc[row], at, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("which", ["fit", "smooth"])
def test_squares_sum_to_the_sandwich(which: str, request: pytest.FixtureRequest) -> None:
    """With the expected curvature, runs' influences are the scores of the standard errors."""
    fit = request.getfixturevalue(which)
    moves = influence(fit, smoothed=True).parameters
    units = fit.problem.units
    n, p = len(np.unique(units)), len(fit.theta)
    summed = moves.groupby(units).sum().to_numpy()
    expected = np.sqrt(n / (n - p) * np.sum(summed**2, axis=0))
    np.testing.assert_allclose(expected, fit.stderr, rtol=1e-6)


def test_all_runs_together_move_nothing(found: Influence) -> None:
    assert found.predictions is not None
    total = found.in_errors().sum(axis=0)
    assert np.abs(total).max() < 1e-6


def test_a_prediction_moves_as_its_refits(fit: js.Fit, found: Influence) -> None:
    """The curve far out, refitted without each row, to the leverage."""
    assert found.predictions is not None
    E, A, alpha, B, beta = (fit.params.to_numpy() + without_each(fit)).T
    curve = E + A * POINT["N"] ** -alpha + B * POINT["D"] ** -beta
    E, A, alpha, B, beta = fit.params
    change = curve - (E + A * POINT["N"] ** -alpha + B * POINT["D"] ** -beta)
    first = found.predictions[0].to_numpy()
    assert np.corrcoef(change, first)[0, 1] > 0.98


def test_the_tables_have_the_labels_of_the_runs(fit: js.Fit, found: Influence) -> None:
    assert found.parameters.index.equals(fit.runs.frame.index)
    assert found.to_frame().columns.tolist() == ["E", "A", "alpha", "B", "beta", "loss[0]"]
    assert influence(fit).to_frame().columns.tolist() == ["E", "A", "alpha", "B", "beta"]
    assert found.errors.index.tolist() == found.to_frame().columns.tolist()
    assert not found.smoothed


def test_most_is_sorted_and_right(found: Influence) -> None:
    most, sizes = found.most(7), found.in_errors().abs()
    assert len(most) == 7
    assert most["in_errors"].abs().is_monotonic_decreasing
    assert abs(most["in_errors"].iloc[0]) == pytest.approx(sizes.to_numpy().max())
    row, column = most.index[0], most["moves"].iloc[0]
    assert most["change"].iloc[0] == pytest.approx(found.to_frame().loc[row, column])
    assert "those that move most" in repr(found)


def test_an_outlier_is_found() -> None:
    """Where outliers count in full: the corner of the design, its loss raised by a tenth."""
    table = real_runs().frame
    labelled = table.set_axis([f"run {i}" for i in range(len(table))], axis=0)
    corner = str((labelled["N"] * labelled["D"]).idxmax())
    labelled.loc[corner, "loss"] *= 1.1
    fit = js.fit("chinchilla", labelled, objective=js.pseudo_huber(1.0), starts=8)
    assert influence(fit).most(1).index.tolist() == [corner]


def test_rows_of_a_run_go_together(fit: js.Fit) -> None:
    table = real_runs().frame
    pairs = js.Runs.from_frame(table.assign(pair=np.arange(len(table)) // 2), run="pair")
    paired = js.fit("chinchilla", pairs, objective=js.huber(1e-2), starts=8)
    rows, runs = influence(paired, at=POINT), influence(paired, at=POINT, by="run")
    assert runs.parameters.index.name == "pair"
    assert runs.predictions is not None
    assert rows.predictions is not None
    summed = rows.parameters.groupby(pairs.frame["pair"]).sum()
    pd.testing.assert_frame_equal(runs.parameters, summed, check_names=False)
    assert runs.predictions.to_numpy().sum() == pytest.approx(
        rows.predictions.to_numpy().sum(), abs=1e-9
    )


@pytest.mark.full
def test_parameters_per_group_and_points_per_group() -> None:
    x, noise = np.tile(np.linspace(1, 5, 10), 2), np.random.default_rng(1).standard_normal(20)
    table = pd.DataFrame({"x": x, "family": ["gpt"] * 10 + ["llama"] * 10})
    table["loss"] = 2 - 0.3 * x + 0.5 * (table["family"] == "gpt") + 0.1 * noise
    objective = js.least_squares(space="linear")
    fit = js.fit(line, table, per={"a": "family"}, objective=objective, loss_unit="other", starts=4)
    found = influence(fit, at={"x": 7.0, "family": ["gpt", "llama"]})
    assert found.parameters.columns.tolist() == ["a[gpt]", "a[llama]", "b"]
    assert found.predictions is not None
    for point, name in enumerate(("a[gpt]", "a[llama]")):
        moved = found.parameters[name] + 7 * found.parameters["b"]
        np.testing.assert_allclose(found.predictions[point], moved, rtol=1e-9, atol=1e-14)
    with pytest.raises(PredictionError, match=r"family='lama' .* Did you mean 'llama'"):
        influence(fit, at={"x": 7.0, "family": "lama"})


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ({"N": 1e7}, r"D is missing\. Give at=\{'N': …, 'D': …\}"),
        ({"N": 1e7, "D": 1e9, "d": 1}, r"d is not one of them\. Did you mean 'D'\?"),
        ({"N": -1.0, "D": 1e9}, r"N must be a positive, finite number; it is -1.0"),
        ({"N": [1e7, 2e7], "D": [1e9, 1e9, 1e9]}, r"N \(2,\), D \(3,\) do not broadcast"),
        (1e7, r"Inputs come as a table or by name, not as float\. Give at="),
    ],
)
def test_points_that_cannot_be_predicted(fit: js.Fit, at: object, message: str) -> None:
    with pytest.raises(PredictionError, match=message):
        influence(fit, at=at)


def test_choices_that_are_not_there(fit: js.Fit) -> None:
    with pytest.raises(DataError, match=r'these Runs have no run ids.*run="<column>"'):
        influence(fit, by="run")
    with pytest.raises(
        JscaleError, match=r"by='runs' is not known\. Did you mean 'run'\? Use row, run\."
    ):
        influence(fit, by="runs")
    with pytest.raises(JscaleError, match=r"smoothed='yes' is not known\. Use auto, True, False\."):
        influence(fit, smoothed="yes")


def test_no_derivative_is_an_error_and_smoothing_a_way_out(fit: js.Fit) -> None:
    narrow = replace(fit, settings=replace(fit.settings, objective=js.huber(1e-9)))
    with pytest.raises(NotDifferentiable, match=r"Only 0 of 103 residuals lie inside delta=1e-09"):
        influence(narrow, smoothed=False)
    assert influence(narrow).smoothed
