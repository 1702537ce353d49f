"""Coverage of intervals on simulated data sets, where the truth is known.

Three laws, four kinds of noise, 20, 60 and 240 runs; checkpoints of runs; and worlds that the
fitted law cannot represent. For each method: parameters, the curve and new runs at 1, 10 and 100
times the largest compute, at levels 50, 80 and 95%. Which scenarios each method is measured on,
and with how many data sets, is in coverage_parts/plans.py. The whole takes two hours; a part can
be run alone, and its rows then replace the earlier ones in the stored table:

    python -m benchmarks.coverage --methods nuts,profile --table benchmarks/results/coverage.csv
    python -m benchmarks.coverage --only checkpoints --share 0.1
    python -m benchmarks.coverage --methods none --table … --picture …    (only print and plot)
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import pandas as pd

from benchmarks.coverage_parts.measure import measure
from benchmarks.coverage_parts.plans import DEFAULT, PLANS
from benchmarks.coverage_parts.scenarios import scenarios
from benchmarks.coverage_parts.sets import Worlds
from benchmarks.coverage_parts.tables import summary, tables
from benchmarks.machine import header

_KEY = ["scenario", "method", "quantity"]


def measured(methods: list[str], only: str, share: float) -> pd.DataFrame:
    """Return the rows of methods on the scenarios whose names contain ``only``."""
    parts, started = [], time.perf_counter()
    for scenario in scenarios():
        kept: dict[int, Worlds] = {}
        for method in methods if only in scenario.name else ():
            plan = PLANS[method]
            if plan.takes(scenario):
                count = max(int(share * plan.worlds), 2)
                worlds = kept.setdefault(count, Worlds(scenario, count))
                parts.append(measure(worlds, method, plan.draws))
                took = time.perf_counter() - started
                print(f"{took:6.0f} s  {scenario.name}: {method}", file=sys.stderr, flush=True)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def together(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Merge both tables, with new rows replacing old ones, in the order of plans and scenarios."""
    found = pd.concat([old, new], ignore_index=True).drop_duplicates(_KEY, keep="last")
    order = [scenario.name for scenario in scenarios()]
    at = [found["method"].map(list(PLANS).index), found["scenario"].map(order.index)]
    rank = pd.DataFrame({"method": at[0], "scenario": at[1]})
    return found.loc[rank.sort_values(["method", "scenario"], kind="stable").index]


def main() -> None:
    """Measure the selected part, print the whole table, and write the plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--methods", default=",".join(PLANS), help="Methods to measure; none: only print."
    )
    parser.add_argument("--only", default="", help="Run scenarios whose name contains this.")
    parser.add_argument("--share", type=float, default=1.0, help="Share of the planned data sets.")
    parser.add_argument("--table", type=Path, help="CSV file to read, update and write.")
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    methods = [m for m in arguments.methods.split(",") if m != "none"]
    found = measured(methods, arguments.only, arguments.share)
    if arguments.table:
        old = pd.read_csv(arguments.table) if arguments.table.exists() else pd.DataFrame()
        found = together(old, found)
        found.round(3).to_csv(arguments.table, index=False)
    print(header())
    summary(found)
    tables(found)
    if arguments.picture:
        from benchmarks.coverage_parts.picture import draw

        draw(found, DEFAULT, arguments.picture)


if __name__ == "__main__":
    main()
