"""Simulated worlds: the time of a comparison over 1000 of them, and the true law versus the oracle.

First, 1000 worlds of 40 runs × five laws × six origins of compute, with intervals from 100 draws of
the normal approximation: 30,000 fits and their scores in one call, cold and warm. Then worlds of
increasingly many runs, fitted by the law that generated them and scored alongside an oracle that
knows the law and the noise. Last, the note on runs with a single D for each N.

    python -m benchmarks.worlds
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
from jscale.comparison.criteria import interval_score

TRUTH = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 410.0, "beta": 0.28}
LAWS = ["power", "power_const", "chinchilla_tied", "chinchilla", "farseer"]
BOX = ((1e7, 1e9), (1e9, 1e11))
SD, LEVEL = 0.01, 0.9
COUNTS = (15, 40, 150, 600)


def speed(worlds: int) -> None:
    """Time the comparison of five laws over all worlds and origins, twice."""
    design = js.designs.random(40, *BOX, seed=0)
    runs = js.simulate("chinchilla", TRUTH, design, noise=SD, worlds=worlds, seed=1)
    origins = js.splits.origins("C", 6)
    print(f"\n{worlds} WORLDS of 40 runs x {len(LAWS)} laws x 6 origins, normal approximation")
    for state in ("cold", "warm"):
        wall, cpu = time.perf_counter(), time.process_time()
        found = js.compare(LAWS, runs, holdout=origins, by="world", method="laplace", resamples=100)
        print(
            f"  {state}: {time.perf_counter() - wall:.1f} s wall, "
            f"{time.process_time() - cpu:.1f} s CPU; {len(found.fits['power'])} fits per law, "
            f"{len(found.rows)} predictions scored"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  peak memory {peak:.0f} MB")


def known_answers(worlds: int, resamples: int) -> None:
    """Score the true law alongside the oracle for increasing numbers of runs."""
    rows = {}
    for count in COUNTS:
        design = js.designs.random(count, *BOX, seed=count)
        runs = js.simulate("chinchilla", TRUTH, design, noise=SD, worlds=worlds, seed=2)
        oracle = js.oracle("chinchilla", TRUTH, runs.frame, noise=SD, level=LEVEL)
        found = js.compare(
            ["chinchilla"], runs, by="world", level=LEVEL, resamples=resamples, oracle=oracle
        )
        own = oracle.iloc[found.rows["place"]]
        y = found.rows["measured"].to_numpy()
        best = interval_score(own["prediction_low"], own["prediction_high"], y, LEVEL) / y
        law = found.table.iloc[0]
        inside = found.coverage((0.8, 0.95)).iloc[0]
        rows[count] = {
            "error %": 100 * law["absolute_error"],
            "score / oracle's": law["interval_score"] / best.mean(),
            "width / oracle's": law["width_over_oracle"],
            "in 80%": inside[0.8],
            "in 95%": inside[0.95],
        }
    print(
        f"\nTHE TRUE LAW AND THE ORACLE, {worlds} worlds each; the fifth of the runs with the "
        "largest compute is held out"
    )
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("runs")
    print(table.to_string(float_format=lambda v: f"{v:.3g}"))


def one_ratio() -> None:
    """Print which direction cannot be determined if D is always 20 N."""
    design = js.designs.fixed_ratio(np.geomspace(1e7, 1e10, 30), 20.0)
    fit = js.fit("chinchilla", js.simulate("chinchilla", TRUTH, design, noise=0.002))
    print("\nONE D FOR EACH N:")
    for note in fit.notes:
        if note.code in ("unidentified", "inputs-move-together"):
            print(f"  {note}")


def main() -> None:
    """Print all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=200)
    arguments = parser.parse_args()
    print(header())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fits of wrong laws on few runs: what is measured here
        speed(arguments.worlds)
        known_answers(max(arguments.worlds // 20, 4), arguments.resamples)
        one_ratio()


if __name__ == "__main__":
    main()
