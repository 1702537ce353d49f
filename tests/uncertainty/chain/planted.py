"""A law and a link with planted parameters, runs of them, and chains of these."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import jscale as js

INNER = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 410.0, "beta": 0.28}
OUTER = {"floor": 0.25, "rise": 0.6, "k": 3.0, "L0": 2.8}
BASE, LINK = js.laws.get("chinchilla"), js.laws.get("sigmoid_link")
BOTH = BASE.then(LINK)
GUESS = {"floor": 0.25}
WAYS: list[dict[str, Any]] = [{}, {"losses": "fitted"}, {"how": "joint"}]


def world(
    seed: int = 0, rows: int = 30, loss: float = 0.01, score: float = 0.01, own_luck: bool = False
) -> pd.DataFrame:
    """Return runs with log losses and scores of these errors; scores follow the curve, or luck."""
    rng = np.random.default_rng(seed)
    frame = js.designs.random(rows, (1e7, 1e9), (1e9, 1e11), seed=seed)
    curve = BASE(frame["N"], frame["D"], **INNER)
    seen = curve * np.exp(loss * rng.standard_normal(rows))
    scores = LINK(seen if own_luck else curve, **OUTER) + score * rng.standard_normal(rows)
    return frame.assign(loss=seen, score=np.clip(scores, 0, 1))


def chained(frame: pd.DataFrame | js.Runs, resamples: int = 100, **choices: Any) -> js.Draws:
    """Chain the planted laws, the score of chance known."""
    return js.chain(BASE, LINK, frame, resamples=resamples, **{"fixed": GUESS, **choices})


def width(draws: js.Draws, N: float = 5e8, D: float = 5e10) -> float:
    """Return the width of the curve's 90% interval."""
    row = js.predict(draws, N=N, D=D).to_frame().iloc[0]
    return float(row["confidence_high"] - row["confidence_low"])
