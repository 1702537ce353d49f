"""Notes on a forecast: what determines it, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from jscale.fitting.notes import Note
from jscale.prediction.forecast_beyond import notes_beyond

_MOSTLY_PRIOR = 0.85
_ROUGH = 0.5
_UNSURE = 0.2
_SHORT = 3.0
# Distance past the fitted runs up to which data sets contain runs to check forecasts.
_CALIBRATED = 1000.0


def measured_coverage(forecast: Any, past: np.ndarray) -> str:
    """Return the measured coverage of forecasts in the furthest band of distance among points.

    From real data sets, each forecast with a prior learnt without it.
    """
    furthest = float(np.nanmax(past))
    family = forecast.experts[0].member.prior.name
    bands = {} if forecast.prior is None else forecast.prior.provenance.get("coverage", {})
    if furthest > _CALIBRATED:
        return (
            f"How often intervals cover runs more than {_CALIBRATED:g} times past the fitted ones "
            "is unknown: no corpus holds such runs. Train a run on the way, and forecast again."
        )
    for band in bands.get(family, ()):
        high = np.inf if band["to"] is None else band["to"]
        if band["from"] < furthest <= high:
            span = (
                f"{band['from']:g} to {high:g}" if np.isfinite(high) else f"over {band['from']:g}"
            )
            return (
                f"Of {band['rows']} real runs {span} times past the fitted ones, in "
                f"{band['data_sets']} data sets that the prior was not learnt from, 80% prediction "
                f"intervals covered {100 * band['80']:.0f}% and 95% ones {100 * band['95']:.0f}%."
            )
    return (
        "How often intervals cover runs so far past the fitted ones was not measured for such "
        "outcomes. Hold out your largest runs to check a forecast."
    )


def notes_on(forecast: Any) -> Iterator[Note]:
    """Yield caveats to read before trusting a forecast."""
    yield from _on_prior(forecast)
    yield from _on_rough_residuals(forecast)
    yield from _on_thinning(forecast)
    yield from _on_trend(forecast)
    yield from notes_beyond(forecast)


def _on_prior(forecast: Any) -> Iterator[Note]:
    learnt = all(member.learnt for member in forecast.laws)
    if not learnt:
        why = (
            f"the outcome is {forecast.runs.output!r}"
            if forecast.runs.output != "loss"
            else "there is no training corpus for these laws"
        )
        yield Note(
            "weak-prior",
            "info",
            f"The prior is weak, since {why}.",
            "Intervals rest on these runs and on how language models have departed from laws.",
            "Learn a prior from your own past sweeps: js.learn_prior(sweeps).",
        )
    for member, solved, logs in zip(
        forecast.laws, forecast.experts, forecast.log_weights, strict=True
    ):
        weights = np.exp(logs)
        if weights.sum() < _UNSURE:
            continue
        spread = np.einsum("kgpii->kgpi", solved.lanes.inverse) * solved.table.precision
        ratio = np.einsum("kgp,kgpi->i", weights, np.nan_to_num(spread)) / weights.sum()
        labels = member.problem.layout.labels
        driven = [label for label, r in zip(labels, ratio, strict=True) if r > _MOSTLY_PRIOR]
        if driven:
            yield Note(
                "prior-decides",
                "caution",
                f"{', '.join(driven)} of {member.law.name}: the runs contract the prior by less "
                f"than {100 * (1 - _MOSTLY_PRIOR):.0f}% of its variance.",
                "The forecast rests on what past sweeps had in common.",
                'Add runs of other sizes, or check against prior="weak".',
            )


def _on_rough_residuals(forecast: Any) -> Iterator[Note]:
    rough = 0.0
    for solved, logs in zip(forecast.experts, forecast.log_weights, strict=True):
        kernels = solved.member.prior.kernels
        short = np.array([min(c.length for c in kernel) <= _SHORT for kernel in kernels])
        if short.any() and not short.all():
            rough += float(np.exp(logs)[short].sum())
    if rough > _ROUGH:
        yield Note(
            "rough-residuals",
            "caution",
            "Residuals of neighbouring runs move together over short distances.",
            "Something besides the inputs (tuning, data order) moves groups of runs.",
            "Look at the residuals; give the run of each row (run=) where rows are checkpoints.",
        )


def _on_thinning(forecast: Any) -> Iterator[Note]:
    whole = len(forecast.runs)
    used = min(len(solved.observations) for solved in forecast.experts)
    if used < whole:
        # Of independent noise: what the discrepancy leaves open does not narrow with rows.
        yield Note(
            "thinned",
            "info",
            f"{used} of {whole} rows were used, spread evenly over sizes.",
            f"Intervals of the curve are at most {np.sqrt(whole / used):.2g} times as wide as "
            "with all rows.",
            "Average rows that differ by their seed alone, or leave it at that.",
        )


def _on_trend(forecast: Any) -> Iterator[Note]:
    trend = forecast.trend
    if trend is not None:
        yield Note(
            "noise-varies",
            "info",
            f"The noise of runs shrinks as {trend.column}^{trend.slope:.2g} (by chance: p = "
            f"{trend.chance:.1e}).",
            "Runs are weighed by it, and a new run has the noise of its size; beyond the fitted "
            "runs, that of the largest.",
            "",
        )
