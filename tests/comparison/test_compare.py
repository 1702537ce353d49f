"""compare and rollout: as forecasts, or fits and their draws, say one by one; the right law wins."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest, norm

import jscale as js
from jscale.comparison.criteria import standard_error
from jscale.prediction.log_score import log_score
from jscale.simulation.worlds import FARSEER, SURFACE, compute
from tests.worlds import TRUTH

pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")


INTERVALS = ["curve", "confidence_low", "confidence_high", "prediction_low", "prediction_high"]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return js.datasets.load("stdlib_lm")


@pytest.fixture(scope="module")
def held(table: pd.DataFrame) -> js.Comparison:
    return js.compare(
        ["chinchilla", "farseer", "power_const"], table, holdout=js.splits.labelled(), resamples=300
    )


@pytest.mark.full
def test_it_says_what_one_would_find_by_hand(table: pd.DataFrame, held: js.Comparison) -> None:
    small, large = table[table["split"] == "fit"], table[table["split"] == "holdout"]
    fit = js.fit("chinchilla", small)
    frame = js.predict(js.bootstrap(fit, 2000), large[["N", "D"]]).frame
    own = held.rows[held.rows["law"] == "chinchilla"]
    assert own["row"].tolist() == large.index.tolist()
    np.testing.assert_allclose(own["curve"], frame["curve"], rtol=1e-6)
    np.testing.assert_allclose(own["prediction_low"], frame["prediction_low"], rtol=0.01)
    np.testing.assert_allclose(own["prediction_high"], frame["prediction_high"], rtol=0.01)
    error = (frame["curve"] / large["loss"] - 1).abs().mean()
    assert held.table.loc["chinchilla", "absolute_error"] == pytest.approx(error, rel=1e-6)
    assert held.table.loc["chinchilla", "coverage"] <= 0.1


@pytest.mark.full
def test_the_best_law_comes_first_and_the_others_say_how_far_behind(held: js.Comparison) -> None:
    assert held.best == "farseer"
    assert held.table["interval_score"].is_monotonic_increasing
    behind = held.table["interval_score"] - held.table["interval_score"].iloc[0]
    np.testing.assert_allclose(held.table["behind"], behind, atol=1e-12)
    assert held.table.loc["farseer", "behind_error"] == 0.0
    assert (held.table["behind_error"].iloc[1:] > 0).all()
    assert held.table["weight"].sum() == pytest.approx(1.0)
    assert "labelled('split', 'holdout')" in repr(held)


@pytest.mark.full
def test_the_same_seed_gives_the_same_comparison(table: pd.DataFrame, held: js.Comparison) -> None:
    again = js.compare(["power_const"], table, holdout=table["split"] == "holdout", resamples=300)
    first = held.rows[held.rows["law"] == "power_const"].reset_index(drop=True)
    pd.testing.assert_frame_equal(again.rows, first)


@pytest.mark.full
def test_the_right_law_wins_where_it_made_the_runs() -> None:
    runs = js.simulate("farseer", FARSEER, SURFACE, noise=0.005, seed=0)
    found = js.rollout(["chinchilla", "farseer"], runs, count=3, resamples=200)
    assert found.best == "farseer"
    assert found.table.loc["farseer", "weight"] > 0.9
    assert 0.75 <= found.table.loc["farseer", "coverage"] <= 1.0
    assert len(found.fits["farseer"]) == 3
    assert found.rows.groupby("law")["place"].apply(tuple).nunique() == 1


@pytest.mark.full
def test_log_scores_are_those_of_the_samples(held: js.Comparison) -> None:
    own = held.rows[held.rows["law"] == "farseer"]
    inside = own["coverage"] == 1
    assert own.loc[inside, "log_score"].mean() > own.loc[~inside, "log_score"].mean()
    assert log_score(np.exp(np.random.default_rng(0).normal(size=(10, 1))), [1.0]).shape == (1,)


@pytest.mark.parametrize(
    ("laws", "error", "message"),
    [
        ("chinchilla", js.LawError, r"laws='chinchilla' must name one law or more: \["),
        ([], js.LawError, "must name one law or more"),
        (["chinchilla", "chinchilla"], js.LawError, "chinchilla is there more than once"),
        (["broken:6"], js.DataError, "broken:6 cannot be fitted to the split 'held out': .*hold out fewer runs"),
    ],
)  # fmt: skip
def test_laws_that_cannot_be_compared(table: pd.DataFrame, laws, error, message) -> None:
    few = table[table["split"] == "fit"].iloc[:24]
    with pytest.raises(error, match=message):
        js.compare(laws, few, resamples=20)


def test_laws_of_different_outputs(table: pd.DataFrame) -> None:
    @js.law(output="accuracy")
    def score(C, *, a: js.Real, b: js.Real):
        return a + b * C

    with pytest.raises(js.LawError, match=r"predict different things \(loss, accuracy\)"):
        js.compare(["power_const", score], table)


@pytest.mark.full
def test_a_law_without_a_run_to_spare() -> None:
    C = np.geomspace(1e15, 1e20, 4)
    frame = pd.DataFrame({"C": C, "loss": 2 + 100 * C**-0.1})
    with pytest.raises(
        js.DataError, match="power_const has no run to spare in the split 'held out'"
    ):
        js.compare(
            ["power_const"], frame, holdout=np.array([False, False, False, True]), resamples=20
        )


@pytest.mark.full
def test_few_questions_are_noted(table: pd.DataFrame) -> None:
    found = js.rollout(["power_const"], table, count=2, resamples=50)
    assert any("few-held-out: 2 questions" in note for note in found.notes)


def test_a_scale_to_be_found_is_refused(table: pd.DataFrame) -> None:
    with pytest.raises(js.JscaleError, match="Laws are compared with a number for delta"):
        js.compare(["power_const"], table, objective=js.huber("auto"))


@pytest.mark.parametrize("resamples", [0, 1, 2.5, True])
def test_resamples_must_be_some(table: pd.DataFrame, resamples) -> None:
    with pytest.raises(js.JscaleError, match=r"resamples=.* must be a whole number, at least 2"):
        js.compare(["power_const"], table, resamples=resamples)


@pytest.mark.full
def test_a_table_in_a_notebook(held: js.Comparison) -> None:
    page = held._repr_html_()
    assert "<table" in page
    assert "labelled(&#x27;split&#x27;" in page


@pytest.mark.full
def test_scores_of_the_right_law_approach_the_oracles_as_runs_grow() -> None:
    """The oracle knows the curve and the noise: score 2σ·φ(z)/(α/2), log score −ln(σ√(2πe))."""
    sd, z = 0.01, norm.ppf(0.95)
    oracle = 2 * sd * norm.pdf(z) / 0.05
    best = -np.log(sd * np.sqrt(2 * np.pi * np.e))
    ratios, losses = [], []
    for count in (15, 40, 400):
        found = [
            js.compare(
                ["chinchilla"],
                js.simulate(
                    "chinchilla", TRUTH, js.designs.random(count, (1e7, 1e9), (1e9, 1e11), seed=s),
                    noise=sd, seed=s,
                ),
                resamples=100,
            ).table.iloc[0]
            for s in range(4)
        ]  # fmt: skip
        ratios.append(np.mean([t["interval_score"] for t in found]) / oracle)
        losses.append(best - np.mean([t["log_score"] for t in found]))
    assert ratios[0] > ratios[1] > ratios[2]
    assert ratios[2] == pytest.approx(1.0, abs=0.15)
    assert losses[0] > losses[1] > losses[2]
    assert abs(losses[2]) < 0.1


# ── Families, each on its own ────────────────────────────────────────────────────────────────

POWER = {"E": 1.7, "A": 900.0, "alpha": 0.15}
BUDGETS = compute(1e17, 1e21, 16)
LAWS = ["power", "power_const"]


@pytest.fixture(scope="module")
def many() -> js.Runs:
    """Six worlds of one design, shuffled, their floors all different."""
    E = np.linspace(1.2, 2.2, 6)
    runs = js.simulate("power_const", {**POWER, "E": E}, BUDGETS, noise=0.005, worlds=6, seed=1)
    return js.Runs.from_frame(runs.frame.sample(frac=1.0, random_state=2))


@pytest.fixture(scope="module")
def by_world(many: js.Runs) -> js.Comparison:
    return js.compare(LAWS, many, by="world", resamples=60)


@pytest.mark.full
def test_families_are_compared_as_each_is_alone(many: js.Runs, by_world: js.Comparison) -> None:
    columns = ["law", "split", "family", "row", "place", "measured", "extrapolation"]
    assert list(by_world.rows)[:7] == columns
    for world in (0, 4):
        alone = js.compare(LAWS, many.where(many["world"] == world), resamples=60).rows
        own = by_world.rows[by_world.rows["family"] == world].reset_index(drop=True)
        assert own["split"].tolist() == [world] * len(own)
        for name in ("law", "row", "measured", "extrapolation"):
            assert own[name].tolist() == alone[name].tolist()
        np.testing.assert_allclose(own["curve"], alone["curve"], rtol=1e-9)
        # Draws have seeds of their own.
        widths = [np.log(f["prediction_high"] / f["prediction_low"]) for f in (own, alone)]
        np.testing.assert_allclose(widths[0], widths[1], rtol=1.0)
    assert (many["world"][by_world.rows["place"]] == by_world.rows["family"]).all()


@pytest.mark.full
def test_rows_of_a_family_err_together(by_world: js.Comparison) -> None:
    for name in LAWS:
        rows = by_world.rows[by_world.rows["law"] == name]
        row = by_world.table.loc[name]
        for criterion in ("absolute_error", "interval_score", "bias"):
            together = standard_error(rows[criterion], rows["family"])
            assert row[f"{criterion}_error"] == pytest.approx(together, rel=1e-12)
        # Not as if each row erred on its own.
        assert row["bias_error"] != pytest.approx(standard_error(rows["bias"]), rel=0.05)
    assert by_world.settings["by"] == "world"
    assert not [note for note in by_world.notes if "few-held-out" in note]


def test_several_splits_of_a_family_err_together_too(many: js.Runs) -> None:
    found = js.rollout(["power_const"], many, by="world", count=3, factor=3.0, resamples=60)
    rows = found.rows
    assert rows["split"].nunique() > rows["family"].nunique() == 6
    own = found.table.loc["power_const"]
    for criterion in ("bias", "interval_score"):
        error = own[f"{criterion}_error"]
        assert error == pytest.approx(standard_error(rows[criterion], rows["family"]), rel=1e-12)
        assert error != pytest.approx(standard_error(rows[criterion], rows["split"]), rel=0.01)
    assert rows["split"].iloc[0].startswith(f"{rows['family'].iloc[0]}, ")


@pytest.mark.full
def test_a_family_that_cannot_be_answered_is_named(many: js.Runs) -> None:
    held = (many["C"] > 1e20) | ((many["world"] == 3) & (many["C"] > 1.2e17))
    wrong = r"power cannot be fitted to the split 3: 1 independent runs for 2 free parameters\. All"
    with pytest.raises(js.DataError, match=wrong):
        js.compare(LAWS, many, by="world", holdout=held, resamples=20)
    with pytest.raises(js.DataError, match=r"world=3: The split 'held out' leaves no row to fit"):
        js.compare(LAWS, many, by="world", holdout=held | (many["world"] == 3), resamples=20)
    with pytest.raises(js.DataError, match=r"no column 'wrld'\. Did you mean 'world'"):
        js.compare(LAWS, many, by="wrld", resamples=20)


# ── Auto ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def one_world(many: js.Runs) -> js.Runs:
    return js.Runs.from_frame(many.where(many["world"] == 0).frame.sort_values("C"))


@pytest.fixture(scope="module")
def auto(one_world: js.Runs) -> js.Comparison:
    return js.compare("auto", one_world, resamples=60)


@pytest.mark.full
def test_auto_compares_all_laws_that_fit_the_columns_and_the_forecast(
    auto: js.Comparison,
) -> None:
    assert set(auto.table.index) == {"power", "power_const", "broken:1", "auto"}
    assert set(auto.fits) == {"power", "power_const", "broken:1"}
    assert np.isnan(auto.table.loc["auto", "weight"])
    assert auto.table["weight"].sum() == pytest.approx(1.0)
    assert auto.rows.groupby("law")["place"].apply(tuple).nunique() == 1


@pytest.mark.full
def test_auto_never_sees_the_held_out_runs(one_world: js.Runs) -> None:
    held = one_world["C"] > 1e20
    frame = one_world.frame.copy()
    frame.loc[held, "loss"] *= np.linspace(0.3, 4.0, held.sum())
    found = [js.compare(["power", "auto"], js.Runs.from_frame(x), holdout=held)
             for x in (one_world.frame, frame)]  # fmt: skip
    said = ["law", "place", "curve", "confidence_low", "prediction_low", "prediction_high"]
    one, two = (c.rows.sort_values(["law", "place"])[said].reset_index(drop=True) for c in found)
    pd.testing.assert_frame_equal(one, two)
    errors = [c.table.loc["auto", "absolute_error"] for c in found]
    assert errors[1] > 5 * errors[0]


@pytest.mark.full
def test_auto_is_the_forecast_of_each_splits_fitted_runs(one_world: js.Runs) -> None:
    """Also alongside laws whose intervals are by draws."""
    found = js.rollout(["power", "auto"], one_world, count=2, factor=3.0, resamples=20)
    assert list(found.fits) == ["power"]
    assert found.settings["discrepancy"] is False
    rows = found.rows[found.rows["law"] == "auto"]
    for split in js.splits.origins("C", 2, 3.0).make(one_world):
        own = rows[rows["split"] == split.label]
        fitted = one_world.where(np.isin(np.arange(16), split.fit))
        frame = js.predict(js.forecast(fitted), C=one_world["C"][split.test]).frame
        np.testing.assert_allclose(own[INTERVALS], frame[INTERVALS], rtol=1e-9)


@pytest.mark.full
def test_auto_among_laws_lists_those_and_it(one_world: js.Runs) -> None:
    found = js.compare(["power", "auto"], one_world, resamples=20)
    assert set(found.table.index) == {"power", "auto"}
    assert found.table.loc["power", "weight"] == pytest.approx(1.0)


@pytest.mark.full
def test_of_all_laws_those_that_cannot_answer_are_left_out_and_said(one_world: js.Runs) -> None:
    """Eight runs, two held out: broken:1 would pass through the other six."""
    found = js.compare("auto", one_world.where(np.arange(16) >= 8), resamples=20)
    assert set(found.table.index) == {"power", "power_const", "auto"}
    wrong = "[info] left-out: broken:1 has no run to spare in the split 'held out'"
    assert any(note.startswith(wrong) for note in found.notes)
    with pytest.raises(js.DataError, match="broken:1 has no run to spare in the split"):
        js.compare(["broken:1"], one_world.where(np.arange(16) >= 8), resamples=20)


# ── With the discrepancy ─────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def bent(table: pd.DataFrame) -> js.Comparison:
    with pytest.warns(js.ExtrapolationWarning) as warned:
        found = js.compare(
            ["chinchilla", "power_const", "auto"], table, holdout=js.splits.labelled()
        )
    (only,) = warned
    assert "5 of 10 predictions lie more than 10 times past the largest fitted" in str(only.message)
    assert "chinchilla, auto: Of " in str(only.message)
    assert "80% prediction intervals covered" in str(only.message)
    assert "power_const: How often intervals cover runs so far past" in str(only.message)
    return found


@pytest.mark.first_quick
@pytest.mark.parametrize("law", ["chinchilla", "power_const", "auto"])
def test_it_answers_as_predict_does(table: pd.DataFrame, bent: js.Comparison, law: str) -> None:
    small, large = table[table["split"] == "fit"], table[table["split"] == "holdout"]
    forecast = js.forecast(small, law if law == "auto" else [law])
    frame = js.predict(forecast, large).frame
    own = bent.rows[bent.rows["law"] == law]
    np.testing.assert_allclose(own[INTERVALS], frame[INTERVALS], rtol=1e-9)
    assert own["row"].tolist() == large.index.tolist()


@pytest.mark.full
def test_fit_and_compare_agree_on_a_law(table: pd.DataFrame, bent: js.Comparison) -> None:
    small, large = table[table["split"] == "fit"], table[table["split"] == "holdout"]
    frame = js.predict(js.fit("chinchilla", small), large).frame
    own = bent.rows[bent.rows["law"] == "chinchilla"]
    np.testing.assert_allclose(own[INTERVALS], frame[INTERVALS], rtol=1e-6)


def test_fits_are_kept_without_draws(table: pd.DataFrame, bent: js.Comparison) -> None:
    assert list(bent.fits) == ["chinchilla", "power_const"]
    fits = bent.fits["chinchilla"]
    assert fits.draws is None
    alone = js.fit("chinchilla", table[table["split"] == "fit"]).params
    np.testing.assert_allclose(fits.params.iloc[0], alone, rtol=1e-6)
    assert "intervals with each law's discrepancy" in repr(bent)
    assert (bent.settings["method"], bent.settings["resamples"]) == (None, None)


@pytest.mark.full
def test_intervals_with_the_discrepancy_hold(bent: js.Comparison, held: js.Comparison) -> None:
    assert bent.table.loc["chinchilla", "coverage"] >= 0.9
    assert held.table.loc["chinchilla", "coverage"] <= 0.1
    score = [c.table.loc["chinchilla", "interval_score"] for c in (bent, held)]
    assert score[0] < 0.3 * score[1]


@pytest.mark.parametrize(
    "choice", [{"discrepancy": False}, {"method": "laplace"}, {"resamples": 20}]
)
def test_draws_are_within_the_law(one_world: js.Runs, choice) -> None:
    found = js.compare(["power"], one_world, **choice)
    assert found.settings["discrepancy"] is False
    method = choice.get("method", "bootstrap")
    assert f"intervals within each law by {method}" in repr(found)
    assert found.fits["power"].draws.shape[1] == choice.get("resamples", 500)


def test_far_intervals_within_a_law_are_warned_of(one_world: js.Runs) -> None:
    with pytest.warns(js.ExtrapolationWarning, match="Intervals within a law know nothing of the"):
        js.compare(["power"], one_world, holdout=one_world["C"] > 1e19, method="laplace")


@pytest.mark.full
def test_families_are_forecast_each_on_its_own(many: js.Runs) -> None:
    part = many.where(many["world"] < 2)
    found = js.compare(["power_const"], part, by="world")
    for world in (0, 1):
        runs = part.where(part["world"] == world)
        alone = js.compare(["power_const"], runs).rows
        own = found.rows[found.rows["family"] == world]
        np.testing.assert_allclose(own[INTERVALS], alone[INTERVALS], rtol=1e-9)


@pytest.mark.full
def test_few_runs_are_a_matter_of_the_prior(one_world: js.Runs) -> None:
    """With fewer runs than parameters there is no fit, but there is a forecast."""
    few = one_world.where(np.arange(16) >= 9)
    found = js.compare(["broken:1"], few, holdout=few["C"] > 4e20)
    assert np.isfinite(found.rows["prediction_high"]).all()
    assert found.fits["broken:1"].summary["status"].tolist() == ["failed"]


def test_a_split_too_small_to_forecast_is_named(one_world: js.Runs) -> None:
    wrong = r"power cannot be forecast from the split 'held out': A forecast needs at least 3 "
    with pytest.raises(js.DataError, match=wrong):
        js.compare(["power"], one_world, holdout=one_world["C"] > one_world["C"][1] * 1.1)
    with pytest.raises(js.DataError, match=r"auto cannot be forecast from the split"):
        js.compare("auto", one_world, holdout=one_world["C"] > one_world["C"][1] * 1.1)


@pytest.mark.full
def test_outcomes_of_any_sign_are_compared_within_the_laws(one_world: js.Runs) -> None:
    @js.law(output="gain")
    def line(C, *, a: js.Real, b: js.Real):
        return a + b * (C / 1e19)

    frame = one_world.frame.assign(gain=np.linspace(-1.0, 1.0, 16))
    runs = js.Runs.from_frame(frame, output="gain")
    squares = js.least_squares(space="linear")
    wrong = r"line cannot be forecast .* gain must be positive .* give discrepancy=False"
    with pytest.raises(js.DataError, match=wrong):
        js.compare([line], runs, objective=squares)
    found = js.compare([line], runs, objective=squares, method="laplace")
    assert np.isfinite(found.rows["prediction_high"]).all()


@pytest.mark.full
def test_another_prior(one_world: js.Runs) -> None:
    weak = js.compare(["auto"], one_world, prior="weak").rows
    learnt = js.compare(["auto"], one_world).rows
    own = weak[weak["law"] == "auto"]
    assert not np.allclose(own["curve"], learnt.loc[learnt["law"] == "auto", "curve"], rtol=1e-9)


# ── Draws, oracles and what is said of levels ────────────────────────────────────────────────

LONG = compute(1e17, 1e21, 200)
SD = 0.01


@pytest.fixture(scope="module")
def long() -> js.Runs:
    return js.simulate("power_const", POWER, LONG, noise=SD, seed=6)


@pytest.fixture(scope="module")
def known() -> pd.DataFrame:
    return js.oracle("power_const", POWER, LONG, noise=SD)


@pytest.fixture(scope="module")
def refitted(long: js.Runs, known: pd.DataFrame) -> js.Comparison:
    """By least squares: the median's own approximation is not as near to the bootstrap."""
    return js.compare(
        ["power_const"], long, oracle=known, resamples=400, objective=js.least_squares()
    )


