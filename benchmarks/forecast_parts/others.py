"""Other ways of forecasting the same questions: laws, an ensemble, lines, wider intervals."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

import jscale as js
from benchmarks.forecast_parts.scores import LEVELS, measures, weighted

_COLUMNS = ("data_set", "part", "question", "kind", "runs")


def by_compare(
    law: str, small: pd.DataFrame, large: pd.DataFrame, resamples: int = 200
) -> pd.DataFrame | None:
    """Return rows by a law's draws or an ensemble ("auto"), None where it cannot be fitted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            source = (
                js.ensemble(small, resamples=resamples)
                if law == "auto"
                else js.bootstrap(js.fit(law, small), resamples, kind="bayesian")
            )
            frames = {level: js.predict(source, large[["N", "D"]], level=level / 100).frame
                      for level in LEVELS}  # fmt: skip
        except js.JscaleError:
            return None
    measured = np.log(large["loss"].to_numpy())
    table = pd.DataFrame({"measured": measured})
    table["median"] = np.log(frames[95]["curve"].to_numpy())
    for level, frame in frames.items():
        table[f"low{level}"] = np.log(frame["prediction_low"].to_numpy())
        table[f"high{level}"] = np.log(frame["prediction_high"].to_numpy())
    # A normal of the 80 % interval's width stands for the density.
    sd = np.maximum((table["high80"] - table["low80"]) / 2.563, 1e-6)
    z = (measured - table["median"]) / sd
    table["log_score"] = -0.5 * z**2 - np.log(sd) - 0.5 * np.log(2 * np.pi)
    table["distance"] = (large["C"] / small["C"].max()).to_numpy()
    return table


def frontier_line(small: pd.DataFrame, large: pd.DataFrame) -> pd.DataFrame | None:
    """Return rows by a power law through the compute frontier, its residuals' normal interval."""
    order = small.sort_values("C", kind="stable")
    best = order[order["loss"] <= order["loss"].cummin()]
    if len(best) < 3:
        return None
    x, y = np.log(best["C"].to_numpy()), np.log(best["loss"].to_numpy())
    slope, level = np.polyfit(x, y, 1)
    spare = max(len(x) - 2, 1)
    noise = float(np.sqrt(np.sum((y - slope * x - level) ** 2) / spare))
    at = np.log(large["C"].to_numpy())
    lever = 1 + 1 / len(x) + (at - x.mean()) ** 2 / max(float(np.sum((x - x.mean()) ** 2)), 1e-12)
    sd = np.maximum(noise * np.sqrt(lever), 1e-6)
    from scipy.stats import norm

    table = pd.DataFrame({"measured": np.log(large["loss"].to_numpy())})
    table["median"] = slope * at + level
    for share in LEVELS:
        half = norm.ppf(0.5 + share / 200) * sd
        table[f"low{share}"] = table["median"] - half
        table[f"high{share}"] = table["median"] + half
    table["log_score"] = norm.logpdf(table["measured"], table["median"], sd)
    table["distance"] = (large["C"] / small["C"].max()).to_numpy()
    return table


def conformal(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows whose intervals are widened until those of all other data sets are covered.

    Split conformal widening: each half-width is multiplied by the factor that covers the level in
    the rows of the other data sets, weighing alike.
    """
    parts = []
    for data_set in rows["data_set"].unique():
        own = rows[rows["data_set"] == data_set].copy()
        others = rows[rows["data_set"] != data_set]
        for level in LEVELS:
            half = np.maximum(others[f"high{level}"] - others["median"], 1e-9)
            ratio = np.abs(others["measured"] - others["median"]) / half
            factor = _quantile(ratio.to_numpy(), others["weight"].to_numpy(), level / 100)
            for end in ("low", "high"):
                column = f"{end}{level}"
                own[column] = own["median"] + factor * (own[column] - own["median"])
        parts.append(own)
    return pd.concat(parts, ignore_index=True)


def quantile_widened(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the same by a factor that depends on the distance: a regression of its quantile.

    ln factor = a + b·ln(distance), by the pinball loss on the other data sets.
    """
    from scipy.optimize import minimize

    parts = []
    for data_set in rows["data_set"].unique():
        own = rows[rows["data_set"] == data_set].copy()
        others = rows[rows["data_set"] != data_set]
        w = (others["weight"] / others["weight"].sum()).to_numpy()
        x = np.log(np.maximum(others["distance"].to_numpy(), 1.0))
        for level in LEVELS:
            half = np.maximum(others[f"high{level}"] - others["median"], 1e-9)
            off = np.abs(others["measured"] - others["median"]).to_numpy()
            target = np.log(np.maximum(off / half.to_numpy(), 1e-3))
            share = level / 100

            def loss(p, x=x, target=target, share=share, w=w):
                gap = target - p[0] - p[1] * x
                return float(w @ np.maximum(share * gap, (share - 1) * gap))

            a, b = minimize(loss, [0.5, 0.1], method="Nelder-Mead").x
            factor = np.exp(a + b * np.log(np.maximum(own["distance"], 1.0)))
            for end in ("low", "high"):
                column = f"{end}{level}"
                own[column] = own["median"] + factor * (own[column] - own["median"])
        parts.append(own)
    return pd.concat(parts, ignore_index=True)


def _quantile(values: np.ndarray, weights: np.ndarray, level: float) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][min(int(np.searchsorted(total, level)), len(values) - 1)])


def labelled(rows: pd.DataFrame, label: Mapping[str, object]) -> pd.DataFrame:
    """Return rows with the columns that name their question."""
    return rows.assign(**{name: label[name] for name in _COLUMNS})


def summary(
    methods: Mapping[str, pd.DataFrame], questions: Sequence[tuple[str, str, str]]
) -> pd.DataFrame:
    """Return measures of each method on the questions that all of them answered."""
    keys = ["data_set", "part", "question"]
    common = set(questions)
    for rows in methods.values():
        common &= set(map(tuple, rows[keys].drop_duplicates().to_numpy()))
    shown = {}
    for name, rows in methods.items():
        kept = [tuple(k) in common for k in rows[keys].to_numpy()]
        shown[name] = measures(weighted(rows[kept]))
    return pd.DataFrame(shown).T
