"""fit_many: as each family alone, failures kept, chunks that change nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.fitting import row_sets
from jscale.fitting.settings import Settings

TRUTH = {"E": 1.7, "A": 50.0, "alpha": 0.3}


def family(label: str, rows: int, seed: int, E: float = 1.7) -> pd.DataFrame:
    N = np.geomspace(1e3, 1e7, rows)
    runs = js.simulate("power_const:N", {**TRUTH, "E": E}, {"N": N}, noise=0.01, seed=seed)
    return runs.frame.assign(family=label)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Ragged families of 8 to 22 runs, shuffled; "tiny" has two runs."""
    sizes = {"a": 8, "b": 13, "c": 22, "d": 16, "e": 9}
    parts = [family(k, n, i, 1.5 + 0.1 * i) for i, (k, n) in enumerate(sizes.items())]
    whole = pd.concat([*parts, family("tiny", 2, 9)], ignore_index=True)
    return whole.sample(frac=1.0, random_state=0)


@pytest.fixture(scope="module")
def fits(table: pd.DataFrame) -> js.FitTable:
    with pytest.warns(js.FitWarning, match="1 of 6 families could not be fitted and 0 did not"):
        return js.fit_many("power_const:N", table, by="family", starts=16)


def test_each_family_is_as_it_is_alone(table: pd.DataFrame, fits: js.FitTable) -> None:
    for label in "abcde":
        own = table[table["family"] == label]
        alone = js.fit("power_const:N", own, starts=16)
        assert fits.summary.loc[label, "objective"] == pytest.approx(alone.objective, rel=1e-10)
        np.testing.assert_allclose(fits.params.loc[label], alone.params, rtol=1e-5)
        np.testing.assert_allclose(fits.stderr.loc[label], alone.stderr, rtol=1e-3)
        assert fits.summary.loc[label, "rows"] == len(own)


@pytest.mark.filterwarnings("ignore::jscale.errors.FitWarning")
@pytest.mark.parametrize(
    "objective",
    [js.least_absolute(), js.pseudo_huber(), js.least_squares(), js.student_t(scale=0.01),
     js.asymmetric(), js.huber(1e-2, space="linear")],
    ids=str,
)  # fmt: skip
def test_each_objective_is_as_it_is_alone(table: pd.DataFrame, objective: js.Objective) -> None:
    weights = pd.Series(np.linspace(0.5, 2.0, len(table)), table.index)
    fits = js.fit_many(
        "power_const:N", table, by="family", starts=64, objective=objective, weights=weights
    )
    own = table["family"] == "c"
    alone = js.fit(
        "power_const:N", table[own], starts=64, objective=objective, weights=weights[own]
    )
    assert (fits.summary["status"][:5] == "converged").all()
    assert fits.summary.loc["c", "objective"] == pytest.approx(alone.objective, rel=1e-7)
    np.testing.assert_allclose(fits.params.loc["c"], alone.params, rtol=1e-3)
    assert 1 <= fits.summary.loc["c", "agree"] <= fits.summary.loc["c", "ended"] <= 64


def test_a_family_too_small_keeps_its_row_and_says_why(fits: js.FitTable) -> None:
    assert fits.labels == ("a", "b", "c", "d", "e", "tiny")
    assert fits.summary["status"].tolist() == ["converged"] * 5 + ["failed"]
    assert fits.failures == {"tiny": "2 independent runs for 3 free parameters"}
    assert fits.params.loc["tiny"].isna().all()


def test_to_frame_has_a_row_per_family(fits: js.FitTable) -> None:
    frame = fits.to_frame()
    assert frame.index.name == "family"
    assert list(frame)[:6] == ["E", "E_error", "A", "A_error", "alpha", "alpha_error"]
    assert {"status", "objective", "agree", "starts", "condition", "notes"} <= set(frame)
    assert "6 families, 5 converged, 1 failed" in repr(fits)
    assert "<table" in fits._repr_html_()


