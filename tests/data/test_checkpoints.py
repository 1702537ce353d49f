"""Checkpoints: what is kept of a run, what is doubted, and what a fit gains by it."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.data.checkpoints import CODE
from jscale.simulation.worlds import CHINCHILLA, grid

STEPS = np.arange(0, 101, 10)
DESIGN = grid(np.geomspace(1e8, 1e10, 6), np.geomspace(2e9, 2e11, 5))


def cosine(steps: np.ndarray, warmup: float = 20.0) -> np.ndarray:
    """A learning rate that rises to 1 and falls along a cosine to 0 at step 100."""
    share = np.clip((steps - warmup) / (100.0 - warmup), 0.0, 1.0)
    return np.where(steps < warmup, steps / warmup, 0.5 * (1.0 + np.cos(np.pi * share)))


def table(**columns: object) -> pd.DataFrame:
    """Two runs, "a" of 11 rows and "b" of 6, in mixed order, and "c" of its end alone."""
    steps = np.concatenate([STEPS, STEPS[:6], [100]])
    frame = pd.DataFrame(
        {
            "id": ["a"] * 11 + ["b"] * 6 + ["c"],
            "N": np.repeat([1e7, 2e7, 4e7], [11, 6, 1]),
            "D": (steps + 1.0) * 1e8,
            "step": steps,
            "rate": cosine(steps),
            "loss": 5.0 - 0.01 * steps + np.repeat([0.2, 0.1, 0.0], [11, 6, 1]),
        }
    )
    return frame.assign(**columns).sample(frac=1.0, random_state=2)


def quiet(runs: js.Runs, **choices: object) -> js.Runs:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", js.DataWarning)
        return js.checkpoints(runs, **choices)


def kept_steps(runs: js.Runs) -> dict[str, list[int]]:
    return {name: sorted(part["step"]) for name, part in runs.frame.groupby("id")}


def doubt(runs: js.Runs) -> str:
    (noted,) = [d for d in runs.doubts if d.code == CODE]
    return f"{noted.seen} {noted.remedy}"


@pytest.fixture
def runs() -> js.Runs:
    return js.Runs.from_frame(table(), run="id")


# ── Which rows ───────────────────────────────────────────────────────────────────────────────


def test_the_first_share_of_each_run_is_left_out(runs):
    kept = quiet(runs, warmup=0.25)
    # D is 1e8·(step + 1): a quarter of 101 is step 24.25, of 51 step 11.75.
    assert kept_steps(kept) == {"a": list(STEPS[3:]), "b": [20, 30, 40, 50], "c": [100]}
    assert len(kept.dropped) == len(runs) - len(kept)
    assert set(kept.dropped["reason"]) == {"in the first 0.25 of its run"}
    assert sorted(kept.dropped.index) == sorted(set(runs.frame.index) - set(kept.frame.index))
    assert kept.n_independent == 3


def test_a_row_at_the_boundary_is_kept_whatever_its_rounding():
    D = np.array([0.1, 0.2, 0.3, 1.0, 3.0]) * 1e9
    frame = pd.DataFrame({"D": D, "N": 1e7, "loss": [5, 4, 3.5, 3, 2.8], "id": 1})
    frame.loc[2, "D"] = 3e9 * 0.1 * (1 - 1e-15)
    kept = quiet(js.Runs.from_frame(frame, run="id"), warmup=0.1)
    assert kept.frame.index.tolist() == [2, 3, 4]


def test_progress_is_D_else_C_or_the_column_named(runs):
    compute = js.Runs.from_frame(table().drop(columns=["N", "D"]).assign(C=runs["C"]), run="id")
    assert kept_steps(quiet(compute, warmup=0.25)) == kept_steps(quiet(runs, warmup=0.25))
    by_step = quiet(runs, warmup=0.2, along="step")
    assert kept_steps(by_step) == {"a": list(STEPS[2:]), "b": [10, 20, 30, 40, 50], "c": [100]}


def test_rows_before_the_peak_of_the_learning_rate_are_left_out(runs):
    kept = quiet(runs, warmup=0.0, learning_rate="rate")
    # Run b is a part of a longer schedule; both reach the peak at step 20.
    assert kept_steps(kept) == {"a": list(STEPS[2:]), "b": [20, 30, 40, 50], "c": [100]}
    assert set(kept.dropped["reason"]) == {"rate has not reached its peak"}
    both = quiet(runs, warmup=0.15, learning_rate="rate").dropped.set_index(["id", "step"])
    assert both["reason"][("a", 0)] == "in the first 0.15 of its run"
    assert both["reason"][("b", 10)] == "rate has not reached its peak"


def test_a_rate_that_still_rises_leaves_the_end():
    rising = table(rate=np.arange(18) + 1.0)
    kept = quiet(js.Runs.from_frame(rising, run="id"), learning_rate="rate")
    assert kept_steps(kept) == {"a": [100], "b": [50], "c": [100]}


def test_the_end_of_each_run_alone(runs):
    kept = js.checkpoints(runs, final_only=True)
    assert kept_steps(kept) == {"a": [100], "b": [50], "c": [100]}
    reasons = kept.dropped["reason"].value_counts().to_dict()
    # Of 101 units of D, step 0 is before a tenth and step 10 is not.
    assert reasons == {"in the first 0.1 of its run": 2, "not the end of its run": 13}
    assert CODE not in [d.code for d in kept.doubts]


def test_an_end_logged_twice_is_two_rows_of_the_end(runs):
    twice = table()
    again = twice[twice["step"] == 100].assign(loss=lambda t: t["loss"] * 1.001)
    kept = js.checkpoints(js.Runs.from_frame(pd.concat([twice, again]), run="id"), final_only=True)
    assert kept_steps(kept) == {"a": [100, 100], "b": [50], "c": [100, 100]}


def test_runs_of_one_row_are_kept_as_they_are():
    frame = table()
    ends = frame[frame["id"] == "c"].assign(rate=0.0)
    runs = js.Runs.from_frame(ends, run="id")
    kept = js.checkpoints(runs, learning_rate="rate")
    pd.testing.assert_frame_equal(kept.frame, runs.frame)
    assert (len(kept.dropped), kept.doubts) == (0, ())


def test_what_was_dropped_before_stays_listed():
    frame = table()
    frame.loc[3, "loss"] = np.nan
    with pytest.warns(js.DataWarning, match="1 of 18 rows were left out"):
        runs = js.Runs.from_frame(frame, run="id", invalid="drop")
    kept = quiet(runs, warmup=0.25)
    assert kept.dropped["reason"].to_dict()[3] == "loss: missing (NaN)"
    assert len(kept.dropped) == 18 - len(kept)
    assert [d.code for d in kept.doubts] == ["rows-dropped", CODE]


# ── What is doubted ──────────────────────────────────────────────────────────────────────────


def test_undecayed_rows_are_counted_and_told(runs):
    with pytest.warns(js.DataWarning, match="are not the end of their run") as told:
        kept = js.checkpoints(runs, learning_rate="rate", decayed=0.1)
    # Run a: the rate is at most a tenth from step 90 on; run b ends undecayed, an end all the same.
    high = kept.frame[(kept["rate"] > 0.1) & ~((kept["id"] == "b") & (kept["step"] == 50))]
    high = high[high["id"] != "c"]
    assert (len(high), len(kept)) == (10, 14)
    assert doubt(kept).startswith(
        "10 of 14 rows, from 2 of 3 runs, are not the end of their run, and "
    )
    assert "their learning rate is above 0.1 of the run's peak" in doubt(kept)
    assert "Keep only the ends, js.checkpoints(runs, final_only=True)" in doubt(kept)
    assert [str(w.message) for w in told] == [doubt(kept)]


def test_more_counts_as_decayed_where_asked(runs):
    kept = quiet(runs, learning_rate="rate", decayed=0.6)
    at = cosine(STEPS[2:])
    assert doubt(kept).startswith(f"{int((at[:-1] > 0.6).sum()) + 3} of 14 rows")
    everything = js.checkpoints(runs, learning_rate="rate", decayed=1.0)
    assert everything.doubts == ()


def test_without_a_learning_rate_it_is_unknown(runs):
    kept = quiet(runs)
    assert doubt(kept).startswith("13 of 16 rows, from 2 of 3 runs, are not the end of their run")
    assert "whether their learning rate has decayed is unknown" in doubt(kept)
    assert 'js.checkpoints(runs, learning_rate="<column>")' in doubt(kept)


def test_a_doubt_is_told_anew_when_taken_again(runs):
    once = quiet(runs)
    assert doubt(quiet(once, learning_rate="rate")).startswith("10 of 14 rows")
    assert js.checkpoints(once, final_only=True).doubts == ()


def premium(curves: pd.DataFrame, schedule: str, other: str, column: str) -> list[float]:
    """How many per cent runs end above those of another schedule, of the same N and length."""
    ends = curves.groupby("run").tail(1).pivot(index=["N", "D"], columns="schedule", values=column)
    return sorted((100 * (ends[schedule] / ends[other] - 1)).round(2))


def test_the_excess_that_is_quoted_is_that_of_our_own_runs():
    curves = js.datasets.load("stdlib_lm_curves")
    assert premium(curves, "constant", "cosine", "final_loss") == [3.84, 4.81, 7.64, 8.34]
    before, below, halfway = [], [], []
    for (_, schedule), both in curves.groupby(["N", "schedule"]):
        short, long = (part for _, part in both.groupby("steps"))
        end, last = short.iloc[-1], long.iloc[-1]
        at_end = np.interp(np.log(end["D"]), np.log(long["D"]), np.log(long["loss"]))
        excess = 100 * (np.exp(at_end) / end["loss"] - 1)
        if schedule == "wsd":
            before.append(excess)
            late = long[long["learning_rate"] < 0.1 * long["peak_lr"]]
            late = late[late["step"] > 1000].iloc[0]
            # Between the two ends, a power of D.
            slope = np.log(last["loss"] / end["loss"]) / np.log(last["D"] / end["D"])
            law = end["loss"] * (late["D"] / end["D"]) ** slope
            below.append(100 * (late["loss"] / law - 1))
        if schedule == "cosine":
            halfway.append(excess)
    np.testing.assert_allclose(before, [5.26, 6.62], atol=0.01)
    np.testing.assert_allclose(below, [0.13, 0.09], atol=0.01)
    np.testing.assert_allclose(halfway, [0.93, -0.05], atol=0.01)


# ── What a fit makes of it ───────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def along() -> js.Runs:
    """Checkpoints of 30 runs with a planted law, an early excess, and an effect of each run."""
    rows = js.designs.checkpoints(DESIGN, 20, first=0.005)
    noise = js.Noise(0.003, shared={"run": 0.005})
    frame = js.simulate("chinchilla", CHINCHILLA, rows, noise=noise, seed=0).frame
    share = frame["D"] / frame.groupby("run")["D"].transform("max")
    frame["loss"] *= 1 + 0.5 * np.exp(-share / 0.02)
    return js.Runs.from_frame(frame, run="run")


@pytest.mark.full
def test_the_rule_recovers_a_planted_law(along):
    plain = js.fit("chinchilla", along, starts=16)
    ruled = js.fit("chinchilla", quiet(along), starts=16)
    off = {
        name: [abs(fit.params[name] - CHINCHILLA[name]) for fit in (plain, ruled)]
        for name in ("beta", "E")
    }
    assert off["beta"][0] > 0.08
    assert off["beta"][1] < 0.01
    assert off["E"][1] < 0.2 * off["E"][0]
    assert abs(ruled.params["alpha"] - CHINCHILLA["alpha"]) < 2 * ruled.stderr["alpha"]


@pytest.mark.full
def test_rows_of_a_run_are_one_observation(along):
    kept = quiet(along)
    assert (len(kept), kept.n_independent) == (270, 30)
    fit = js.fit("chinchilla", kept, starts=16)
    naive = js.fit("chinchilla", js.Runs.from_frame(kept.frame), starts=16)
    # 9 rows with a shared part 0.005 beside 0.003: naive errors are √(1 + 8·25/34) = 2.6 too small
    # for what runs decide (E, alpha); beta is also decided within runs.
    wide, narrow = (js.bootstrap(f, 200, seed=1) for f in (fit, naive))
    for name, factor in (("alpha", 1.8), ("E", 1.5), ("beta", 1.3)):
        assert wide[name].values.std() > factor * narrow[name].values.std()
    assert fit.stderr["alpha"] > 1.8 * naive.stderr["alpha"]


@pytest.mark.full
def test_the_doubt_is_a_note_of_the_fit(along):
    fit = js.fit("chinchilla", quiet(along), starts=16)
    (note,) = [n for n in fit.notes if n.code == CODE]
    assert note.severity == "caution"
    assert note.seen.startswith("240 of 270 rows, from 30 of 30 runs, are not the end of their run")
    ends = js.fit("chinchilla", js.checkpoints(along, final_only=True), starts=16)
    assert CODE not in [n.code for n in ends.notes]


# ── What cannot be ───────────────────────────────────────────────────────────────────────────


def made(**columns: object) -> js.Runs:
    return js.Runs.from_frame(table(**columns), run="id")


NEGATIVE = np.where(np.arange(18) == 4, -1.0, 1.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: js.checkpoints(js.Runs.from_frame(table())),
            r'must know which rows belong to one run, and these Runs do not: .*from_frame\(df, run="<column>"\)\)',
        ),
        (lambda: js.checkpoints(table()), "to one run, and DataFrame does not: name the column"),
        (
            lambda: js.checkpoints(made(), warmup=1.0),
            "warmup=1.0 must be a share, from 0 to below 1, such as 0.1",
        ),
        (lambda: js.checkpoints(made(), warmup="0.1"), "warmup='0.1' must be a share"),
        (lambda: js.checkpoints(made(), warmup=float("nan")), "warmup=nan must be a share"),
        (lambda: js.checkpoints(made(), decayed=-0.1), "decayed=-0.1 must be a share, from 0 to 1"),
        (
            lambda: js.checkpoints(made(), learning_rate="rat"),
            r"learning_rate='rat' is not a column of the table\. Did you mean 'rate'\? Its columns are: N, D",
        ),
        (lambda: js.checkpoints(made(), along=3), "along=3 is not a column of the table"),
        (
            lambda: js.checkpoints(made(), learning_rate="id"),
            r"learning_rate \(column 'id'\) must hold finite numbers, zero or more, but 18 of 18 are not a number: row \d+ \('",
        ),
        (
            lambda: js.checkpoints(made(rate=NEGATIVE), learning_rate="rate"),
            r"1 of 18 are negative: row 4 \(-1.0\)",
        ),
        (
            lambda: js.checkpoints(
                made(rate=np.where(NEGATIVE < 0, np.nan, 1.0)), learning_rate="rate"
            ),
            r"1 of 18 are missing \(NaN\): row 4 \(nan\)",
        ),
        (
            lambda: js.checkpoints(made(step=np.where(NEGATIVE < 0, np.inf, 1.0)), along="step"),
            r"1 of 18 are infinite: row 4",
        ),
        (
            lambda: js.checkpoints(made(D=2e9)),
            r'D is the same in all rows of each run \(\w, \w\).*name a column that does, js\.checkpoints\(runs, along="<column>"\)',
        ),
        (
            lambda: js.checkpoints(js.Runs.from_frame(table().drop(columns=["D"]), run="id")),
            "neither D nor C to tell how far a run has come: name a column",
        ),
    ],
)
def test_what_cannot_be_done_says_so(make, message) -> None:
    with pytest.raises(js.DataError, match=message):
        make()
