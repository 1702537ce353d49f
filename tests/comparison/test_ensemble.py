"""ensemble: the law that made the runs is believed; questions, weights and notes are as said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.comparison import ensemble as module
from jscale.comparison.law_weights import Mixing, candidates, weigh_each, weighing_splits
from jscale.comparison.split_fits import SplitFits
from jscale.prediction.predictive import Predictive, Samples
from jscale.simulation.worlds import CHINCHILLA, compute, grid

POWER = {"E": 1.7, "A": 900.0, "alpha": 0.15}
BENT = {"a": 1.0, "b": 2000.0, "c0": 0.15, "c1": 0.25, "d1": 1e18, "f1": 0.1}
CURVES = ("power", "power_const", "broken:1")


@pytest.fixture(scope="module")
def straight() -> js.Runs:
    return js.simulate("power_const", POWER, compute(1e17, 1e21, 16), noise=0.005, seed=0)


@pytest.fixture(scope="module")
def found(straight: js.Runs) -> js.Ensemble:
    return js.ensemble(straight, resamples=60)


@pytest.fixture(scope="module")
def few(straight: js.Runs) -> js.Ensemble:
    """Ten runs: too few for origins."""
    return js.ensemble(straight.where(straight["C"] < 3e19), ["power", "power_const"], resamples=60)


# ── The law that made the runs ───────────────────────────────────────────────────────────────


def test_the_law_without_a_break_is_believed_where_there_is_none(found: js.Ensemble) -> None:
    assert found.weights.idxmax() == "power_const"
    assert found.weights["power_const"] > 0.9
    assert set(found.table.index) == set(CURVES)
    assert found.table.loc["broken:1", "why"] == "never beat power_const"
    assert found.table.loc["power", "error"] > 5 * found.table.loc["power_const", "error"]


def test_the_law_with_a_break_is_believed_where_there_is_one() -> None:
    runs = js.simulate("broken:1", BENT, compute(1e16, 1e22, 16), noise=0.002, seed=0)
    found = js.ensemble(runs, resamples=60)
    assert found.weights.idxmax() == "broken:1"
    assert found.weights["broken:1"] > 0.9
    assert found.table.loc["power_const", "error"] > 10 * found.table.loc["broken:1", "error"]
    frame = js.predict(found, C=5e22).frame
    true = js.laws.get("broken:1")(5e22, **BENT)
    assert frame["prediction_low"][0] < true < frame["prediction_high"][0]


def test_of_surfaces_one_exponent_is_believed_where_there_is_one() -> None:
    laws = {name: js.laws.get(name) for name in ("chinchilla_tied", "chinchilla")}
    design = grid(np.geomspace(1e8, 1e9, 4), np.geomspace(2e9, 2e10, 4))
    one = {"E": 1.69, "A": 250.0, "B": 450.0, "alpha": 0.3}
    for name, planted, noise in (
        ("chinchilla_tied", one, 0.003),
        ("chinchilla", {**CHINCHILLA, "beta": 0.2}, 0.001),
    ):
        runs = js.simulate(name, planted, design, noise=noise, seed=0)
        split_fits = SplitFits(runs, js.huber(), resamples=60)
        (table,), (asked,) = weigh_each(split_fits, laws, [np.arange(16)])
        assert asked.beyond
        assert table.loc[name, "weight"] > 0.8


# ── The result ───────────────────────────────────────────────────────────────────────────────


def test_members_are_the_fits_of_all_runs(found: js.Ensemble, straight: js.Runs) -> None:
    assert list(found.members) == found.table.index[found.table["weight"] > 0].tolist()
    own = found.members["power_const"]
    alone = js.bootstrap(js.fit("power_const", straight), 60, seed=0)
    np.testing.assert_allclose(own.fit.params, alone.fit.params, rtol=1e-12)
    np.testing.assert_array_equal(own.values, alone.values)
    assert found.settings["resamples"] == 60
    assert found.runs is straight


def test_the_table_says_what_became_of_every_law(found: js.Ensemble) -> None:
    columns = ["parameters", "score", "error", "widening", "weight", "why"]
    assert found.table.columns.tolist() == columns
    assert found.table["parameters"].to_dict() == {"power": 2, "power_const": 3, "broken:1": 6}
    assert found.table["weight"].is_monotonic_decreasing
    assert found.table["weight"].sum() == pytest.approx(1.0)
    assert ((found.table["weight"] > 0) == (found.table["why"] == "")).all()
    copy = found.to_frame()
    copy["weight"] = 0.0
    assert found.table["weight"].sum() == pytest.approx(1.0)


def test_it_shows_itself(found: js.Ensemble, few: js.Ensemble) -> None:
    assert repr(found).startswith("Ensemble of 1 laws\n")
    assert "never beat power_const" in repr(found)
    assert "<table" in found._repr_html_()
    assert "<li>[caution] not-extrapolated: 10 runs" in few._repr_html_()
    assert few.notes[0] in repr(few)


def test_the_same_seed_gives_the_same_ensemble(few: js.Ensemble, straight: js.Runs) -> None:
    laws = ["power", "power_const"]
    again = js.ensemble(straight.frame[straight["C"] < 3e19], laws, resamples=60)
    pd.testing.assert_frame_equal(again.table, few.table)
    np.testing.assert_array_equal(
        again.members["power_const"].values, few.members["power_const"].values
    )


def test_scores_are_those_of_rolling_the_origin_by_hand(straight: js.Runs) -> None:
    """The k-th origin by k³, its rows alike; intervals of the same draws as rollout's."""
    laws = ["power", "power_const"]
    found = js.ensemble(straight, laws, resamples=60).table
    rolled = js.rollout(laws, straight, count=6, resamples=60)
    for name in laws:
        rows = rolled.rows[rolled.rows["law"] == name]
        by_origin = rows.groupby("split", sort=True)
        counts = np.arange(1, 7) ** 3.0
        score = by_origin["interval_score"].mean() @ counts / counts.sum()
        error = np.log(rows["curve"] / rows["measured"]).abs().groupby(rows["split"]).mean()
        assert found.loc[name, "score"] == pytest.approx(score, rel=1e-9)
        assert found.loc[name, "error"] == pytest.approx(error @ counts / counts.sum(), rel=1e-9)