def test_notes_are_codes(fits: js.FitTable) -> None:
    assert "few-runs" in fits.summary.loc["a", "notes"]
    assert "few-runs" not in fits.summary.loc["c", "notes"]


def test_predict_is_the_law_with_an_interval(fits: js.FitTable) -> None:
    frame = fits.predict(N=[1e6, 1e9])
    assert list(frame) == ["family", "N", "curve", "confidence_low", "confidence_high"]
    assert len(frame) == 12
    row = frame.iloc[1]
    p = fits.params.loc["a"]
    assert row["curve"] == pytest.approx(p["E"] + p["A"] * 1e9 ** -p["alpha"], rel=1e-12)
    good = frame[frame["family"] != "tiny"]
    assert (good["confidence_low"] < good["curve"]).all()
    assert (good["curve"] < good["confidence_high"]).all()
    assert frame[frame["family"] == "tiny"]["curve"].isna().all()
    wider = fits.predict(N=1e9, level=0.99)
    assert (wider["confidence_high"] > fits.predict(N=1e9)["confidence_high"])[:5].all()


def test_predict_says_what_it_needs(fits: js.FitTable) -> None:
    with pytest.raises(js.LawError, match="takes N; missing: N, unknown: D"):
        fits.predict(D=1e9)
    with pytest.raises(js.JscaleError, match="level=90 must lie strictly between"):
        fits.predict(N=1e9, level=90)


@pytest.mark.filterwarnings("ignore::jscale.errors.FitWarning")
def test_chunks_change_nothing(
    table: pd.DataFrame, fits: js.FitTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_sets, "_LANES_AT_ONCE", 16)
    one_by_one = js.fit_many("power_const:N", table, by="family", starts=16)
    for name in ("objective", "status", "agree"):
        first, second = fits.summary[name][:5], one_by_one.summary[name][:5]
        if name == "objective":
            np.testing.assert_allclose(first, second, rtol=1e-12)
        else:
            assert first.tolist() == second.tolist()


def test_resamples_that_do_not_settle_are_counted_and_said(
    table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_sets, "WARM", row_sets.WARM._replace(steps=4))
    big = table[table["family"].isin(["c", "d"])]
    with pytest.warns(js.FitWarning, match=r"In 2 of 2 families over 1 % of the resamples failed"):
        fits = js.fit_many("power_const:N", big, by="family", starts=16, resamples=50)
    assert (fits.summary["unsettled"] > 1).all()


@pytest.mark.filterwarnings("ignore::jscale.errors.FitWarning")
def test_resamples_are_lanes_too(table: pd.DataFrame, fits: js.FitTable) -> None:
    drawn = js.fit_many("power_const:N", table, by="family", starts=16, resamples=300, seed=1)
    assert drawn.draws is not None
    assert drawn.draws.shape == (6, 300, 3)
    alone = js.bootstrap(js.fit("power_const:N", table[table["family"] == "c"]), 300, seed=1)
    sd = drawn.draws[2].std(axis=0)
    np.testing.assert_allclose(sd, alone.flat.std(axis=0), rtol=0.35)
    frame = drawn.predict(N=1e8)
    low, high = frame["confidence_low"], frame["confidence_high"]
    assert (low[:5] < high[:5]).all()
    again = js.fit_many("power_const:N", table, by="family", starts=16, resamples=300, seed=1)
    np.testing.assert_array_equal(again.draws[:5], drawn.draws[:5])


def test_draws_by_weights_and_by_the_normal_approximation(table: pd.DataFrame) -> None:
    """They spread as those of a single fit, and of the same kind."""
    own = table[table["family"] == "c"]
    fit = js.fit("power_const:N", own)
    alone = {"bayesian": js.bootstrap(fit, 300, kind="bayesian"), "laplace": js.laplace(fit, 300)}
    for method, draws in alone.items():
        found = js.fit_many("power_const:N", own, by="family", resamples=300, method=method).draws
        assert found is not None
        sd, expected = np.log(found[0]).std(axis=0), np.log(draws.flat).std(axis=0)
        np.testing.assert_allclose(sd, expected, rtol=0.35)


