"""How a forecast's time and memory grow with the number of runs, and what its short cuts change.

Simulated losses of Hoffmann's law with a wave along D that the law lacks (1%), and 0.5% of noise.
Up to a few hundred runs a forecast is exact. Beyond, kernels are chosen on some of the runs and
decomposed at low rank, and very large tables are thinned; the differences from the exact forecast
of the same runs are of the median curve, in half widths of its 90% interval, and of that width, the
largest over points from the smallest run to ten thousand times the largest compute. Each size is a
new process, for its peak memory.

    python benchmarks/forecast_size.py [--sizes 100 250 …] [--exact 1000]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
from machine import header

import jscale as js
from jscale.discrepancy.experts import solve
from jscale.simulation.worlds import CHINCHILLA

SIZES = (100, 250, 500, 1000, 2000, 4000, 20000)
N = np.geomspace(1e7, 1e12, 9)
D = np.geomspace(1e9, 1e14, 9)


def table(n: int, axis: bool) -> pd.DataFrame:
    """Return n runs, of N and D or of the compute alone."""
    rng = np.random.default_rng(0)
    design = {"N": np.exp(rng.uniform(*np.log([1e7, 1e10]), n))}
    design["D"] = np.exp(rng.uniform(*np.log([1e9, 1e12]), n))
    runs = js.simulate("chinchilla", CHINCHILLA, pd.DataFrame(design), noise=0.005, seed=0).frame
    runs["loss"] *= np.exp(0.01 * np.sin(np.log(runs["D"] / 1e9)))
    return runs.assign(C=6.0 * runs["N"] * runs["D"])[["C", "loss"] if axis else ["N", "D", "loss"]]


def measure(n: int, axis: bool, exact: bool) -> dict[str, float]:
    """Return seconds, megabytes and the difference from the exact forecast."""
    runs = table(n, axis)
    js.forecast(runs)
    start = time.perf_counter()
    made = js.forecast(runs)
    seconds = time.perf_counter() - start
    at = {"C": 6.0 * N * D} if axis else {"N": N, "D": D}
    frame = made.predict(at).frame
    found = {"seconds": seconds, "used": len(made.experts[0].observations)}
    # Before the exact forecast, which needs far more.
    found["MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    if exact:
        law = made.laws[0]
        solve([law.member], [law.observations])
        start = time.perf_counter()
        whole = replace(made, experts=tuple(solve([law.member], [law.observations])))
        found["exact seconds"] = time.perf_counter() - start
        truth = whole.predict(at).frame
        width, other = (np.log(f["confidence_high"] / f["confidence_low"]) for f in (truth, frame))
        found["median"] = float((2 * np.abs(np.log(frame["curve"] / truth["curve"])) / width).max())
        found["width"] = float(np.abs(other / width - 1).max())
    return found


def main() -> None:
    """Measure every size in a process of its own, and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--exact", type=int, default=1000, help="compare up to so many runs")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        warnings.simplefilter("ignore")
        n, axis, exact = map(int, arguments.one)
        print(json.dumps(measure(n, bool(axis), bool(exact))))
        return
    print(header())
    print("inputs  runs   used  seconds (warm)  exact   peak MB  off: median  width")
    for axis, inputs in ((0, "N, D"), (1, "C")):
        for n in arguments.sizes:
            one = [str(n), str(axis), str(int(n <= arguments.exact))]
            done = subprocess.run(
                [sys.executable, __file__, "--one", *one],
                capture_output=True,
                text=True,
                check=True,
            )
            f = json.loads(done.stdout.splitlines()[-1])
            exact, median, width = (f.get(k, np.nan) for k in ("exact seconds", "median", "width"))
            print(
                f"{inputs:6s} {n:6d} {f['used']:6d}  {f['seconds']:14.2f} {exact:6.2f} "
                f"{f['MB']:9.0f}  {median:11.3f} {width:6.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
