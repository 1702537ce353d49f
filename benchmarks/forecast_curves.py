"""Forecasts along one input, beside a broken power law alone, domain by domain.

Curves of image tasks, of double descent, of loss against width and along tokens are forecast each
under a prior learnt without its data set; those of other domains under the prior of all of these.
Alongside is the broken neural scaling law with one break, fitted by least squares, with intervals
by refits of randomly weighted runs. Printed are the root mean squared error of ln y (RMSLE) and
the mean log density of y, each averaged over a domain's curves, and coverage.

    python -m benchmarks.forecast_curves [--cache FILE]
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.forecast_parts import corpus, scores
from benchmarks.forecast_parts.broken import broken_rows
from benchmarks.forecast_parts.more_curves import more_curves
from benchmarks.forecast_parts.others import asked_of
from benchmarks.forecast_prior import calibration, collect, templates
from benchmarks.machine import header
from jscale.discrepancy.families import ONE_AXIS
from jscale.prediction.learn_prior import Answer, answers_of, relearnt

_NOT_WORSE = 1.1
_LEAST_LOG = -50.0
# An error in ln y counts as no more than this: some broken laws leave the range of numbers.
_MOST_ERROR = 3.0
_READING = (
    "ratio: of the domain's mean errors; median ratio: of each curve's. Errors in ln y count up to "
    f"{_MOST_ERROR:g}"
)
_PUBLISHED = (
    "NSL-PFN (arXiv:2505.23032): .0280 and 3.330 on 72 image tasks, of which these are 24; .0335 "
    "and 2.565 on double descent"
)


def forecast_rows(corpus_answers: Sequence[Answer], others: Sequence[Answer]) -> pd.DataFrame:
    """Return rows of forecasts: of the corpus without each data set, of others with all of it."""
    family = templates().families[ONE_AXIS]
    inside = calibration(family, corpus_answers)
    prior = relearnt(family, corpus_answers)
    parts = [
        scores.rows(a.mixture(prior), a.measured, a.distance).assign(
            data_set=a.data_set, part=a.part, question=a.question.name
        )
        for a in others
    ]
    return pd.concat([inside, *parts], ignore_index=True)


def by_curve(rows: pd.DataFrame) -> pd.DataFrame:
    """Return RMSLE, log density of y and coverage of each curve."""
    density = np.maximum(rows["log_score"], _LEAST_LOG) - rows["measured"]
    error = np.minimum(np.abs(rows["median"] - rows["measured"]), _MOST_ERROR)
    columns = {"square": error**2, "ln density of y": density}
    for level in scores.LEVELS:
        low, high = rows[f"low{level}"], rows[f"high{level}"]
        columns[f"in {level}%"] = (rows["measured"] >= low) & (rows["measured"] <= high)
    columns["width of 95%"] = 100 * (np.exp(rows["high95"] - rows["low95"]) - 1)
    table = rows[["data_set", "part"]].assign(**columns)
    means = table.groupby(["data_set", "part"], sort=False).mean()
    return means.assign(RMSLE=np.sqrt(means.pop("square")))


def domain_of(data_set: str) -> str:
    """Return the domain of a data set."""
    return "image tasks" if data_set.startswith("IC") else data_set


def table(forecast: pd.DataFrame, broken: pd.DataFrame) -> pd.DataFrame:
    """Return both ways' measures by domain, and the ratios of their errors."""
    ways = {"forecast": by_curve(forecast), "broken": by_curve(broken)}
    shown = {}
    for domain in dict.fromkeys(map(domain_of, forecast["data_set"])):
        own = {
            name: each[[domain_of(d) == domain for d in each.index.get_level_values(0)]]
            for name, each in ways.items()
        }
        rms = {name: each["RMSLE"].mean() for name, each in own.items()}
        density = {name: each["ln density of y"].mean() for name, each in own.items()}
        pairs = own["forecast"]["RMSLE"] / own["broken"]["RMSLE"].loc[own["forecast"].index]
        shown[domain] = {
            "curves": len(own["forecast"]),
            "RMSLE": rms["forecast"],
            "broken:1": rms["broken"],
            "ratio": rms["forecast"] / rms["broken"],
            "median ratio": float(pairs.median()),
            "ln density": density["forecast"],
            "broken:1's": density["broken"],
            "in 80%": own["forecast"]["in 80%"].mean(),
            "in 95%": own["forecast"]["in 95%"].mean(),
            "broken:1's in 95%": own["broken"]["in 95%"].mean(),
        }
    return pd.DataFrame(shown).T


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, help="answers that benchmarks.forecast_prior kept")
    options = parser.parse_args()
    print(header())
    started = time.perf_counter()
    answers = [a for a in collect(options.cache)[0] if a.family == ONE_AXIS]
    sweeps, other_sweeps = corpus.curves(), more_curves()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        others = answers_of(other_sweeps, templates())
    rows = forecast_rows(answers, others)
    both = {**sweeps, **other_sweeps}
    broken = broken_rows([asked_of(a, both[a.data_set][a.part]) for a in (*answers, *others)])
    found = table(rows, broken)
    scores.show("curves along one input, by domain (the last four not in the corpus)", found)
    print(_READING)
    print(_PUBLISHED)
    worse = found.index[found["ratio"] > _NOT_WORSE]
    print(
        "error above broken:1's by more than 10 %: "
        + (", ".join(f"{name} ({found.loc[name, 'ratio']:.2f})" for name in worse) or "nowhere")
    )
    print(f"\n{time.perf_counter() - started:.0f} s, beside other work")


if __name__ == "__main__":
    main()
