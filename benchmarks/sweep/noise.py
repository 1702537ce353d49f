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
    """Standard deviation of log loss between seeds, pooled over the cells, with two intervals.

    `interval_90` is that of chi squared: it takes the cells as independent. `interval_90_by_size`
    resamples whole sizes: runs of one size and seed start from the same weights and may share luck.
    """
    cells = {cell: np.log(losses) for cell, losses in by_cell(rows).items()}
    if not cells:
        return {}
    sizes = np.array([n for n, _ in cells])
    freedom = np.array([len(logs) - 1 for logs in cells.values()])
    squares = np.array([((logs - logs.mean()) ** 2).sum() for logs in cells.values()])
    total, spare = float(squares.sum()), int(freedom.sum())
    return {
        "cells": len(cells),
        "degrees_of_freedom": spare,
        "sd_of_log_loss": round(math.sqrt(total / spare), 5),
        "interval_90": [
            round(math.sqrt(total / float(chi2.ppf(level, spare))), 5) for level in (0.95, 0.05)
        ],
        "interval_90_by_size": by_size(sizes, freedom, squares),
    }


def by_size(sizes: np.ndarray, freedom: np.ndarray, squares: np.ndarray) -> list[float]:
    """The 90 % interval of the pooled standard deviation when whole sizes are resampled."""
    _, place = np.unique(sizes, return_inverse=True)
    per_size = np.stack([np.bincount(place, values) for values in (squares, freedom)])
    drawn = np.random.default_rng(0).integers(per_size.shape[1], size=(4000, per_size.shape[1]))
    total, spare = per_size[:, drawn].sum(axis=2)
    return [round(float(end), 5) for end in np.quantile(np.sqrt(total / spare), (0.05, 0.95))]
