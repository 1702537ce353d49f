"""How well forecasts keep their promise, on real data that their prior was not learnt from.

Every public sweep at hand and our own are asked questions: from the runs below a cut, what are the
larger ones? Each data set is forecast under a prior learnt without it. Printed are coverage at 50,
80, 90 and 95 %, width, interval score and log score, by band of distance, by data set and by the
number of runs; then other ways of forecasting the same questions: Hoffmann's law and the ensemble
by bootstrap, both widened by split conformal and by quantile regression, and a power law through
the compute frontier. Then curves along one input. What forecasts cost is measured by
benchmarks/forecast_time.py.

    python -m benchmarks.forecast [--cache FILE] [--others 40] [--picture FILE]
"""

from __future__ import annotations

import argparse
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
from jscale.prediction.learn_prior import Answer, relearnt, without

PICTURE = Path(__file__).parent / "results" / "forecast.png"
# What a prototype of the method was measured at, on the same sweeps cut otherwise.
_PROTOTYPE = (
    "prototype, 41 questions cut otherwise: .67/.92/.95/.97, width 5.2 %, score 9.6 %, "
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


def compared(rows: pd.DataFrame, answers: Sequence[Answer], most: int, cache: Path | None) -> None:
    """Print other ways of forecasting a part of the questions, all judged on the same runs."""
    asked = others.chosen(answers, corpus.surfaces(), most)
    found = others.answered(asked, cache)
    methods = {name: scores.weighted(pd.concat(parts)) for name, parts in found.items() if parts}
    for name in ("chinchilla", "auto"):
        methods[f"{name}, conformal"] = others.conformal(methods[name])
        methods[f"{name}, quantiles"] = others.quantile_widened(methods[name])
    methods["forecast"] = rows[rows["kind"] == "beyond"]
    shared = others.shared(methods, [each.key for each in asked])
    table = pd.DataFrame({name: scores.measures(part) for name, part in shared.items()}).T
    print(f"\nother ways, on {len(asked)} questions")
    scores.show(f"the {others.count(shared['forecast'])} that all of them answered", table)
    ratio = table.loc["forecast", "interval score"] / table["interval score"]
    print(f"interval score, forecast over others: {scores.listed(ratio.drop('forecast'))}")
    parts = [shared["auto"], shared["forecast"]]
    bands = [scores.band_of(part["distance"]) for part in parts]
    scores.show("auto and forecast, by distance", _side_by_side(parts, bands))
    names = [part["data_set"] for part in parts]
    scores.show("auto and forecast, by data set", _side_by_side(parts, names))


def _side_by_side(parts: Sequence[pd.DataFrame], by: Sequence[pd.Series]) -> pd.DataFrame:
    """Return the main measures of auto's and the forecast's rows, in groups."""
    old, new = (scores.table_by(part, key) for part, key in zip(parts, by, strict=True))
    kept = ["in 80%", "in 95%", "width", "interval score", "log score", "mean error"]
    table = old[kept].add_prefix("auto: ").join(new[kept])
    return table.assign(ratio=new["interval score"] / old["interval score"])


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


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, help="answers that benchmarks.forecast_prior kept")
    parser.add_argument("--others", type=int, default=40, help="questions that others are asked")
    parser.add_argument("--others-cache", type=Path, help="keep what others answer here")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    options = parser.parse_args()
    print(header())
    started = time.perf_counter()
    answers, _ = collect(options.cache)
    rows = surfaces(answers)
    own_runs(answers)
    curves(answers)
    print(f"\nforecasts in {time.perf_counter() - started:.0f} s")
    draw(rows[rows["kind"] == "beyond"], options.picture)
    if options.others:
        compared(rows, answers, options.others, options.others_cache)


if __name__ == "__main__":
    main()
