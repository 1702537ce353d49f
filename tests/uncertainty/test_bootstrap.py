"""bootstrap: what is resampled, that it repeats, and that every refit is an optimum.

Kinds are checked on straight lines by least squares, whose resampled variance has a closed form.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.data.resampling import resample_counts
from jscale.prediction.components import curves
from jscale.simulation.worlds import compute

RESAMPLES = 200
CLOSE = 1e-10


def labelled(runs: js.Runs, **columns: list[str]) -> pd.DataFrame:
    return runs.frame.assign(**columns)


def repeated(labels: str, rows: int) -> list[str]:
    return [labels[i % len(labels)] for i in range(rows)]


def test_same_seed_same_bits(fit, draws):
    again = js.bootstrap(fit, 64, seed=5)
    assert again.values.tobytes() == draws.values.tobytes()


def test_progress_changes_nothing(fit, draws):
    assert (js.bootstrap(fit, 64, seed=5, progress=True).values == draws.values).all()


def test_other_seed_other_draws(fit, draws):
    assert not np.isclose(js.bootstrap(fit, 64, seed=6).flat, draws.flat).any(axis=1).any()


def test_says_what_it_did(draws):
    assert draws.method == "bootstrap (pairs)"
    assert draws.settings == {"resamples": 64, "seed": 5, "kind": "pairs", "cluster": None}
    assert (draws.failed, draws.unsettled, draws.switched) == (0, 0, 0)
    assert draws.notes == ()
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
        rho = js.huber()(np.log(row / runs["loss"])).rho
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


@pytest.mark.full
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
    with pytest.raises(
        js.JscaleError,
        match=r"kind='wilde' is not known\..* 'wild'\? Use pairs, bayesian, residual, wild\.",
    ):
        js.bootstrap(fit, kind="wilde")


@pytest.mark.parametrize("resamples", [1, 0, -5, 10.5])
def test_too_few_resamples(fit, resamples):
    with pytest.raises(
        js.JscaleError,
        match=rf"resamples={resamples} must be a whole number, at least 2: .*=1000\)",
    ):
        js.bootstrap(fit, resamples)


# Residuals and wild signs


SQUARES = js.least_squares(space="linear")


@js.law(output="y")
def straight(x: float, *, a: js.Real, b: js.Real):
    return a + b * x


def line(rows: int = 40, outliers: int = 0, **columns: object) -> js.Runs:
    """A noisy straight line, its errors growing with x; further columns are labels."""
    rng = np.random.default_rng(4)
    x = np.linspace(-1.0, 2.0, rows)
    y = 1.0 + 0.5 * x + 0.1 * (1.2 + x) * rng.standard_normal(rows)
    y[:outliers] += 3.0
    frame = pd.DataFrame({"x": x, "y": y, **columns})
    marks = {name: name for name in ("run", "group") if name in columns}
    return js.Runs.from_frame(frame, output="y", x="x", loss_unit="other", **marks)


def design(runs: js.Runs) -> np.ndarray:
    return np.column_stack([np.ones(len(runs)), runs["x"]])


def studentised(runs: js.Runs, units: np.ndarray | None = None) -> np.ndarray:
    """Residuals of a straight line times (I - H)^(-1/2) of each unit's block, less their mean."""
    X, y = design(runs), runs["y"]
    hat = X @ np.linalg.solve(X.T @ X, X.T)
    e = y - hat @ y
    for unit in np.arange(len(e)) if units is None else np.unique(units):
        rows = np.arange(len(e)) == unit if units is None else units == unit
        values, vectors = np.linalg.eigh(np.eye(rows.sum()) - hat[np.ix_(rows, rows)])
        e[rows] = vectors @ ((vectors.T @ e[rows]) / np.sqrt(values))
    return e - e.mean()


def sandwich(X: np.ndarray, scores: np.ndarray) -> np.ndarray:
    bread = np.linalg.inv(X.T @ X)
    return bread @ scores.T @ scores @ bread


def assert_covariance(draws: js.Draws, expected: np.ndarray) -> None:
    """Five standard errors of a variance: 5·√((kurtosis − 1)/R), and kurtosis is below 4."""
    root = np.linalg.cholesky(expected)
    found = np.cov(np.linalg.solve(root, (draws.flat - draws.flat.mean(axis=0)).T))
    assert np.abs(found - np.eye(len(found))).max() < 5 * np.sqrt(3 / len(draws))


@pytest.mark.full
def test_residuals_have_the_variance_of_a_text_book():
    runs = line()
    e, X = studentised(runs), design(runs)
    draws = js.bootstrap(js.fit(straight, runs, objective=SQUARES), 8000, kind="residual")
    assert_covariance(draws, np.mean(e**2) * np.linalg.inv(X.T @ X))
    assert np.abs(draws.flat.mean(axis=0) - draws.fit.params).max() < 5 * 0.05 / np.sqrt(8000)


