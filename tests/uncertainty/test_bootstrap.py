"""bootstrap: what is resampled, that it repeats, and that every refit is an optimum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.data.resampling import resample_counts
from jscale.fitting.objective import terms
from jscale.prediction.predict import curves
from tests.conformance.worlds import compute

RESAMPLES = 200
CLOSE = 1e-10


def labelled(runs: js.Runs, **columns: list[str]) -> pd.DataFrame:
    return runs.frame.assign(**columns)


def repeated(labels: str, rows: int) -> list[str]:
    return [labels[i % len(labels)] for i in range(rows)]


def test_plain_counts_are_as_many_as_the_rows(runs):
    counts = resample_counts(runs, {}, RESAMPLES, seed=0)
    assert counts.shape == (RESAMPLES, len(runs))
    assert (counts.sum(axis=1) == len(runs)).all()
    # Each count is binomial(n, 1/n): mean 1, variance 1 - 1/n; five standard errors of slack.
    slack = 5 / np.sqrt(counts.size)
    assert abs(counts.var() - (1 - 1 / len(runs))) < 2 * slack


def test_group_is_a_stratum(runs):
    frame = labelled(runs, family=repeated("aab", len(runs)))
    counts = resample_counts(js.Runs.from_frame(frame, group="family"), {}, RESAMPLES, seed=0)
    for _, rows in frame.reset_index(drop=True).groupby("family"):
        assert (counts[:, rows.index].sum(axis=1) == len(rows)).all()


def test_group_and_per_columns_make_strata_together(runs):
    frame = labelled(runs, family=repeated("aab", len(runs)), corpus=repeated("xyxyy", len(runs)))
    own = js.Runs.from_frame(frame, group="family")
    counts = resample_counts(own, {"E": "corpus", "A": "family"}, RESAMPLES, seed=0)
    cells = frame.reset_index(drop=True).groupby(["family", "corpus"])
    assert cells.ngroups == 4
    for _, rows in cells:
        assert (counts[:, rows.index].sum(axis=1) == len(rows)).all()


def test_rows_of_a_run_stay_together(runs):
    names = [f"run{i // 3}" for i in range(len(runs))]
    own = js.Runs.from_frame(labelled(runs, id=names), run="id")
    counts = resample_counts(own, {}, RESAMPLES, seed=0)
    by_run = counts.reshape(RESAMPLES, -1, 3)
    assert (by_run == by_run[:, :, :1]).all()
    assert (by_run[:, :, 0].sum(axis=1) == len(runs) // 3).all()
    assert len(np.unique(by_run[:, :, 0])) > 2


def test_runs_are_drawn_within_their_group(runs):
    frame = labelled(
        runs,
        id=[f"run{i // 3}" for i in range(len(runs))],
        family=["a" if i < 12 else "b" for i in range(len(runs))],
    )
    own = js.Runs.from_frame(frame, run="id", group="family")
    counts = resample_counts(own, {}, RESAMPLES, seed=0)
    assert (counts[:, :12:3].sum(axis=1) == 4).all()
    assert (counts[:, 12::3].sum(axis=1) == len(runs) // 3 - 4).all()


def test_same_seed_same_bits(fit, draws):
    again = js.bootstrap(fit, 64, seed=5)
    assert again.values.tobytes() == draws.values.tobytes()


def test_progress_changes_nothing(fit, draws):
    assert (js.bootstrap(fit, 64, seed=5, progress=True).values == draws.values).all()


def test_other_seed_other_draws(fit, draws):
    assert not np.isclose(js.bootstrap(fit, 64, seed=6).flat, draws.flat).any(axis=1).any()


def test_says_what_it_did(draws):
    assert draws.method == "bootstrap (pairs)"
    assert draws.settings == {"resamples": 64, "seed": 5, "kind": "pairs"}
    assert (draws.failed, draws.unsettled) == (0, 0)
    assert draws.values.shape == (1, 64, 5)


@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
@pytest.mark.parametrize("weighted", [False, True])
def test_each_refit_is_the_best_of_many_starts(fit, runs, weighted):
    """A replicate's objective is that of a fresh fit, from all starts, with its weights."""
    own = np.where(np.arange(len(runs)) % 5 == 0, 0.0, 1.5) if weighted else None
    source = js.fit("chinchilla", runs, weights=own) if weighted else fit
    draws = js.bootstrap(source, 4, seed=1)
    used = np.ones(len(runs), dtype=bool) if own is None else own > 0
    counts = np.zeros((4, len(runs)))
    counts[:, used] = resample_counts(runs.where(used), {}, 4, seed=1)
    counts *= 1.0 if own is None else own
    predicted = curves(source, runs.frame, draws.flat)
    for weights, row in zip(counts, predicted, strict=True):
        rho = terms("huber", np.log(row / runs["loss"]), 1e-3)[0]
        fresh = js.fit("chinchilla", runs, weights=weights, starts=16)
        assert np.sum(weights * rho) == pytest.approx(fresh.objective, rel=CLOSE)


def test_per_group_parameters_are_drawn_by_label(runs):
    frame = labelled(runs, family=repeated("ab", len(runs)))
    fit = js.fit("chinchilla", frame, per={"E": "family"})
    draws = js.bootstrap(fit, 8)
    assert draws.names == ("E[a]", "E[b]", "A", "alpha", "B", "beta")
    assert (draws["E[a]"] != draws["E[b]"]).all()


@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
def test_fixed_and_tied_parameters_stay_so(runs):
    fit = js.fit("chinchilla", runs, fixed={"E": 1.7}, tie=("alpha", "beta"))
    draws = js.bootstrap(fit, 8)
    assert (draws["E"] == 1.7).all()
    assert (draws["alpha"] == draws["beta"]).all()


def walled(limit: float) -> js.Law:
    """A power law that is not a number where its exponent passes a limit."""
    import jax.numpy as jnp

    @js.law(powers=(("A", "C", "alpha"),), linear=("A",))
    def wall(C, *, A: js.Scale, alpha: js.Exponent):
        return jnp.where(alpha <= limit, A * js.power(C, -alpha), jnp.nan)

    return wall


def test_refits_that_do_not_converge_are_counted_and_told():
    planted = {"A": 50.0, "alpha": 0.07}
    runs = js.simulate("power", planted, compute(1e17, 1e22, 40), noise=0.02, seed=1)
    best = js.fit("power", runs).params["alpha"]
    law = walled(best * 1.0001)
    fit = js.fit(law, runs)
    assert fit.params["alpha"] == pytest.approx(best, rel=1e-6)
    with pytest.warns(
        js.errors.FitWarning, match=r"0 of 40 resamples failed and \d+ did not conv"
    ) as seen:
        draws = js.bootstrap(fit, 40)
    assert "Fix or tie the parameters that fit.notes names" in str(seen[0].message)
    assert 0 < draws.unsettled < 40
    assert (draws["alpha"] <= best * 1.0001).all()


def test_no_finite_refit_is_an_error(fit):
    lost = replace(fit, theta=np.full_like(fit.theta, np.nan))
    with pytest.raises(js.FitError, match=r"None of 4 resamples .* fit\.notes, or use js\.laplace"):
        js.bootstrap(lost, 4)


def test_unknown_kind(fit):
    with pytest.raises(js.JscaleError, match=r"kind='wild' is not known; use pairs"):
        js.bootstrap(fit, kind="wild")


@pytest.mark.parametrize("resamples", [1, 0, -5])
def test_too_few_resamples(fit, resamples):
    with pytest.raises(js.JscaleError, match=rf"resamples={resamples} must be at least 2.*=1000\)"):
        js.bootstrap(fit, resamples)
