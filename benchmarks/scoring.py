"""Fit a law to some runs, predict others, and score the predictions and their intervals."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binomtest

import jscale as js

LEVEL = 0.9
LAWS = ("chinchilla", "chinchilla, tied", "farseer", "power_const", "broken:1")


@dataclass(frozen=True)
class Trial:
    """One law fitted once: the fit, the codes of its notes, and the scored predictions."""

    law: str
    fit: js.Fit
    codes: tuple[str, ...]
    scored: pd.DataFrame


def frontier(table: pd.DataFrame) -> pd.DataFrame:
    """Return the runs that no run of at most 1% more compute beats, in order of compute.

    Runs of one budget differ by less than that, because D is a whole number of steps.
    """
    lowest = [table.loc[table["C"] <= 1.01 * c, "loss"].min() for c in table["C"]]
    return table[table["loss"] <= lowest].sort_values("C")


def try_law(name: str, fitting: pd.DataFrame, target: pd.DataFrame, resamples: int) -> Trial:
    """Fit one law and predict the target runs.

    A law of C is fitted to the frontier of the fitting runs alone. Raises JscaleError if it cannot
    be fitted, or has as many parameters as runs.
    """
    law = js.laws.get(name.split(",")[0])
    of_compute = law.inputs == ("C",)
    table = frontier(fitting) if of_compute else fitting
    runs = js.Runs.from_frame(table[["C", "loss"] if of_compute else ["N", "D", "C", "loss"]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the notes and counts below say the same
        fit = js.fit(law, runs, tie=("alpha", "beta") if "tied" in name else ())
        draws = js.bootstrap(fit, resamples)
        frame = js.predict(draws, target[list(law.inputs)], level=LEVEL).frame
    codes = [note.code for note in fit.notes if note.severity != "info"]
    if draws.failed + draws.unsettled > 0.01 * resamples:
        codes.append("draws-unsettled")
    return Trial(name, fit, tuple(codes), scored(frame, target["loss"]))


def scored(frame: pd.DataFrame, measured: pd.Series) -> pd.DataFrame:
    """Return one row per prediction: relative error, whether inside, width, interval score."""
    low, high = frame["prediction_low"], frame["prediction_high"]
    outside = np.maximum(low - measured, 0) + np.maximum(measured - high, 0)
    return pd.DataFrame(
        {
            "error": frame["curve"] / measured - 1,
            "inside": outside == 0,
            "width": high - low,
            # The Winkler score: width, plus 2/alpha times how far outside the run lies.
            "score": high - low + 2 / (1 - LEVEL) * outside,
        }
    )


def summary(rows: pd.DataFrame) -> dict[str, object]:
    """Summarise scored predictions; the binomial interval treats them as independent."""
    inside = int(rows["inside"].sum())
    sure = binomtest(inside, len(rows)).proportion_ci(LEVEL)
    return {
        "predictions": len(rows),
        "error %": 100 * rows["error"].abs().mean(),
        "bias %": 100 * rows["error"].mean(),
        "inside": f"{inside}/{len(rows)}",
        "coverage, 90 % CI": f"{sure.low:.2f} to {sure.high:.2f}",
        "interval score": rows["score"].mean(),
        "width": rows["width"].mean(),
    }


def counted(trials: list[Trial]) -> str:
    """Return how many fits have each code, most frequent first, as text."""
    found = Counter(code for trial in trials for code in trial.codes)
    return ", ".join(f"{code} {count}" for code, count in found.most_common()) or "none"


def residual_scatter(fit: js.Fit) -> tuple[float, float]:
    """Return the residuals' rms (corrected for the parameters) and their robust sd."""
    freedom = len(fit.residuals) - len(fit.theta)
    rms = np.sqrt((fit.residuals**2).sum() / freedom)
    return float(rms), float(1.4826 * np.median(np.abs(fit.residuals)))
