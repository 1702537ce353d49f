"""Named schedules and logs of them: their shapes, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale.data.schedules import NAMED, from_log


@pytest.mark.parametrize("name", NAMED)
def test_every_named_schedule_rises_to_its_peak_and_never_again(name: str) -> None:
    options = {"at": (0.8, 0.9)} if name == "multi_step" else {}
    made = js.schedules.named(name, 1000, 3e-4, warmup=100, **options)
    assert len(made) == 1000
    np.testing.assert_allclose(made.rates[:100], 3e-4 * np.arange(1, 101) / 100, rtol=1e-12)
    assert made.peak == pytest.approx(3e-4)
    assert (np.diff(made.rates[99:]) <= 1e-20).all()


def test_shapes() -> None:
    cosine = js.schedules.cosine(1100, 1.0, 0.1, warmup=100)
    assert cosine.rate([600, 1100]) == pytest.approx([0.55, 0.1])
    assert js.schedules.linear(1000, 1.0, 0.5).rate([500, 1000]) == pytest.approx([0.75, 0.5])
    late = js.schedules.wsd(1000, 1.0, 0.0, decay=0.2)
    assert late.rate([800, 900, 1000]) == pytest.approx([1.0, 0.5, 0.0])
    exponential = js.schedules.wsd(1000, 1.0, 0.01, decay=200, shape="exponential")
    assert exponential.rate([800, 900, 1000]) == pytest.approx([1.0, 0.1, 0.01])
    root = js.schedules.wsd(1000, 1.0, 0.0, decay=200, shape="sqrt")
    assert root.rate([850]) == pytest.approx([0.5])
    steps = js.schedules.multi_step(1000, 1.0, at=(500, 0.9), factor=0.5)
    assert steps.rate([500, 501, 900, 901]).tolist() == [1.0, 0.5, 0.5, 0.25]


def test_a_number_below_one_is_a_share_of_all_steps() -> None:
    made = js.schedules.cosine(100, 1.0, warmup=0.1)
    assert (len(made), made.warmup) == (100, 10)
    shares = np.array([0.8, 0.9], dtype=np.float32)
    steps = js.schedules.multi_step(1000, 1.0, at=shares, factor=0.5)
    assert steps.rate([800, 801, 901]).tolist() == [1.0, 0.5, 0.25]


def test_from_a_log() -> None:
    made = from_log([10, 20, 30], [0.5, 1.0, 0.0], warmup=20)
    assert made.rate([1, 5, 15, 25, 30]) == pytest.approx([0.05, 0.25, 0.75, 0.5, 0.0])
    assert made.warmup == 20
    unlogged = from_log([30, 40], [1.0, 0.5], warmup=20, length=50)
    assert unlogged.rate([10, 20, 25, 40, 50]) == pytest.approx([0.5, 1.0, 1.0, 0.5, 0.5])
    assert from_log([10, 20, 30], [0.5, 1.0, 1.0]).warmup == 20
    assert from_log([1, 2], [1.0, 0.5], warmup=0).rates.tolist() == [1.0, 0.5]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: js.schedules.named("cosine", 9, 1.0, decay=0.2),
            r"'cosine' has no option 'decay'",
        ),
        (lambda: from_log([0.7, 2], [1.0, 1.0]), r"steps are whole numbers, not 0.7"),
        (lambda: from_log([1, np.nan], [1.0, 1.0]), r"steps are whole numbers, not nan"),
        (
            lambda: js.schedules.named("cosin", 10, 1.0),
            r"no schedule 'cosin'. Did you mean 'cosine'",
        ),
        (lambda: js.schedules.cosine(0, 1.0), r"steps=0 must be a whole number, 1 or more"),
        (lambda: js.schedules.cosine(10, 1.0, warmup=10), r"warmup=10 must be from 0 to below 10"),
        (lambda: js.schedules.cosine(10, 1.0, 2.0), r"peak=1.0 and end=2.0: rates must fall"),
        (lambda: js.schedules.wsd(10, 1.0, decay=11), r"decay=11 is 11 steps, but .* are 10"),
        (lambda: js.schedules.wsd(10, 1.0, shape="cubic"), r"shape='cubic' is not known"),
        (lambda: js.schedules.wsd(10, 1.0, shape="exponential"), r"never reaches 0: give an end"),
        (lambda: js.schedules.multi_step(10, 1.0, at=(0.9, 0.8)), r"in rising order"),
        (lambda: js.schedules.multi_step(10, 1.0, at=(5,), factor=1.0), r"factor=1.0 must be"),
        (lambda: from_log([1, 2], [1.0]), r"2 steps but 1 rates"),
        (lambda: from_log([5, 5], [1.0, 1.0]), r"step 5 follows 5. Sort the rows"),
        (lambda: from_log([5, 9], [1.0, 1.0], length=8), r"8 steps are fewer than the last .* 9"),
    ],
)
def test_what_is_no_schedule(make, message: str) -> None:
    with pytest.raises(js.DataError, match=message):
        make()