# ── Notes ────────────────────────────────────────────────────────────────────────────────────


def test_runs_too_few_to_roll_are_left_out_in_turn_and_it_says_so(few: js.Ensemble) -> None:
    wrong = (
        "not-extrapolated: 10 runs are too few, or too alike in compute, to hold any out by origin"
    )
    assert wrong in few.notes[0]
    assert (few.table["widening"] == 1.0).all()
    assert few.weights.idxmax() == "power_const"
    share = few.table["error"] ** -4.0
    expected = share / share.sum()
    kept = expected.where(expected >= 0.01, 0.0)
    np.testing.assert_allclose(few.table["weight"], kept / kept.sum(), rtol=1e-9)


def test_intervals_made_wider_are_said(straight: js.Runs) -> None:
    """A power law has no floor: beyond each origin runs lie outside its intervals."""
    found = js.ensemble(straight, ["power"], resamples=60)
    widening = found.table.loc["power", "widening"]
    assert widening >= 2.0
    assert found.table.loc["power", "weight"] == 1.0
    (note,) = found.notes
    assert "intervals-widened: beyond the origins, runs lay outside" in note
    assert note.endswith(f"made wider: power {widening:g} times.")
    alone = js.predict(found.members["power"], C=1e22).frame
    wider = js.predict(found, C=1e22).frame
    for kind in ("confidence", "prediction"):
        ratios = [np.log(f[f"{kind}_high"] / f[f"{kind}_low"]).iloc[0] for f in (wider, alone)]
        assert ratios[0] == pytest.approx(widening * ratios[1], rel=1e-9)
    assert wider["curve"].equals(alone["curve"])


