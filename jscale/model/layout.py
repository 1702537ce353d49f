"""The map between a law's parameters and the flat vector of coordinates that the solver moves.

Coordinates are unconstrained real numbers in *centred* units: with x0 the geometric mean of an
input, the coordinate of an amplitude declared as A·x^(−alpha) is log(A·x0^(−alpha)), the size of
its term at the centre of the data. Centring reduces the condition number about a thousandfold and
places starts where the data are. The map back to the law's own parameters is exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from jscale.errors import LawError, listing
from jscale.model.law import Law
from jscale.model.roles import FRACTION, POSITIVE, Role
from jscale.model.supports import to_line, to_support


@dataclass(frozen=True)
class Slot:
    """The place of a free parameter: ``size`` coordinates from ``first``, one per group label."""

    name: str
    role: Role
    first: int
    size: int
    group: str | None = None

    @property
    def where(self) -> int | slice:
        """The index of the coordinates: an integer for a scalar, a slice for one per group."""
        return self.first if self.group is None else slice(self.first, self.first + self.size)


@dataclass(frozen=True)
class Layout:
    """A law with the choice of which parameters are free, fixed, tied or per group.

    Layouts are hashable, so that compiled programs can be cached by them.

    Parameters
    ----------
    law : Law
        The law.
    fixed : tuple of str
        Parameters whose values are given.
    ties : tuple of (str, str)
        Pairs of a parameter and the one that it equals.
    per : tuple of (str, str)
        Pairs of a parameter and the column by whose labels it differs.
    groups : tuple of (str, tuple of str)
        Columns and their labels.
    """

    law: Law
    fixed: tuple[str, ...] = ()
    ties: tuple[tuple[str, str], ...] = ()
    per: tuple[tuple[str, str], ...] = ()
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @classmethod
    def make(
        cls,
        law: Law,
        *,
        fixed: Sequence[str] = (),
        tie: Sequence[Any] = (),
        per: Mapping[str, str] | None = None,
        groups: Mapping[str, Sequence[str]] | None = None,
    ) -> Layout:
        """Return the layout of a law with these choices; raise LawError if they do not suit it."""
        ties = _ties(tie)
        per = dict(per or {})
        for name in (*fixed, *(n for pair in ties for n in pair), *per):
            law.role(name)
        _check_chosen_once([*fixed, *(alias for alias, _ in ties), *per], ties)
        labels = tuple((c, tuple(map(str, v))) for c, v in (groups or {}).items())
        layout = cls(law, tuple(fixed), ties, tuple(per.items()), labels)
        if layout.size == 0:
            raise LawError(f"Every parameter of {law.name} is fixed: there is nothing to fit.")
        return layout

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """The places of the free parameters, in the law's order."""
        per, groups, aliases = dict(self.per), dict(self.groups), dict(self.ties)
        slots, first = [], 0
        for parameter in self.law.parameters:
            # Fixed and tied parameters have no coordinates.
            if parameter.name in self.fixed or parameter.name in aliases:
                continue
            group = per.get(parameter.name)
            size = len(groups[group]) if group else 1
            slots.append(Slot(parameter.name, parameter.role, first, size, group))
            first += size
        return tuple(slots)

    @property
    def size(self) -> int:
        """The number of free coordinates, p."""
        return sum(slot.size for slot in self.slots)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The name of each coordinate: ``alpha``, or ``E[family]`` for one per group."""
        groups = dict(self.groups)
        return tuple(
            f"{s.name}[{label}]" if s.group else s.name
            for s in self.slots
            for label in (groups[s.group] if s.group else ("",))
        )

    def slot(self, name: str) -> Slot | None:
        """Return the slot of a free parameter, or None if it is fixed or tied."""
        return next((s for s in self.slots if s.name == name), None)

    def axis(self, slot: Slot) -> int | None:
        """Return the index of the input along which a location lies, or None."""
        if slot.role.unit != "range":
            return None
        return self.law.inputs.index(self.law.axes.get(slot.name, self.law.inputs[0]))

    def column(self, name: str) -> str | None:
        """Return the column by which a parameter, or the one it is tied to, differs, or None."""
        return dict(self.per).get(dict(self.ties).get(name, name))

    def _shared(self, amplitude: str, exponent: str) -> bool:
        """Return whether centring is exact: not for one amplitude with an exponent per group."""
        return self.column(exponent) in (None, self.column(amplitude))

    @cached_property
    def _leaders(self) -> set[str]:
        """The parameters that others are tied to."""
        return {leader for _, leader in self.ties}

    def _movable(self, *names: str) -> bool:
        """Return whether parameters have coordinates of their own, which centring may redefine."""
        return all(self.slot(n) is not None and n not in self._leaders for n in names)

    @cached_property
    def shifts(self) -> list[tuple[str, str, int, int]]:
        """The powers that are centred, as (amplitude, exponent, index of the input, sign)."""
        return [
            (e.amplitude, e.exponent, self.law.inputs.index(e.input), e.sign)
            for e in self.law.powers
            if self._movable(e.amplitude) and self._shared(e.amplitude, e.exponent)
        ]

    @cached_property
    def insides(self) -> list[tuple[str, str, int]]:
        """The terms (A/x)^alpha that are centred, as (A, alpha, index of x)."""
        return [
            (a, p, self.law.inputs.index(x))
            for a, x, p in self.law.inside
            if self._movable(a) and self._shared(a, p)
        ]

    @cached_property
    def offsets(self) -> list[tuple[str, str, str, int]]:
        """The terms b + a·x^alpha that are centred, as (b, a, alpha, index of x)."""
        return [
            (b, a, p, self.law.inputs.index(x))
            for b, a, x, p in self.law.offset_powers
            if self._movable(b, a)
            and self._shared(a, p)
            and self._shared(b, p)
            and self._shared(b, a)
        ]

    def natural(self, theta: Any, fixed: Mapping[str, Any], centre: Any) -> dict[str, Any]:
        """Map coordinates to the law's parameters (JAX).

        Parameters
        ----------
        theta : array, shape (p,)
            Coordinates.
        fixed : mapping of str to array
            Values of the fixed parameters.
        centre : array, shape (inputs,)
            Logarithm of the geometric mean of each input.

        Returns
        -------
        dict of str to array
            Each parameter as a scalar, or as an array with one value per group label.

        Notes
        -----
        An offset power whose exponent is fixed at 0 is a constant and is not centred.
        """
        import jax.numpy as jnp

        inside = {a for a, _, _ in self.insides}
        values: dict[str, Any] = dict(fixed)
        for slot in self.slots:
            u = theta[slot.where]
            if slot.name not in inside:
                axis = self.axis(slot)
                u = to_support(u if axis is None else u + centre[axis], slot.role.support)
            values[slot.name] = u
        # Aliases before centring, which reads exponents, and these may be aliases.
        values.update({alias: values[leader] for alias, leader in self.ties})
        for amplitude, exponent, x, sign in self.shifts:
            factor = jnp.exp(-sign * values[exponent] * centre[x])
            values[amplitude] = values[amplitude] * factor
        for amplitude, exponent, x in self.insides:
            values[amplitude] = jnp.exp(centre[x] + values[amplitude] / values[exponent])
        for offset, slope, exponent, x in self.offsets:
            # The coordinates are the value of b + a·x^p at x0 and its slope in ln x there, which
            # the data determine whatever p is. A double where keeps p = 0 differentiable.
            flat = values[exponent] == 0
            rise = jnp.where(flat, 0.0, values[slope] / jnp.where(flat, 1.0, values[exponent]))
            centred = rise * jnp.exp(-values[exponent] * centre[x])
            values[slope] = jnp.where(flat, values[slope], centred)
            values[offset] = values[offset] - rise
        return values

    def coordinates(self, values: Mapping[str, Any], centre: np.ndarray) -> np.ndarray:
        """Map the law's parameters to coordinates; the inverse of :meth:`natural` (NumPy).

        Parameters
        ----------
        values : mapping of str to array_like
            Values of all parameters, free and fixed.
        centre : ndarray, shape (inputs,)
            Logarithm of the geometric mean of each input.

        Returns
        -------
        ndarray, shape (p,)
            Coordinates.

        Raises
        ------
        LawError
            If a parameter has no value, or a free one lies outside its support.
        """
        exact = {k: np.asarray(v, dtype=np.float64) for k, v in values.items()}
        missing = [n for n in (*(s.name for s in self.slots), *self.fixed) if n not in exact]
        if missing:
            raise LawError(
                f"A value for {listing(missing)} is missing; give {listing(self.law.names, 20)}."
            )
        for slot in self.slots:
            _check_value(slot, exact[slot.name])
        return self._to_line(exact, centre)

    def coordinates_of_many(
        self, values: Mapping[str, np.ndarray], centre: np.ndarray
    ) -> np.ndarray:
        """Map arrays (S,) of the law's parameters to coordinates (S, p), without checks."""
        exact = {k: np.asarray(v, dtype=np.float64)[:, None] for k, v in values.items()}
        return self._to_line(exact, centre)

    def _to_line(self, exact: dict[str, Any], centre: np.ndarray) -> np.ndarray:
        """Undo :meth:`natural` step by step, in the reverse order."""
        exact.update({alias: exact[leader] for alias, leader in self.ties if leader in exact})
        for offset, slope, exponent, x in self.offsets:
            flat = exact[exponent] == 0
            rise = np.where(flat, 0.0, exact[slope] * np.exp(exact[exponent] * centre[x]))
            exact[offset] = exact[offset] + rise
            exact[slope] = np.where(flat, exact[slope], rise * exact[exponent])
        for amplitude, exponent, x in self.insides:
            exact[amplitude] = exact[exponent] * (np.log(exact[amplitude]) - centre[x])
        for amplitude, exponent, x, sign in self.shifts:
            exact[amplitude] = exact[amplitude] * np.exp(sign * exact[exponent] * centre[x])
        inside = {a for a, _, _ in self.insides}
        lanes = np.broadcast_shapes(*(exact[s.name].shape[:-1] for s in self.slots))
        theta = np.empty((*lanes, self.size))
        for slot in self.slots:
            u = exact[slot.name]
            if slot.name not in inside:
                axis = self.axis(slot)
                u = to_line(u, slot.role.support) - (0.0 if axis is None else centre[axis])
            theta[..., slot.first : slot.first + slot.size] = u
        return theta

    def pick(self, values: Mapping[str, Any], codes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of one observation, given the codes of its groups (JAX)."""
        picked = dict(values)
        for name, value in values.items():
            column = self.column(name)
            if column is not None:
                picked[name] = value[codes[column]]
        return picked

    def unflatten(self, flat: Any) -> dict[str, Any]:
        """Return the values by name in an array (q,) of all the law's parameters, in order (JAX).

        A parameter that differs by group takes one number per label.
        """
        groups, values, first = dict(self.groups), {}, 0
        for name in self.law.names:
            column = self.column(name)
            size = len(groups[column]) if column else 1
            values[name] = flat[first : first + size] if column else flat[first]
            first += size
        return values

    @cached_property
    def linear(self) -> tuple[tuple[int, bool], ...]:
        """The coordinates of amplitudes that enter linearly, and whether each is a logarithm."""
        coordinates = []
        for name in self.law.linear:
            slot = self.slot(name)
            if slot is None or name in {a for a, _, _ in self.insides}:
                continue
            # The coordinate of a positive amplitude is its logarithm; a log_scale is one itself.
            logarithm = slot.role.support == POSITIVE or slot.role.name == "log_scale"
            coordinates += [(i, logarithm) for i in range(slot.first, slot.first + slot.size)]
        return tuple(coordinates)


def _check_value(slot: Slot, value: np.ndarray) -> None:
    """Raise LawError for a value of the wrong shape, or outside its parameter's support."""
    if value.shape not in ((), (slot.size,) if slot.group else ()):
        wanted = f"one number or {slot.size}, one per {slot.group}" if slot.group else "one number"
        raise LawError(f"{slot.name} has shape {value.shape}; give {wanted}.")
    valid, wanted = np.isfinite(value), "finite"
    if slot.role.support == POSITIVE:
        valid, wanted = valid & (value > 0), "positive"
    elif slot.role.support == FRACTION:
        valid, wanted = valid & (value > 0) & (value < 1), "between 0 and 1"
    if not valid.all():
        raise LawError(f"{slot.name} is {value}; its role, {slot.role.name}, must be {wanted}.")


def _check_chosen_once(chosen: Sequence[str], ties: tuple[tuple[str, str], ...]) -> None:
    """Raise LawError for a parameter that is chosen twice, or tied to one that is tied itself."""
    twice = sorted({n for n in chosen if chosen.count(n) > 1})
    if twice:
        raise LawError(
            f"{listing(twice)}: fixed, tied or per group more than once; choose one of them."
        )
    aliases = [alias for alias, _ in ties]
    chained = [leader for _, leader in ties if leader in aliases]
    if chained:
        raise LawError(
            f"tie: {listing(chained)} is tied twice; name all equal parameters together, "
            'tie=("alpha", "beta", "gamma").'
        )


def _ties(tie: Sequence[Any]) -> tuple[tuple[str, str], ...]:
    """Turn ("alpha", "beta") or [("alpha", "beta"), …] into ((alias, leader), …)."""
    groups = (
        [tuple(tie)] if tie and all(isinstance(t, str) for t in tie) else [tuple(t) for t in tie]
    )
    for group in groups:
        if len(group) < 2:
            raise LawError(f"tie={group} names one parameter; name two or more.")
    return tuple((alias, group[0]) for group in groups for alias in group[1:])
