"""allocate: the inputs with the lowest predicted loss that a budget buys, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from jscale.arguments import check_level
from jscale.errors import PredictionError, listing
from jscale.fitting.result import Fit
from jscale.planning.notes import notes_on_optima, notes_on_small
from jscale.planning.plan import Plan
from jscale.planning.search import Optima, Planner
from jscale.planning.setup import planned, planner_of
from jscale.prediction.extrapolation import CHECK_FAR, extrapolation, warn_if_far
from jscale.prediction.predictor import Predictor, is_within_law
from jscale.prediction.sources import predictor_of, reference_of
from jscale.uncertainty.draws import Draws, tails

# Measured by benchmarks/plan_coverage.py.
_WITHIN = (
    "Intervals only cover uncertainty within the law: in simulated worlds of farseer fitted by "
    "chinchilla, 95% intervals covered the true optimum in 16% of cases at the largest compute "
    "and in 2% at ten times it."
)


def allocate(
    source: Draws | Fit | Predictor,
    C: Any,
    *,
    cost: Any = None,
    variables: Sequence[str] | None = None,
    bounds: Mapping[str, Any] | None = None,
    level: float = 0.9,
    method: str = "auto",
    discrepancy: bool = True,
    seed: int = 0,
    **others: Any,
) -> Plan:
    """Find the inputs with the lowest predicted loss that a budget buys.

    Minimises L(x; θ) over inputs x with cost(x) = C, on the logarithmic scale of x, for the
    estimate and again for each draw of θ, so that intervals are those of the best choice itself.

    Parameters
    ----------
    source : Draws, Fit or Predictor
        Draws of any law, a Fit (with the discrepancy of its law), or several laws, as of a
        :class:`~jscale.Forecast`: the estimate then minimises the weighted mean of the laws, and
        draws are pooled in proportion to their weights. A law whose output rises with its inputs
        (a score) is maximised.
    C : float or array_like of float, shape (b,)
        Budgets, in the unit of ``cost``.
    cost : Cost or callable, optional
        What inputs cost: one of ``js.costs`` (attention, embeddings, lifetime, dollars), or a
        function of inputs by name that rises in each. By default 6·N·D, in FLOPs.
    variables : sequence of str, optional
        The inputs to choose, two or more; by default those of the cost.
    bounds : mapping of str to tuple of float, optional
        Limits of chosen inputs, such as the data that there are, ``{"D": (1e6, 2e9)}``, or of
        tokens per parameter, ``{"D/N": 20}`` or ``{"D/N": (20, 200)}``. Without, a plan looks up
        to a hundred times past the inputs of the runs, and further in proportion to budgets beyond
        theirs.
    level : float, default 0.9
        The level of confidence intervals.
    method : str, default "auto"
        How the parameters of a Fit are drawn (see :func:`jscale.draws`); a method that is named
        gives intervals within the law.
    discrepancy : bool, default True
        Whether draws of a Fit include the chance that the truth departs from its law.
    seed : int, default 0
        The seed of those draws.
    **others : float or str
        The law's other inputs, and the group's label where parameters differ by group.

    Returns
    -------
    Plan
        The best inputs and the output at each budget, with their intervals and notes.

    Raises
    ------
    PredictionError
        For a cost that does not rise in each input within the bounds, budgets that are not
        positive or cannot be met within them, inputs that are missing, unknown, or given though
        they are chosen, or fewer than two variables.
    JscaleError
        For a level outside (0, 1).

    Warns
    -----
    ExtrapolationWarning
        Past ten times the largest compute fitted.

    Notes
    -----
    Where the optimum of a law lies at a bound, ``at_bound`` and a note say so; a law that prefers
    ever larger models has no optimum, and its bound is not an answer. Where an output has several
    valleys along one input, the lowest valley is taken, even if the law is lower still at a bound.

    The coverage of intervals within the law has been measured
    (benchmarks/results/plan_coverage.txt). In worlds made by the fitted law, that of N* and of the
    best loss was off by at most 8 percentage points, from the largest compute to 100 times it. In a
    world that bends otherwise (farseer, fitted by chinchilla) the planned N* was 3 to 16 times too
    large, and 95% intervals within the law covered the true one in at most one case of six.

    With the discrepancy (benchmarks/results/forecast_plans.txt), in worlds of three laws other than
    the one fitted, 95% intervals covered N* in each of 60 worlds at one, ten and a hundred times
    the largest compute, and the best loss in at least 97% of them; N* was 1.1 to 1.5 times too
    large in the median. They are wider than they need be: where the law is right, 80% intervals of
    N* covered it in 95% of worlds.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> plan = js.allocate(js.laplace(fit, 100), [1e11, 1e12])
    >>> plan.frame.columns.tolist()[:4]
    ['C', 'N', 'N_low', 'N_high']
    """
    check_level(level)
    reference = reference_of(source, caller="allocate")
    planner = planner_of(reference, cost, variables, bounds or {}, others)
    budgets = _budgets(C)
    predictor = predictor_of(source, method, seed, caller="allocate", discrepancy=discrepancy)
    planner, components, notes = planned(predictor, planner)
    optima = planner.optima_of(components, budgets)
    _check_reached(planner, optima.inputs[0], budgets)
    _check_ratio(planner, optima.inputs[0], budgets)
    frame = _frame(planner, optima, budgets, level)
    table = pd.DataFrame({name: frame[name] for name in planner.choice.variables})
    frame["extrapolation"] = extrapolation(reference, table.assign(**planner.others))
    warn_if_far(
        frame["extrapolation"],
        "budgets",
        "compute",
        _WITHIN if is_within_law(predictor) else CHECK_FAR,
    )
    return Plan(
        frame=frame,
        samples=optima.inputs[1:],
        outputs=optima.output[1:],
        output=reference.law.output,
        cost=planner.choice.cost,
        level=level,
        predictor=predictor,
        components=components,
        notes=(*notes, *notes_on_optima(planner, optima), *notes_on_small(planner, budgets)),
        planner=planner,
    )


def _budgets(C: Any) -> np.ndarray:
    """Return budgets as an array (b,); raises PredictionError unless they are usable."""
    try:
        budgets = np.atleast_1d(np.asarray(C, dtype=np.float64))
    except (TypeError, ValueError):
        budgets = np.full(1, np.nan)
    if budgets.ndim != 1 or not len(budgets) or not (np.isfinite(budgets) & (budgets > 0)).all():
        raise PredictionError(f"C={C!r} must be positive, finite budgets, such as [1e23, 1e24].")
    return budgets


def _check_reached(planner: Planner, best: np.ndarray, budgets: np.ndarray) -> None:
    """Raise PredictionError for budgets that no choice within the bounds can spend."""
    last, rest = planner.choice.variables[-1], best[:, -1]
    low, high = planner.ends_of_last(budgets)
    wrong = ~planner.attainable(best, budgets)
    if wrong.any():
        which = listing([f"{c:.4g}" for c in budgets[wrong]])
        raise PredictionError(
            f"A budget of {which} {planner.choice.cost.unit} is not met within the bounds: {last} "
            f"would have to be {listing([f'{x:.4g}' for x in rest[wrong]])}, outside "
            f"{low[wrong][0]:.4g} to {high[wrong][0]:.4g}. Give other budgets or bounds."
        )


def _check_ratio(planner: Planner, best: np.ndarray, budgets: np.ndarray) -> None:
    """Raise PredictionError where the limits of D/N cannot be kept within the others."""
    if planner.ratio is None:
        return
    D, N = (best[:, planner.choice.variables.index(x)] for x in ("D", "N"))
    wrong = (planner.ratio[0] * (1 - 1e-6) > D / N) | (planner.ratio[1] * (1 + 1e-6) < D / N)
    if wrong.any():
        raise PredictionError(
            f"A budget of {listing([f'{c:.4g}' for c in budgets[wrong]])} "
            f"{planner.choice.cost.unit} does not buy a D/N of {planner.ratio[0]:g} to "
            f"{planner.ratio[1]:g} within the bounds of N and D. Give other limits or bounds."
        )


def _frame(planner: Planner, optima: Optima, budgets: np.ndarray, level: float) -> pd.DataFrame:
    """Return the table of a plan, without the column ``extrapolation``."""
    columns: dict[str, Any] = {"C": budgets}
    for i, name in enumerate(planner.choice.variables):
        columns |= _with_interval(name, optima.inputs[..., i], level)
    if {"N", "D"} <= set(planner.choice.variables):
        D, N = (optima.inputs[..., planner.choice.variables.index(x)] for x in ("D", "N"))
        columns |= _with_interval("D/N", D / N, level)
    columns |= _with_interval(planner.fit.law.output, optima.output, level)
    columns["at_bound"] = (optima.bound != 0).mean(axis=0)
    return pd.DataFrame(columns)


def _with_interval(name: str, values: np.ndarray, level: float) -> dict[str, np.ndarray]:
    """Return the estimate, the first of values (1 + R, b), and the quantiles of the draws."""
    low, high = np.nanquantile(values[1:], tails(level), axis=0)
    return {name: values[0], f"{name}_low": low, f"{name}_high": high}
