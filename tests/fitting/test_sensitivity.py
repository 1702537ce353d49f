"""sensitivity: against refits of perturbed tables, and exact identities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.errors import DataError, LawError, NotDifferentiable
from jscale.fitting.diagnostics import natural_parameters
from jscale.fitting.second_order import expand
from jscale.fitting.sensitivity import sensitivity
from jscale.fitting.solver.gauss_newton import WARM, solve
from tests.worlds import real_fit

POINT = {"N": 2e7, "D": 1e9}
STEP = 1e-4


@pytest.fixture(scope="module")
def fit() -> js.Fit:
    return real_fit(js.pseudo_huber(1e-2))


@pytest.fixture(scope="module")
def refit(fit: js.Fit) -> Callable[..., np.ndarray]:
    """Refit with the logarithms of some columns moved: the natural parameters."""

    def run(**moves: np.ndarray) -> np.ndarray:
        problem, pad = fit.problem, fit.problem.rows - fit.problem.n
        data = problem.data
        by = {name: np.concatenate([move, np.zeros(pad)]) for name, move in moves.items()}
        inputs = tuple(
            x * np.exp(by.get(name, 0.0)) for name, x in zip("ND", data.inputs, strict=True)
        )
        target = data.target + by.get("loss", 0.0)
        moved = replace(problem, data=data._replace(inputs=inputs, target=target))
        with float64_scope():
            theta = solve(moved, fit.theta[None], settings=WARM).theta
            return natural_parameters(moved, theta)[0]

    return run


def difference(refit: Callable[..., np.ndarray], name: str, where: np.ndarray) -> np.ndarray:
    """The derivative of the parameters along a change of a column's logarithm."""
    up, down = refit(**{name: STEP * where}), refit(**{name: -STEP * where})
    return (up - down) / (2 * STEP)


@pytest.mark.parametrize("name", ["N", "D", "loss"])
def test_common_errors_are_those_of_refits(
    fit: js.Fit, refit: Callable[..., np.ndarray], name: str
) -> None:
    found = sensitivity(fit, common=True, **{name: 0.01}).parameters.loc[name]
    numeric = 0.01 * difference(refit, name, np.ones(len(fit.runs)))
    np.testing.assert_allclose(found / fit.stderr, numeric / fit.stderr, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["N", "loss"])
def test_independent_errors_are_those_of_refits_row_by_row(
    fit: js.Fit, refit: Callable[..., np.ndarray], name: str
) -> None:
    rows = np.eye(len(fit.runs))
    numeric = np.array([difference(refit, name, row) for row in rows])
    found = sensitivity(fit, smoothed=False, **{name: 0.1}).parameters.loc[name]
    np.testing.assert_allclose(found, 0.1 * np.sqrt(np.sum(numeric**2, axis=0)), rtol=1e-3)


@pytest.mark.parametrize(("name", "error"), [("loss", 1e-3), ("loss", 0.02), ("N", 0.2)])
def test_errors_beyond_delta_are_those_of_tables_drawn_anew(
    fit: js.Fit, refit: Callable[..., np.ndarray], name: str, error: float
) -> None:
    """Sixty tables with errors of a tenth of delta, twice delta, and about delta.

    Sixty draws know a standard deviation to 9%; the mean curvature is right to a third. With
    the curvature at the optimum, the larger ones come out up to half too large.
    """
    rng, n = np.random.default_rng(5), len(fit.runs)
    drawn = np.array([refit(**{name: error * rng.standard_normal(n)}) for _ in range(60)])
    ratio = sensitivity(fit, **{name: error}).parameters.loc[name] / drawn.std(axis=0)
    assert ratio[["E", "alpha", "beta"]].between(0.6, 1.35).all()


def test_the_mean_curvature_is_the_mean_of_the_curvature(fit: js.Fit) -> None:
    with float64_scope():
        local = expand(fit.problem, fit.theta)
    width = fit.settings.objective.delta
    same = local.averaged_over(np.full(len(fit.runs), 1e-5 * width)).curvature
    np.testing.assert_allclose(same, local.curvature, rtol=1e-6)
    z = np.linspace(-8, 8, 20_001)
    density = np.exp(-0.5 * z**2) / np.sum(np.exp(-0.5 * z**2))
    r = local.residual[:, None] + 3 * width * z
    mean = ((1 + (r / width) ** 2) ** -1.5) @ density
    wide = local.averaged_over(np.full(len(fit.runs), 3 * width)).curvature
    np.testing.assert_allclose(wide, mean, rtol=1e-3)


def test_each_row_its_own_error(fit: js.Fit, refit: Callable[..., np.ndarray]) -> None:
    errors = np.zeros(len(fit.runs))
    errors[7] = 0.2
    found = sensitivity(fit, D=errors, smoothed=False).parameters.loc["D"]
    numeric = 0.2 * np.abs(difference(refit, "D", (errors > 0).astype(float)))
    np.testing.assert_allclose(found, numeric, rtol=1e-3, atol=1e-6)


