"""How much the loss of a cell changes with the seed, from the repeats."""

from __future__ import annotations

import csv
import statistics
from pathlib import Path
from typing import Any


def seed_noise(rows: list[dict[str, Any]], repeats: Path) -> list[dict[str, Any]]:
    """For every repeated cell its losses over all seeds and their relative standard deviation.

    `rows` are the table's; an empty list when there is no file of repeats.
    """
    if not repeats.exists():
        return []
    losses = {(int(row["N"]), int(row["D"])): [float(row["loss"])] for row in rows}
    with repeats.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            losses.get((int(row["N"]), int(row["D"])), []).append(float(row["loss"]))
    return [
        {
            "N": n,
            "D": d,
            "losses": values,
            "relative_sd": round(statistics.stdev(values) / statistics.mean(values), 5),
        }
        for (n, d), values in losses.items()
        if len(values) > 1
    ]
