"""Law: a pure function of inputs (columns) and parameters, and what a fit must know of it.

A law is one decorated function. Its positional arguments are inputs, its keyword-only
arguments are parameters, and the annotation of a parameter is its role.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, get_args

import numpy as np

from jscale._precision import float64_scope, to_numpy
from jscale.errors import LawError, listing, nearest
from jscale.model.roles import FRACTION, POSITIVE, REAL, ROLE_ALIASES, Role
from jscale.model.source import digest_of

_FORMS = {
    "powers": 'Declare A·N^(-alpha) as powers=(("A", "N", "alpha"),), A·N^alpha with +1 behind.',
    "inside": 'Declare (N_c/N)^alpha as inside=(("N_c", "N", "alpha"),).',
    "offset_powers": 'Declare b + a·N^alpha as offset_powers=(("b", "a", "N", "alpha"),).',
}


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
    b + a·x^alpha. ``axes`` says along which input a location lies. ``published`` holds
    verified constants by source, ``derived`` well-determined combinations as functions of the
    parameters and a compute C (written {C} in their names). Laws compare equal when their code
    and declarations do.
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

    @cached_property
    def digest(self) -> str:
        """A digest of code and declarations (16 hexadecimal digits)."""
        declared = (self.inputs, self.parameters, self.linear, self.powers, self.inside)
        declared += (self.offset_powers, sorted(self.axes.items()), self.output)
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

    def with_starts(self, start: Mapping[str, tuple[float, float]]) -> Law:
        """Return the law with other ranges for automatic starts, by parameter name."""
        for name in start:
            self.role(name)
        overrides = {"start": dict(start), "prior": {}}
        roles = tuple(_parameter(p.name, p.role, overrides) for p in self.parameters)
        return replace(self, parameters=roles)

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
            powers=tuple(replace(e, input=axis) for e in self.powers),
            inside=tuple((a, axis, p) for a, _, p in self.inside),
            offset_powers=tuple((b, a, axis, p) for b, a, _, p in self.offset_powers),
            axes=dict.fromkeys(self.axes, axis),
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
        outer = tuple(replace(p, name=renamed[p.name]) for p in link.parameters)
        inner_roles = tuple(replace(p, role=_unobserved(p.role)) for p in self.parameters)
        return replace(
            self,
            name=f"{self.name}.then({link.name})",
            function=composed,
            parameters=inner_roles + outer,
            output=link.output,
            formula=f"{link.formula} of {self.formula}",
            linear=tuple(renamed[n] for n in link.linear),
            published={},
        )


def _exact(name: str, value: Any) -> np.ndarray:
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise LawError(f"{name} must be a number or an array of them, not {value!r}.") from error


def _unobserved(role: Role) -> Role:
    """Return the role in a law whose own output is not observed: amplitudes start at order one."""
    starts = {"lowest": (0.3, 3.0), "typical": (0.3, 3.0), "log-typical": (-1.0, 1.0)}
    if role.unit not in starts:
        return role
    return replace(role, unit="plain", start=starts[role.unit])


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


def law(
    function: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    inputs: Sequence[str] | None = None,
    start: Mapping[str, tuple[float, float]] | None = None,
    prior: Mapping[str, tuple[str, float, float]] | None = None,
    powers: Sequence[tuple[Any, ...]] = (),
    linear: Sequence[str] = (),
    inside: Sequence[tuple[str, str, str]] = (),
    offset_powers: Sequence[tuple[str, str, str, str]] = (),
    **declared: Any,
) -> Any:
    """Make a :class:`Law` of a function, as a decorator with or without arguments.

    Positional arguments are inputs, keyword-only arguments are parameters annotated with a
    role. ``start`` and ``prior`` override a role's by parameter name. A factory may give
    ``inputs`` and ``parameters`` (name to role) for a function that takes ``**values``.

    Raises LawError for a parameter without a role or a declaration that names no parameter.

    >>> from jscale import law, Floor, Scale, Exponent, power
    >>> @law
    ... def mine(N, *, E: Floor, A: Scale, alpha: Exponent):
    ...     return E + A * power(N, -alpha)
    >>> mine
    Law(mine(N; E, A, alpha))
    """
    scope = sys._getframe(1).f_locals

    def make(target: Callable[..., Any]) -> Law:
        found_inputs, found = _signature(target, scope)
        roles = dict(parameters) if parameters is not None else found
        overrides = {key: dict(value or {}) for key, value in (("start", start), ("prior", prior))}
        made = Law(
            name=name or target.__name__,
            function=target,
            inputs=tuple(inputs) if inputs is not None else found_inputs,
            parameters=tuple(_parameter(n, r, overrides) for n, r in roles.items()),
            linear=tuple(linear),
            powers=tuple(Power(*entry) for entry in _entries("powers", powers, (3, 4))),
            inside=_entries("inside", inside, (3,)),
            offset_powers=_entries("offset_powers", offset_powers, (4,)),
            **declared,
        )
        _check_declarations(made, overrides)
        return made

    return make(function) if function is not None else make


def _entries(what: str, given: Any, lengths: tuple[int, ...]) -> tuple[Any, ...]:
    """Return declared terms as tuples; raises LawError for one of a wrong form."""
    for entry in given:
        if isinstance(entry, str) or len(entry) not in lengths:
            raise LawError(f"{what} has the entry {entry!r}. {_FORMS[what]}")
    return tuple(tuple(entry) for entry in given)


def _signature(target: Callable[..., Any], scope: Mapping[str, Any]) -> tuple[tuple[str, ...], Any]:
    inputs, roles = [], {}
    for parameter in inspect.signature(target).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY:
            roles[parameter.name] = _resolve(target, parameter, scope)
        elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            inputs.append(parameter.name)
    return tuple(inputs), roles


def _resolve(target: Any, parameter: inspect.Parameter, scope: Mapping[str, Any]) -> Any:
    """Return an annotation, evaluating its text where the module postponed annotations."""
    annotation = parameter.annotation
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, target.__globals__, {**ROLE_ALIASES, **scope})
    except (NameError, AttributeError) as error:
        role = annotation.rpartition(".")[2]
        raise LawError(
            f"{target.__name__}: the annotation {annotation!r} of {parameter.name!r} is not "
            f"known here ({error}).{nearest(role, ROLE_ALIASES)} Roles are "
            f"{listing(sorted(ROLE_ALIASES), 20)}: from jscale import Floor."
        ) from error


def _parameter(name: str, annotation: Any, overrides: Mapping[str, Mapping[str, Any]]) -> Parameter:
    found = [r for r in (annotation, *get_args(annotation)) if isinstance(r, Role)]
    if not found:
        raise LawError(
            f"The parameter {name!r} has no role. Annotate it with one of "
            f"{listing(sorted(ROLE_ALIASES), 20)}, such as {name}: Scale."
        )
    role = found[0]
    if name in overrides["start"]:
        unit = "range" if role.unit == "range" else "plain"
        role = replace(role, start=_start(name, role, overrides["start"][name]), unit=unit)
    if name in overrides["prior"]:
        role = replace(role, prior=tuple(overrides["prior"][name]))
    return Parameter(name, role)


def _start(name: str, role: Role, given: Any) -> tuple[float, float]:
    """Check a range for automatic starts against the role's support."""
    limits = {POSITIVE: (0.0, np.inf), FRACTION: (0.0, 1.0)}.get(role.support, (-np.inf, np.inf))
    try:
        low, high = (float(v) for v in given)
    except (TypeError, ValueError):
        low, high = np.nan, np.nan
    lowest, highest = (-np.inf, np.inf) if role.unit == "range" else limits
    if not (lowest < low <= high < highest):
        raise LawError(
            f"start[{name!r}] is {given!r}; it must be two numbers, low and high, "
            f'within ({lowest:g}, {highest:g}): start={{"{name}": (0.1, 0.9)}}.'
        )
    return low, high