def test_sizes_counted_too_high_change_their_amplitude_alone(fit: js.Fit) -> None:
    """A·(N/c)^(−alpha): counting N a factor c higher makes A higher by c^alpha, no more."""
    smoothed = sensitivity(fit, N=0.1, common=True, at=POINT, smoothed=True)
    found = sensitivity(fit, N=0.1, common=True, at=POINT)
    pd.testing.assert_frame_equal(found.parameters, smoothed.parameters, atol=1e-8, rtol=1e-7)
    moved = found.parameters.loc["N"] / fit.params
    assert moved["A"] == pytest.approx(0.1 * fit.params["alpha"], rel=1e-8)
    assert moved.drop("A").abs().max() < 1e-8
    # The curve at an N that is right then moves by its own term, and so it should.
    term = fit.params["A"] * POINT["N"] ** -fit.params["alpha"]
    assert found.predictions is not None
    assert found.predictions.loc["N", 0] == pytest.approx(0.1 * fit.params["alpha"] * term)


def test_losses_read_too_high_scale_the_curve(fit: js.Fit) -> None:
    found = sensitivity(fit, loss=0.01, common=True, at=POINT)
    moved = found.parameters.loc["loss"] / fit.params
    np.testing.assert_allclose(moved[["E", "A", "B"]], 0.01, rtol=1e-8)
    curve = fit.params["E"] + sum(
        fit.params[a] * POINT[x] ** -fit.params[e] for a, x, e in (("A", "N", "alpha"), ("B", "D", "beta"))
    )  # fmt: skip
    assert found.predictions is not None
    assert found.predictions.loc["loss", 0] == pytest.approx(0.01 * curve, rel=1e-8)


def test_errors_shared_by_label(fit: js.Fit) -> None:
    """One label for all is a common error, a label each an independent one."""
    frame = fit.runs.frame.assign(all="x", each=np.arange(len(fit.runs)))
    labelled = replace(fit, runs=replace(fit.runs, frame=frame))
    every = sensitivity(labelled, N=0.1, common=True).parameters.abs()
    pd.testing.assert_frame_equal(sensitivity(labelled, N=0.1, common="all").parameters, every)
    each = sensitivity(labelled, N=0.1).parameters
    pd.testing.assert_frame_equal(sensitivity(labelled, N=0.1, common="each").parameters, each)


def test_linear_space_takes_relative_errors_too() -> None:
    design = pd.DataFrame({"C": np.geomspace(1e17, 1e22, 20)})
    planted = {"E": 1.7, "A": 900.0, "alpha": 0.15}
    runs = js.simulate("power_const", planted, design, noise=0.01, seed=1)
    fit = js.fit("power_const", runs, objective=js.least_squares(space="linear"), starts=8)
    moved = sensitivity(fit, loss=0.01, common=True).parameters.loc["loss"] / fit.params
    np.testing.assert_allclose(moved, [0.01, 0.01, 0.0], rtol=1e-7, atol=1e-9)


def test_the_table(fit: js.Fit) -> None:
    found = sensitivity(fit, N=0.1, loss=0.01, at=POINT)
    frame = found.to_frame()
    assert frame.index.tolist() == ["E", "A", "alpha", "B", "beta", "loss[0]"]
    assert frame.columns.tolist() == ["N", "loss", "total", "error"]
    np.testing.assert_allclose(frame["total"], np.hypot(frame["N"], frame["loss"]))
    np.testing.assert_array_equal(frame["error"][:5], fit.stderr)
    assert "standard deviation from errors of N 10%, loss 1%" in repr(found)
    assert "change if too high by N 10%" in repr(sensitivity(fit, N=0.1, common=True))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n": 0.1}, LawError, r"has no input n\. Did you mean 'N'\? Give errors of N, D, loss"),
        ({"C": 0.1}, LawError, r"chinchilla has no input C\."),
        ({}, DataError, r"No errors are given.*sensitivity\(fit, N=0.1, loss=0.01\)"),
        ({"N": -0.1}, DataError, r"N=-0.1 must be a relative error, zero or more"),
        ({"N": [0.1, 0.2]}, DataError, r"N=0.1 for 10%, or 103, one per row"),
        ({"N": "ten"}, DataError, r"N='ten' must be a relative error"),
        ({"N": 0.1, "common": "splits"}, DataError, r"not a column .* Did you mean 'split'"),
    ],
)
def test_errors_that_make_no_sense(
    fit: js.Fit, arguments: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        sensitivity(fit, **arguments)  # pyright: ignore[reportArgumentType]


def test_no_derivative_is_an_error(fit: js.Fit) -> None:
    kinked = replace(fit, settings=replace(fit.settings, objective=js.huber(1e-9)))
    with pytest.raises(NotDifferentiable, match="fewer than the 5 parameters"):
        sensitivity(kinked, N=0.1, smoothed=False)


def test_rows_without_a_label_share_no_error_in_silence(fit: js.Fit) -> None:
    labels = np.where(np.arange(len(fit.runs)) < 3, None, "a")
    runs = js.Runs.from_frame(fit.runs.frame.assign(lab=labels))
    with pytest.raises(
        DataError,
        match=r"column 'lab' has no label in row.* does not say which error those rows share",
    ):
        sensitivity(replace(fit, runs=runs), N=0.1, common="lab")
