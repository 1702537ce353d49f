"""Law: a pure function of inputs (columns) and parameters, and what a fit must know of it.

A law is one decorated function. Its positional arguments are inputs, its keyword-only
arguments are parameters, and the annotation of a parameter is its role.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from jscale._precision import float64_scope, to_numpy
from jscale.errors import LawError, listing, nearest
from jscale.model.roles import Role, with_start
from jscale.model.source import digest_of

_ORDER_ONE = (0.3, 3.0)


@dataclass(frozen=True)
class Parameter:
    """A named parameter and its role."""

    name: str
    role: Role


@dataclass(frozen=True)
class Power:
    """A declared term: amplitude · input^(sign·exponent)."""

    amplitude: str
    input: str
    exponent: str
    sign: int = -1


@dataclass(frozen=True, eq=False)
class Law:
    """A scaling law.

    ``function`` takes one observation's inputs by position and parameters by keyword.
    ``linear`` names parameters in which the law is linear given the rest. ``powers``,
    ``inside`` and ``offset_powers`` declare where inputs are raised to powers, so that the
    solver can work in units of the data's geometric mean: A·x^(∓alpha), (A/x)^alpha, and
    b + a·x^alpha. ``axes`` says along which input a location lies.

    Where the law holds: ``positive`` inputs (beside those raised to powers), ``limits`` of inputs
    and output (closed), ``ordered`` pairs of inputs of which the first is at most the second, and
    ``simplex`` inputs that are shares of one whole: none negative, their sum 1. Its output falls
    in the inputs ``falling`` and rises in ``rising``. Inputs that are ``codes`` number something,
    such as a schedule, and measure nothing; they are whole. ``space`` is that of residuals where
    an objective is asked for by name: "log", "linear" or "logit".

    ``published`` holds verified constants by source, ``derived`` well-determined combinations as
    functions of the parameters and a compute C (written {C} in their names), ``quantities`` what
    follows from parameters in closed form, for :func:`jscale.derive`; ``inverse`` gives a law of
    one input that input from the output. Laws compare equal when their code and declarations do.
    """

    name: str
    function: Callable[..., Any]
    inputs: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    output: str = "loss"
    formula: str = ""
    reference: str = ""
    unit: str = ""
    linear: tuple[str, ...] = ()
    powers: tuple[Power, ...] = ()
    inside: tuple[tuple[str, str, str], ...] = ()
    offset_powers: tuple[tuple[str, str, str, str], ...] = ()
    axes: Mapping[str, str] = field(default_factory=dict)
    published: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    derived: Mapping[str, Callable[[Mapping[str, float], float], float]] = field(
        default_factory=dict
    )
    starts: int = 64
    space: str = "log"
    positive: tuple[str, ...] = ()
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    ordered: tuple[tuple[str, str], ...] = ()
    falling: tuple[str, ...] = ()
    rising: tuple[str, ...] = ()
    quantities: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    inverse: Callable[..., Any] | None = None
    codes: tuple[str, ...] = ()
    simplex: tuple[str, ...] = ()

    @cached_property
    def digest(self) -> str:
        """A digest of code and declarations (16 hexadecimal digits)."""
        declared = (self.inputs, self.parameters, self.linear, self.powers, self.inside)
        declared += (self.offset_powers, sorted(self.axes.items()), self.output, self.space)
        declared += (self.positive, sorted(self.limits.items()), self.ordered)
        declared += (self.simplex,) if self.simplex else ()
        text = digest_of(self.function) + repr(declared)
        return digest_of_text(text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Law) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Law({self.name}({', '.join(self.inputs)}; {', '.join(self.names)}))"

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters' names, in order."""
        return tuple(p.name for p in self.parameters)

    @property
    def positive_inputs(self) -> tuple[str, ...]:
        """The inputs that must be positive: those raised to a power, and others declared."""
        powered = {e.input for e in self.powers} | {x for _, x, _ in self.inside}
        powered |= {x for _, _, x, _ in self.offset_powers} | set(self.axes.values())
        powered |= set(self.positive)
        return tuple(x for x in self.inputs if x in powered)

    @property
    def doc(self) -> str:
        """The law's documentation."""
        return inspect.getdoc(self.function) or ""

    def role(self, name: str) -> Role:
        """Return the role of a parameter; raises LawError for an unknown name."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter.role
        raise unknown_parameter(self, name)

    def __call__(self, *inputs: Any, **values: Any) -> Any:
        """Evaluate the law at plain numbers or arrays (broadcast), in float64.

        Inputs by position or by name, parameters by keyword. Inside a JAX transformation its
        arrays are taken as they are. Raises LawError for missing, unknown or doubled names.
        """
        import jax

        named = self._named(inputs, values)
        traced = any(isinstance(v, jax.Array) for v in named.values())
        exact = {k: v if isinstance(v, jax.Array) else _exact(k, v) for k, v in named.items()}
        if traced:
            return self.evaluate(exact)
        with float64_scope():
            return to_numpy(self.evaluate(exact))[()]

    def _named(self, inputs: Sequence[Any], values: Mapping[str, Any]) -> dict[str, Any]:
        """Put positional inputs under their names and check that all names are there, once."""
        positional = dict(zip(self.inputs, inputs, strict=False))
        named = {**positional, **values}
        wanted = (*self.inputs, *self.names)
        for name in values:
            if name not in wanted:
                raise unknown_parameter(self, name)
        missing = [name for name in wanted if name not in named]
        twice = [name for name in values if name in positional]
        wrong = f"misses {listing(missing, 20)}" if missing else ""
        if len(inputs) > len(self.inputs):
            wrong = f"takes {len(self.inputs)} inputs by position, not {len(inputs)}"
        elif twice:
            wrong = f"got {listing(twice)} by position and by name"
        if wrong:
            call = f"{self.name}({', '.join(self.inputs)}, {'=…, '.join(self.names)}=…)"
            raise LawError(f"{self.name} {wrong}. Call it as {call}.")
        return named

    def evaluate(self, named: Mapping[str, Any]) -> Any:
        """Call the function with inputs and parameters by name, checking nothing (JAX-safe)."""
        inputs = [named[name] for name in self.inputs]
        return self.function(*inputs, **{name: named[name] for name in self.names})

    def invert(self, output: Any, **values: Any) -> Any:
        """Return the input at which a law of one input gives ``output``, in float64.

        NaN where no input gives it. Raises LawError for a law without a declared inverse.

        >>> import jscale as js
        >>> float(js.laws.get("power").invert(2.0, A=8.0, alpha=0.5))
        16.0
        """
        if self.inverse is None:
            raise LawError(
                f"{self.name} has no inverse in closed form. Laws of one input that fall or rise "
                "throughout have: jscale laws power_const."
            )
        for name in values:
            self.role(name)
        missing = [name for name in self.names if name not in values]
        if missing:
            raise LawError(f"{self.name}.invert misses {listing(missing, 20)}.")
        exact = {name: _exact(name, values[name]) for name in self.names}
        with float64_scope(), np.errstate(all="ignore"):
            return to_numpy(self.inverse(_exact("output", output), **exact))[()]

    def with_starts(self, start: Mapping[str, tuple[float, float]]) -> Law:
        """Return the law with other ranges for automatic starts, by parameter name."""
        for name in start:
            self.role(name)
        changed = {
            p.name: replace(p, role=with_start(p.name, p.role, start[p.name]))
            for p in self.parameters
            if p.name in start
        }
        return replace(self, parameters=tuple(changed.get(p.name, p) for p in self.parameters))

    def along(self, axis: str) -> Law:
        """Return a law of one input with that input renamed: ``power_const.along("N")``.

        Raises LawError if the law has more than one input.
        """
        if len(self.inputs) != 1:
            raise LawError(
                f"{self.name} has {len(self.inputs)} inputs: {listing(self.inputs)}. Only a law "
                "of one input can go along another: power_const:N."
            )
        return replace(
            self,
            name=f"{self.name}:{axis}",
            inputs=(axis,),
            formula=re.sub(rf"\b{self.inputs[0]}\b", axis, self.formula),
            powers=tuple(replace(e, input=axis) for e in self.powers),
            inside=tuple((a, axis, p) for a, _, p in self.inside),
            offset_powers=tuple((b, a, axis, p) for b, a, _, p in self.offset_powers),
            axes=dict.fromkeys(self.axes, axis),
            positive=(axis,) if self.positive else (),
            limits={axis if n == self.inputs[0] else n: v for n, v in self.limits.items()},
            falling=(axis,) if self.falling else (),
            rising=(axis,) if self.rising else (),
        )

    def then(self, link: Law) -> Law:
        """Return the law that feeds this one's output to ``link``, a law of one input.

        The composed law has the inputs of this law, the output of the link, and the
        parameters of both; a name used by both gets the link's name in front.

        >>> import jscale as js
        >>> js.laws.get("chinchilla").then(js.laws.get("sigmoid_link")).output
        'score'
        """
        if len(link.inputs) != 1:
            raise LawError(
                f"{link.name} has {len(link.inputs)} inputs ({listing(link.inputs)}); "
                "a link has exactly one, the output of the law before it."
            )
        renamed = {n: f"{link.name}_{n}" if n in self.names else n for n in link.names}
        taken = (*self.inputs, *self.names)

        def composed(*inputs: Any, **values: Any) -> Any:
            inner = self.function(*inputs, **{n: values[n] for n in self.names})
            return link.function(inner, **{n: values[renamed[n]] for n in link.names})

        clash = [new for new in renamed.values() if new in taken]
        if clash:
            raise LawError(
                f"{self.name} and {link.name} both use {listing(clash)}; "
                f"rename the parameters of {link.name}."
            )
        composed.__doc__ = f"{_first_line(link)}\n\nAfter {self.name}: {_first_line(self)}"
        outer = tuple(Parameter(renamed[p.name], _without_axis(p.role)) for p in link.parameters)
        inner_roles = tuple(replace(p, role=_unobserved(p.role)) for p in self.parameters)
        return replace(
            self,
            name=f"{self.name}.then({link.name})",
            function=composed,
            parameters=inner_roles + outer,
            output=link.output,
            formula=f"{link.formula} of {self.formula}",
            reference="; ".join(dict.fromkeys(filter(None, (self.reference, link.reference)))),
            unit=link.unit,
            linear=tuple(renamed[n] for n in link.linear),
            published={},
            space=link.space,
            limits=_limits_of_both(self, link),
            **_directions(self, link),
            quantities={},
            inverse=None,
        )


def _limits_of_both(inner: Law, link: Law) -> dict[str, tuple[float, float]]:
    """Return the limits of the inner law's inputs and of the link's output."""
    found = {n: v for n, v in inner.limits.items() if n != inner.output}
    return found | {n: v for n, v in link.limits.items() if n == link.output}


def _directions(inner: Law, link: Law) -> dict[str, tuple[str, ...]]:
    """Return in which inputs a law after another falls and rises."""
    if link.rising:
        return {"falling": inner.falling, "rising": inner.rising}
    if link.falling:
        return {"falling": inner.rising, "rising": inner.falling}
    return {"falling": (), "rising": ()}


def _exact(name: str, value: Any) -> np.ndarray:
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise LawError(f"{name} must be a number or an array of them, not {value!r}.") from error


def _unobserved(role: Role) -> Role:
    """Return the role in a law whose own output is not observed: amplitudes start at order one.

    A floor of that output is none of what is observed.
    """
    if role.name == "floor":
        role = replace(role, name="positive", meaning="irreducible loss of the inner law")
    starts = {"lowest": _ORDER_ONE, "typical": _ORDER_ONE, "log-typical": (-1.0, 1.0)}
    if role.unit not in starts:
        return role
    return replace(role, unit="plain", start=starts[role.unit])


def _without_axis(role: Role) -> Role:
    """Return the role in a link, whose input is no column: a location starts at order one."""
    if role.unit != "range":
        return role
    return replace(role, unit="plain", start=_ORDER_ONE, log=True)


def _first_line(law: Law) -> str:
    return law.doc.partition("\n")[0] or law.formula or law.name


def digest_of_text(text: str) -> str:
    """Return 16 hexadecimal digits of a text's SHA-256."""
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:16]


def unknown_parameter(law: Law, name: str) -> LawError:
    """Build the error for a name that the law does not have."""
    known = (*law.names, *law.inputs)
    hint = nearest(name, known)
    return LawError(
        f"{law.name} has no parameter or input {name!r}.{hint} Its parameters are "
        f"{listing(law.names, 20)}; its inputs are {listing(law.inputs, 20)}."
    )
