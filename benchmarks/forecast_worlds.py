"""Forecasts of simulated worlds: their width under the right law, and coverage under wrong ones.

Worlds of the law of Hoffmann et al. are forecast beside one who knows that law and the noise, and
estimates its parameters by maximum likelihood. Then worlds of laws that the forecast's cannot
represent, beside intervals within the law (refits of randomly weighted runs). Each is asked for
the curve and for a new run at 1, 10 and 100 times the largest compute.

    python -m benchmarks.forecast_worlds [--worlds 200] [--cache FILE]
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import jscale as js
from benchmarks.forecast_parts.priors import prior_without
from benchmarks.forecast_parts.world_sets import (
    SCALES,
    WorldSet,
    chinchilla_worlds,
    wrong_curves,
    wrong_surfaces,
)
from benchmarks.machine import header

LEVELS = (0.5, 0.8, 0.95)
_KINDS = {"confidence": "curve", "prediction": "new run"}
_NORMAL = {0.5: 1.349, 0.8: 2.563, 0.95: 3.920}
_RESAMPLES = 200
Way = Callable[[pd.DataFrame], Any]


def rows_of(worlds: WorldSet, ways: Mapping[str, Way]) -> pd.DataFrame:
    """Return a row per world, way, kind and scale: inside at each level, and the width of 95 %."""
    where, rows = worlds.points(), []
    rng = np.random.default_rng(1)
    for world, table in enumerate(worlds.runs()):
        curve = worlds.curve(world, where)
        truth = {"confidence": curve, "prediction": curve * np.exp(
            worlds.sd * rng.standard_normal(len(curve)))}  # fmt: skip
        known = worlds.oracle(world, where)
        best = {"confidence": known, "prediction": np.hypot(known, worlds.sd)}
        for name, way in ways.items():
            source = way(table)
            frames = {level: js.predict(source, where, level=level).frame for level in LEVELS}
            for kind, title in _KINDS.items():
                row = _inside(frames, kind, truth[kind])
                ratio = row["width"] / (_NORMAL[0.95] * best[kind])
                off = np.abs(np.log(frames[0.5]["curve"].to_numpy() / curve))
                part = pd.DataFrame({**row, "over oracle": ratio, "off": off})
                rows.append(part.assign(way=name, kind=title, scale=SCALES, world=world))
    return pd.concat(rows, ignore_index=True)


def _inside(
    frames: Mapping[float, pd.DataFrame], kind: str, truth: np.ndarray
) -> dict[str, np.ndarray]:
    found = {}
    for level, frame in frames.items():
        low, high = frame[f"{kind}_low"].to_numpy(), frame[f"{kind}_high"].to_numpy()
        found[f"in {100 * level:g}%"] = (low <= truth) & (truth <= high)
        found["width"] = np.log(high / low)
    return found


def shown(rows: pd.DataFrame, oracle: bool) -> pd.DataFrame:
    """Return coverage, median width and error of each way, kind and scale."""
    groups = rows.groupby(["way", "kind", "scale"], sort=False)
    inside = [f"in {100 * level:g}%" for level in LEVELS]
    table = groups[inside].mean()
    table["width %"] = 100 * groups["width"].median()
    if oracle:
        table["over oracle's"] = groups["over oracle"].median()
    table["error %"] = 100 * groups["off"].mean()
    return table


def auto(prior: Any) -> Way:
    """Return the default forecast under a prior."""
    return lambda table: js.forecast(table, prior=prior)


def named(law: str, prior: Any) -> Way:
    """Return the forecast of one law under a prior."""
    return lambda table: js.forecast(table, [law], prior=prior)


def within(law: str) -> Way:
    """Return draws of a law's parameters: intervals within the law."""
    return lambda table: js.bootstrap(js.fit(law, table), _RESAMPLES, kind="bayesian")


def right(worlds: int) -> None:
    """Print worlds of the right law."""
    for runs in (20, 60, 240):
        for sd in (0.005, 0.02):
            which = chinchilla_worlds(runs, sd, worlds)
            _print(which, {"forecast": auto("default")}, oracle=True)


def wrong(worlds: int, cache: Path | None) -> None:
    """Print worlds of wrong laws."""
    # Of Farseer's worlds nothing is known from Farseer's sweep.
    prior = "default" if cache is None else prior_without(cache, "farseer")
    for which in wrong_surfaces(60, 0.01, worlds):
        _print(which, {"forecast": auto(prior), "within chinchilla": within("chinchilla")})
    for which in wrong_curves(60, 0.01, worlds):
        ways = {
            "forecast": auto("default"),
            "forecast by power_const": named("power_const", "default"),
            "within power_const": within("power_const"),
        }
        _print(which, ways)


def _print(worlds: WorldSet, ways: Mapping[str, Way], *, oracle: bool = False) -> None:
    started = time.perf_counter()
    table = shown(rows_of(worlds, ways), oracle)
    print(f"\n{worlds.name} ({time.perf_counter() - started:.0f} s)")
    print(table.to_string(float_format=lambda v: f"{v:.3g}"), flush=True)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--cache", type=Path, help="answers that benchmarks.forecast_prior kept")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(header())
    print(
        f"{options.worlds} worlds each; one share of 95 % is known to "
        f"{100 * np.sqrt(0.95 * 0.05 / options.worlds):.1f} points"
    )
    print("\nTHE RIGHT LAW, beside one who knows it and the noise and estimates its parameters")
    right(options.worlds)
    print("\nWRONG LAWS, beside intervals within the law")
    wrong(options.worlds, options.cache)


if __name__ == "__main__":
    main()
