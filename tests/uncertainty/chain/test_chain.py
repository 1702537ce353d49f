"""chain: planted truths, errors carried from stage to stage, and rows that serve one stage."""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js
from tests.uncertainty.chain.planted import (
    BASE,
    BOTH,
    GUESS,
    INNER,
    LINK,
    OUTER,
    WAYS,
    chained,
    width,
    world,
)

# Near-absolute objectives end at kinks, and some refits of few runs do not settle there.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.* resamples failed and .* did not converge:jscale.errors.FitWarning"
)

# What is fitted


@pytest.mark.full
def test_two_stages_are_the_two_fits() -> None:
    frame = world()
    draws = chained(frame)
    inner, outer = js.fit(BASE, frame), js.fit(LINK, frame, fixed=GUESS)
    assert draws.names == BOTH.names
    expected = [*inner.params, *outer.params]
    np.testing.assert_allclose(draws.fit.params, expected, rtol=1e-12)
    assert draws.fit.law == BOTH
    assert draws.method == "chain (two-stage)"
    assert draws.settings == {
        "how": "two-stage", "losses": "observed", "resamples": 100, "seed": 0
    }  # fmt: skip


@pytest.mark.full
def test_the_link_at_the_laws_own_curve() -> None:
    frame = world()
    draws = chained(frame, losses="fitted")
    curve = js.fit(BASE, frame).fitted
    outer = js.fit(LINK, frame.assign(loss=curve), fixed=GUESS)
    np.testing.assert_allclose(draws.fit.params[list(OUTER)], outer.params, rtol=1e-12)


@pytest.mark.full
def test_measured_losses_with_errors_of_their_own_flatten_the_link() -> None:
    """Errors in the input lower the slope; the law's curve, which averages them out, does not."""
    frame = world(4, rows=400, loss=0.15, score=0.002)
    slopes = {}
    for losses in ("observed", "fitted"):
        link = chained(frame, 2, losses=losses).fit.params[list(OUTER)]
        at = np.array([2.6, 3.0])
        slopes[losses] = float(np.diff(LINK(at, **link))[0])
    true = float(np.diff(LINK(np.array([2.6, 3.0]), **OUTER))[0])
    assert slopes["fitted"] == pytest.approx(true, rel=0.1)
    assert slopes["observed"] / true < 0.8


@pytest.mark.full
def test_all_ways_find_the_planted_law_in_clean_data() -> None:
    frame = world(1, loss=0.0, score=0.0)
    at = {"N": [1e9, 1e10], "D": [1e11, 1e12]}
    truth = BOTH(np.array(at["N"]), np.array(at["D"]), **INNER, **OUTER)
    for choices in (*WAYS, {"how": "score"}):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", js.FitWarning)  # scores alone leave E and L0 open
            warnings.simplefilter("ignore", js.ExtrapolationWarning)
            found = js.predict(chained(frame, 20, **choices), **at).to_frame()
        np.testing.assert_allclose(found["curve"], truth, rtol=1e-5, err_msg=str(choices))
        np.testing.assert_allclose(found["confidence_low"], truth, rtol=1e-3)


