"""Members: a law with its priors in the solver's coordinates, for one table of runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from jscale.discrepancy.prior import FamilyPrior, Variant
from jscale.model.layout import Layout, Slot

Floor = Callable[[Mapping[str, Any]], Any]

# Prior means and standard deviations by role, for laws without a training corpus: in centred
# coordinates, with floors and amplitudes relative to the lowest output.
BY_ROLE: Mapping[str, tuple[float, float]] = {
    "floor": (-0.7, 0.9),
    "scale": (-1.5, 1.2),
    "log_scale": (-1.5, 1.5),
    "exponent": (-1.1, 0.6),
    "location": (0.0, 2.0),
    "slope": (0.0, 0.5),
    "positive": (0.0, 1.5),
    "real": (0.0, 2.0),
    "fraction": (0.0, 1.5),
}
_RELATIVE = ("floor", "scale", "log_scale")


@dataclass(frozen=True, eq=False)
class Member:
    """A law under P variants of its prior, for one table.

    ``mean`` and ``sd`` (P, p) are of the solver's coordinates, ``fixed`` holds an array (P,) for
    each fixed parameter, ``unit`` what each input is divided by before the law sees it.
    ``floor`` gives the irreducible output from the law's parameters, None where it has none.
    """

    name: str
    layout: Layout
    space: str
    prior: FamilyPrior
    mean: np.ndarray
    sd: np.ndarray
    fixed: Mapping[str, np.ndarray] = field(default_factory=dict)
    unit: Mapping[str, float] = field(default_factory=dict)
    floor: Floor | None = None

    @property
    def program_key(self) -> tuple[Any, ...]:
        """The key that members must share to be lanes of one program."""
        shape = (len(self.prior.kernels), len(self.prior.noises), *self.mean.shape)
        return (self.layout, self.space, self.floor, tuple(self.fixed), shape)


def part_of_member(member: Member, kernels: np.ndarray, variants: np.ndarray) -> Member:
    """Return a member under some of its prior's kernels and variants alone."""
    return replace(
        member,
        prior=member.prior.part(kernels, variants),
        mean=member.mean[variants],
        sd=member.sd[variants],
        fixed={name: values[variants] for name, values in member.fixed.items()},
    )


def make_member(
    name: str, layout: Layout, space: str, prior: FamilyPrior, level: float, **more: Any
) -> Member:
    """Return a member: every variant's means and standard deviations as coordinates.

    ``level`` is the output that floors and amplitudes are relative to: the lowest one fitted.
    A parameter that a variant does not name has the prior of its role.
    """
    rows = [_coordinates(layout, variant, space, level) for variant in prior.variants]
    mean, sd = np.stack([m for m, _ in rows]), np.stack([s for _, s in rows])
    more.setdefault("floor", single_floor(layout))
    return Member(name, layout, space, prior, mean, sd, **more)


def _coordinates(
    layout: Layout, variant: Variant, space: str, level: float
) -> tuple[np.ndarray, np.ndarray]:
    mean, sd = np.empty(layout.size), np.empty(layout.size)
    for slot in layout.slots:
        middle, width = variant.parameters.get(slot.name, BY_ROLE[slot.role.name])
        # Coordinates of relative parameters are logarithms, so a level is a shift.
        mean[slot.where], sd[slot.where] = middle + _shift(slot, level), width
    return mean, sd


def _shift(slot: Slot, level: float) -> float:
    return float(np.log(level)) if slot.role.name in _RELATIVE and level > 0 else 0.0


class _SingleFloor:
    """The floor of a law that has just one, as a hashable function of its parameters."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, values: Mapping[str, Any]) -> Any:
        return values[self.name]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _SingleFloor) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)


def single_floor(layout: Layout) -> Floor | None:
    """Return a function for a law's irreducible output, None unless it has exactly one floor."""
    floors = [p.name for p in layout.law.parameters if p.role.name == "floor"]
    return _SingleFloor(floors[0]) if len(floors) == 1 else None
