"""Plots of fits draw on the given Axes or on new ones, return them, and label them."""

from __future__ import annotations

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

import jscale as js
from jscale import plots
from jscale.simulation.worlds import CHINCHILLA, WORLDS, grid
from tests.plots.reading import as_png, labels, legend

SURFACE = grid(np.geomspace(1e8, 1e10, 6), np.geomspace(2e9, 2e11, 7))


@pytest.fixture(scope="module")
def fits() -> dict[str, js.Fit]:
    """Fits of every kind that a picture must cope with."""
    runs = js.simulate("chinchilla", CHINCHILLA, SURFACE, noise=0.005, seed=3)
    families = runs.frame.assign(family=np.where(np.arange(len(runs)) % 2 == 1, "gpt", "llama"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", js.errors.FitWarning)
        return {
            "chinchilla": js.fit("chinchilla", runs),
            "per group": js.fit("chinchilla", families, per={"E": "family"}),
            "power_const": one_axis("power_const"),
            "broken:1": one_axis("broken:1"),
            "custom": custom(),
            "power_const:N": js.fit("power_const:N", runs),
            "per group of C": js.fit("power_const", families, per={"E": "family"}),
        }


def one_axis(name: str) -> js.Fit:
    planted, design = WORLDS[name]
    return js.fit(name, js.simulate(name, planted, design, noise=0.01), starts=16)


def custom() -> js.Fit:
    """A score that rises in a straight line with an input of any sign."""

    @js.law(output="score")
    def straight(x, *, a: js.Real, b: js.Real):
        return a + b * x

    frame = pd.DataFrame({"x": np.linspace(-1.0, 2.0, 12)})
    frame["score"] = 1.0 + 0.5 * frame["x"] + 0.01 * np.sin(7 * frame["x"])
    runs = js.Runs.from_frame(frame, output="score", x="x", loss_unit="other")
    return js.fit(straight, runs, objective=js.least_squares(space="linear"))


@pytest.fixture(scope="module")
def held_out(fits: dict[str, js.Fit]) -> pd.DataFrame:
    draws = js.laplace(fits["chinchilla"], 100)
    frame = js.predict(draws, N=[2e10, 3e10], D=2e11).to_frame()
    return frame.assign(observed=frame["curve"] * 1.01)


# ── One plot ─────────────────────────────────────────────────────────────────────────────────

ONE_PANEL = {
    "observed_and_fitted": plots.observed_and_fitted,
    "residuals": plots.residuals,
    "isoflop_slices": plots.isoflop_slices,
    "bands": lambda fit, ax=None: plots.bands(
        js.predict(js.laplace(fit, 50), fit.runs), along="N", ax=ax
    ),
}


@pytest.mark.full
@pytest.mark.parametrize("name", ONE_PANEL)
def test_draws_on_the_axes_given(fits, name):
    _, (left, right) = plt.subplots(1, 2)
    assert ONE_PANEL[name](fits["chinchilla"], ax=right) is right
    assert right.has_data()
    assert not left.has_data()
    assert all(labels(right))


@pytest.mark.parametrize("name", ONE_PANEL)
def test_makes_its_own_axes(fits, name):
    ax = ONE_PANEL[name](fits["chinchilla"])
    assert isinstance(ax, Axes)
    assert ax.has_data()


def test_observed_and_fitted_shows_every_run(fits, held_out):
    fit = fits["chinchilla"]
    ax = plots.observed_and_fitted(fit, held_out=held_out)
    points = ax.collections[0].get_offsets()
    np.testing.assert_array_equal(points, np.column_stack([fit.fitted, fit.runs["loss"]]))
    assert legend(ax) == ["fitted runs", "held-out runs"]
    assert labels(ax) == ("fitted loss (nats)", "observed loss (nats)")


def test_a_score_has_no_unit_of_loss(fits):
    assert labels(plots.observed_and_fitted(fits["custom"])) == ("fitted score", "observed score")


def test_residuals_are_percent_of_the_fitted(fits):
    fit = fits["chinchilla"]
    ax = plots.residuals(fit, against="N")
    points = np.asarray(ax.collections[0].get_offsets())
    percent = 100 * (fit.runs["loss"] / fit.fitted - 1)
    np.testing.assert_allclose(points, np.column_stack([fit.runs["N"], percent]), atol=1e-9)
    assert labels(ax) == ("N", "observed / fitted − 1 (%)")
    assert ax.get_xscale() == "log"


def test_residuals_in_another_space_and_over_any_sign(fits):
    ax = plots.residuals(fits["custom"])
    assert labels(ax) == ("x", "residual (linear)")
    assert ax.get_xscale() == "linear"


def test_residuals_against_no_input(fits):
    with pytest.raises(js.PredictionError, match=r"No input 'M'; plot against one of N, D, C"):
        plots.residuals(fits["chinchilla"], against="M")


def test_isoflop_slices_have_their_minima(fits):
    ax = plots.isoflop_slices(fits["chinchilla"], budgets=[1e20, 1e21])
    assert legend(ax) == ["C = 1.0e+20", "C = 1.0e+21"]
    crosses = [line for line in ax.lines if line.get_marker() == "x"]
    assert len(crosses) == 2
    for cross, curve in zip(crosses, (ax.lines[0], ax.lines[2]), strict=True):
        assert cross.get_ydata()[0] == np.min(curve.get_ydata())


def test_isoflop_slices_leave_out_budgets_far_away(fits):
    assert legend(plots.isoflop_slices(fits["chinchilla"], budgets=[1e20, 1e40])) == ["C = 1.0e+20"]


@pytest.mark.parametrize(
    ("name", "inputs"), [("power_const", "C"), ("per group", "N, D, family"), ("custom", "x")]
)
def test_isoflop_slices_of_another_law(fits, name, inputs):
    wrong = rf"isoFLOP slices need a law of N and D .* is a law of {inputs}\. Use bands\(prediction"
    with pytest.raises(js.PredictionError, match=wrong):
        plots.isoflop_slices(fits[name])


def test_bands_name_their_level(fits):
    fit = fits["chinchilla"]
    prediction = js.predict(js.laplace(fit, 50), N=np.geomspace(1e8, 1e10, 5), D=1e10, level=0.8)
    ax = plots.bands(prediction, along="N", observed=fit.runs.frame)
    assert legend(ax) == ["80% prediction interval", "80% confidence interval", "curve", "runs"]
    assert labels(ax) == ("N", "loss")


def test_bands_of_a_point_alone_are_a_curve(fits):
    prediction = js.predict(fits["chinchilla"], N=[1e9, 1e8], D=1e10, method=None)
    ax = plots.bands(prediction, along="N")
    assert legend(ax) == ["curve"]
    assert ax.lines[0].get_xdata().tolist() == [1e8, 1e9]


@pytest.mark.parametrize("where", ["prediction", "observed"])
def test_bands_along_no_column(fits, where):
    prediction = js.predict(fits["chinchilla"], N=1e9, D=1e10, method=None)
    along, columns = ("M", "N, D, curve") if where == "prediction" else ("N", "size, loss")
    observed = pd.DataFrame({"size": [1e9], "loss": [2.0]})
    with pytest.raises(js.PredictionError, match=f"No column '{along}' to plot along.*{columns}"):
        plots.bands(prediction, along=along, observed=observed)


# ── The overview ─────────────────────────────────────────────────────────────────────────────

SHOWN = {
    "chinchilla": 4,
    "per group": 2,
    "power_const": 3,
    "broken:1": 3,
    "custom": 2,
    "power_const:N": 2,
    "per group of C": 2,
}


@pytest.mark.parametrize("name", SHOWN)
def test_overview_renders(fits, name):
    fit = fits[name]
    figure = plots.overview(fit, js.laplace(fit, 50))
    visible = [ax for ax in figure.axes if ax.get_visible()]
    assert len(visible) == SHOWN[name]
    assert all(all(labels(ax)) for ax in visible)
    assert figure.get_suptitle().startswith(f"{fit.law.name}: {fit.law.output} = ")
    assert as_png(figure).startswith(b"\x89PNG")


@pytest.mark.parametrize("with_compute", [True, False])
def test_overview_reaches_the_held_out_runs(fits, held_out, with_compute):
    fit = fits["chinchilla"]
    table = held_out.assign(C=6 * held_out["N"] * held_out["D"]) if with_compute else held_out
    figure = plots.overview(fit, js.laplace(fit, 50), held_out=table)
    reached = figure.axes[3].lines[0].get_xdata().max()
    furthest = max(10 * fit.largest, table["C"].max() if with_compute else 0.0)
    assert reached == pytest.approx(furthest)
    assert "held-out runs" in legend(figure.axes[0])


def test_overview_follows_the_compute_optimal_path(fits):
    """Its curve is the lowest loss at each compute, as Hoffmann's closed form gives it."""
    fit = fits["chinchilla"]
    curve = plots.overview(fit, js.laplace(fit, 50)).axes[3].lines[0]
    p, C = fit.params, curve.get_xdata()
    G = (p["alpha"] * p["A"] / (p["beta"] * p["B"])) ** (1 / (p["alpha"] + p["beta"]))
    N = G * (C / 6) ** (p["beta"] / (p["alpha"] + p["beta"]))
    np.testing.assert_allclose(curve.get_ydata(), fit.law(N, C / 6 / N, **p), rtol=1e-5)
