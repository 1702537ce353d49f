"""What forecasts of many families cost in one call, against one call for each.

Thirty simulated families of sixty runs are forecast by ``js.forecast_many`` and predicted at two
points each, in a process of its own: cold (nothing compiled), then warm. The same is done family by
family, warm, and the numbers are compared.

    python -m benchmarks.forecast_many [--families 30] [--runs 60]
"""

from __future__ import annotations

import argparse
import resource
import time
import warnings

import numpy as np
import pandas as pd

import jscale as js
from benchmarks.machine import header
from jscale.simulation.worlds import CHINCHILLA

POINTS = {"N": [3e9, 3e10], "D": [6e10, 6e11]}
_REPEATS = 3


def families(count: int, runs: int) -> js.Runs:
    """Return runs of families that differ in their irreducible loss and in their sizes."""
    parts = []
    for k in range(count):
        design = js.designs.random(runs, (1e7, 2e9), (1e9, 1e11), seed=k)
        law = {**CHINCHILLA, "E": 1.4 + 0.8 * k / count}
        frame = js.simulate("chinchilla", law, design, noise=0.005, seed=k).frame
        parts.append(frame.assign(family=f"family {k}"))
    return js.Runs.from_frame(pd.concat(parts, ignore_index=True))


def at_once(runs: js.Runs) -> pd.DataFrame:
    """Return predictions of all families by one call."""
    return js.forecast_many(runs, by="family").predict(**POINTS)


def one_by_one(runs: js.Runs) -> pd.DataFrame:
    """Return the same by a call for each family."""
    names = runs.frame["family"]
    parts = [
        js.predict(js.forecast(runs.where(names == name)), **POINTS).frame.assign(family=name)
        for name in sorted(names.unique())
    ]
    return pd.concat(parts, ignore_index=True)


def main() -> None:
    """Print times, memory, and how far the two ways differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--families", type=int, default=30)
    parser.add_argument("--runs", type=int, default=60)
    options = parser.parse_args()
    warnings.simplefilter("ignore", js.JscaleWarning)
    runs = families(options.families, options.runs)
    print(header())
    print(
        f"{options.families} families of {options.runs} runs, forecast and predicted at 2 points:"
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = None
    for state in ("cold", *["warm"] * _REPEATS):
        wall, cpu = time.perf_counter(), time.process_time()
        found = at_once(runs)
        print(
            f"  {state}: {time.perf_counter() - wall:.2f} s wall, "
            f"{time.process_time() - cpu:.2f} s CPU"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  peak memory {peak:.0f} MB, of which {before:.0f} MB before the first forecast")
    one_by_one(runs.where(runs.frame["family"] == "family 0"))
    started = time.perf_counter()
    alone = one_by_one(runs)
    print(f"  family by family, warm: {time.perf_counter() - started:.2f} s")
    assert found is not None
    columns = ["curve", "prediction_low", "prediction_high"]
    off = np.abs(found[columns].to_numpy() / alone[columns].to_numpy() - 1).max()
    print(f"  largest relative difference between the two: {off:.1e}")


if __name__ == "__main__":
    main()
