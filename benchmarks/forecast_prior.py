"""Learn the prior of forecasts from public sweeps and our own, and write it into the package.

Kernels, noises and priors of parameters are given below; their weights are those with which
forecasts of past sweeps' larger runs would have had the highest predictive log score, data sets
weighing alike. The coverage that forecasts of a data set have under a prior learnt without it is
written along, by band of distance: ExtrapolationWarning quotes it. The file holds our numbers
alone, no rows of others.

    python -m benchmarks.forecast_prior [--out jscale/discrepancy/prior.json]
"""

from __future__ import annotations

import argparse
import pickle
import time
import warnings
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.forecast_parts import corpus, scores
from benchmarks.machine import header
from jscale.discrepancy.families import ONE_AXIS, SURFACE
from jscale.discrepancy.kernels import Component
from jscale.discrepancy.prior import FamilyPrior, ForecastPrior, Variant
from jscale.fitting.provenance import provenance
from jscale.prediction.learn_prior import Answer, answers_of, digests, relearnt, without

OUT = Path(__file__).parents[1] / "jscale" / "discrepancy" / "prior.json"
LONG = ((1, 4.5, 0.1), (1, 6.0, 0.16), (1, 9.0, 0.32), (2, 6.0, 0.2), (2, 9.0, 0.4), (2, 14.0, 0.8))
SHORT = (None, (1, 2.0, 0.015), (0, 1.0, 0.006))
NOISES = (0.5, 0.7, 1.0, 1.4, 2.0)
# Means and standard deviations, ln of parameters relative to the lowest loss, at the centre.
TIGHT = {"E": (-0.5, 0.35), "A": (-1.7, 0.7), "alpha": (-1.16, 0.18), "B": (-1.4, 0.7),
         "beta": (-1.02, 0.2)}  # fmt: skip
BROAD = {"E": (-0.5, 0.7), "A": (-1.7, 1.2), "alpha": (-1.16, 0.5), "B": (-1.4, 1.2),
         "beta": (-1.02, 0.5)}  # fmt: skip
# Of one axis: whether amplitudes follow the reducible share, and the length; amplitudes; noises.
AXIS_TYPES = ((0, 0.5), (0, 1.5), (1, 1.0), (1, 2.5))
AXIS_AMPLITUDES = (1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.025, 0.05, 0.1)
AXIS_NOISES = (0.5, 0.8, 1.3, 2.0)
AXIS_PRIORS = {
    "tight": ((0.0, 0.3), (-0.3, 0.9), (-1.05, 0.45), (0.85, 0.35)),
    "broad": ((0.0, 0.5), (-1.0, 2.2), (-1.05, 0.8), (0.7, 0.8)),
    "saturated": ((0.0, 0.2), (-3.0, 1.5), (-1.05, 1.0), (0.7, 0.8)),
}
PLACES = (None, 0.15, 0.35, 0.55, 0.75, 0.95)
# Image tasks are what one axis is judged by most; the few other domains count a little less.
_SHARE_OF_OTHERS = 0.5


def blank(
    name: str, variants: tuple[Variant, ...], kernels: Sequence[Sequence[tuple[float, ...]]],
    noises: tuple[float, ...], centre: tuple[float, float], least: float,
) -> FamilyPrior:  # fmt: skip
    """Return a family's prior whose weights are to be learnt."""
    made = tuple(tuple(Component(*map(float, c)) for c in kernel) for kernel in kernels)
    sizes = (len(made), len(noises), len(variants))
    return FamilyPrior(
        name, variants, made, noises, *(np.zeros((size, 3)) for size in sizes),
        np.array([-0.58, 0.0]), centre, least,
    )  # fmt: skip


def templates() -> ForecastPrior:
    """Return the families before their weights are learnt."""
    kernels = [(a,) if b is None else (a, b) for a, b in product(LONG, SHORT)]
    surface = blank(
        SURFACE, (Variant("tight", TIGHT), Variant("broad", BROAD)), kernels, NOISES,
        (40.0, 0.006), 5e-4,
    )  # fmt: skip
    names = ("level", "share", "alpha", "kappa")
    variants = tuple(
        Variant(
            f"{name}, {'no break' if place is None else f'break at {place:g}'}",
            dict(zip(names, numbers, strict=True)), {"place": place},
        )
        for (name, numbers), place in product(AXIS_PRIORS.items(), PLACES)
    )  # fmt: skip
    axis = blank(
        ONE_AXIS, variants, [((*t, a),) for t, a in product(AXIS_TYPES, AXIS_AMPLITUDES)],
        AXIS_NOISES, (30.0, 0.008), 1e-4,
    )  # fmt: skip
    return ForecastPrior({SURFACE: surface, ONE_AXIS: axis}, {})


def collect(cache: Path | None) -> tuple[list[Answer], dict[str, str]]:
    """Ask all sweeps their questions, or read the answers of an earlier call."""
    if cache is not None and cache.exists():
        return pickle.loads(cache.read_bytes())
    sweeps = {**corpus.surfaces(), **corpus.curves()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = answers_of(sweeps, templates()), digests(sweeps)
    if cache is not None:
        cache.write_bytes(pickle.dumps(found))
    return found


def calibration(family: FamilyPrior, answers: Sequence[Answer]) -> pd.DataFrame:
    """Return rows of all answers, each data set under a prior learnt without it."""
    whole = relearnt(family, answers)
    parts = []
    for data_set in sorted({a.data_set for a in answers}):
        prior = relearnt(replace(whole), without(answers, data_set))
        for answer in answers:
            if answer.data_set == data_set:
                table = scores.rows(answer.mixture(prior), answer.measured, answer.distance)
                parts.append(
                    table.assign(
                        data_set=data_set, part=answer.part, question=answer.question.name,
                        kind=answer.question.kind, runs=answer.runs,
                    )
                )  # fmt: skip
    return scores.weighted(pd.concat(parts, ignore_index=True))


def bands(rows: pd.DataFrame) -> list[dict[str, float]]:
    """Return the coverage measured in each band of distance, for the file."""
    asked = rows[rows["kind"] == "beyond"]
    found = []
    for (low, high), name in zip(scores.BANDS, scores.NAMES, strict=True):
        part = asked[scores.band_of(asked["distance"]) == name]
        if len(part):
            shown = scores.measures(part)
            found.append(
                {"from": low, "to": high if np.isfinite(high) else None, "rows": len(part),
                 "data_sets": int(part["data_set"].nunique()),
                 **{str(level): round(shown[f"in {level}%"], 3) for level in scores.LEVELS}}
            )  # fmt: skip
    return found


def main() -> None:
    """Learn the prior and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--cache", type=Path, help="keep the answers here, or read them")
    options = parser.parse_args()
    print(header())
    started = time.perf_counter()
    answers, digest = collect(options.cache)
    seconds = time.perf_counter() - started
    print(f"{len(answers)} questions of {len(digest)} data sets, {seconds:.0f} s")
    families, measured = {}, {}
    for name, family in templates().families.items():
        asked = [a for a in answers if a.family == name]
        families[name] = relearnt(family, asked)
        rows = calibration(families[name], asked)
        measured[name] = bands(rows)
        scores.show(f"{name}, each data set under a prior learnt without it", scores.table_by(
            rows[rows["kind"] != "in range"], "kind"))  # fmt: skip
    learnt = {
        "data_sets": digest, "questions": len(answers), "versions": provenance(),
        "coverage": measured,
    }  # fmt: skip
    ForecastPrior(families, learnt).save(options.out)
    print(f"written: {options.out}; {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