@pytest.mark.full
def test_quick_intervals_are_near_the_bootstraps_with_many_runs(
    long: js.Runs, refitted: js.Comparison
) -> None:
    quick = js.compare(
        ["power_const"], long, method="laplace", resamples=400, objective=js.least_squares()
    )
    assert (quick.settings["method"], refitted.settings["method"]) == ("laplace", "bootstrap")
    one, two = quick.rows, refitted.rows
    np.testing.assert_allclose(one["curve"], two["curve"], rtol=1e-12)
    for kind, slack in (("confidence", 0.2), ("prediction", 0.05)):
        widths = [np.log(f[f"{kind}_high"] / f[f"{kind}_low"]).mean() for f in (one, two)]
        assert widths[0] == pytest.approx(widths[1], rel=slack), kind
    table = quick.table.loc["power_const"]
    assert table["coverage"] == pytest.approx(0.9, abs=4 * np.sqrt(0.09 / 40))


@pytest.mark.full
def test_the_right_law_is_hardly_wider_than_an_oracle(
    refitted: js.Comparison, known: pd.DataFrame, by_world: js.Comparison
) -> None:
    rows = refitted.rows
    best = known.loc[rows["row"], "prediction_high"] - known.loc[rows["row"], "prediction_low"]
    expected = (rows["prediction_high"] - rows["prediction_low"]) / best.to_numpy()
    np.testing.assert_allclose(rows["width_over_oracle"], expected, rtol=1e-12)
    row = refitted.table.loc["power_const"]
    assert row["width_over_oracle"] == pytest.approx(expected.mean(), rel=1e-12)
    assert row["width_over_oracle"] == pytest.approx(1.0, abs=0.15)
    assert row["width_over_oracle_error"] == pytest.approx(standard_error(expected), rel=1e-9)
    assert "width_over_oracle" not in by_world.table


