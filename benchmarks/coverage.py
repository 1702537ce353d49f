"""Coverage: how often intervals hold the truth, on simulated data sets where it is known.

Three laws, four kinds of noise, 20, 60 and 240 runs; checkpoints of runs; and worlds that the
fitted law cannot follow. For each cheap method: parameters, the curve and new runs at 1, 10 and
100 times the largest compute, at levels 50, 80 and 95 %.

    python -m benchmarks.coverage
    python -m benchmarks.coverage --worlds 200 --picture coverage.png
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.coverage_parts.measure import LEVELS, METHODS, measure
from benchmarks.coverage_parts.scenarios import scenarios
from benchmarks.machine import header

DEFAULT = "bayesian"
# Percentage points of error allowed, beside two Monte-Carlo standard errors.
ALLOWED = {"curve 1x": 3.0, "new run 1x": 3.0, "curve 10x": 6.0, "new run 10x": 6.0}
_MOST_WARNED = 0.25


def judged(found: pd.DataFrame) -> pd.DataFrame:
    """Return, for each row with a target, by how many points coverage misses it (0: met)."""
    rows = found[found["right"] & found["quantity"].isin(list(ALLOWED))].copy()
    allowed = rows["quantity"].map(ALLOWED).astype(float)
    rows["missed"] = 0.0
    for level in LEVELS:
        slack = 200 * np.sqrt(level * (1 - level) / rows["worlds"])
        error = (rows[f"{100 * level:g}%"] - 100 * level).abs()
        rows["missed"] = np.maximum(rows["missed"], error - allowed - slack)
    return rows


def summary(found: pd.DataFrame) -> None:
    """Print, by method, how many targets are met, and which not."""
    rows = judged(found)
    for method, own in rows.groupby("method", sort=False):
        met = own["missed"] <= 0
        narrow = own["width"] <= 1.5
        warned = own.groupby("scenario")["warned"].first() > _MOST_WARNED
        print(f"\n{method}: {int(met.sum())} of {len(own)} rows within the target, "
              f"{int(narrow.sum())} at most 1.5 times the oracle's width; "
              f"{int(warned.sum())} of {len(warned)} scenarios warned of")  # fmt: skip
        missed = own[~met | ~narrow]
        if len(missed):
            columns = ["scenario", "quantity", *_levels(), "width", "missed", "warned"]
            print(missed[columns].to_string(index=False, float_format=lambda v: f"{v:.3g}"))


def _levels() -> list[str]:
    return [f"{100 * level:g}%" for level in LEVELS]


def tables(found: pd.DataFrame) -> None:
    """Print coverage of every quantity, parameters averaged, a block for each method."""
    kind = found["quantity"].str.replace(r"^parameter .*", "parameters", regex=True)
    columns = [*_levels(), "width"]
    order = ["method", "scenario", kind.rename("quantity")]
    means = found.groupby(order, sort=False)[columns].mean()
    text = means.apply(
        lambda row: "/".join(f"{row[c]:.0f}" for c in _levels()) + f" {row['width']:.2f}", axis=1
    )
    for method, own in text.groupby("method", sort=False):
        print(
            f"\n{method.upper()}: coverage at {', '.join(_levels())}, and width over the oracle's"
        )
        shown = own.droplevel("method").unstack("quantity")
        quantities, scenario_names = (
            list(dict.fromkeys(own.index.get_level_values(k))) for k in (2, 1)
        )
        print(shown.loc[scenario_names, quantities].fillna("-").to_string())


def main() -> None:
    """Measure all scenarios, print, and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=2000)
    parser.add_argument("--resamples", type=int, default=400)
    parser.add_argument("--only", default="", help="Part of the names of the scenarios to run.")
    parser.add_argument("--table", type=Path, help="Where the long table goes, as CSV.")
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    print(header())
    started, parts = time.perf_counter(), []
    for scenario in scenarios():
        if arguments.only in scenario.name:
            for method in METHODS:
                # Other methods than the default are measured on a quarter of the worlds.
                worlds = arguments.worlds if method == DEFAULT else arguments.worlds // 4
                parts.append(measure(scenario, method, worlds, arguments.resamples))
    found = pd.concat(parts, ignore_index=True)
    if arguments.table:
        found.round(3).to_csv(arguments.table, index=False)
    print(f"{arguments.worlds} data sets a scenario for {DEFAULT}, a quarter for the others, "
          f"{arguments.resamples} draws each; {time.perf_counter() - started:.0f} s")  # fmt: skip
    summary(found)
    tables(found)
    if arguments.picture:
        from benchmarks.coverage_parts.picture import draw

        draw(found, DEFAULT, arguments.picture)


if __name__ == "__main__":
    main()
