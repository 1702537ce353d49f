"""How well forecasts keep their promise, on real data that their prior was not learnt from.

Every public sweep at hand and our own are asked questions: from the runs below a cut, what are the
larger ones? Each data set is forecast under a prior learnt without it. Printed are coverage at 50,
80, 90 and 95 %, width, interval score and log score, by band of distance, by data set and by the
number of runs; then other ways of forecasting the same questions: Hoffmann's law and the ensemble
by bootstrap, both widened by split conformal and by quantile regression, and a power law through
the compute frontier. Then curves along one input, and the time that forecasts take.

    python -m benchmarks.forecast [--cache FILE] [--others 40] [--picture FILE]
"""

from __future__ import annotations

import argparse
import resource
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

import jscale as js
from benchmarks.forecast_parts import corpus, others, scores
from benchmarks.forecast_parts.picture import draw
from benchmarks.forecast_prior import calibration, collect, templates
from benchmarks.machine import header
from jscale.discrepancy.families import ONE_AXIS, SURFACE
from jscale.discrepancy.questions import questions
from jscale.prediction.learn_prior import Answer, relearnt, without

PICTURE = Path(__file__).parent / "results" / "forecast.png"
# What a prototype of the method was measured at, on the same sweeps cut otherwise.
_PROTOTYPE = (
    "prototype on the same sweeps, cut otherwise: .67/.92/.95/.97, width 5.2 %, score 9.6 %, "
    "log score 3.11, errors .51/1.25 %"
)


def surfaces(answers: Sequence[Answer]) -> pd.DataFrame:
    """Print forecasts over N and D, and return their rows."""
    asked = [a for a in answers if a.family == SURFACE]
    rows = calibration(templates().families[SURFACE], asked)
    beyond = rows[rows["kind"] == "beyond"]
    scores.show("larger runs, pooled", scores.table_by(beyond, "kind"))
    print(_PROTOTYPE)
    scores.show("by distance", scores.table_by(beyond, scores.band_of(beyond["distance"])))
    scores.show("by data set", scores.table_by(beyond, "data_set"))
    scores.show("by the number of runs", scores.table_by(rows[rows["kind"] == "few"], "question"))
    inside = rows[rows["kind"] == "in range"]
    scores.show("in range: a random quarter held out", scores.table_by(inside, "kind"))
    return rows


def compared(rows: pd.DataFrame, most: int) -> None:
    """Print other ways of forecasting a part of the questions."""
    asked = []
    for data_set, parts in corpus.surfaces().items():
        for part, table in list(parts.items())[:3]:
            for question in questions(table["C"].to_numpy()):
                if question.kind == "beyond":
                    asked.append((data_set, part, question, table))
    step = max(len(asked) // most, 1)
    found: dict[str, list[pd.DataFrame]] = {"chinchilla": [], "auto": [], "frontier line": []}
    for data_set, part, question, table in asked[::step]:
        small, large = table.iloc[question.fit], table.iloc[question.held]
        label = {"data_set": data_set, "part": part, "question": question.name,
                 "kind": question.kind, "runs": len(small)}  # fmt: skip
        ways = {name: others.by_compare(name, small, large) for name in ("chinchilla", "auto")}
        ways["frontier line"] = others.frontier_line(small, large)
        for name, table_of in ways.items():
            if table_of is not None:
                found[name].append(others.labelled(table_of, label))
    methods = {name: scores.weighted(pd.concat(parts)) for name, parts in found.items() if parts}
    for name in ("chinchilla", "auto"):
        methods[f"{name}, conformal"] = others.conformal(methods[name])
        methods[f"{name}, quantiles"] = others.quantile_widened(methods[name])
    methods["forecast"] = rows[rows["kind"] == "beyond"]
    keys = [(d, p, q.name) for d, p, q, _ in asked[::step]]
    table = others.summary(methods, keys)
    scores.show("other ways, on the same questions", table)
    ratio = table.loc["forecast", "interval score"] / table.loc["auto", "interval score"]
    print(f"interval score, forecast over auto: {ratio:.2f}")


def curves(answers: Sequence[Answer]) -> None:
    """Print forecasts along one input, each curve's error and density of y."""
    asked = [a for a in answers if a.family == ONE_AXIS]
    rows = calibration(templates().families[ONE_AXIS], asked)
    domain = rows["data_set"].where(~rows["data_set"].str.startswith("IC"), "image tasks")
    rows = rows.assign(domain=domain)
    shown = {}
    for name, part in rows.groupby("domain"):
        by_curve = part.assign(square=(part["median"] - part["measured"]) ** 2).groupby(
            ["data_set", "part"]
        )
        shown[str(name)] = {
            "curves": by_curve.ngroups,
            "RMSLE": float(np.sqrt(by_curve["square"].mean()).mean()),
            "ln density of y": float(
                (by_curve["log_score"].mean() - by_curve["measured"].mean()).mean()
            ),
            **{k: v for k, v in scores.measures(part).items() if k.startswith("in ")},
        }
    scores.show("curves along one input, by domain", pd.DataFrame(shown).T)


def own_runs(answers: Sequence[Answer]) -> None:
    """Print the ten held-out runs of our own, under a prior learnt without any of our runs."""
    family = SURFACE
    prior = relearnt(
        templates().families[family],
        [a for a in without(answers, corpus.OWN) if a.family == family],
    )
    learnt = js.ForecastPrior({**templates().families, family: prior}, {})
    table = js.datasets.load("stdlib_lm")
    held = table[table["split"] == "holdout"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        forecast = js.forecast(table[table["split"] == "fit"], prior=learnt)
        frame = js.predict(forecast, held[["N", "D"]], level=0.9).frame
    off = np.abs(frame["curve"] / held["loss"] - 1)
    inside = (frame["prediction_low"] <= held["loss"]) & (held["loss"] <= frame["prediction_high"])
    print(
        f"\nour own held-out runs, by a prior without our runs: {int(inside.sum())} of "
        f"{len(held)} inside 90 %, mean error {100 * off.mean():.2f} %"
    )


def times() -> None:
    """Print what forecasts cost: cold, warm, and many tables at once."""
    table = js.datasets.load("stdlib_lm")
    small = table[table["split"] == "fit"]
    shown = []
    for name in ("cold", "warm"):
        started = time.perf_counter()
        forecast = js.forecast(small)
        js.predict(forecast, N=3e5, D=5e6)
        shown.append(f"{name} {time.perf_counter() - started:.2f} s")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\na forecast of {len(small)} runs: {', '.join(shown)}; {memory:.0f} MB at most")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, help="answers that benchmarks.forecast_prior kept")
    parser.add_argument("--others", type=int, default=40, help="questions that others are asked")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    options = parser.parse_args()
    print(header())
    times()
    started = time.perf_counter()
    answers, _ = collect(options.cache)
    rows = surfaces(answers)
    own_runs(answers)
    curves(answers)
    print(f"\nforecasts in {time.perf_counter() - started:.0f} s")
    draw(rows[rows["kind"] == "beyond"], options.picture)
    if options.others:
        compared(rows, options.others)


if __name__ == "__main__":
    main()