@pytest.mark.full
def test_scores_alone_are_a_plain_bootstrap() -> None:
    frame = world()
    with pytest.warns(js.FitWarning, match="do not determine"):
        draws = js.chain(BASE, "sigmoid_link", frame, how="score", resamples=20, seed=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", js.FitWarning)
        plain = js.bootstrap(js.fit(BOTH, frame), 20, kind="bayesian", seed=3)
    np.testing.assert_array_equal(draws.values, plain.values)
    assert draws.settings["how"] == "score"


# How sure it is

WORLDS, LEVEL = 40, 0.9


@lru_cache
def inside(way: int) -> tuple[float, float]:
    """Return the shares of worlds whose curve, and new run, lie in their intervals."""
    truth, runs = float(BOTH(5e8, 5e10, **INNER, **OUTER)), np.random.default_rng(7)
    held = np.zeros(2)
    for seed in range(WORLDS):
        draws = chained(world(seed), 200, **WAYS[way])
        row = js.predict(draws, N=5e8, D=5e10).to_frame().iloc[0]
        new = truth + 0.01 * runs.standard_normal()
        held[0] += row["confidence_low"] <= truth <= row["confidence_high"]
        held[1] += row["prediction_low"] <= new <= row["prediction_high"]
    return float(held[0] / WORLDS), float(held[1] / WORLDS)


@pytest.mark.full
@pytest.mark.parametrize("way", range(len(WAYS)))
def test_intervals_hold_the_planted_score(way: int) -> None:
    """Within three Monte-Carlo errors of 90%, of the curve and of new runs."""
    error = np.sqrt(LEVEL * (1 - LEVEL) / WORLDS)
    for share in inside(way):
        assert abs(share - LEVEL) < 3 * error


@pytest.mark.full
def test_where_the_link_is_sure_the_score_is_the_links_of_the_loss() -> None:
    """Scores that follow their own losses exactly: all error is the inner law's, carried over."""
    frame = world(3, loss=0.02, score=1e-5, own_luck=True)
    draws = chained(frame, 200)
    losses = js.predict(js.bootstrap(js.fit(BASE, frame), 200, kind="bayesian"), N=5e8, D=5e10)
    scores = js.predict(draws, N=5e8, D=5e10).to_frame()
    for low, high in (("confidence_low", "confidence_high"), ("confidence_high", "confidence_low")):
        assert scores[low][0] == pytest.approx(LINK(losses.frame[high][0], **OUTER), abs=2e-4)
    # With the inner law held at its estimate, next to nothing would be left of it.
    held = draws.values.copy()
    held[..., : len(INNER)] = draws.fit.params.to_numpy()[: len(INNER)]
    assert width(replace(draws, values=held)) < 0.02 * width(draws)


@pytest.mark.full
@pytest.mark.parametrize("choices", WAYS)
def test_the_errors_of_both_stages_go_together(choices: dict[str, Any]) -> None:
    """Where the runs are, they cancel in part; dealt out anew they would not."""
    draws = chained(world(3, rows=40), 200, **choices)
    order = np.random.default_rng(0).permutation(len(draws))
    paired = draws.values.copy()
    paired[..., : len(INNER)] = draws.values[:, order, : len(INNER)]
    assert width(draws) < width(replace(draws, values=paired))


@pytest.mark.full
@pytest.mark.filterwarnings("ignore:.*unidentified:jscale.errors.FitWarning")
def test_a_less_certain_law_gives_a_less_certain_score() -> None:
    frames = [world(2, loss=error, score=0.005) for error in (0.002, 0.03)]
    sure, unsure = (width(chained(frame, 200, losses="fitted")) for frame in frames)
    assert unsure > 1.5 * sure


@pytest.mark.full
@pytest.mark.parametrize("choices", WAYS)
def test_whole_runs_are_weighed(choices: dict[str, Any]) -> None:
    """Every row twice, of one run: nothing new is known, and the draws are the same."""
    frame = world(5).assign(run=range(30))
    twice = pd.concat([frame, frame], ignore_index=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", js.DataWarning)  # rows that repeat
        once, again = (chained(f, 40, run="run", **choices) for f in (frame, twice))
        rows = chained(twice, 40, **choices)
    if choices.get("how") != "joint":
        np.testing.assert_allclose(again.values, once.values, rtol=1e-4)
    assert again.fit.stderr["L0"] == pytest.approx(once.fit.stderr["L0"], rel=0.05)
    assert rows.fit.stderr["L0"] < 0.85 * once.fit.stderr["L0"]


def test_the_same_seed_gives_the_same_draws() -> None:
    frame = world()
    first, same, other = (chained(frame, 20, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.values, same.values)
    assert not np.allclose(first.values, other.values)


# Rows that serve one stage


@pytest.mark.full
def test_at_the_laws_curve_all_scores_serve() -> None:
    frame = world(6, rows=60)
    frame.loc[:29, "score"] = np.nan
    frame.loc[30:, "loss"] = np.nan  # no run has both
    for choices in WAYS[1:]:
        draws = chained(frame, 20, **choices)
        assert len(draws.fit.runs) == 30
        truth = BOTH(1e9, 1e11, **INNER, **OUTER)
        assert js.predict(draws, N=1e9, D=1e11).frame["curve"][0] == pytest.approx(truth, abs=0.03)


@pytest.mark.full
def test_few_scores_are_enough_for_a_link() -> None:
    """Six scores for a link of three: the composed law's eight parameters need no more."""
    frame = world(8, rows=40)
    frame.loc[6:, "score"] = np.nan
    assert len(chained(frame, 20).fit.runs) == 6


@pytest.mark.full
def test_families_of_their_own_and_one_without_scores() -> None:
    floors = {"a": 1.6, "b": 1.8, "c": 2.0}
    frames = []
    for seed, (family, E) in enumerate(floors.items()):
        frame = world(seed, 20)
        curve = BASE(frame["N"], frame["D"], **{**INNER, "E": E})
        scores = LINK(curve, **OUTER) if family != "c" else np.nan
        frames.append(frame.assign(loss=curve, score=scores, family=family))
    table = pd.concat(frames, ignore_index=True)
    for choices in WAYS:
        draws = chained(table, 20, per={"E": "family"}, group="family", **choices)
        assert draws.names == ("E[a]", "E[b]", "E[c]", *BOTH.names[1:])
        found = js.predict(draws, N=1e9, D=1e11, family=list(floors)).to_frame()
        truth = [float(BOTH(1e9, 1e11, **{**INNER, **OUTER, "E": E})) for E in floors.values()]
        np.testing.assert_allclose(found["curve"], truth, rtol=1e-4)


@pytest.mark.full
def test_a_link_that_differs_by_task() -> None:
    table = pd.concat(
        [world(s).assign(task=task) for s, task in enumerate("ab")], ignore_index=True
    )
    draws = chained(table, 20, per={"L0": "task"}, losses="fitted")
    assert draws.names[-2:] == ("L0[a]", "L0[b]")
    assert draws.fit.problem.layout.labels == ("rise", "k", "L0[a]", "L0[b]")
    assert len(js.predict(draws, N=1e9, D=1e11, task=["a", "b"])) == 2


# Where it goes


def test_columns_by_name_and_runs() -> None:
    frame = world()
    named = frame.rename(columns={"N": "params", "D": "tokens", "loss": "val", "score": "acc"})
    by_name = chained(named, 20, N="params", D="tokens", loss="val", score="acc")
    by_runs = chained(js.Runs.from_frame(frame), 20)
    by_table = chained(frame, 20)
    np.testing.assert_array_equal(by_name.values, by_table.values)
    np.testing.assert_array_equal(by_runs.values, by_table.values)


@pytest.mark.full
@pytest.mark.parametrize("choices", WAYS)
def test_reports_and_files_take_it(choices: dict[str, Any], tmp_path: Any) -> None:
    draws = chained(world(), 60, **choices)
    page = js.report(draws.fit, draws, path=tmp_path / "report.html")
    assert "sigmoid_link" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page is not None
    js.save(draws.fit, tmp_path / "fit.json")
    pd.testing.assert_series_equal(js.load(tmp_path / "fit.json").params, draws.fit.params)


@pytest.mark.full
def test_other_links_and_objectives() -> None:
    frame = world()
    gadre = js.laws.get("exponential_link").published["arXiv:2403.08540, C4, 17 tasks"]
    frame["error"] = js.laws.get("exponential_link")(frame["loss"], **gadre)
    draws = js.chain("chinchilla", "exponential_link", frame, objective="least_squares",
                     resamples=20)  # fmt: skip
    np.testing.assert_allclose(draws.fit.params[list(gadre)], list(gadre.values()), rtol=1e-4)
    joint = js.chain("chinchilla", "exponential_link", frame, objective="pseudo_huber",
                     how="joint", resamples=20)  # fmt: skip
    assert joint.fit.law.output == "error"


# What is refused


def spoilt(**columns: Any) -> pd.DataFrame:
    return world().assign(**columns)


@pytest.mark.parametrize(
    ("choices", "error", "says"),
    [
        ({"how": "two stage"}, js.JscaleError,
         r"how='two stage' is not known\. Did you mean 'two-stage'\? Use"),
        ({"losses": "true"}, js.JscaleError, r"losses='true' is not known\..*observed"),
        ({"objective": "student_t"}, js.JscaleError, r"objective='student_t' is not known\."),
        ({"resamples": 1}, js.JscaleError, r"resamples=1 must be a whole number, at least 2"),
        ({"seed": -1}, js.JscaleError, r"seed=-1 must be a whole number"),
        ({"loss": "lost"}, js.DataError,
         r"no column 'lost'\. Did you mean 'loss'\?.*which one holds the loss of each run: "
         r"chain\(…, loss=\"<column>\"\)\."),
        ({"score": "scores"}, js.DataError, r"no column 'scores'\..*holds the score of each run"),
        ({"score": "loss"}, js.DataError, r"loss='loss' and score='loss' are one column; name two"),
        ({"loss_unit": "perplexity"}, js.DataError, r"chain takes losses, not perplexities.*np\.log"),
        ({"fixed": 3}, js.LawError, r"fixed=3 must be a mapping by parameter\."),
        ({"per": {"gamma": "N"}}, js.LawError, r"no parameter or input 'gamma'"),
    ],
)  # fmt: skip
def test_wrong_choices(choices: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        js.chain(BASE, LINK, world(), **{"resamples": 20, **choices})


NAN = float("nan")


@pytest.mark.parametrize(
    ("columns", "choices", "error", "says"),
    [
        ({"score": [1.4, -0.2, *[0.5] * 28]}, {}, js.DataError,
         r"holds for score between 0 and 1, but not in row 0 \(1\.4\), row 1 \(-0\.2\)"),
        ({"score": [0.5, NAN] * 15, "loss": [NAN, 3.0] * 15}, {}, js.DataError,
         r'None of the 30 rows has both a loss and a score\. Give losses and scores of the same '
         r'runs, in one row, or fit the link to the law\'s curve: losses="fitted"\.'),
        ({"score": [NAN] * 30}, {}, js.DataError, r"None of the 30 rows has a score\."),
        ({"loss": [NAN] * 30}, {"losses": "fitted"}, js.DataError,
         r'None of the 30 rows has a loss\. Fit the scores alone: how="score"\.'),
        ({"score": [NAN, *[0.5] * 29], "loss": [NAN, *[3.0] * 29]}, {}, js.DataError,
         r"'loss' and 'score' are both missing in row 0 \(nan\)\. Leave such rows out: df\.dropna"),
        ({"score": [0.4, 0.5, *[NAN] * 28]}, {}, js.DataError,
         r"sigmoid_link has 3 free parameters \(rise, k, L0\) but there are only 2 independent"),
        ({"score": [0.3, 0.4, 0.5, *[NAN] * 27]}, {}, js.FitError,
         r"sigmoid_link passes through its 3 independent runs with 3 free parameters"),
        ({"loss": [*[3.0, 2.0, 4.0, 2.5], *[NAN] * 26]}, {}, js.DataError,
         r"chinchilla has 5 free parameters"),
        ({"family": [str(i) for i in range(30)]}, {"group": "family"}, js.DataError,
         r"Runs are weighed within groups, and each group here holds a single one"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
def test_wrong_tables(
    columns: dict[str, Any], choices: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        chained(spoilt(**columns), 20, **choices)