def test_fixed_tied_and_given_starts(table: pd.DataFrame) -> None:
    big = table[table["family"] != "tiny"]
    fits = js.fit_many("power_const:N", big, by="family", fixed={"alpha": 0.3}, starts=[TRUTH])
    assert (fits.params["alpha"] == 0.3).all()
    assert (fits.stderr["alpha"] == 0.0).all()
    assert (fits.summary["starts"] == 1).all()
    np.testing.assert_allclose(fits.params["E"], 1.5 + 0.1 * np.arange(5), rtol=0.02)


def test_bad_choices_are_refused(table: pd.DataFrame) -> None:
    with pytest.raises(js.DataError, match=r"no column 'famly' to tell families apart. Did you"):
        js.fit_many("power_const:N", table, by="famly")
    holes = table.assign(family=table["family"].where(table["family"] != "b"))
    with pytest.raises(js.DataError, match=r"column 'family' has no label in"):
        js.fit_many("power_const:N", holes, by="family")
    with pytest.raises(
        js.JscaleError,
        match=r"method='bayes' is not known\. Did you mean 'bayesian'\? Use bootstrap, bayesian, laplace",
    ):
        js.fit_many("power_const:N", table, by="family", resamples=9, method="bayes")
    with pytest.raises(js.JscaleError, match="resamples=-1 must be a whole number"):
        js.fit_many("power_const:N", table, by="family", resamples=-1)


def test_one_dead_family_harms_no_other() -> None:
    """A law that is not finite on one family's inputs: the others are fitted."""

    @js.law
    def edge(N, *, a: js.Scale, b: js.Exponent):
        import jax.numpy as jnp

        return a * jnp.sqrt(1e6 - N) ** b

    N = np.geomspace(1e3, 1e5, 12)
    good = pd.DataFrame({"N": N, "loss": 2.0 * np.sqrt(1e6 - N) ** 0.2, "family": "good"})
    bad = good.assign(N=1e7 * N / N[0], family="bad")
    with pytest.warns(js.FitWarning, match="1 of 2 families"):
        fits = js.fit_many(edge, pd.concat([good, bad]), by="family", starts=8)
    assert fits.failures == {"bad": "no finite objective at any of 8 starts"}
    assert fits.params.loc["good", "b"] == pytest.approx(0.2, rel=1e-4)


# ── Sets of rows, and quick draws ────────────────────────────────────────────────────────────


def sets_of(
    frame: pd.DataFrame, sets: list[np.ndarray], resamples: int = 20_000, method: str = "laplace"
) -> js.FitTable:
    law = js.laws.get("power_const:N")
    runs = js.Runs.from_frame(frame)
    rows = row_sets.RowSets(sets, [f"set {k}" for k in range(len(sets))], "split")
    sampling = row_sets.Sampling(resamples, method)
    return row_sets.fit_sets(law, runs, rows, Settings(js.huber(), seed=3), sampling=sampling)


@pytest.fixture(scope="module")
def quick() -> js.FitTable:
    """Overlapping sets of 22 runs: all, 16, as many as there are parameters, and fewer."""
    return sets_of(family("c", 22, 2), [np.arange(k) for k in (22, 16, 3, 2)])


def test_quick_draws_are_those_of_laplace(quick: js.FitTable) -> None:
    """The same t around the same fit, from another generator."""
    assert quick.draws is not None
    assert quick.draws.shape == (4, 20_000, 3)
    whole = family("c", 22, 2)
    for k, rows in enumerate((22, 16)):
        alone = js.laplace(js.fit("power_const:N", whole[:rows]), 20_000, seed=8).flat
        found = quick.draws[k]
        spread = np.subtract(*np.quantile(np.log(alone), [0.75, 0.25], axis=0))
        for q, slack in ((0.05, 0.1), (0.5, 0.05), (0.95, 0.1)):
            own, other = (np.quantile(np.log(d), q, axis=0) for d in (found, alone))
            np.testing.assert_allclose(own / spread, other / spread, atol=slack, err_msg=f"{q}")


