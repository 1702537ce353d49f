"""Schedule: the rate at each step, its areas against sums by hand, and what is no schedule."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale.data.schedule import steps_of


def by_hand(rates: np.ndarray, warmup: int, memory: float) -> np.ndarray:
    """S2 step by step, as its recursion is written."""
    momentum, total, totals = 0.0, 0.0, []
    for i, rate in enumerate(rates):
        before = rates[i - 1] if i else rate
        momentum = memory * momentum + (before - rate if i >= warmup else 0.0)
        total += momentum
        totals.append(total)
    return np.array(totals)


def test_areas_are_the_sums_that_they_say() -> None:
    made = js.schedules.cosine(300, 0.02, 0.001, warmup=40)
    every = np.arange(1, 301)
    np.testing.assert_allclose(made.area(every), np.cumsum(made.rates), rtol=1e-12)
    for memory in (0.0, 0.9, 0.999):
        expected = by_hand(made.rates, 40, memory)
        np.testing.assert_allclose(made.annealing_area(every, memory), expected, atol=1e-15)
    assert made.annealing_area([40])[0] == 0.0


def test_a_trailing_step_at_rate_zero_still_grows_the_annealing_area() -> None:
    """The annealing law's known failure is one of its area."""
    longer = js.Schedule(np.append(js.schedules.linear(100, 1.0).rates, np.zeros(20)))
    assert (np.diff(longer.annealing_area(np.arange(100, 121))) > 0).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: js.Schedule([1.0, -0.5, 0.1]), r"are not at step 2 \(-0.5\)"),
        (lambda: js.Schedule([1.0, np.nan]), r"not at step 2 \(nan\)"),
        (lambda: js.Schedule([0.0, 0.0]), r"all 2 rates are 0"),
        (lambda: js.Schedule([[1.0]]), r"shape \(1, 1\); they must be one number for each step"),
        (lambda: js.Schedule(["fast"]), r"rates must be numbers, one for each step"),
        (lambda: js.Schedule([1.0, 1.0], warmup=2), r"warm-up of 2 steps does not fit 2 steps"),
        (
            lambda: js.Schedule([1.0, 1.0], warmup=1.5),
            r"warmup=1.5 must be a whole number of steps",
        ),
        (lambda: js.Schedule([1.0]).area([2]), r"has the steps 1 to 1, not 2"),
        (lambda: js.Schedule([1.0]).annealing_area([1], 1.0), r"memory=1.0 must be from 0"),
    ],
)
def test_what_is_no_schedule(make, message: str) -> None:
    with pytest.raises(js.DataError, match=message):
        make()


def test_steps_count_from_one_and_keep_their_shape() -> None:
    half = js.Schedule([1.0, 1.0, 0.5, 0.25], warmup=1, name="half")
    assert half.rate([[1, 4], [3, 3]]).tolist() == [[1.0, 0.25], [0.5, 0.5]]
    assert half.rate(2) == 1.0
    for steps in (0, 5, 1.5, np.nan, -1):
        with pytest.raises(js.DataError, match=r"half has the steps 1 to 4, not "):
            half.area([1, steps])


def test_falls_within_the_warm_up_do_not_count() -> None:
    schedule = js.Schedule([1.0, 0.5, 1.0, 0.25], warmup=2)
    np.testing.assert_array_equal(schedule.drops, [0.0, 0.0, -0.5, 0.75])
    assert js.Schedule([1.0, 0.5]).drops.tolist() == [0.0, 0.5]


def test_a_schedule_keeps_rates_of_its_own() -> None:
    rates = np.array([1.0, 0.5])
    schedule = js.Schedule(rates)
    rates[0] = 9.0
    assert schedule.rates.tolist() == [1.0, 0.5]
    again = schedule.renamed("other")
    assert (again.name, again.warmup) == ("other", 0)
    assert repr(again) == "Schedule(other: 2 steps, 0 of them warm-up, peak 1, end 0.5)"


def test_numbers_of_steps_are_counts_or_shares() -> None:
    assert [steps_of("warmup", value, 1000) for value in (0, 1, 20.0, 0.25, 1e-9)] == [
        0,
        1,
        20,
        250,
        0,
    ]
    with pytest.raises(
        js.DataError, match=r"decay=2\.5 must be a whole number of steps, or a share"
    ):
        steps_of("decay", 2.5, 1000)