def test_an_oracle_is_found_by_the_rows_labels(many: js.Runs) -> None:
    """In any order, and with more rows than are asked for; as one who knows each world."""
    floors = np.linspace(1.2, 2.2, 6)[many["world"]]
    known = js.oracle("power_const", {**POWER, "E": floors}, many.frame[["C"]], noise=0.005)
    known.index = many.frame.index
    rng = np.random.default_rng(0)
    found = js.compare(
        ["power_const"], many, by="world", oracle=known.iloc[rng.permutation(96)], resamples=60
    )
    rows = found.rows
    best = known.loc[rows["row"]]
    inside = (best["prediction_low"].to_numpy() <= rows["measured"]) & (
        rows["measured"] <= best["prediction_high"].to_numpy()
    )
    assert inside.mean() > 0.7
    width = (best["prediction_high"] - best["prediction_low"]).to_numpy()
    np.testing.assert_allclose(
        rows["width_over_oracle"],
        (rows["prediction_high"] - rows["prediction_low"]) / width,
        rtol=1e-12,
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t[["curve", "prediction_low"]],
         r"The oracle's table has no column prediction_high; js\.oracle\(law, params, design, noise\) makes one"),
        (lambda t: t.iloc[:198], r"The oracle's table lacks row 198 \(.*\), row 199 \(.*\); give a row for each"),
    ],
)  # fmt: skip
def test_an_oracle_that_does_not_know_the_runs(long, known, change, message) -> None:
    with pytest.raises(js.DataError, match=message):
        js.compare(
            ["power_const"], long, oracle=change(known), resamples=400, objective=js.least_squares()
        )


