"""allocate: the inputs with the lowest predicted loss that a budget buys, with intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from jscale._precision import float64_scope
from jscale.arguments import check_level
from jscale.errors import PredictionError, listing, nearest
from jscale.fitting.notes import Note
from jscale.fitting.points import Points, input_table
from jscale.fitting.result import Fit
from jscale.planning.costs import Cost, as_cost, check_rising
from jscale.planning.domain import domain_of, stand_ins
from jscale.planning.optimum import Choice
from jscale.planning.plan import Plan
from jscale.planning.search import Optima, Planner
from jscale.prediction.extrapolation import extrapolation, warn_if_far
from jscale.uncertainty.automatic import draws as make_draws
from jscale.uncertainty.draws import Draws, tails

# How far a plan looks beyond the inputs of the runs, at budgets like theirs.
_BEYOND = 100.0
_FAR_BELOW = 10.0
_RATIO = "D/N"
# Measured by benchmarks/plan_coverage.py.
_WITHIN = (
    "Intervals only cover uncertainty within the law: in simulated worlds of farseer fitted by "
    "chinchilla, 95 % intervals held the true optimum in 16 % of cases at the largest compute and "
    "in 2 % at ten times it."
)


def allocate(
    source: Draws | Fit,
    C: Any,
    *,
    cost: Any = None,
    variables: Sequence[str] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    level: float = 0.9,
    method: str = "auto",
    seed: int = 0,
    **others: Any,
) -> Plan:
    """Find the inputs with the lowest predicted loss that a budget buys.

    ``source`` is Draws or a Fit (drawn by ``method`` and ``seed``) of any law. ``C``: one or many
    budgets, in the unit of ``cost``: 6·N·D FLOPs by default, one of ``js.costs`` (attention,
    embeddings, lifetime, dollars), or a function of inputs by name that rises in each.
    ``variables`` are the inputs to choose (those of the cost by default); ``others`` gives the
    law's other inputs, and the group's label where parameters differ by group. ``bounds`` hold
    chosen inputs within limits, such as the data that there are: ``{"D": (1e6, 2e9)}``, or tokens
    per parameter: ``{"D/N": 20}``, ``{"D/N": (20, 200)}``. Without,
    a plan looks up to a hundred times past the inputs of the runs, and further in proportion to
    budgets beyond theirs.

    For every draw the optimum is found anew, on the logarithmic scale, so that intervals are of
    the best choice itself. Where a law's optimum lies at a bound, ``at_bound`` and a note say so;
    a law that prefers ever larger models has no optimum, and its bound is no answer.
    A law whose output rises with its inputs (a score) is maximised.

    Raises PredictionError for a cost that does not rise in each input within the bounds, budgets
    that are not positive or cannot be met within them, inputs that are missing, unknown or given
    though they are chosen, or fewer than two variables; warns with ExtrapolationWarning past ten
    times the largest compute fitted.

    Where an output has several valleys along one input, the lowest valley is taken, even if the
    law is lower still at a bound.

    How often these intervals hold the truth has been measured (benchmarks/results/
    plan_coverage.txt): in worlds that the law made, those of N* and of the best loss were off by
    at most 8 percentage points, from the largest compute to 100 times it. In a world that bends
    otherwise (farseer, fitted by chinchilla) the N* planned was 3 to 16 times too large, and
    95 % intervals held the true one in at most one case of six: compare laws before you plan.

    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> plan = js.allocate(js.laplace(fit, 100), [1e11, 1e12])
    >>> plan.frame.columns.tolist()[:4]
    ['C', 'N', 'N_low', 'N_high']
    """
    check_level(level)
    fit = source.fit if isinstance(source, Draws) else source
    if not isinstance(fit, Fit):
        raise PredictionError(f"allocate takes Draws or a Fit, not {type(source).__name__}.")
    planner = planner_of(fit, cost, variables, bounds or {}, others)
    budgets = _budgets(C)
    drawn = make_draws(source, method, seed=seed) if isinstance(source, Fit) else source
    samples = np.concatenate([fit.params.to_numpy()[None], drawn.flat])
    found = planner.optima(samples, budgets)
    _check_reached(planner, found.inputs[0], budgets)
    _check_ratio(planner, found.inputs[0], budgets)
    frame = _frame(planner, found, budgets, level)
    table = pd.DataFrame({name: frame[name] for name in planner.choice.variables})
    frame["extrapolation"] = extrapolation(fit, table.assign(**planner.others))
    warn_if_far(frame["extrapolation"], "budgets", "compute", _WITHIN)
    return Plan(
        frame, found.inputs[1:], found.output[1:], fit.law.output, planner.choice.cost, level,
        drawn, (*notes_on(planner, found), *_notes_on_small(planner, budgets)), planner,
    )  # fmt: skip


def planner_of(
    fit: Fit, priced: Any, variables: Sequence[str] | None, bounds: Mapping[str, Any],
    others: Mapping[str, Any],
) -> Planner:  # fmt: skip
    """Check what is to be chosen under a cost, and return what searches for it."""
    law, cost = fit.law, as_cost(priced)
    chosen = tuple(variables) if variables is not None else cost.inputs
    missing = [x for x in chosen if x not in law.inputs]
    if missing or len(chosen) < 2:
        hint = nearest(missing[0], law.inputs) if missing else ""
        raise PredictionError(
            f"allocate chooses at least two inputs of {law.name} ({listing(law.inputs, 12)}), not "
            f'{listing(chosen) or "none"}.{hint} Name them, variables=("N", "D"), and give a '
            "cost of them."
        )
    twice = [x for x in chosen if chosen.count(x) > 1 or x in others]
    if twice:
        raise PredictionError(
            f"{twice[0]} is chosen by the plan, and cannot be given or named again. Leave it out, "
            f"or hold it within bounds={{{twice[0]!r}: (low, high)}}; for what a certain size "
            f"costs see plan.excess({twice[0]}=…)."
        )
    if not isinstance(bounds, Mapping):
        raise PredictionError(f"bounds={bounds!r} must be a mapping: {{'D': (1e9, 2e12)}}.")
    if len(chosen) > 2 and chosen[-1] in bounds:
        raise PredictionError(
            f"Of three inputs or more the last, {chosen[-1]}, follows from the others and cannot "
            f"be held within bounds; name it first: variables={(chosen[-1], *chosen[:-1])!r}."
        )
    unpriced = [x for x in chosen if x not in cost.inputs]
    if unpriced:
        raise PredictionError(
            f"{cost!r} does not depend on {listing(unpriced)}, so that there can be any amount of "
            f"it. Give it a value, {unpriced[0]}=…, or another cost."
        )
    table = input_table(fit, {**stand_ins(fit, chosen), **others}, {})
    row = Points.in_table(fit, table)
    fixed = {x: float(v[0]) for x, v in zip(law.inputs, row.inputs, strict=True) if x not in chosen}
    unknown = [x for x in cost.inputs if x not in chosen and x not in fixed]
    if unknown:
        raise PredictionError(f"{cost!r} needs {listing(unknown)}, which {law.name} does not have.")
    limits = np.array([_limits(fit, x, bounds) for x in chosen])
    ratio = _ratio(bounds, chosen)
    wrong = [x for x in bounds if x not in (*chosen, _RATIO)]
    if wrong:
        raise PredictionError(f"bounds name {listing(wrong)}, but chosen are {listing(chosen)}.")
    check_rising(cost, dict(zip(chosen, limits, strict=True)), fixed)
    falling = not set(chosen) & set(law.rising)
    choice = Choice(fit.problem.layout, chosen, cost, falling)
    codes = {name: int(code[0]) for name, code in row.codes.items()}
    wide = np.array([float(x not in bounds) for x in chosen])
    hard = np.array([domain_of(law, x, fixed) for x in chosen])
    return Planner(fit, choice, limits, wide, hard, _spent(fit, cost, fixed), fixed, codes, ratio)


def _ratio(bounds: Mapping[str, Any], chosen: tuple[str, ...]) -> tuple[float, float] | None:
    """Return the limits of D/N, or the one number that it is held at, twice; None without."""
    if _RATIO not in bounds:
        return None
    try:
        low, high = (float(x) for x in np.broadcast_to(bounds[_RATIO], 2))
    except (TypeError, ValueError):
        low, high = np.nan, np.nan
    if set(chosen) != {"N", "D"} or not 0 < low <= high < np.inf:
        raise PredictionError(
            f"bounds['D/N']={bounds[_RATIO]!r} must be a positive number, or two, low and high, in "
            "a plan of N and D."
        )
    return low, high


def _limits(fit: Fit, name: str, bounds: Mapping[str, Any]) -> tuple[float, float]:
    seen = fit.runs[name]
    low, high = seen.min() / _BEYOND, seen.max() * _BEYOND
    if name in bounds:
        try:
            low, high = (float(x) for x in bounds[name])
        except (TypeError, ValueError):
            low, high = np.nan, np.nan
    if not 0 < low < high < np.inf:
        raise PredictionError(
            f"bounds[{name!r}]={bounds.get(name)!r} must be two positive numbers, low and high."
        )
    return float(low), float(high)


def _spent(fit: Fit, cost: Cost, fixed: Mapping[str, float]) -> tuple[float, float]:
    """Return what the cheapest and the dearest of the fitted runs cost."""
    known = {x: fixed[x] if x in fixed else fit.runs[x] for x in cost.inputs}
    with float64_scope():
        spent = np.broadcast_to(np.asarray(cost(**known), dtype=np.float64), len(fit.runs))
    return float(spent.min()), float(spent.max())


def _notes_on_small(planner: Planner, budgets: np.ndarray) -> Iterator[Note]:
    small = budgets < planner.spent[0] / _FAR_BELOW
    if small.any():
        yield Note(
            "below-the-runs", "caution",
            f"{int(small.sum())} of {len(budgets)} budgets are more than {_FAR_BELOW:g} times "
            f"smaller than what the cheapest run comes to at this cost ({planner.spent[0]:.3g} "
            f"{planner.choice.cost.unit}).",
            "The law was not seen at models so small, and may buy less than one parameter there.",
            "Give budgets like those of the runs or larger, in the unit of the cost.",
        )  # fmt: skip


def _budgets(C: Any) -> np.ndarray:
    try:
        budgets = np.atleast_1d(np.asarray(C, dtype=np.float64))
    except (TypeError, ValueError):
        budgets = np.full(1, np.nan)
    if budgets.ndim != 1 or not len(budgets) or not (np.isfinite(budgets) & (budgets > 0)).all():
        raise PredictionError(f"C={C!r} must be positive, finite budgets, such as [1e23, 1e24].")
    return budgets


def _check_reached(planner: Planner, best: np.ndarray, budgets: np.ndarray) -> None:
    """Raise PredictionError for budgets that no choice within the bounds costs."""
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


def _frame(planner: Planner, found: Optima, budgets: np.ndarray, level: float) -> pd.DataFrame:
    columns: dict[str, Any] = {"C": budgets}
    for i, name in enumerate(planner.choice.variables):
        columns |= _with_interval(name, found.inputs[..., i], level)
    if {"N", "D"} <= set(planner.choice.variables):
        sizes = [found.inputs[..., planner.choice.variables.index(x)] for x in ("D", "N")]
        columns |= _with_interval("D/N", sizes[0] / sizes[1], level)
    columns |= _with_interval(planner.fit.law.output, found.output, level)
    columns["at_bound"] = (found.bound != 0).mean(axis=0)
    return pd.DataFrame(columns)


def _with_interval(name: str, values: np.ndarray, level: float) -> dict[str, np.ndarray]:
    low, high = np.nanquantile(values[1:], tails(level), axis=0)
    return {name: values[0], f"{name}_low": low, f"{name}_high": high}


def notes_on(planner: Planner, found: Optima) -> Iterator[Note]:
    """Yield what to know of optima (R, b), the estimate's first: unsettled, or at a bound."""
    loose = ~found.settled
    if loose.any():
        yield Note(
            "search-unsettled", "warning" if loose[0].any() else "caution",
            f"In {int(loose.sum())} of {loose.size} draws and budgets the search did not settle"
            f"{', the estimate among them' if loose[0].any() else ''}.",
            "The law may be flat or undefined there; such draws are in the intervals as they are.",
            "Give bounds nearer to the runs.",
        )  # fmt: skip
    if planner.ratio is not None and planner.ratio[0] == planner.ratio[1]:
        return  # nothing is chosen
    at = found.bound[0] != 0
    if at.any():
        side = "largest" if found.bound[0][at][0] > 0 else "smallest"
        name = planner.choice.variables[0]
        yield Note(
            "no-interior-optimum", "warning",
            f"At {int(at.sum())} of {len(at)} budgets the best {name} is the {side} that the "
            "bounds allow.",
            f"Under the fitted law ever {'larger' if side == 'largest' else 'smaller'} {name} is "
            "better there; the bound is no answer of the law.",
            "Give bounds that mean something, or use a law that has an optimum."
            if planner.wide.all() and planner.ratio is None else
            "Where the bound is a limit that you mean, such as the data that there are, this is "
            "the best within it; else give others.",
        )  # fmt: skip
    share = float((found.bound[1:] != 0).mean()) if len(found.bound) > 1 else 0.0
    if not at.any() and share > 0.01:
        yield Note(
            "draws-without-optimum", "caution",
            f"In {100 * share:.0f} % of draws and budgets the best choice lies at a bound.",
            "Intervals hold those bounds.",
            "Add runs that tell size and data apart, or give bounds that mean something.",
        )  # fmt: skip