def test_quick_draws_are_near_the_bootstraps() -> None:
    runs, rows = family("c", 22, 2), [np.arange(22)]
    tables = {m: sets_of(runs, rows, 400, m) for m in ("laplace", "bootstrap")}
    sd = {m: np.log(table.draws[0]).std(axis=0) for m, table in tables.items()}
    np.testing.assert_allclose(sd["laplace"], sd["bootstrap"], rtol=0.35)
    np.testing.assert_array_equal(tables["laplace"].params, tables["bootstrap"].params)
    assert tables["laplace"].summary["unsettled"].tolist() == [0]
    assert tables["laplace"].draws[0].shape == (400, 3)


def test_weighted_runs_spread_as_resampled_ones_do() -> None:
    runs, rows = family("c", 60, 2), [np.arange(60)]
    tables = {m: sets_of(runs, rows, 400, m) for m in ("bayesian", "bootstrap")}
    assert tables["bayesian"].draws is not None
    sd = {m: np.log(table.draws[0]).std(axis=0) for m, table in tables.items()}
    np.testing.assert_allclose(sd["bayesian"], sd["bootstrap"], rtol=0.25)
    assert len(np.unique(tables["bayesian"].draws[0, :, 0])) == 400  # no two weightings are alike


def test_weights_are_of_whole_runs_and_add_up_to_their_number() -> None:
    runs = js.Runs.from_frame(family("c", 22, 2).assign(part=np.arange(22) // 2), run="part")
    problem = js.fit("power_const:N", runs).problem
    drawn = row_sets._counts(problem, 4000, (3, 0), "bayesian")
    np.testing.assert_allclose(drawn.sum(axis=1), 22)
    np.testing.assert_array_equal(drawn[:, ::2], drawn[:, 1::2])
    # A share of 11 by a flat Dirichlet has mean 1/11 and variance 10/(11²·12).
    assert drawn.mean() == pytest.approx(1.0)
    assert drawn[:, ::2].var() == pytest.approx(11**2 * 10 / (11**2 * 12), rel=0.05)


def test_a_set_without_a_run_to_spare_has_no_draws(quick: js.FitTable) -> None:
    assert quick.draws is not None
    assert quick.labels == ("set 0", "set 1", "set 2", "set 3")
    assert quick.summary.index.name == "split"
    assert quick.failures == {"set 3": "2 independent runs for 3 free parameters"}
    assert quick.params.loc["set 2"].notna().all()
    assert quick.summary["unsettled"].tolist() == [0, 0, 20_000, 0]
    assert np.isnan(quick.draws[2:]).all()
    assert np.isfinite(quick.draws[:2]).all()


def test_families_without_draws_are_told_of(table: pd.DataFrame) -> None:
    three = pd.concat([family("three", 3, 8), family("c", 22, 2)])
    with pytest.warns(js.FitWarning, match=r"In 1 of 2 families over 1 % of the resamples failed"):
        fits = js.fit_many(
            "power_const:N", three, by="family", starts=8, resamples=30, method="laplace"
        )
    assert fits.draws is not None
    assert fits.summary["unsettled"].to_dict() == {"three": 30, "c": 0}
    assert np.isnan(fits.draws[fits.labels.index("three")]).all()


def test_quick_draws_repeat_with_their_seed(quick: js.FitTable) -> None:
    again = sets_of(family("c", 22, 2), [np.arange(k) for k in (22, 16, 3, 2)])
    np.testing.assert_array_equal(again.draws, quick.draws)
    assert quick.draws is not None
    two = sets_of(family("c", 22, 2), [np.arange(22), np.arange(22)])
    assert two.draws is not None
    np.testing.assert_array_equal(two.draws[0], quick.draws[0])
    assert (two.draws[0] != two.draws[1]).all()