def test_an_unknown_method(long: js.Runs) -> None:
    with pytest.raises(
        js.JscaleError, match=r"method='nuts' is not known\. Use bayesian, bootstrap, laplace"
    ):
        js.compare(["power_const"], long, method="nuts")
    with pytest.raises(
        js.JscaleError, match=r"'laplce' is not known\. Did you mean 'laplace'\? Use bayesian, boot"
    ):
        js.compare(["power_const"], long, method="laplce")


@pytest.mark.full
def test_coverage_at_other_levels_is_read_off_the_place_of_each_run(
    by_world: js.Comparison, refitted: js.Comparison
) -> None:
    found = by_world.coverage((0.1, 0.9, 0.999))
    assert found.columns.tolist() == [0.1, 0.9, 0.999]
    assert found.index.tolist() == by_world.table.index.tolist()
    assert (np.diff(found.to_numpy(), axis=1) >= 0).all()
    for name in LAWS:
        pit = by_world.rows.loc[by_world.rows["law"] == name, "pit"]
        expected = ((pit >= 0.05) & (pit <= 0.95)).mean()
        assert found.loc[name, 0.9] == pytest.approx(expected)
    assert refitted.coverage().columns.tolist() == [0.5, 0.8, 0.95]
    # A quantile lies between two draws: a run there may count as inside in one way only.
    found = refitted.coverage([0.9]).loc["power_const", 0.9]
    assert found == pytest.approx(refitted.table.loc["power_const", "coverage"], abs=0.05)
    half = refitted.coverage([0.5]).loc["power_const", 0.5]
    assert half == pytest.approx(0.5, abs=4 * np.sqrt(0.25 / 40))


