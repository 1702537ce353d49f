"""Predictions of embedded runs larger than the fitted ones: error, coverage, score, width by law.

Laws of N and D are fitted to all fitting runs; laws of C to the compute frontier among them (runs
that no run of at most 1% more compute beats). Prediction intervals are 90% intervals from a
bootstrap. First, the held-out runs are predicted from all fitting runs. Then, at several cut-offs
of compute (the origins), all runs of at least 3 times the cut-off are predicted from all runs up
to it, whatever their split. A law of C describes how low the loss can be for its compute, not how
high it is where N and D are unbalanced; all laws are therefore also scored on the frontier of the
whole table alone.

    python benchmarks/held_out.py
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from machine import header
from scoring import LAWS, Trial, counted, frontier, residual_scatter, summary, try_law
from sweep.noise import seed_noise

import jscale as js

ORIGINS = np.geomspace(1e11, 1e12, 6)
BEYOND = 3.0
SIZES = ("N", "N_non_embedding")
EVERY_RUN = """every run (the interval of the coverage is binomial, as if predictions were \
independent; those of one
origin share a fit, and a run is predicted from several origins, so see the coverage by origin, \
cheapest first):"""


def show(rows: list[dict[str, object]]) -> None:
    """Print rows as a table."""
    print(pd.DataFrame(rows).to_string(index=False, float_format=lambda v: f"{v:.4g}"))


def held_out(table: pd.DataFrame, resamples: int) -> list[Trial]:
    """Predict the held-out runs from the fitting runs, and print the scores."""
    fitting, held = table[table["split"] == "fit"], table[table["split"] == "holdout"]
    trials = [try_law(name, fitting, held, resamples) for name in LAWS]
    furthest = held["C"].max() / fitting["C"].max()
    print(
        f"\nHELD-OUT RUNS: {len(fitting)} fitting runs, {len(held)} held-out runs up to "
        f"{furthest:.3g} times the largest fitted compute"
    )
    show([{"law": t.law, "runs": len(t.fit.runs)} | summary(t.scored) for t in trials])
    best = held.index.intersection(frontier(table).index)
    print(f"of these, on the frontier of the whole table ({len(best)}):")
    show([{"law": t.law} | summary(t.scored.loc[best]) for t in trials])
    for trial in trials:
        params = ", ".join(f"{k} {v:.4g}" for k, v in trial.fit.params.items())
        print(f"{trial.law}: {params}; notes: {counted([trial])}")
    return trials


def scatter(trials: list[Trial]) -> None:
    """Print the noise between seeds alongside each law's residual scatter."""
    noise = seed_noise(js.datasets.load("stdlib_lm_seeds").to_dict("records"))
    sd, (low, high) = noise["sd_of_log_loss"], noise["interval_90"]
    print(
        f"\nNOISE between seeds: sd of log loss {100 * sd:.2f} %, 90 % interval "
        f"{100 * low:.2f} to {100 * high:.2f} % (chi squared, {noise['degrees_of_freedom']} "
        f"degrees of freedom, {noise['cells']} cells taken as independent)"
    )
    low, high = noise["interval_90_by_size"]
    print(f"  {100 * low:.2f} to {100 * high:.2f} % when whole sizes are resampled")
    rows = []
    for trial in trials:
        rms, robust = residual_scatter(trial.fit)
        rows.append(
            {
                "law": trial.law,
                "residual rms %": 100 * rms,
                "robust sd %": 100 * robust,
                "rms over noise": rms / sd,
                "robust sd over noise": robust / sd,
            }
        )
    show(rows)


def roll(table: pd.DataFrame, resamples: int) -> dict[str, dict[float, Trial]]:
    """Return each law's trials by origin; report laws that cannot be fitted, and leave them out."""
    trials: dict[str, dict[float, Trial]] = {name: {} for name in LAWS}
    for cut in ORIGINS:
        fitting, target = table[table["C"] <= cut], table[table["C"] >= BEYOND * cut]
        print(
            f"  C up to {cut:.3g}: {len(fitting)} runs ({len(frontier(fitting))} on the "
            f"frontier) predict {len(target)}, C {target['C'].min():.3g} to "
            f"{target['C'].max():.3g}"
        )
        for name in LAWS:
            try:
                trials[name][cut] = try_law(name, fitting, target, resamples)
            except js.JscaleError as error:
                print(f"    {name} is left out: {error}")
    return trials


def rolling_row(name: str, trials: dict[float, Trial], among: pd.Index) -> dict[str, object]:
    """Summarise one law's predictions of the runs `among` over all its origins."""
    parts = [trial.scored.loc[trial.scored.index.intersection(among)] for trial in trials.values()]
    by_origin = " ".join(f"{part['inside'].mean():.2f}" for part in parts)
    return {"law": name, "fits": len(parts), **summary(pd.concat(parts)), "by origin": by_origin}


def rolling(table: pd.DataFrame, resamples: int) -> None:
    """Predict from rolling origins and print the scores."""
    print(f"\nROLLING ORIGINS: runs of at least {BEYOND:g} times the cut-off, from those up to it")
    trials = {name: found for name, found in roll(table, resamples).items() if found}
    print(EVERY_RUN)
    show([rolling_row(name, found, table.index) for name, found in trials.items()])
    print("of these, on the frontier of the whole table:")
    show([rolling_row(name, found, frontier(table).index) for name, found in trials.items()])
    print("fits with notes, by code:")
    for name, found in trials.items():
        warned = sum(bool(trial.codes) for trial in found.values())
        print(f"  {name}: {warned} of {len(found)}: {counted(list(found.values()))}")


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="N", help="the column of model size")
    parser.add_argument("--resamples", type=int, default=1000)
    arguments = parser.parse_args()
    table = js.datasets.load("stdlib_lm")
    if arguments.size != "N":
        table = table.assign(N=table[arguments.size].astype(float))
    print(header())
    print(f"size = {arguments.size}; {arguments.resamples} resamples per fit")
    scatter(held_out(table, arguments.resamples))
    rolling(table, arguments.resamples)


if __name__ == "__main__":
    main()
