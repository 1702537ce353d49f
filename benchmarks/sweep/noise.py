"""How much the loss of a cell changes from seed to seed."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np
from scipy.stats import chi2


def by_cell(rows: list[dict[str, Any]]) -> dict[tuple[int, int], list[float]]:
    """Cell (N, D) -> its losses over all seeds, cells with one seed left out."""
    cells: dict[tuple[int, int], list[float]] = defaultdict(list)
    for row in rows:
        cells[row["N"], row["D"]].append(row["loss"])
    return {cell: losses for cell, losses in cells.items() if len(losses) > 1}


def seed_noise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Standard deviation of log loss between seeds, pooled over the cells, with its interval.

    The 90 % interval is that of chi squared: it takes the cells' errors as normal and alike.
    """
    groups = [np.log(losses) for losses in by_cell(rows).values()]
    if not groups:
        return {}
    freedom = sum(len(group) - 1 for group in groups)
    squares = sum(float(((group - group.mean()) ** 2).sum()) for group in groups)
    return {
        "cells": len(groups),
        "degrees_of_freedom": freedom,
        "sd_of_log_loss": round(math.sqrt(squares / freedom), 5),
        "interval_90": [
            round(math.sqrt(squares / float(chi2.ppf(level, freedom))), 5) for level in (0.95, 0.05)
        ],
    }
