"""Scores of predictive distributions: a row per larger run, and weighted means over questions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jscale.discrepancy.mixture import Normals

LEVELS = (50, 80, 90, 95)
BANDS = ((0.0, 3.0), (3.0, 10.0), (10.0, 30.0), (30.0, 100.0), (100.0, np.inf))
NAMES = ("<3×", "3–10×", "10–30×", "30–100×", ">100×")
# A miss in one row counts as no more than so many widths of the outcome, or nats.
_MOST_SCORE, _LEAST_LOG = 20.0, -50.0


def rows(mixture: Normals, measured: np.ndarray, distance: np.ndarray) -> pd.DataFrame:
    """Return a table with a row per run: what was forecast in ln y, and what was measured."""
    table = pd.DataFrame(
        {
            "measured": measured,
            "distance": distance,
            "pit": mixture.cdf(measured),
            "log_score": mixture.log_density(measured),
            "median": mixture.quantile(0.5),
        }
    )
    for level in LEVELS:
        table[f"low{level}"] = mixture.quantile(0.5 - level / 200)
        table[f"high{level}"] = mixture.quantile(0.5 + level / 200)
    return table


def weighted(table: pd.DataFrame) -> pd.DataFrame:
    """Return rows with weights: data sets alike, then their parts, questions, and rows."""
    by_question = table.groupby(["data_set", "part", "question"])["measured"].transform("size")
    questions = table.groupby(["data_set", "part"])["question"].transform("nunique")
    parts = table.groupby("data_set")["part"].transform("nunique")
    return table.assign(weight=1.0 / (by_question * questions * parts))


def measures(table: pd.DataFrame) -> dict[str, float]:
    """Return weighted coverage, width, interval score, log score and errors (in % of y)."""
    w = (table["weight"] / table["weight"].sum()).to_numpy()
    y = np.exp(table["measured"].to_numpy())
    shown: dict[str, float] = {"rows": len(table)}
    for level in LEVELS:
        low, high = table[f"low{level}"], table[f"high{level}"]
        inside = (table["measured"] >= low) & (table["measured"] <= high)
        shown[f"in {level}%"] = float(w @ inside)
    low, high = (np.exp(np.minimum(table[f"{end}95"].to_numpy(), 50.0)) for end in ("low", "high"))
    width = (high - low) / y
    outside = np.maximum(low - y, 0.0) + np.maximum(y - high, 0.0)
    score = np.minimum(width + 40.0 * outside / y, _MOST_SCORE)
    error = np.abs(np.expm1(table["median"] - table["measured"])).to_numpy()
    shown["width"] = 100 * median_of(width, w)
    shown["interval score"] = 100 * float(w @ score)
    shown["log score"] = float(w @ np.maximum(table["log_score"], _LEAST_LOG))
    shown["median error"] = 100 * median_of(error, w)
    shown["mean error"] = 100 * float(w @ np.minimum(error, 3.0))
    return shown


def median_of(values: np.ndarray, weights: np.ndarray) -> float:
    """Return a weighted median."""
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    place = min(int(np.searchsorted(total, 0.5 * total[-1])), len(values) - 1)
    return float(values[order][place])


def band_of(distance: pd.Series) -> pd.Series:
    """Return the band of distance that each row lies in."""
    edges = [-np.inf, *(high for _, high in BANDS)]
    return pd.cut(distance, edges, labels=list(NAMES), right=True)


def table_by(rows: pd.DataFrame, by: pd.Series | str) -> pd.DataFrame:
    """Return measures of the groups of rows."""
    groups = rows.groupby(by, observed=True, sort=False)
    return pd.DataFrame({str(name): measures(part) for name, part in groups}).T


def show(title: str, table: pd.DataFrame) -> None:
    """Print a table of measures."""
    print(f"\n{title}")
    print(table.to_string(float_format=lambda v: f"{v:.3g}"))


def listed(values: pd.Series) -> str:
    """Return numbers by name as text."""
    return ", ".join(f"{name} {value:.2f}" for name, value in values.items())