def test_members_whose_draws_did_not_settle_are_said(
    straight: js.Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = module.bootstrap
    for unsettled, said in ((0, False), (2, True)):
        monkeypatch.setattr(
            module, "bootstrap", lambda *a, u=unsettled, **k: replace(draw(*a, **k), unsettled=u)
        )
        notes = js.ensemble(straight, ["power_const"], resamples=60).notes
        wrong = "draws-unsettled: 2 of 60 resamples of power_const failed or did not converge"
        assert any(wrong in note for note in notes) is said


# ── Which laws ───────────────────────────────────────────────────────────────────────────────


def axis(name: str, rows: int = 16, output: str = "loss") -> js.Runs:
    x = np.geomspace(1e17, 1e21, rows)
    frame = pd.DataFrame({name: x, output: 2 + 900 * x**-0.15})
    return js.Runs.from_frame(frame, output=output, **{name: name})


SURFACE = js.simulate(
    "chinchilla", CHINCHILLA, grid(np.geomspace(1e8, 1e9, 4), np.geomspace(1e9, 1e10, 4))
)


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (axis("C"), CURVES),
        (axis("D"), ("power:D", "power_const:D", "broken:1:D")),
        (axis("epochs"), ("power:epochs", "power_const:epochs", "broken:1:epochs")),
        (SURFACE, (*CURVES, "chinchilla_tied", "chinchilla", "farseer")),
        (axis("C", 6), ("power", "power_const")),
        (axis("C", 3), ("power",)),
        (SURFACE.where(np.arange(16) < 5), ("power", "power_const", "chinchilla_tied")),
    ],
)  # fmt: skip
def test_auto_tries_the_laws_that_fit_the_columns_and_have_fewer_parameters_than_runs(
    runs, expected
) -> None:
    laws = candidates(runs)
    assert tuple(laws) == expected
    assert all(set(law.inputs) <= set(runs.inputs) for law in laws.values())


def test_runs_that_are_checkpoints_of_few_runs_have_few_laws() -> None:
    frame = SURFACE.frame.assign(id=np.repeat([0, 1, 2, 3], 4))
    assert set(candidates(js.Runs.from_frame(frame, run="id"))) == {"power", "power_const"}