def test_weighted_runs_have_the_variance_of_a_text_book():
    """Exponential weights vary by n/(n + 1), and the refit to first order with them."""
    runs = line()
    X, y = design(runs), runs["y"]
    e = y - X @ np.linalg.solve(X.T @ X, X.T @ y)
    draws = js.bootstrap(js.fit(straight, runs, objective=SQUARES), 8000, kind="bayesian")
    assert draws.method == "bootstrap (bayesian)"
    found = draws.flat.std(axis=0)
    expected = np.sqrt(np.diag(sandwich(X, X * e[:, None]) * len(e) / (len(e) + 1)))
    np.testing.assert_allclose(found, expected, rtol=0.05)


def test_wild_signs_keep_errors_where_they_are():
    runs = line()
    draws = js.bootstrap(js.fit(straight, runs, objective=SQUARES), 8000, kind="wild")
    X = design(runs)
    assert_covariance(draws, sandwich(X, X * studentised(runs)[:, None]))


@pytest.mark.parametrize("by", ["run", "cluster"])
@pytest.mark.parametrize("clusters", [20, 10])
def test_wild_signs_are_shared_within_a_cluster(by, clusters):
    labels = np.arange(40) % clusters
    runs = line(**{"run" if by == "run" else "size": labels})
    fit = js.fit(straight, runs, objective=SQUARES)
    draws = js.bootstrap(fit, 8000, kind="wild", cluster=None if by == "run" else "size")
    X = design(runs)
    scores = X * studentised(runs, labels)[:, None]
    assert_covariance(draws, sandwich(X, pd.DataFrame(scores).groupby(labels).sum().to_numpy()))


def test_few_clusters_get_more_than_signs():
    """Of 8 clusters there are 2**8 patterns of signs, but 6**8 of Webb's points."""
    fit = js.fit(straight, line(size=np.arange(40) % 8), objective=SQUARES)
    draws = js.bootstrap(fit, 2000, kind="wild", cluster="size")
    assert len(np.unique(draws.flat[:, 0].round(12))) > 1900


@pytest.mark.full
def test_residuals_of_clusters_are_moved_in_blocks():
    """Errors that a run's two rows share keep together, and so does their variance."""
    rng = np.random.default_rng(2)
    shared = np.repeat(rng.standard_normal(20), 2)
    runs = line(run=np.repeat(np.arange(20), 2))
    runs = replace(runs, frame=runs.frame.assign(y=1.0 + 0.5 * runs["x"] + shared))
    draws = js.bootstrap(js.fit(straight, runs, objective=SQUARES), 8000, kind="residual")
    e, X = studentised(runs, np.repeat(np.arange(20), 2)), design(runs)
    pairs = e.reshape(20, 2).T @ e.reshape(20, 2) / 20  # the mean covariance of two rows
    bread = np.linalg.inv(X.T @ X)
    # Blocks have a mean too, by first and second row: it is no part of the variance.
    mean = np.tile(e.reshape(20, 2).mean(axis=0), 20)
    pairs -= np.outer(mean[:2], mean[:2])
    meat = sum(X[i : i + 2].T @ pairs @ X[i : i + 2] for i in range(0, 40, 2))
    assert_covariance(draws, bread @ meat @ bread)


@pytest.mark.full
def test_residuals_stay_within_their_group():
    """Quiet runs stay quiet: errors of one group are not put onto another's curve."""
    runs = line(group=repeated("ab", 40))
    quiet = runs.frame["group"] == "a"
    y = np.where(quiet, 1.0 + 0.5 * runs["x"], runs["y"] + 1.0)
    runs = replace(runs, frame=runs.frame.assign(y=y))
    fit = js.fit(straight, runs, objective=SQUARES, per={"a": "group", "b": "group"})
    draws = js.bootstrap(fit, 100, kind="residual")
    assert draws["a[a]"].std() < 1e-6 < 1e-2 < draws["a[b]"].std()


