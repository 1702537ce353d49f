"""Beyond the runs: what decides a forecast at ten and a hundred times their largest compute."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from jscale.fitting.notes import Note

FACTORS = (10.0, 100.0)
# The ray starts from the middle of this many of the largest runs.
_LARGEST = 5
_SIZES = ("N", "D", "C")
_OF_WEIGHT = 0.1
_LEVEL = 0.9

SOURCES = {
    "noise": "the noise of a run",
    "parameters": "the uncertainty of the law's parameters",
    "discrepancy": "the chance that the law bends",
    "choice": "the choice of the law and of its kernel",
}
_REMEDIES = {
    "noise": "No further run narrows it much; average several runs where it matters.",
    "parameters": "Runs of other sizes than those at hand narrow it most.",
    "discrepancy": "A run on the way narrows it more than further runs of the fitted sizes.",
    "choice": "A run on the way tells the laws apart.",
}


def ray(forecast: Any, factors: Sequence[float] = FACTORS) -> pd.DataFrame | None:
    """Return points so many times past the largest runs in compute, or None without a size.

    N and D grow alike from the geometric mean of the five largest runs, other inputs and groups
    are those of the largest.
    """
    fit, frame = forecast.reference, forecast.runs.frame
    names = [name for name in fit.law.inputs if name in _SIZES]
    if not names:
        return None
    groups = [column for column, _ in fit.problem.layout.groups]
    size = np.sum([np.log(frame[name].to_numpy(float)) for name in names], axis=0)
    order = np.argsort(size, kind="stable")
    table = frame.iloc[np.repeat(order[-1], len(factors))].reset_index(drop=True)
    table = table.loc[:, list(dict.fromkeys((*fit.law.inputs, *groups)))].copy()
    # C is N times D: where a law has both, each grows by the root of the factor.
    power = 1.0 / len([name for name in names if name != "C"] or names)
    for name in names:
        middle = np.exp(np.log(frame[name].to_numpy(float)[order[-_LARGEST:]]).mean())
        table[name] = middle * np.array(factors) ** (1.0 if name == "C" else power)
    return table


def notes_beyond(forecast: Any) -> Iterator[Note]:
    """Yield what decides the forecast beyond the runs, and whether its laws disagree there."""
    table = ray(forecast)
    if table is None:
        return
    yield from _on_sources(forecast, table)
    yield from _on_disagreement(forecast, table.iloc[:1])


def _on_sources(forecast: Any, table: pd.DataFrame) -> Iterator[Note]:
    shares = forecast.contribution(table)[list(SOURCES)]
    if not np.isfinite(shares.to_numpy()).all():
        return
    said = [_in_words(shares.iloc[i]) for i in range(len(FACTORS))]
    near, far = (f"{factor:g}×" for factor in FACTORS)
    largest = shares.idxmax(axis=1)
    if largest[0] == largest[1]:
        seen = f"Beyond {near} {said[0]} (at {far}: {100 * shares.iloc[1].max():.0f}%)."
    else:
        seen = f"At {near} the largest compute {said[0]}; at {far} {said[1]}."
    yield Note("interval-from", "info", seen, "", _REMEDIES[str(largest[1])])


def _in_words(shares: pd.Series) -> str:
    name, share = str(shares.idxmax()), float(shares.max())
    part = "most" if share > 0.5 else "the largest part"
    return f"{part} of this interval ({100 * share:.0f}%) is {SOURCES[name]}"


def _on_disagreement(forecast: Any, table: pd.DataFrame) -> Iterator[Note]:
    weights = forecast.weights
    chosen = [i for i, weight in enumerate(weights) if weight >= _OF_WEIGHT]
    if len(chosen) < 2:
        return
    each = pd.concat(
        [
            replace(forecast, laws=(forecast.laws[i],), experts=(forecast.experts[i],))
            .mixture(table)
            .frame(_LEVEL)
            for i in chosen
        ],
        ignore_index=True,
    )
    curves = each["curve"]
    apart = float(np.log(curves.max() / curves.min()))
    width = float(np.log(each["confidence_high"] / each["confidence_low"]).mean())
    if apart > width:
        names = [str(weights.index[i]) for i in chosen]
        values = ", ".join(f"{name} {curve:.4g}" for name, curve in zip(names, curves, strict=True))
        yield Note(
            "laws-disagree",
            "caution",
            f"At {FACTORS[0]:g}× the largest compute the curves of the laws differ by "
            f"{100 * apart:.2g}% ({values}), more than the {100 * _LEVEL:.0f}% interval of one "
            f"of them ({100 * width:.2g}%).",
            "The choice of the law decides the forecast there.",
            "A run on the way tells them apart: js.next_runs(…).",
        )
