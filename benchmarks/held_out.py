"""Predictions of the embedded held-out runs: error, coverage, interval score and width by law.

Laws of N and D are fitted to all fitting runs; laws of C to the compute frontier among them
(each run that no cheaper run beats). Prediction intervals are 90 % ones from 4000 resamples.

    python benchmarks/held_out.py
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np
import pandas as pd
from machine import header
from scipy.stats import binomtest

import jscale as js

LEVEL = 0.9
LAWS = ("chinchilla", "chinchilla, tied", "farseer", "power_const", "broken:1")


def frontier(table: pd.DataFrame) -> pd.DataFrame:
    """Return the runs that no run of less compute beats, in order of compute."""
    ordered = table.sort_values("C")
    return ordered[ordered["loss"] == ordered["loss"].cummin()]


def interval_score(low: pd.Series, high: pd.Series, y: np.ndarray) -> np.ndarray:
    """Return the Winkler score: width, plus 2/alpha times how far outside y lies."""
    alpha = 1 - LEVEL
    outside = np.maximum(low - y, 0) + np.maximum(y - high, 0)
    return np.asarray(high - low + 2 / alpha * outside)


def score(name: str, fitting: pd.DataFrame, held: pd.DataFrame, size: str) -> dict[str, object]:
    """Fit one law and score its predictions of the held-out runs."""
    law = js.laws.get(name.split(",")[0])
    columns = ["C", "loss"] if law.inputs == ("C",) else [size, "D", "C", "loss"]
    table = frontier(fitting) if law.inputs == ("C",) else fitting
    renamed = {size: "N"}
    runs = js.Runs.from_frame(table[columns].rename(columns=renamed))
    fit = js.fit(law, runs, tie=("alpha", "beta") if "tied" in name else ())
    draws = js.bootstrap(fit, 4000)
    prediction = js.predict(draws, held.rename(columns=renamed)[list(law.inputs)], level=LEVEL)
    frame, y = prediction.frame, held["loss"].to_numpy()
    low, high = frame["prediction_low"], frame["prediction_high"]
    inside = int(((low <= y) & (y <= high)).sum())
    sure = binomtest(inside, len(y)).proportion_ci(LEVEL)
    return {
        "law": name,
        "runs": len(runs),
        "error %": 100 * np.mean(np.abs(frame["curve"] / y - 1)),
        "bias %": 100 * np.mean(frame["curve"] / y - 1),
        "inside": f"{inside}/{len(y)}",
        "coverage, 90 % CI": f"{sure.low:.2f} to {sure.high:.2f}",
        "interval score": interval_score(
            frame["prediction_low"], frame["prediction_high"], y
        ).mean(),
        "width": (frame["prediction_high"] - frame["prediction_low"]).mean(),
        "residual %": 100 * 1.4826 * np.median(np.abs(fit.residuals)),
        "params": ", ".join(f"{k} {v:.4g}" for k, v in fit.params.items()),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="N", help="the column of model size")
    size = parser.parse_args().size
    table = js.datasets.load("stdlib_lm")
    fitting, held = table[table["split"] == "fit"], table[table["split"] == "holdout"]
    if size != "N":
        fitting, held = fitting.drop(columns="N"), held.drop(columns="N")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = pd.DataFrame([score(name, fitting, held, size) for name in LAWS])
    print(header())
    furthest = held["C"].max() / fitting["C"].max()
    print(f"{len(fitting)} fitting runs, {len(held)} held-out runs up to {furthest:.3g} times "
          f"the largest fitted compute; size = {size}")  # fmt: skip
    print(rows.drop(columns="params").to_string(index=False, float_format=lambda v: f"{v:.4g}"))
    print(rows[["law", "params"]].to_string(index=False))


if __name__ == "__main__":
    main()
