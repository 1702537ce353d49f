"""Weights of laws: which laws are tried, what they are asked, and how answers are mixed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.comparison.law_weights import (
    CURVES,
    Mixing,
    axis_of,
    candidates,
    chosen_laws,
    runs_of,
    weigh_each,
    weighing_splits,
)  # fmt: skip
from jscale.comparison.split_fits import SplitFits
from jscale.prediction.predictive import Predictive, Samples
from jscale.simulation.worlds import CHINCHILLA, grid

# ── Which laws ───────────────────────────────────────────────────────────────────────────────


def test_laws_are_known_by_their_names() -> None:
    power = js.laws.get("power")
    found = chosen_laws([power, "power_const", "broken:1"])
    assert list(found) == ["power", "power_const", "broken:1"]
    assert found["power"] is power


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
        runs_of({"power_const": js.laws.get("power_const")}, table, {})


def test_a_column_of_counts_is_no_convention(straight: js.Runs) -> None:
    table = straight.frame.assign(count=np.arange(len(straight)))
    assert len(runs_of({"power": js.laws.get("power")}, table, {})) == len(straight)


def test_runs_grow_along_compute_or_their_one_input() -> None:
    assert axis_of(axis("C")) == "C"
    assert axis_of(axis("epochs")) == "epochs"
    assert axis_of(js.Runs.from_frame(SURFACE.frame)) == "C"
    assert axis_of(two_axes()) is None


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


def test_a_law_too_big_for_the_origins_is_asked_run_by_run(straight: js.Runs) -> None:
    asked = weighing_splits(
        straight, np.arange(len(straight)), {"broken:2": js.laws.get("broken:2")}
    )
    assert not asked.beyond
    assert len(asked.splits) == len(straight)


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


@pytest.mark.full
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


def test_a_set_of_too_few_runs_is_named(straight: js.Runs) -> None:
    laws = {"power": js.laws.get("power")}
    fits = SplitFits(straight, js.huber(), resamples=60)
    with pytest.raises(
        js.DataError, match=r"The split 'late': 2 runs are too few for any of power"
    ):
        weigh_each(fits, laws, [np.arange(16), np.arange(2)], ["all", "late"])