def test_pit_is_the_share_of_predicted_runs_at_or_below(refitted: js.Comparison) -> None:
    rows = refitted.rows
    below, above = (rows["measured"] < rows[f"prediction_{s}"] for s in ("low", "high"))
    assert (rows.loc[below, "pit"] <= 0.05).all()
    assert (rows.loc[~above, "pit"] >= 0.94).all()
    assert kstest(rows["pit"], "uniform").pvalue > 1e-3


def test_medians_and_how_far_out(by_world: js.Comparison, many: js.Runs) -> None:
    for name in LAWS:
        rows = by_world.rows[by_world.rows["law"] == name]
        errors = (rows["curve"] / rows["measured"] - 1).abs()
        assert by_world.table.loc[name, "median_error"] == pytest.approx(
            np.median(errors), rel=1e-9
        )
        largest_fitted = BUDGETS["C"].iloc[11]
        np.testing.assert_allclose(
            rows["extrapolation"], many["C"][rows["place"]] / largest_fitted, rtol=1e-9
        )


def test_an_oracle_whose_rows_cannot_be_told_apart() -> None:
    law = {"E": 1.7, "A": 900.0, "alpha": 0.15}
    runs = js.simulate("power_const", law, {"C": np.geomspace(1e17, 1e22, 16)}, noise=0.01)
    best = js.oracle("power_const", law, runs.frame, noise=0.01)
    twice = pd.concat([best, best.iloc[:1]])
    with pytest.raises(js.DataError, match="The oracle's table has the label 0 more than once"):
        js.compare(["power_const"], runs, oracle=twice, resamples=20)