@pytest.mark.first_quick
@pytest.mark.parametrize("kind", ["residual", "wild"])
@pytest.mark.parametrize(
    "objective", [js.huber(0.1, "linear"), js.least_absolute("linear"), js.student_t(3, 0.2, "linear")]
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:.*near-l1")
def test_the_curve_of_resampled_errors_is_the_fitted_one(kind, objective):
    """Draws lie around the fit for every objective, outliers on one side or not."""
    fit = js.fit(straight, line(100, outliers=12), objective=objective)
    draws = js.bootstrap(fit, 1000, kind=kind)
    off = (np.median(draws.flat, axis=0) - fit.params) / draws.flat.std(axis=0)
    assert np.abs(off).max() < 0.25


@pytest.mark.full
def test_residuals_of_an_envelope_keep_to_their_side():
    fit = js.fit(straight, line(200), objective=js.asymmetric(0.01, 10.0, space="linear"))
    draws = js.bootstrap(fit, 1000, kind="residual")
    off = (np.median(draws.flat, axis=0) - fit.params) / draws.flat.std(axis=0)
    assert np.abs(off).max() < 0.5
    with pytest.raises(
        js.JscaleError, match=r"kind=\"wild\" turns the signs.*asymmetric.*\"pairs\""
    ):
        js.bootstrap(fit, kind="wild")


@pytest.mark.full
@pytest.mark.parametrize("kind", ["residual", "wild"])
@pytest.mark.filterwarnings("ignore:.*near-l1")
def test_rows_of_weight_zero_take_no_part(runs, kind):
    weights = np.where(np.arange(len(runs)) % 4 == 0, 0.0, 1.0)
    whole = js.bootstrap(js.fit("chinchilla", runs, weights=weights), 40, kind=kind)
    part = js.bootstrap(js.fit("chinchilla", runs.where(weights > 0)), 40, kind=kind)
    np.testing.assert_allclose(whole.flat, part.flat, rtol=1e-4)


# Clusters


def families(runs: js.Runs, count: int, **more: object) -> pd.DataFrame:
    return runs.frame.assign(family=np.arange(len(runs)) % count, **more)


@pytest.mark.full
def test_draws_by_cluster_differ_from_draws_by_row(runs):
    """Families that differ in level make the floor far less certain than their rows say."""
    levels = 0.02 * np.random.default_rng(0).standard_normal(14)
    frame = families(runs, 14).assign(loss=lambda t: t["loss"] * np.exp(levels[t["family"]]))
    fit = js.fit("chinchilla", frame, fixed={"alpha": 0.34, "beta": 0.28})
    by_row, by_family = (js.bootstrap(fit, 400, cluster=c) for c in (None, "family"))
    assert by_family.settings["cluster"] == "family"
    assert by_family.flat[:, 0].std() != pytest.approx(by_row.flat[:, 0].std(), rel=0.05)


def test_few_clusters_warn_and_are_noted(runs):
    fit = js.fit("chinchilla", families(runs, 6))
    with pytest.warns(
        js.FitWarning, match=r"few-clusters: There are 6 clusters, the labels of 'family'.*too narr"
    ):
        draws = js.bootstrap(fit, 50, cluster="family")
    assert [n.code for n in draws.notes] == ["few-clusters"]
    assert draws.notes[0].do.startswith("Add clusters, or fit with objective=js.pseudo_huber(1e-2)")
    assert "few-clusters" in repr(draws)


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
def test_what_to_do_about_few_clusters_leads_to_no_further_warning_but_theirs(runs):
    """Near least absolute deviations "wild" is too narrow: the objective is to be changed too."""
    fit = js.fit("chinchilla", families(runs, 6))
    wild = js.bootstrap(fit, 20, kind="wild", cluster="family")
    assert {n.code: n.do for n in wild.notes} == {
        "near-l1": "Fit with objective=js.pseudo_huber(1e-2).", "few-clusters": "Add clusters."
    }  # fmt: skip
    smooth = js.fit("chinchilla", families(runs, 6), objective=js.pseudo_huber(1e-2))
    pairs = js.bootstrap(smooth, 20, cluster="family")
    assert pairs.notes[0].do == 'Add clusters, or take kind="wild", which copes best with few.'
    done = js.bootstrap(smooth, 20, kind="wild", cluster="family")
    assert [(n.code, n.do) for n in done.notes] == [("few-clusters", "Add clusters.")]
    envelope = js.fit("chinchilla", families(runs, 6), objective=js.asymmetric(1e-2))
    assert js.bootstrap(envelope, 20, cluster="family").notes[0].do == "Add clusters."


def test_runs_of_several_rows_can_be_too_few(runs):
    names = np.arange(len(runs)) // 6
    fit = js.fit("chinchilla", js.Runs.from_frame(runs.frame.assign(id=names), run="id"))
    with pytest.warns(js.FitWarning, match=r"There are 7 clusters, the labels of 'id'"):
        js.bootstrap(fit, 50)


def test_a_part_with_one_cluster_is_noted(runs):
    frame = families(runs, 14).assign(lab=lambda t: (t["family"] == 3).map({True: "x", False: "y"}))
    draws = js.bootstrap(js.fit("chinchilla", js.Runs.from_frame(frame, group="lab")), 50,
                         cluster="family")  # fmt: skip
    note = draws.notes[0]
    assert (note.code, note.severity) == ("lone-cluster", "caution")
    assert "1 of 2 parts" in note.seen


@pytest.mark.parametrize("group", [None, "lab"])
def test_clusters_that_cannot_vary_are_refused(runs, group):
    frame = families(runs, 2).assign(lab=lambda t: t["family"])
    own = js.Runs.from_frame(frame.assign(one="same"), group=group)
    with pytest.raises(
        js.DataError, match=r"a single cluster of (the whole table|each part), so every resample"
    ):
        js.bootstrap(js.fit("chinchilla", own), 50, cluster="one" if group is None else "family")


def test_cluster_that_is_no_column(fit):
    with pytest.raises(
        js.DataError,
        match=r"no column 'famly' to draw clusters by\..*columns are: N, D.*cluster=None",
    ):
        js.bootstrap(fit, cluster="famly")


def test_rows_without_a_cluster(runs):
    frame = runs.frame.assign(family=[None, *repeated("ab", len(runs) - 1)])
    with pytest.raises(
        js.DataError, match=r"cluster='family': column 'family' has no label in row 0 .*\.notna\(\)"
    ):
        js.bootstrap(js.fit("chinchilla", frame), cluster="family")


@pytest.mark.filterwarnings("ignore:.*near-l1")
def test_a_cluster_in_several_groups(runs):
    own = js.Runs.from_frame(families(runs, 14, lab=repeated("xyy", len(runs))), group="lab")
    with pytest.raises(
        js.DataError,
        match=r"rows labelled 0, 1.* lie in several strata by 'lab'.*without group='lab'",
    ):
        js.bootstrap(js.fit("chinchilla", own), cluster="family")
    # signs need no groups to be drawn within
    fit = js.fit("chinchilla", own)
    draws = js.bootstrap(fit, 200, kind="wild", cluster="family")
    plain = js.fit("chinchilla", families(runs, 14))
    same = js.bootstrap(plain, 200, kind="wild", cluster="family")
    np.testing.assert_allclose(draws.flat, same.flat, rtol=1e-6)
    assert (draws.flat.std(axis=0) > 0).all()


@pytest.mark.full
@pytest.mark.filterwarnings("ignore:.*near-l1")
def test_resamples_that_would_lose_a_parameters_group(runs):
    fit = js.fit("chinchilla", families(runs, 9), per={"E": "family"}, starts=8)
    with pytest.raises(
        js.DataError,
        match=r"lose one, and with it all information about its own E \(per=\).*\"wild\"",
    ):
        js.bootstrap(fit, cluster="family")
    with pytest.raises(js.DataError, match=r"errors within one never show in its own E \(per=\)"):
        js.bootstrap(fit, kind="bayesian", cluster="family")
    draws = js.bootstrap(fit, 200, kind="wild", cluster="family")
    off = (np.median(draws.flat, axis=0) - fit.params) / draws.flat.std(axis=0)
    assert np.abs(off).max() < 0.5
    assert draws["E[0]"].std() > 0


def test_residuals_of_unequal_clusters(runs):
    fit = js.fit("chinchilla", families(runs, 9))
    with pytest.raises(
        js.JscaleError, match=r"clusters have 4 to 5 rows; use kind=\"wild\" or \"pairs\""
    ):
        js.bootstrap(fit, kind="residual", cluster="family")


@pytest.mark.full
def test_lbfgs_takes_weights_alone_and_says_so(runs):
    fit = js.fit("chinchilla", runs, solver="lbfgs", starts=8)
    dense = js.fit("chinchilla", runs, starts=8)
    smooth, same = (js.bootstrap(f, 8, kind="bayesian").flat for f in (fit, dense))
    np.testing.assert_allclose(smooth, same, rtol=0.02)
    draws = js.bootstrap(fit, 8)
    assert [n.code for n in draws.notes] == ["basins-unchecked"]
    for kind in ("residual", "wild"):
        with pytest.raises(js.JscaleError, match=rf"kind='{kind}' gives .*lbfgs.* cannot take"):
            js.bootstrap(fit, kind=kind)


@pytest.mark.parametrize("seed", [-1, 0.5])
def test_seed_that_is_none(fit, seed):
    with pytest.raises(js.JscaleError, match=rf"seed={seed} must be a whole number, 0 or more"):
        js.bootstrap(fit, 10, seed=seed)


def test_wild_signs_near_least_absolute_deviations_are_too_narrow(runs):
    """Residuals outside delta stay there when their sign is turned: warned of, and noted."""
    with pytest.warns(
        js.FitWarning, match=r"near-l1: .* lie inside delta=0.001.*kind=\"bayesian\""
    ):
        draws = js.bootstrap(js.fit("chinchilla", runs), 20, kind="wild")
    assert [note.code for note in draws.notes][:1] == ["near-l1"]
    smooth = js.fit("chinchilla", runs, objective=js.pseudo_huber(1e-2))
    assert "near-l1" not in [note.code for note in js.bootstrap(smooth, 20, kind="wild").notes]
