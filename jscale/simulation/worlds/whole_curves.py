"""Planted worlds of laws of the learning rate: rows along curves of three schedules."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jscale.data.schedule import Schedule
from jscale.data.schedules import constant, cosine, wsd

STEPS, PEAK, WARMUP = 10_000, 3e-4, 500


def _along(schedule: Schedule, late: int = 0) -> pd.DataFrame:
    """Return the areas of a schedule every 500 steps, from ``late`` steps after the warm-up.

    Schedules that begin with the same rates would otherwise give equal rows.
    """
    steps = np.arange(WARMUP + late, STEPS + 1, 500)
    return pd.DataFrame({"S1": schedule.area(steps), "S2": schedule.annealing_area(steps)})


CURVES = pd.concat(
    [
        _along(constant(STEPS, PEAK, warmup=WARMUP)),
        _along(cosine(STEPS, PEAK, 0.1 * PEAK, warmup=WARMUP), 100),
        _along(wsd(STEPS, PEAK, 0.1 * PEAK, warmup=WARMUP), 250),
    ],
    ignore_index=True,
)
SIZES = pd.concat([CURVES.assign(N=N) for N in (2e7, 8e7, 3e8)], ignore_index=True)

WORLDS: dict[str, tuple[dict[str, float], pd.DataFrame]] = {
    "annealing": ({"L0": 3.0, "A": 0.5, "alpha": 0.5, "C": 0.4}, CURVES),
    "annealing_size": (
        {"L0": 2.0, "A": 0.5, "alpha": 0.5, "B": 120.0, "beta": 0.3, "C": 0.4},
        SIZES,
    ),
}
SPREAD: dict[str, float] = {}