def two_axes() -> js.Runs:
    frame = pd.DataFrame({"U": [1.0, 2.0], "D": [1.0, 2.0], "loss": [3.0, 2.0]})
    return js.Runs.from_frame(frame)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: js.ensemble(axis("C", output="accuracy")), js.DataError,
         r'"auto" knows laws of a loss over N and D, or over one input; these runs have C and the '
         r"output 'accuracy'\. Name the laws to try"),
        (lambda: js.ensemble(two_axes()), js.DataError, r'"auto" knows laws of a loss .* these runs have D, U and'),
        (lambda: js.ensemble({"C": [1.0]}), js.DataError, "Runs or a pandas DataFrame is needed, not dict"),
        (lambda: js.ensemble(axis("C"), "power"), js.LawError,
         r"laws='power' must name one law or more: \[.*\], or \"auto\""),
        (lambda: js.ensemble(axis("C"), []), js.LawError, r"laws=\[\] must name one law or more"),
        (lambda: js.ensemble(axis("C"), ["power", "power"]), js.LawError, "power is there more than once"),
        (lambda: js.ensemble(axis("C"), ["power", "auto"]), js.LawError, '"auto" is not one law but an ensemble'),
        (lambda: js.ensemble(axis("C"), ["power", "sigmoid_link"]), js.LawError, "The laws predict different things"),
        (lambda: js.ensemble(axis("C"), ["chinchilla"]), js.DataError, r"N"),
        (lambda: js.ensemble(axis("C", 3), ["power_const", "broken:1"]), js.DataError,
         r"3 runs are too few for any of power_const, broken:1: a law needs more runs than it has parameters\. Add"),
        (lambda: js.ensemble(axis("C"), seed=-1), js.JscaleError, "seed=-1"),
    ],
)  # fmt: skip
def test_what_cannot_be_weighed_says_so(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call()


# ── What is asked of them ────────────────────────────────────────────────────────────────────

LAWS = {name: js.laws.get(name) for name in (*CURVES, "broken:2")}  # 2, 3, 6 and 9 parameters


def asked(rows: int, *names: str, runs: js.Runs | None = None):
    runs = axis("C", rows) if runs is None else runs
    return weighing_splits(
        runs, np.arange(len(runs)), {name: LAWS[name] for name in names or CURVES}
    )


def test_from_twelve_runs_on_the_origin_rolls() -> None:
    for rows, beyond in ((11, False), (12, True), (16, True)):
        found = asked(rows, "power", "power_const")
        assert found.beyond is beyond
        assert found.laws == ("power", "power_const")
        if beyond:
            expected = js.splits.origins("C", 6).make(axis("C", rows))
            for own, other in zip(found.splits, expected, strict=True):
                np.testing.assert_array_equal(own.fit, other.fit)
                np.testing.assert_array_equal(own.test, other.test)
        else:
            assert [len(s.test) for s in found.splits] == [1] * rows
            assert sorted(int(s.test[0]) for s in found.splits) == list(range(rows))


def test_a_large_law_leaves_out_origins_of_too_few_runs() -> None:
    """Of twelve runs the first origin has six, as many as broken:1 has parameters."""
    assert [len(s.fit) for s in asked(12, "power").splits] == [6, 7, 8, 9, 10, 11]
    found = asked(12)
    assert found.laws == CURVES
    assert [len(s.fit) for s in found.splits] == [7, 8, 9, 10, 11]


def test_a_law_too_large_for_the_origins_is_left_out() -> None:
    """broken:2 has nine parameters: two runs for each are eighteen."""
    for rows, laws in ((16, CURVES), (20, (*CURVES, "broken:2"))):
        found = asked(rows, *CURVES, "broken:2")
        assert (found.laws, found.beyond) == (laws, True)
    # Left out in turn, a run to spare is enough.
    found = asked(11, *CURVES, "broken:2")
    assert (found.laws, found.beyond) == ((*CURVES, "broken:2"), False)
    assert asked(9, *CURVES, "broken:2").laws == CURVES


def test_runs_alike_in_compute_are_left_out_in_turn() -> None:
    runs = axis("C")
    alike = js.Runs.from_frame(runs.frame.assign(C=1e18))
    found = asked(16, "power", runs=alike)
    assert (found.beyond, len(found.splits)) == (False, 16)


def test_whole_runs_are_asked_for() -> None:
    """Twelve runs of two rows: origins by run; eleven: both rows of a run left out together."""
    C = np.geomspace(1e17, 1e21, 24)
    frame = pd.DataFrame({"C": C, "loss": 2 + C**-0.1, "id": np.repeat(np.arange(12), 2)})
    for part, beyond in ((frame, True), (frame[:-2], False)):
        runs = js.Runs.from_frame(part, run="id")
        found = asked(0, "power", "power_const", runs=runs)
        assert found.beyond is beyond
        ids = runs["id"]
        for s in found.splits:
            assert not set(ids[s.fit]) & set(ids[s.test])
            assert len(s.fit) % 2 == 0
        if not beyond:
            assert [len(s.test) for s in found.splits] == [2] * 11


def test_rows_are_numbered_as_in_the_whole_table() -> None:
    runs, rows = axis("C", 30), np.array([29, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27])
    found = weighing_splits(runs, rows, {"power": LAWS["power"]})
    assert found.beyond
    for s in found.splits:
        assert set(s.fit) | set(s.test) == set(rows)
        assert runs["C"][s.test].min() > runs["C"][s.fit].max()
    with pytest.raises(
        js.DataError, match=r"2 runs are too few for any of power: a law needs more"
    ):
        weighing_splits(runs, rows[:2], {"power": LAWS["power"]})


# ── The mixture ──────────────────────────────────────────────────────────────────────────────


def normal(middle: float, points: int, seed: int) -> Samples:
    rng = np.random.default_rng(seed)
    curves, new = middle + 0.01 * rng.standard_normal((2, 500, points))
    return Samples(np.full(points, middle), curves, new, "log")


def weights_of(first: float, widening: float) -> pd.DataFrame:
    return pd.DataFrame({"weight": [first, 1 - first], "widening": [1.0, widening]}, ["a", "b"])


def mixed(samples: dict[str, Samples], tables: list[pd.DataFrame], sets: list[int]) -> Predictive:
    return Mixing.of(tables, list(samples)).mix(samples, np.array(sets))


def test_each_set_is_mixed_by_its_own_weights_and_widening() -> None:
    samples = {"a": normal(0.0, 3, 0), "b": normal(1.0, 3, 1)}
    found = mixed(samples, [weights_of(0.3, 2.0), weights_of(0.9, np.nan)], [0, 1, 1])
    np.testing.assert_allclose(found.weights, [[0.3, 0.9, 0.9], [0.7, 0.1, 0.1]])
    wide, own = found.parts[1].new, samples["b"].new
    middle = np.median(own, axis=0)
    np.testing.assert_allclose(wide - middle, (own - middle) * [2.0, 1.0, 1.0], atol=1e-12)
    np.testing.assert_array_equal(found.parts[0].new, samples["a"].new)


def test_a_law_that_no_set_uses_is_left_out() -> None:
    samples = {"a": normal(0.0, 2, 0), "b": normal(1.0, 2, 1)}
    tables = [weights_of(0.3, 1.0), weights_of(1.0, 1.0)]
    found = mixed(samples, tables, [1, 1])
    assert len(found.parts) == 1
    np.testing.assert_array_equal(found.weights, np.ones((1, 2)))
    # The order of a table's rows does not matter.
    turned = mixed(samples, [t.iloc[::-1] for t in tables], [0, 1])
    np.testing.assert_allclose(turned.weights, [[0.3, 1.0], [0.7, 0.0]])


# ── Bad input ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("resamples", [0, 1, 2.5, True])
def test_resamples_must_be_some(straight: js.Runs, resamples) -> None:
    with pytest.raises(js.JscaleError, match=r"resamples=.* must be a whole number, at least 2"):
        js.ensemble(straight, resamples=resamples)


def test_a_scale_to_be_found_is_refused(straight: js.Runs) -> None:
    with pytest.raises(js.JscaleError, match=r"compared with a number for delta, not by huber\(.*"):
        js.ensemble(straight, objective=js.huber("auto"))


@pytest.mark.parametrize(
    ("column", "values", "what"),
    [("loss_unit", ["nats", "bits"], "the unit of the loss: nats, bits"),
     ("count", ["total", "non_embedding"], "how parameters are counted: total, non_embedding")],
)  # fmt: skip
def test_rows_of_different_conventions_are_not_compared(straight, column, values, what) -> None:
    table = straight.frame.assign(**{column: np.resize(values, len(straight))})
    with pytest.raises(
        js.DataError, match=f"The column {column!r} says that rows differ in {what}"
    ):
        js.compare(["power_const"], table)


def test_a_column_of_counts_is_no_convention(straight: js.Runs) -> None:
    table = straight.frame.assign(count=np.arange(len(straight)))
    assert js.compare(["power"], table, resamples=20).best == "power"


def test_a_law_too_big_for_the_origins_is_asked_run_by_run(straight: js.Runs) -> None:
    asked = weighing_splits(
        straight, np.arange(len(straight)), {"broken:2": js.laws.get("broken:2")}
    )
    assert not asked.beyond
    assert len(asked.splits) == len(straight)


def test_an_ensemble_of_laws_of_compute_takes_N_and_D() -> None:
    design = js.designs.random(14, (1e7, 1e9), (1e9, 1e11), seed=0)
    design["C"] = 6 * design["N"] * design["D"]
    runs = js.simulate("power", {"A": 50.0, "alpha": 0.07}, design, noise=0.01)
    found = js.ensemble(runs, ["power"], resamples=20)
    by_pair = js.predict(found, N=1e9, D=1e10).frame
    by_compute = js.predict(found, C=6e19).frame
    assert by_pair["curve"][0] == by_compute["curve"][0]


def test_rows_of_weight_0_are_left_out_and_said(straight: js.Runs) -> None:
    table = straight.frame.assign(weight=1.0)
    table.loc[table.index[-1], ["loss", "weight"]] = [30.0, 0.0]
    found = js.ensemble(js.Runs.from_frame(table, weight="weight"), ["power"], resamples=20)
    assert len(found.runs) == len(straight) - 1
    assert found.notes[-1] == "[info] rows-without-weight: 1 rows of weight 0 are left out."
