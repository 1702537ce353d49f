"""notes: each code from a small table that deserves it, and none where nothing is wrong."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.fitting.diagnostics import Directions, linearise
from jscale.fitting.notes import SEVERITIES, Note, notes_on_optimum
from jscale.simulation.worlds import CHINCHILLA, compute, grid

POWER = {"E": 1.7, "A": 900.0, "alpha": 0.15}
SURFACE = grid(np.geomspace(1e8, 1e10, 6), np.geomspace(2e9, 2e11, 7))


def fit_of(law: js.Law | str, data: js.Runs | pd.DataFrame, **choices) -> js.Fit:
    """Fit without the warnings, which repeat the notes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", js.errors.JscaleWarning)
        return js.fit(law, data, **choices)


def note_of(fit: js.Fit, code: str) -> Note:
    """Return the note of a code, which must be there once."""
    (found,) = [note for note in fit.notes if note.code == code]
    return found


@pytest.fixture(scope="module")
def surface() -> js.Runs:
    return js.simulate("chinchilla", CHINCHILLA, SURFACE, noise=0.005, seed=3)


# ── The search ───────────────────────────────────────────────────────────────────────────────


def test_a_clean_fit_has_no_notes():
    """No error, no note: little noise, many runs, parameters well apart."""
    runs = js.simulate("power_const", POWER, compute(1e14, 1e22, 40), noise=2e-4, seed=1)
    assert js.fit("power_const", runs).notes == ()


@pytest.mark.full
def test_starts_disagree():
    world = {"a": 1.0, "b": 2000.0, "c0": 0.15, "c1": 0.25, "d1": 1e19, "f1": 0.3}
    runs = js.simulate("broken:1", world, compute(1e16, 1e23, 40), noise=0.05, seed=1)
    fit = fit_of("broken:3", runs, starts=64)
    note = note_of(fit, "starts-disagree")
    assert note.severity == "caution"
    assert note.seen == f"{fit.agree[0]} of 64 starts ended at the best objective."
    assert "starts=256" in note.do


@pytest.mark.full
def test_not_converged():
    """A law that is not a number past a wall stops every start at the wall."""
    import jax.numpy as jnp

    @js.law(powers=(("A", "C", "alpha"),), linear=("A",))
    def walled(C, *, A: js.Scale, alpha: js.Exponent):
        return jnp.where(alpha < 0.06, A * js.power(C, -alpha), jnp.nan)

    runs = js.simulate("power", {"A": 50.0, "alpha": 0.07}, compute(1e17, 1e22, 30), noise=0.01)
    with pytest.warns(js.errors.FitWarning, match="not-converged: The best lane ended as stuck"):
        fit = js.fit(walled, runs)
    assert note_of(fit, "not-converged").severity == "warning"


# ── The optimum ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.full
def test_unidentified_names_the_two_that_only_their_product_matters():
    @js.law(linear=("E",))
    def doubled(C, *, E: js.Floor, A: js.Scale, B: js.Scale, alpha: js.Exponent):
        return E + A * B * js.power(C, -alpha)

    runs = js.simulate("power_const", POWER, compute(1e14, 1e22, 40), noise=2e-4, seed=1)
    wrong = r"do not determine A, B \(condition .*add runs that separate them, or fix one: fixed="
    with pytest.warns(js.errors.FitWarning, match=wrong):
        fit = js.fit(doubled, runs)
    note = note_of(fit, "unidentified")
    assert note.do.endswith("fixed={'A': …}.")
    assert note_of(fit, "unidentified").severity == "warning"


@pytest.mark.full
def test_unidentified_by_one_group(surface):
    """A family with a single size says nothing of its own exponent of size."""
    frame = surface.frame.assign(family=np.where(surface["N"] == 1e8, "small", "rest"))
    note = note_of(
        fit_of("chinchilla", frame, per={"alpha": "family", "A": "family"}), "unidentified"
    )
    assert "A[small], alpha[small]" in note.seen
    assert "fixed={'A': …}" in note.do


def test_unidentified_names_all_where_none_stands_out(surface):
    fit = js.fit("chinchilla", surface)
    with js._precision.float64_scope():
        optimum = linearise(fit.problem, fit.theta)
    thin = Directions(1e9, names=())
    (note, *_) = notes_on_optimum(fit.problem, optimum, np.zeros(5), thin)
    assert "E, A, alpha, B, beta (condition 1.0e+09)" in note.seen


@pytest.mark.full
def test_near_l1(surface):
    fit = js.fit("chinchilla", surface)
    note = note_of(fit, "near-l1")
    inside = np.sum(np.abs(fit.residuals) < 1e-3)
    assert note.severity == "info"
    assert note.seen == f"The residuals of {inside} of 42 runs lie inside delta=0.001."
    assert "js.bootstrap(fit)" in note.do
    smooth = js.fit("chinchilla", surface, objective=js.pseudo_huber())
    assert "near-l1" not in [n.code for n in smooth.notes]


def concave() -> pd.DataFrame:
    """A loss that falls ever faster: no irreducible loss can be seen."""
    x = np.linspace(0.0, 1.0, 30)
    return pd.DataFrame({"C": 1e17 * 1e5**x, "loss": 4.0 * np.exp(-0.5 * x - 0.3 * x**2)})


