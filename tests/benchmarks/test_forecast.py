"""The benchmark of forecasts: its scores, widened intervals, and simulated worlds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from benchmarks.forecast_parts import others, scores
from benchmarks.forecast_parts.world_sets import (
    SCALES,
    WorldSet,
    chinchilla_worlds,
    data_break,
    wrong_curves,
    wrong_surfaces,
)
from jscale.discrepancy.mixture import Normals


def rows(sd: float, measured: np.ndarray, data_set: str = "a") -> pd.DataFrame:
    """Rows of a standard forecast: ln y is normal around 0 with a given deviation."""
    count = len(measured)
    mixture = Normals(np.ones(1), np.zeros((1, count)), np.full((1, count), sd))
    table = scores.rows(mixture, measured, np.full(count, 2.0))
    return table.assign(data_set=data_set, part="p", question="q", kind="beyond", runs=9)


def test_an_exact_forecast_covers_as_promised():
    measured = 0.02 * np.random.default_rng(0).standard_normal(4000)
    found = scores.measures(scores.weighted(rows(0.02, measured)))
    for level in scores.LEVELS:
        assert found[f"in {level}%"] == pytest.approx(level / 100, abs=0.02)
    assert found["width"] == pytest.approx(100 * 2 * 1.96 * 0.02, rel=0.01)
    # The entropy of a normal, which an exact forecast reaches on average.
    assert found["log score"] == pytest.approx(-np.log(0.02) - 0.5 * np.log(2 * np.pi * np.e), abs=0.03)  # fmt: skip


def test_a_miss_costs_forty_times_its_distance():
    inside = scores.measures(scores.weighted(rows(0.01, np.zeros(1))))
    outside = scores.measures(scores.weighted(rows(0.01, np.full(1, 0.1))))
    high = np.exp(1.96 * 0.01)
    expected = (np.exp(0.1) - high) * 40 + (high - np.exp(-1.96 * 0.01))
    assert outside["interval score"] == pytest.approx(100 * expected / np.exp(0.1), rel=1e-3)
    assert inside["interval score"] == pytest.approx(inside["width"])


def test_data_sets_weigh_alike():
    both = pd.concat([rows(0.01, np.zeros(10)), rows(0.01, np.full(2, 1.0), "b")])
    assert scores.measures(scores.weighted(both))["in 95%"] == pytest.approx(0.5)


def test_bands_of_distance_include_their_upper_end():
    bands = scores.band_of(pd.Series([1.0, 3.0, 3.1, 10.0, 31.0, 1e9]))
    assert bands.tolist() == ["<3×", "<3×", "3–10×", "3–10×", "30–100×", ">100×"]


@pytest.mark.parametrize("widen", [others.conformal, others.quantile_widened])
def test_widening_makes_narrow_intervals_cover(widen):
    rng = np.random.default_rng(1)
    # Errors are three times as large as the intervals say, in both data sets.
    parts = [rows(0.01, 0.03 * rng.standard_normal(300), name) for name in "ab"]
    table = scores.weighted(pd.concat(parts, ignore_index=True))
    before, after = (scores.measures(x) for x in (table, widen(table)))
    assert before["in 80%"] < 0.4
    assert after["in 80%"] == pytest.approx(0.8, abs=0.06)
    assert after["log score"] > before["log score"]


def test_the_frontier_line_is_exact_on_a_power_law():
    C = np.geomspace(1e15, 1e18, 8)
    table = pd.DataFrame({"C": C, "loss": 30 * C**-0.1})
    found = others.frontier_line(table.iloc[:5], table.iloc[5:])
    assert found is not None
    np.testing.assert_allclose(found["median"], found["measured"], atol=1e-9)
    assert others.frontier_line(table.iloc[:2], table.iloc[5:]) is None


def test_shared_rows_are_of_questions_that_all_answered():
    one = pd.concat([rows(0.01, np.zeros(3)), rows(0.01, np.zeros(3), "b")])
    kept = others.shared({"x": one, "y": one[one["data_set"] == "b"]}, [("b", "p", "q")])
    assert {name: set(part["data_set"]) for name, part in kept.items()} == {"x": {"b"}, "y": {"b"}}
    assert others.count(kept["x"]) == 1


# ── Simulated worlds ─────────────────────────────────────────────────────────────────────────


def test_the_oracle_of_a_line_is_least_squares():
    design = pd.DataFrame({"C": np.geomspace(1e16, 1e18, 6)})
    worlds = WorldSet("power", "power", {"A": 30.0, "alpha": 0.1}, design, 0.01, 1)
    where = pd.DataFrame({"C": [1e18, 1e20]})
    x, at = np.log(design["C"].to_numpy()), np.log(where["C"].to_numpy())
    spread = np.sum((x - x.mean()) ** 2)
    expected = 0.01 * np.sqrt(1 / 6 + (at - x.mean()) ** 2 / spread)
    np.testing.assert_allclose(worlds.oracle(0, where), expected, rtol=1e-4)


def test_points_lie_at_multiples_of_the_largest_compute():
    for worlds in (chinchilla_worlds(20, 0.01, 2), next(iter(wrong_curves(10, 0.01, 2)))):
        where = worlds.points()
        C = where["C"] if "C" in where else 6 * where["N"] * where["D"]
        np.testing.assert_allclose(C, worlds.compute.max() * np.array(SCALES))


@pytest.mark.full
def test_worlds_differ_and_start_from_their_own_law():
    worlds = chinchilla_worlds(20, 0.0, 3)
    tables = worlds.runs()
    assert [len(table) for table in tables] == [20, 20, 20]
    np.testing.assert_allclose(tables[2]["loss"], worlds.curve(2, worlds.design), rtol=1e-12)
    assert worlds.params_of(0) != worlds.params_of(1)
    names = [each.name for each in (*wrong_surfaces(20, 0.01, 2), *wrong_curves(20, 0.01, 2))]
    assert len(set(names)) == 6


def test_a_break_of_no_change_is_the_law_itself():
    law = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 410.0, "beta": 0.28}
    plain = js.laws.get("chinchilla")(1e8, 1e10, **law)
    assert data_break(1e8, 1e10, **law, c=0.0, d=1e10, f=0.5) == pytest.approx(float(plain))
