"""Notes on plans: searches that did not settle, optima at a bound, budgets below the runs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from jscale.fitting.notes import Note
from jscale.planning.search import Optima, Planner

_FAR_BELOW = 10.0
# Share of draws at a bound from which a note says so.
_NOTABLE = 0.01


def notes_on_optima(planner: Planner, optima: Optima) -> Iterator[Note]:
    """Yield what to know of optima (R, b), the estimate's first: unsettled, or at a bound."""
    loose = ~optima.settled
    if loose.any():
        of_estimate = bool(loose[0].any())
        yield Note(
            "search-unsettled",
            "warning" if of_estimate else "caution",
            f"In {int(loose.sum())} of {loose.size} draws and budgets the search did not settle"
            f"{', the estimate among them' if of_estimate else ''}.",
            "The law may be flat or undefined there; such draws are in the intervals as they are.",
            "Give bounds nearer to the runs.",
        )
    if planner.ratio is not None and planner.ratio[0] == planner.ratio[1]:
        return  # nothing is chosen
    at_bound = optima.bound[0] != 0
    if at_bound.any():
        yield _at_bound(planner, optima.bound[0])
    share = float((optima.bound[1:] != 0).mean()) if len(optima.bound) > 1 else 0.0
    if not at_bound.any() and share > _NOTABLE:
        yield Note(
            "draws-without-optimum",
            "caution",
            f"In {100 * share:.0f} % of draws and budgets the best choice lies at a bound.",
            "Intervals hold those bounds.",
            "Add runs that tell size and data apart, or give bounds that mean something.",
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
        f"Under the fitted law ever {'larger' if largest else 'smaller'} {name} is better there; "
        "the bound is no answer of the law.",
        "Give bounds that mean something, or use a law that has an optimum."
        if unbounded
        else "Where the bound is a limit that you mean, such as the data that there are, this is "
        "the best within it; else give others.",
    )


def notes_on_small(planner: Planner, budgets: np.ndarray) -> Iterator[Note]:
    """Yield a note on budgets (b,) far below the cost of the cheapest run."""
    small = budgets < planner.spent[0] / _FAR_BELOW
    if small.any():
        yield Note(
            "below-the-runs",
            "caution",
            f"{int(small.sum())} of {len(budgets)} budgets are more than {_FAR_BELOW:g} times "
            f"smaller than what the cheapest run comes to at this cost ({planner.spent[0]:.3g} "
            f"{planner.choice.cost.unit}).",
            "The law was not seen at models so small, and may buy less than one parameter there.",
            "Give budgets like those of the runs or larger, in the unit of the cost.",
        )
