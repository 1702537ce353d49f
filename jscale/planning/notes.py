"""Notes on plans: searches that did not settle, optima at a bound, budgets below the runs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from jscale.fitting.notes import Note
from jscale.planning.search import Optima, Planner

_FAR_BELOW = 10.0
# Share of draws at a bound above which there is a note.
_NOTABLE = 0.01


def notes_on_optima(planner: Planner, optima: Optima) -> Iterator[Note]:
    """Yield notes on optima (R, b), the estimate's first: unsettled, or at a bound."""
    loose = ~optima.settled
    if loose.any():
        of_estimate = bool(loose[0].any())
        yield Note(
            "search-unsettled",
            "warning" if of_estimate else "caution",
            f"In {int(loose.sum())} of {loose.size} draws and budgets the search did not converge"
            f"{', the estimate among them' if of_estimate else ''}.",
            "The law may be flat or undefined there; the intervals include these draws unchanged.",
            "Give bounds nearer to the runs.",
        )
    if planner.ratio is not None and planner.ratio[0] == planner.ratio[1]:
        return  # no input is free to choose
    at_bound = optima.bound[0] != 0
    if at_bound.any():
        yield _at_bound(planner, optima.bound[0])
    share = float((optima.bound[1:] != 0).mean()) if len(optima.bound) > 1 else 0.0
    if not at_bound.any() and share > _NOTABLE:
        yield Note(
            "draws-without-optimum",
            "caution",
            f"In {100 * share:.0f}% of draws and budgets the best choice lies at a bound.",
            "Intervals hold those bounds.",
            "Add runs that separate size from data, or give meaningful bounds.",
        )


def _at_bound(planner: Planner, sides: np.ndarray) -> Note:
    """Return the note on budgets whose best choice is at a bound; ``sides`` (b,) are −1, 0, 1."""
    at_bound = sides != 0
    largest = sides[at_bound][0] > 0
    name = planner.choice.variables[0]
    unbounded = planner.wide.all() and planner.ratio is None
    return Note(
        "no-interior-optimum",
        "warning",
        f"At {int(at_bound.sum())} of {len(sides)} budgets the best {name} is the "
        f"{'largest' if largest else 'smallest'} that the bounds allow.",
        f"Under the fitted law an ever {'larger' if largest else 'smaller'} {name} is better "
        "there; the bound, not the law, determines the answer.",
        "Give meaningful bounds, or use a law that has an optimum."
        if unbounded
        else "Where the bound is a real limit, such as the available data, this is the optimum "
        "within it; otherwise give others.",
    )


def notes_on_small(planner: Planner, budgets: np.ndarray) -> Iterator[Note]:
    """Yield a note on budgets (b,) far below the cost of the cheapest run."""
    small = budgets < planner.spent[0] / _FAR_BELOW
    if small.any():
        yield Note(
            "below-the-runs",
            "caution",
            f"{int(small.sum())} of {len(budgets)} budgets are more than {_FAR_BELOW:g} times "
            f"smaller than the cheapest run at this cost ({planner.spent[0]:.3g} "
            f"{planner.choice.cost.unit}).",
            "No runs so small were fitted, and such a budget may buy less than one parameter.",
            "Give budgets at least as large as those of the runs, in the unit of the cost.",
        )
