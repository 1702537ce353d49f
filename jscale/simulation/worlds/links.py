"""Planted worlds of links: laws that map a loss to a score or to another loss."""

from __future__ import annotations

import numpy as np
import pandas as pd


def losses(low: float, high: float, rows: int) -> pd.DataFrame:
    """Return evenly spaced losses."""
    return pd.DataFrame({"loss": np.linspace(low, high, rows)})


WORLDS: dict[str, tuple[dict[str, float], pd.DataFrame]] = {
    "exponential_link": ({"epsilon": 0.85, "k": 2.1, "gamma": 0.75}, losses(2.0, 5.0, 40)),
    "sigmoid_link": ({"floor": 0.25, "rise": 0.6, "k": 3.0, "L0": 2.8}, losses(1.5, 4.5, 40)),
    "log_loss_to_accuracy": ({"T": 4.0}, losses(0.05, 1.5, 30)),
    "loss_to_loss": ({"E1": 0.6, "K": 0.9, "E0": 1.5, "kappa": 1.2}, losses(2.2, 5.0, 60)),
    "bleu_log": (
        {"A": 0.001, "alpha": 0.6, "beta": 1.6}, pd.DataFrame({"D": np.geomspace(1e8, 1e12, 40)}),
    ),
}  # fmt: skip

SPREAD: dict[str, float] = {}
