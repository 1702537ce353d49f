"""compare and rollout: as fit, bootstrap and predict say one by one; the right law wins."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import jscale as js
from jscale.prediction.stacking import stacking_weights
from jscale.prediction.criteria import log_score
from tests.conformance.worlds import FARSEER, SURFACE
from tests.worlds import TRUTH

pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return js.datasets.load("stdlib_lm")


@pytest.fixture(scope="module")
def held(table: pd.DataFrame) -> js.Comparison:
    return js.compare(
        ["chinchilla", "farseer", "power_const"], table, holdout=js.splits.labelled(), resamples=300
    )


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


def test_the_best_law_comes_first_and_the_others_say_how_far_behind(held: js.Comparison) -> None:
    assert held.best == "farseer"
    assert held.table["interval_score"].is_monotonic_increasing
    behind = held.table["interval_score"] - held.table["interval_score"].iloc[0]
    np.testing.assert_allclose(held.table["behind"], behind, atol=1e-12)
    assert held.table.loc["farseer", "behind_error"] == 0.0
    assert (held.table["behind_error"].iloc[1:] > 0).all()
    assert held.table["weight"].sum() == pytest.approx(1.0)
    assert "labelled('split', 'holdout')" in repr(held)


def test_the_same_seed_gives_the_same_comparison(table: pd.DataFrame, held: js.Comparison) -> None:
    again = js.compare(["power_const"], table, holdout=table["split"] == "holdout", resamples=300)
    first = held.rows[held.rows["law"] == "power_const"].reset_index(drop=True)
    pd.testing.assert_frame_equal(again.rows, first)


def test_the_right_law_wins_where_it_made_the_runs() -> None:
    runs = js.simulate("farseer", FARSEER, SURFACE, noise=0.005, seed=0)
    found = js.rollout(["chinchilla", "farseer"], runs, count=3, resamples=200)
    assert found.best == "farseer"
    assert found.table.loc["farseer", "weight"] > 0.9
    assert 0.75 <= found.table.loc["farseer", "coverage"] <= 1.0
    assert len(found.fits["farseer"]) == 3
    assert found.rows.groupby("law")["place"].apply(tuple).nunique() == 1


def test_stacking_weights_maximise_the_log_score_of_the_mixture() -> None:
    rng = np.random.default_rng(0)
    scores = rng.standard_normal((40, 3))
    weights = stacking_weights(scores)

    def total(w: np.ndarray) -> float:
        return float(np.sum(np.log(np.exp(scores) @ w)))

    for _ in range(200):
        other = rng.dirichlet(np.ones(3))
        assert total(weights) >= total(other) - 1e-6


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


def test_a_law_without_a_run_to_spare() -> None:
    C = np.geomspace(1e15, 1e20, 4)
    frame = pd.DataFrame({"C": C, "loss": 2 + 100 * C**-0.1})
    with pytest.raises(
        js.DataError, match="power_const has no run to spare in the split 'held out'"
    ):
        js.compare(
            ["power_const"], frame, holdout=np.array([False, False, False, True]), resamples=20
        )


def test_few_questions_are_noted(table: pd.DataFrame) -> None:
    found = js.rollout(["power_const"], table, count=2, resamples=50)
    assert any("few-held-out: 2 independent questions" in note for note in found.notes)


def test_a_scale_to_be_found_is_refused(table: pd.DataFrame) -> None:
    with pytest.raises(js.JscaleError, match="compare takes a number for delta"):
        js.compare(["power_const"], table, objective=js.huber("auto"))


@pytest.mark.parametrize("resamples", [0, 1, 2.5, True])
def test_resamples_must_be_some(table: pd.DataFrame, resamples) -> None:
    with pytest.raises(js.JscaleError, match=r"resamples=.* must be a whole number, at least 2"):
        js.compare(["power_const"], table, resamples=resamples)


def test_a_table_in_a_notebook(held: js.Comparison) -> None:
    page = held._repr_html_()
    assert "<table" in page
    assert "labelled(&#x27;split&#x27;" in page


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