def _check_declarations(made: Law, overrides: Mapping[str, Mapping[str, Any]]) -> None:
    if not made.inputs or not made.parameters:
        raise LawError(
            f"{made.name} has {len(made.inputs)} inputs and {len(made.parameters)} parameters. "
            "Write inputs as positional and parameters as keyword-only arguments: "
            "def mine(N, D, *, E: Floor, A: Scale)."
        )
    used = [*made.linear, *overrides["start"], *overrides["prior"], *made.axes]
    used += [n for constants in made.published.values() for n in constants]
    used += [n for entry in made.powers for n in (entry.amplitude, entry.exponent)]
    used += [n for a, _, p in made.inside for n in (a, p)]
    used += [n for b, a, _, p in made.offset_powers for n in (b, a, p)]
    for n in used:
        if n not in made.names:
            raise unknown_parameter(made, n)
    axes = [e.input for e in made.powers] + [x for _, x, _ in made.inside]
    axes += [x for _, _, x, _ in made.offset_powers] + list(made.axes.values())
    for x in axes:
        if x not in made.inputs:
            raise unknown_parameter(made, x)
    locations = [p.name for p in made.parameters if p.role.unit == "range"]
    unplaced = [n for n in locations if n not in made.axes]
    if unplaced and len(made.inputs) > 1:
        raise LawError(
            f"{made.name}: {listing(unplaced)} is a location, but along which of "
            f'{listing(made.inputs)}? Say axes={{"{unplaced[0]}": "{made.inputs[0]}"}}.'
        )
    _check_supports(made)


def _check_supports(made: Law) -> None:
    """Centring moves these parameters along their whole support, which must be the right one."""
    needed = [("inside", a, POSITIVE) for a, _, _ in made.inside]
    needed += [("offset_powers", n, REAL) for b, a, _, _ in made.offset_powers for n in (b, a)]
    for what, name, support in needed:
        role = made.role(name)
        if role.support != support:
            raise LawError(
                f"{made.name}: {what} takes {name} as a {support} number, but its role, "
                f"{role.name}, is {role.support}. Give it another role, or leave the entry out."
            )
