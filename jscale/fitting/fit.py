"""fit: from a law and a table to a Fit. The host side: checks, solving, diagnostics, warnings."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from jscale import laws
from jscale._precision import float64_scope
from jscale.data.doubts import Doubt
from jscale.data.runs import Runs
from jscale.errors import FitWarning, JscaleError, outside
from jscale.fitting import notes as judge
from jscale.fitting.build import as_runs, build
from jscale.fitting.diagnostics import (
    Optimum,
    covariance,
    directions,
    flat_names,
    linearise,
    moves_without_outliers,
    of_parameters,
    pattern_in_residuals,
    rounding_floor,
)
from jscale.fitting.objective import Objective, as_objective
from jscale.fitting.other_optima import notes_on_ties
from jscale.fitting.problem import Problem
from jscale.fitting.provenance import provenance
from jscale.fitting.result import Fit
from jscale.fitting.settings import Settings
from jscale.fitting.solver import starts as starting
from jscale.fitting.solver.gauss_newton import Lanes, Status
from jscale.fitting.solver.scale import search_with_scale
from jscale.fitting.solver.search import search
from jscale.model.law import Law


def fit(
    law: Law | str,
    data: Runs | pd.DataFrame,
    *,
    objective: Objective | str = "huber",
    weights: Any = None,
    fixed: Mapping[str, float] | None = None,
    tie: Sequence[Any] = (),
    per: Mapping[str, str] | None = None,
    starts: Any = "auto",
    start: Mapping[str, tuple[float, float]] | None = None,
    solver: str = "gauss_newton",
    devices: Any = None,
    seed: int = 0,
    progress: bool = False,
    **columns: Any,
) -> Fit:
    """Fit a law to runs by multi-start robust regression, with standard errors and notes.

    Parameters
    ----------
    law : Law or str
        The law, or its name.
    data : Runs or DataFrame
        The runs; a DataFrame has columns named as in :meth:`Runs.from_frame` (``N="params"``).
    objective : Objective or str
        What is minimised: a sum over rows, by default Huber's loss with delta 1e-3 of log residuals
        (arXiv:2203.15556). A name ("huber") leaves the space of the residuals to the law, which is
        log for nearly all laws.
    weights : array_like, shape (rows,), optional
        Factors of the rows' terms.
    fixed : mapping of str to float, optional
        Parameters that are held fixed: ``{"E": 1.69}``.
    tie : sequence of str
        Parameters that are equal: ``("alpha", "beta")``.
    per : mapping of str to str, optional
        Parameters that differ by the labels of a column: ``{"E": "family"}``.
    starts : "auto", int, "hoffmann", or parameter values
        Where the search starts: "hoffmann" is the grid of 4500 starts of arXiv:2203.15556; values
        are
        mappings or a DataFrame.
    start : mapping of str to (float, float), optional
        Ranges of automatic starts by parameter, in place of those of the law.
    solver : {"gauss_newton", "lbfgs"}
        "lbfgs" serves more than 24 parameters.
    devices : "all" or sequence of jax.Device, optional
        The devices that share the starts; None is the default device. Accelerators search in
        float32
        and polish in float64. The search is the same wherever it runs, up to rounding.
    seed : int
        The seed of automatic starts.
    progress : bool
        Whether to show progress.
    **columns
        Names of columns, as for :meth:`jscale.Runs.from_frame`.

    Returns
    -------
    Fit
        Estimates, standard errors, residuals and notes.

    Raises
    ------
    DataError
        For runs that the law cannot be fitted to.
    LawError
        For a law, or choices, that are not usable.
    FitError
        If no start leads anywhere.

    Warns
    -----
    FitWarning
        If the fit should not be trusted (see ``fit.notes``).

    References
    ----------
    Hoffmann et al., arXiv:2203.15556.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> small = table[table["split"] == "fit"]
    >>> js.fit("chinchilla", small).params.index.tolist()
    ['E', 'A', 'alpha', 'B', 'beta']
    """
    law = laws.get(law)
    law = law.with_starts(start) if start else law
    runs = as_runs(law, data, columns)
    settings = Settings(
        objective=as_objective(objective, law.space),
        fixed={} if fixed is None else fixed,
        tie=tie,
        per={} if per is None else per,
        weights=weights,
        starts=starts,
        seed=seed,
        solver=solver,
    )
    places = chosen_devices(devices)
    if places and solver == "lbfgs":
        raise JscaleError('devices= is for the default solver; leave it out with solver="lbfgs".')
    with float64_scope():
        problem, doubts = build(law, runs, settings)
        theta = starting.make(problem, settings.starts, settings.seed)

        def searched(problem: Problem) -> Lanes:
            return search(problem, theta, progress=progress, solver=solver, devices=places)

        if settings.objective.auto:
            problem, lanes = search_with_scale(problem, searched)
            settings = replace(settings, scale=problem.objective.width)
        else:
            lanes = searched(problem)
        result = _result(law, runs, settings, problem, lanes, doubts)
    _warn(result)
    return result


def chosen_devices(devices: Any) -> list[Any] | None:
    """Return the devices to run on: None for the default one, "all", or a list of them."""
    import jax

    if devices is None:
        return None
    if isinstance(devices, str) and devices == "all":
        return list(jax.devices())
    given = list(devices) if isinstance(devices, (list, tuple)) else [devices]
    if not given or not all(isinstance(d, jax.Device) for d in given):
        raise JscaleError(f'devices={devices!r} must be None, "all", or a list of jax.devices().')
    return given


def _result(
    law: Law,
    runs: Runs,
    settings: Settings,
    problem: Problem,
    lanes: Lanes,
    doubts: tuple[Doubt, ...],
) -> Fit:
    optimum = linearise(problem, lanes.theta[lanes.best])
    theta_covariance = covariance(problem, optimum)
    errors = np.sqrt(np.diag(theta_covariance))
    conditioning = directions(problem, optimum)
    moves, rows = moves_without_outliers(problem, optimum)
    observed = runs[law.output]
    rounding = rounding_floor(problem)
    exact = lanes.objective[lanes.best] <= rounding
    notes = [
        *judge.notes_on_search(lanes, rounding),
        *(known := list(judge.notes_on_optimum(problem, optimum, errors, conditioning))),
        *([] if exact or _unidentified(known) else notes_on_ties(problem, lanes, optimum, errors)),
        *judge.notes_on_terms(problem, starting.shares_of_terms(problem, optimum.theta)),
        *judge.notes_on_floor(problem, optimum, observed),
        *([] if exact else judge.notes_on_outliers(problem, moves, rows, runs.frame.index)),
        *judge.notes_on_pattern(*pattern_in_residuals(problem, optimum)),
        *judge.notes_on_data(problem, (*runs.doubts, *doubts)),
    ]
    names = pd.Index(flat_names(problem.layout), name="parameter")
    natural = of_parameters(theta_covariance, optimum.slope)
    return Fit(
        law=law,
        runs=runs,
        settings=settings,
        params=pd.Series(optimum.natural, names, name="estimate"),
        stderr=pd.Series(np.sqrt(np.maximum(np.diag(natural), 0.0)), names, name="error"),
        covariance=pd.DataFrame(natural, names, names),
        derived=_derived(law, runs, optimum, natural, problem),
        objective=problem.objective.value(optimum.residual, problem.weights[: problem.n]),
        fitted=optimum.predicted,
        residuals=optimum.residual,
        theta=optimum.theta,
        theta_covariance=theta_covariance,
        agree=judge.agreement(lanes, rounding),
        search=_search_table(lanes),
        condition=conditioning.condition,
        notes=tuple(sorted(notes, key=lambda n: -judge.SEVERITIES.index(n.severity))),
        provenance=provenance(),
    )


def _unidentified(notes: list[judge.Note]) -> bool:
    return any(note.code == "unidentified" for note in notes)


def _search_table(lanes: Lanes) -> pd.DataFrame:
    names = [Status(int(s)).name.lower() for s in lanes.status]
    return pd.DataFrame({"objective": lanes.objective, "status": names, "steps": lanes.steps})


def _derived(
    law: Law, runs: Runs, optimum: Optimum, natural: np.ndarray, problem: Problem
) -> pd.DataFrame:
    """The law's well-determined combinations with delta-method errors."""
    if problem.layout.per or not law.derived or "C" not in runs.inputs:
        return pd.DataFrame(columns=["estimate", "error"])
    largest = float(runs["C"].max())
    rows = {}
    for name, function in law.derived.items():
        label = name.replace("{C}", f"{largest:.3g}")

        def at(values: np.ndarray, function: Any = function) -> float:
            return float(function(dict(zip(law.names, values, strict=True)), largest))

        slope = _numeric_gradient(at, optimum.natural)
        error = np.sqrt(max(slope @ natural @ slope, 0.0)) if np.isfinite(natural).all() else np.inf
        rows[label] = (at(optimum.natural), float(error))
    return pd.DataFrame.from_dict(rows, orient="index", columns=["estimate", "error"])


def _numeric_gradient(function: Callable[[np.ndarray], float], at: np.ndarray) -> np.ndarray:
    """Central differences, each step 1e-6 of its number."""
    slope = np.zeros_like(at)
    for i, value in enumerate(at):
        step = 1e-6 * max(abs(value), 1e-12)
        up, down = at.copy(), at.copy()
        up[i], down[i] = value + step, value - step
        slope[i] = (function(up) - function(down)) / (2 * step)
    return slope


def _warn(result: Fit) -> None:
    for note in result.notes:
        if note.severity == "warning":
            warnings.warn(str(note), FitWarning, stacklevel=outside())
