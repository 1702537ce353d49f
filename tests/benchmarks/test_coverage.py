"""The coverage benchmark: what is held, which rows meet the target, how tables are renewed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from benchmarks.coverage import together
from benchmarks.coverage_parts import answers, batch, measure, tables
from benchmarks.coverage_parts.scenarios import Scenario, scenarios
from benchmarks.coverage_parts.sets import Worlds
from jscale.fitting.objective import as_objective
from jscale.fitting.row_sets import RowSets, fit_sets
from jscale.fitting.settings import Settings

BY_NAME = {scenario.name: scenario for scenario in scenarios()}


def scenario(name: str) -> Scenario:
    return BY_NAME[name]


def row(method: str, quantity: str, held: tuple[float, float, float], **more: object) -> dict:
    shares = dict(zip(("50%", "80%", "95%"), held, strict=True))
    about = {"scenario": "chinchilla, normal, 60 runs", "method": method, "right": True}
    return {**about, "quantity": quantity, **shares, "worlds": 2500, "width": 1.0, **more}


def test_checkpoints_are_simulated_at_every_count():
    assert {s.count for s in scenarios() if s.clustered} == {20, 60, 240}


@pytest.mark.full
@pytest.mark.parametrize(
    "name", ["chinchilla, growing, 60 runs", "chinchilla, checkpoints, 20 runs"]
)
def test_noise_of_a_batch_is_that_of_the_fits(name):
    worlds = Worlds(scenario(name), 3)
    table = fit_sets(
        js.laws.get("chinchilla"),
        worlds.runs,
        RowSets(worlds.rows, [0, 1, 2], "world"),
        Settings(as_objective("huber")),
    )
    for world, own in enumerate(batch._noises(worlds, table)):
        right = js.noise_model(worlds.fit(world))
        np.testing.assert_allclose(own.own.values, right.own.values, rtol=1e-4, atol=1e-7)
        assert (own.trend is None) == (right.trend is None)


def test_draws_are_cut_at_equal_tails_and_without_draws_there_is_no_interval():
    draws = np.stack([np.arange(199.0), np.full(199, np.nan)])
    ends = answers._ends(draws)
    np.testing.assert_allclose(ends[:, :, 0], [[49.0, 149.0], [19.0, 179.0], [4.0, 194.0]])
    assert np.isnan(ends[:, :, 1]).all()


def test_a_draw_that_overflows_lies_beyond_all_others():
    draws = np.r_[np.arange(80.0), np.full(19, np.nan)][None]
    low, high = answers._ends(draws)[1, :, 0]
    assert (low, high) == (pytest.approx(9.0), np.inf)


def test_a_further_draw_lies_between_the_ends_as_often_as_they_say():
    drawn = np.random.default_rng(0).standard_normal((20000, 51))
    ends = answers._ends(drawn[:, :50])
    held = np.mean((ends[:, 0] <= drawn[:, 50]) & (drawn[:, 50] <= ends[:, 1]), axis=1)
    np.testing.assert_allclose(held, answers.LEVELS, atol=0.012)


def test_coverage_counts_intervals_that_hold_and_leaves_out_refused_ones():
    one = np.array([[0.0, 1.0], [0.0, 3.0], [0.0, 5.0]])
    ends = np.stack([one, one + 10, np.full_like(one, np.nan)], axis=-1)
    found = measure._row("curve 1x", ends, np.array([2.0, 10.5, 0.5]), 2.0)
    assert [found[share] for share in ("50%", "80%", "95%")] == [50.0, 100.0, 100.0]
    assert (found["width"], found["worlds"]) == (1.5, 2)


@pytest.mark.parametrize(
    ("quantity", "held", "missed"),
    [
        # Of 2500 data sets two standard errors are 2, 1.6 and 0.872 points.
        ("parameter alpha", (54.9, 80, 95), 0.0),
        ("parameter alpha", (56.0, 80, 95), 1.0),
        ("curve 1x", (50, 80, 90.0), 5 - 3 - 0.8718),
        ("curve 10x", (57.9, 80, 95), 0.0),
        ("new run 10x", (50, 70, 95), 10 - 6 - 1.6),
    ],
)  # fmt: skip
def test_target_is_three_points_inside_and_six_at_ten_times(quantity, held, missed):
    found = tables.judged(pd.DataFrame([row("bayesian", quantity, held)]))
    assert found["missed"].item() == pytest.approx(missed, abs=1e-3)


def test_no_target_for_wrong_laws_and_a_hundred_times():
    rows = [
        row("bayesian", "curve 1x", (0, 0, 0), right=False),
        row("bayesian", "curve 100x", (0, 0, 0)),
    ]
    assert tables.judged(pd.DataFrame(rows)).empty


def test_new_rows_take_the_place_of_old_ones_in_the_order_of_plans():
    old = pd.DataFrame([row("nuts", "curve 1x", (1, 1, 1)), row("wild", "curve 1x", (2, 2, 2))])
    new = pd.DataFrame([row("nuts", "curve 1x", (3, 3, 3)), row("bayesian", "curve 1x", (4, 4, 4))])
    found = together(old, new)
    assert list(zip(found["method"], found["50%"], strict=True)) == [
        ("bayesian", 4), ("wild", 2), ("nuts", 3),
    ]  # fmt: skip