def test_at_edge():
    note = note_of(fit_of("power_const", concave()), "at-edge")
    assert note.severity == "caution"
    assert note.seen.startswith("E makes at most ")
    assert note.means == "The data do not distinguish it from zero: no irreducible loss is seen."
    assert note.do == "Fix it, fixed={'E': …}, or use a law without the term."


def test_dead_term(surface):
    frame = surface.frame.assign(
        loss=1.7 + 400 * surface["N"] ** -0.34 + 0.01 * np.log(surface["D"])
    )
    note = note_of(fit_of("chinchilla", frame), "dead-term")
    assert note.severity == "caution"
    assert note.seen.startswith("B makes at most ")
    assert note.means.endswith("and its exponent means nothing.")


@pytest.mark.full
def test_outlier_driven():
    runs = js.simulate("power_const", POWER, compute(1e14, 1e22, 40), noise=1e-3, seed=1)
    frame = runs.frame.set_axis([f"run{i}" for i in range(40)])
    frame.loc["run39", "loss"] *= 1.2
    note = note_of(fit_of("power_const", frame, objective="least_squares"), "outlier-driven")
    assert note.severity == "caution"
    assert "Without the 1 rows with the largest residuals (rows run39)" in note.seen
    assert "E by " in note.seen
    assert "runs.where" in note.do


def test_residuals_patterned():
    """A straight line through a bent cloud; the right law through the same is not blamed."""
    runs = js.simulate("power_const", POWER, compute(1e14, 1e22, 40), noise=2e-4, seed=1)
    note = note_of(fit_of("power", runs), "residuals-patterned")
    assert note.severity == "caution"
    assert "Hold out the largest runs" in note.do
    assert "residuals-patterned" not in [n.code for n in fit_of("power_const", runs).notes]


def test_a_wide_delta_is_not_near_absolute():
    """Nearly all residuals inside, though fewer than ten per parameter: plainly quadratic."""
    runs = js.simulate("chinchilla", CHINCHILLA, SURFACE.iloc[::2], noise=0.01, seed=3)
    few, most = (fit_of("chinchilla", runs, objective=js.huber(d)) for d in (0.001, 0.02))
    inside = [int(np.sum(np.abs(f.residuals) < d)) for f, d in ((few, 0.001), (most, 0.02))]
    assert 2 * inside[0] < len(runs) < 2 * inside[1] < 2 * 10 * 5
    assert "near-l1" in [n.code for n in few.notes]
    assert "near-l1" not in [n.code for n in most.notes]


def test_floor_above_data(surface):
    """A run far below the others does not pull the irreducible loss below itself."""
    low = surface["loss"].argmin()
    losses = np.where(np.arange(len(surface)) == low, 1.2, surface["loss"])
    frame = surface.frame.assign(loss=losses)
    fit = fit_of("chinchilla", js.Runs.from_frame(frame, N="N", D="D"))
    note = note_of(fit, "floor-above-data")
    assert note.severity == "caution"
    assert note.seen == f"E = {fit.params['E']:.4g} lies above 1 observed values (lowest 1.2)."


# ── The data ─────────────────────────────────────────────────────────────────────────────────


def test_few_runs_counts_runs_not_rows(surface):
    frame = surface.frame.assign(id=np.arange(42) // 3)
    note = note_of(fit_of("chinchilla", frame, run="id"), "few-runs")
    assert note.seen == "14 independent runs for 5 parameters."
    assert "few-runs" not in [n.code for n in js.fit("chinchilla", surface).notes]


def test_duplicate_runs(surface):
    frame = pd.concat([surface.frame, surface.frame.head(2)], ignore_index=True)
    with pytest.warns(js.errors.DataWarning, match="2 rows repeat another one"):
        fit = js.fit("chinchilla", frame)
    note = note_of(fit, "duplicate-runs")
    assert note.severity == "caution"
    assert "df.drop_duplicates()" in note.do


def test_flops_mismatch(surface):
    frame = surface.frame.assign(C=surface["C"] / 6)
    with pytest.warns(js.errors.DataWarning, match=r"C is not near 6\*N\*D in 42 of 42 rows"):
        fit = js.fit("chinchilla", frame)
    assert note_of(fit, "flops-mismatch").severity == "caution"


# ── How they show ────────────────────────────────────────────────────────────────────────────


def test_the_most_severe_come_first(surface):
    frame = surface.frame.head(8).assign(loss=2.0)
    fit = fit_of("chinchilla", frame)
    ranks = [SEVERITIES.index(n.severity) for n in fit.notes]
    assert ranks == sorted(ranks, reverse=True)
    assert len(set(ranks)) > 1


def test_a_note_as_text():
    note = Note("few-runs", "caution", "Seen.", "", "Do.")
    assert str(note) == "[caution] few-runs: Seen. Do."


def test_warnings_are_the_notes_of_that_severity(surface):
    frame = surface.frame.assign(family=np.where(surface["N"] == 1e8, "small", "rest"))
    with pytest.warns(js.errors.FitWarning) as seen:
        fit = js.fit("chinchilla", frame, per={"alpha": "family", "A": "family"})
    told = [str(w.message) for w in seen if issubclass(w.category, js.errors.FitWarning)]
    assert told == [str(n) for n in fit.notes if n.severity == "warning"]
