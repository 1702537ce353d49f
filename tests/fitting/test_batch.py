"""fit_many: as each family alone, failures kept, and resamples as lanes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.fitting import row_sets
from tests.fitting.families import TRUTH, family


@pytest.fixture(scope="module")
def table(ragged: pd.DataFrame) -> pd.DataFrame:
    return ragged


@pytest.mark.full
def test_each_family_is_as_it_is_alone(table: pd.DataFrame, fits: js.FitTable) -> None:
    for label in "abcde":
        own = table[table["family"] == label]
        alone = js.fit("power_const:N", own, starts=16)
        assert fits.summary.loc[label, "objective"] == pytest.approx(alone.objective, rel=1e-10)
        np.testing.assert_allclose(fits.params.loc[label], alone.params, rtol=1e-5)
        np.testing.assert_allclose(fits.stderr.loc[label], alone.stderr, rtol=1e-3)
        assert fits.summary.loc[label, "rows"] == len(own)


@pytest.mark.full
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


@pytest.mark.full
def test_a_family_too_small_keeps_its_row_and_says_why(fits: js.FitTable) -> None:
    assert fits.labels == ("a", "b", "c", "d", "e", "tiny")
    assert fits.summary["status"].tolist() == ["converged"] * 5 + ["failed"]
    assert fits.failures == {"tiny": "2 independent runs for 3 free parameters"}
    assert fits.params.loc["tiny"].isna().all()


def test_notes_are_codes(fits: js.FitTable) -> None:
    assert "few-runs" in fits.summary.loc["a", "notes"]
    assert "few-runs" not in fits.summary.loc["c", "notes"]


@pytest.mark.full
def test_resamples_that_do_not_settle_are_counted_and_said(
    table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_sets, "WARM", row_sets.WARM._replace(steps=4))
    big = table[table["family"].isin(["c", "d"])]
    with pytest.warns(js.FitWarning, match=r"In 2 of 2 families over 1% of the resamples failed"):
        fits = js.fit_many("power_const:N", big, by="family", starts=16, resamples=50)
    assert (fits.summary["unsettled"] > 1).all()


@pytest.mark.full
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


@pytest.mark.full
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


@pytest.mark.full
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
        match=r"method='bayes' is not known\. Did you mean 'bayesian'\? Use bayesian, bootstrap, laplace",
    ):
        js.fit_many("power_const:N", table, by="family", resamples=9, method="bayes")
    with pytest.raises(js.JscaleError, match="resamples=-1 must be a whole number"):
        js.fit_many("power_const:N", table, by="family", resamples=-1)


@pytest.mark.full
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


def test_families_without_draws_are_told_of(table: pd.DataFrame) -> None:
    three = pd.concat([family("three", 3, 8), family("c", 22, 2)])
    with pytest.warns(js.FitWarning, match=r"In 1 of 2 families over 1% of the resamples failed"):
        fits = js.fit_many(
            "power_const:N", three, by="family", starts=8, resamples=30, method="laplace"
        )
    assert fits.draws is not None
    assert fits.summary["unsettled"].to_dict() == {"three": 30, "c": 0}
    assert np.isnan(fits.draws[fits.labels.index("three")]).all()
