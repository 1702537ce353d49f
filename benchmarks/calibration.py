"""Simulation-based calibration (arXiv:1804.06788): are the posterior's draws those of its model?

    python -m benchmarks.calibration [simulations]

Parameters are drawn from the prior, runs from the parameters, a posterior from the runs. If the
sampler draws from the posterior, the rank of the true value among the draws is uniform for every
parameter. The table shows chi-square statistics over 20 bins of ranks, for the Chinchilla law
(method="auto": importance sampling where it is reliable, else NUTS) and for a pooled model (NUTS).
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

import jscale as js
from benchmarks.machine import header
from jscale._precision import float64_scope
from jscale.fitting.problem import Problem
from jscale.uncertainty.arviz import mixing
from jscale.uncertainty.bayes.density import (
    DensityInputs,
    centred,
    coordinates_of_many,
    curves_of_many,
    find_mode,
    given_arrays,
)
from jscale.uncertainty.bayes.importance import importance
from jscale.uncertainty.bayes.nuts import SamplerSettings, nuts
from jscale.uncertainty.bayes.pooling import pooled_problem
from jscale.uncertainty.bayes.priors import Priors, make_priors

DRAWS, BINS = 99, 20
PLAN = SamplerSettings(
    draws=250, warmup=500, chains=4, chain_method="vectorized", seed=0, progress=False
)
FAMILIES, RUNS = 6, 8


@dataclass(frozen=True, eq=False)
class Study:
    """A model whose runs are simulated repeatedly; ``names`` are the ranked quantities."""

    name: str
    problem: Problem
    made: Priors
    names: tuple[str, ...]

    @property
    def given(self) -> DensityInputs:
        """Return the arrays of the design, whose losses are replaced."""
        none = (np.zeros(self.problem.rows), np.zeros(self.problem.rows))
        return given_arrays(self.problem, none, 3.0, self.made.arrays)


def chinchilla() -> Study:
    N, D = np.meshgrid(np.geomspace(1e8, 1e10, 6), np.geomspace(2e9, 2e11, 7))
    truth = {"E": 1.69, "A": 406.4, "alpha": 0.34, "B": 410.7, "beta": 0.28}
    design = {"N": N.ravel(), "D": D.ravel()}
    fit = js.fit("chinchilla", js.simulate("chinchilla", truth, design, noise=0.01))
    made = make_priors(fit.problem.layout, "log", "student_t", None)
    return Study("chinchilla", fit.problem, made, made.spec.labels)


def pooled() -> Study:
    C = np.tile(np.geomspace(1e17, 1e22, RUNS), FAMILIES)
    truth = {"E": 1.7, "A": 900.0, "alpha": 0.15}
    table = js.simulate("power_const", truth, {"C": C}, noise=0.01).frame
    table["family"] = np.repeat([f"f{g}" for g in range(FAMILIES)], RUNS)
    fit = js.fit("power_const", table)
    problem = pooled_problem(fit, {"E": "family"})
    made = make_priors(problem.layout, "log", "normal", None, ("E",))
    return Study("power_const, E pooled over 6 families", problem, made, made.spec.labels)


def stated(study: Study, z: np.ndarray, given: DensityInputs) -> np.ndarray:
    """Return the ranked quantities: values of families, not their offsets."""
    z = z.copy()
    z[:, : study.problem.layout.size] = coordinates_of_many(study.made.spec, z, given)
    return z


def noise(study: Study, log_scale: float, rng: np.random.Generator, rows: int) -> np.ndarray:
    student = study.made.spec.likelihood == "student_t"
    unit = rng.standard_t(3.0, rows) if student else rng.standard_normal(rows)
    return np.exp(log_scale) * unit


def one(study: Study, seed: int) -> dict[str, Any]:
    """Draw parameters, runs and a posterior; return the ranks of the parameters among the draws."""
    spec, base = study.made.spec, study.given
    rng = np.random.default_rng(seed)
    truth = study.made.draw(study.problem, 1, seed)
    curve = curves_of_many(spec, truth, base)[0]
    target = curve + noise(study, truth[0, -1], rng, len(curve))
    given = base._replace(data=base.data._replace(target=target))
    mode = find_mode(spec, truth[0], given)
    many, passed, method = PLAN.draws * PLAN.chains, True, "importance"
    found = None if spec.pooled else importance(spec, given, mode, many, rng)
    if found is not None and found.reliable:
        draws, moved = found.resampled(many, rng), given
    else:
        moved, mode = centred(spec, given, mode) if spec.pooled else (given, mode)
        run = nuts(spec, moved, mode, replace(PLAN, seed=seed))
        rhat, ess = mixing(run.z)
        passed = run.divergences == 0 and np.nanmax(rhat) < 1.02 and np.nanmin(ess) > 100
        draws, method = run.z.reshape(-1, spec.size), "nuts"
    picked = draws[np.linspace(0, many - 1, DRAWS).astype(int)]
    ranks = np.sum(stated(study, picked, moved) < stated(study, truth, base), axis=0)
    return {"method": method, "passed": passed, **dict(zip(study.names, ranks, strict=True))}


def calibrate(study: Study, simulations: int, seed: int = 0) -> pd.DataFrame:
    """Return one row per simulation: the ranks (0 … 99) of each quantity."""
    with float64_scope():
        return pd.DataFrame([one(study, 10**6 * seed + s) for s in range(simulations)])


def chi_square(ranks: np.ndarray, bins: int = BINS) -> tuple[float, float]:
    """Return chi-square of ranks 0 … 99 over equal bins, and its p-value."""
    from scipy.stats import chisquare

    counts = np.bincount(np.asarray(ranks, dtype=int) * bins // (DRAWS + 1), minlength=bins)
    result = chisquare(counts)
    return float(result.statistic), float(result.pvalue)


def main() -> None:
    print(header())
    simulations = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    for make in (chinchilla, pooled):
        study, start = make(), time.perf_counter()
        table = calibrate(study, simulations)
        seconds = time.perf_counter() - start
        print(
            f"{study.name}: {simulations} simulations in {seconds:.0f} s; "
            f"{int((table['method'] == 'nuts').sum())} by NUTS; "
            f"{int((~table['passed']).sum())} failed their checks"
        )
        found = {name: chi_square(table[name].to_numpy()) for name in study.names}
        for name, (statistic, p) in found.items():
            print(
                f"  {name:14s} chi-square({BINS - 1}) {statistic:6.1f}   p {p:.3f}   "
                f"mean rank {table[name].mean() / DRAWS:.3f}"
            )
        least = min(p for _, p in found.values())
        print(f"  least p {least:.4f}, times {len(found)} quantities {least * len(found):.3f}")


if __name__ == "__main__":
    main()
