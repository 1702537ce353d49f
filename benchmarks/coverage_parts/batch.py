"""Methods that handle all worlds in one batch: refits as lanes, the normal approximation."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

import jscale as js
from benchmarks.coverage_parts.answers import WARNINGS, Answers, from_draws
from benchmarks.coverage_parts.sets import Worlds
from jscale._precision import float64_scope
from jscale.fitting.objective import as_objective
from jscale.fitting.row_sets import RowSets, Sampling, fit_sets
from jscale.fitting.settings import Settings
from jscale.fitting.solver.starts import given
from jscale.fitting.table import FitTable

METHODS = ("bayesian", "bootstrap", "laplace")


def answer(worlds: Worlds, method: str, draws: int) -> Answers:
    """Fit all worlds in one batch, and return the intervals of a method's draws."""
    scenario = worlds.scenario
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = fit_sets(
            js.laws.get(scenario.law),
            worlds.runs,
            RowSets(worlds.rows, list(range(worlds.count)), "world"),
            Settings(as_objective("huber"), seed=worlds.seed),
            sampling=Sampling(draws, method),
        )
        noises = _noises(worlds, table)
    assert table.draws is not None
    codes = table.summary["notes"].str.split(", ")
    warned = float(np.mean([bool(set(each) & WARNINGS) for each in codes]))
    return from_draws(scenario, table.draws, table.params.to_numpy(), noises, warned)


def _noises(worlds: Worlds, table: FitTable) -> list[js.NoiseModel]:
    """Return the noise model of each world, from the parts of a Fit that it reads.

    Fitting each world again would be slow.
    """
    whole, found = worlds.fit(0), []
    # A floor that was found to be zero may have been rounded to it, which no start can be.
    params = table.params.where(table.params != 0.0, np.finfo(float).tiny)
    for world, values in enumerate(params.to_dict("records")):
        own = replace(whole, runs=worlds.own(world))
        with float64_scope():
            theta = given(own.problem, [values])[0]
        there = replace(own, theta=theta)
        vars(there)["problem"] = own.problem  # cached: the same runs and law
        found.append(js.noise_model(there))
    return found