CURVE = {"E": 1.7, "A": 900.0, "alpha": 0.15}


def of_compute(count: int = 16, seed: int = 0, **columns) -> pd.DataFrame:
    design = {"C": np.geomspace(1e17, 1e22, count)}
    return js.simulate("power_const", CURVE, design, noise=0.01, seed=seed).frame.assign(**columns)


def test_an_oracle_keeps_the_labels_of_its_table() -> None:
    table = of_compute(30).sample(frac=1.0, random_state=0)
    best = js.oracle("power_const", CURVE, table, noise=0.01)
    assert best.index.equals(table.index)
    pd.testing.assert_frame_equal(
        best, js.oracle("power_const", CURVE, js.Runs.from_frame(table), noise=0.01)
    )
    assert (table["loss"] / best["curve"] - 1).abs().max() < 0.04


def test_rows_of_weight_0_are_neither_fitted_nor_predicted() -> None:
    table = of_compute(weight=1.0)
    spoilt = table.copy()
    spoilt.loc[[3, 15], ["loss", "weight"]] = [30.0, 0.0]
    mask = spoilt["C"] > 1e21
    found = js.compare(
        ["power"], js.Runs.from_frame(spoilt, weight="weight"), holdout=mask, resamples=20
    )
    assert set(found.rows["row"]) == set(table.index[mask]) - {15}
    assert "rows-without-weight: 2 rows of weight 0 are left out" in found.notes[-1]
    clean = js.compare(["power"], table.drop([3, 15]), holdout=mask.drop([3, 15]), resamples=20)
    np.testing.assert_allclose(found.rows["curve"], clean.rows["curve"], rtol=1e-6)


def test_rolling_along_the_one_input_there_is() -> None:
    table = of_compute().rename(columns={"C": "D"})
    found = js.rollout(["power:D"], table, count=3, resamples=20)
    assert found.rows["extrapolation"].min() > 1
    assert any("shared-runs: runs are predicted by more than one split" in n for n in found.notes)


@pytest.mark.full
def test_a_family_too_small_for_auto_is_named() -> None:
    table = pd.concat([of_compute(14).assign(task="a"), of_compute(3).assign(task="b")])
    with pytest.raises(js.DataError, match=r"cannot be forecast from the split 'b': .* are 2"):
        js.compare(["power", "auto"], table.reset_index(drop=True), by="task")
