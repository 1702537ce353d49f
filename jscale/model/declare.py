"""law: the decorator that makes a Law of a function, and what it checks."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from jscale.arguments import check_choice
from jscale.errors import LawError, listing, nearest
from jscale.model.law import Law, Parameter, Power, unknown_parameter
from jscale.model.roles import POSITIVE, REAL, ROLE_ALIASES, Role, with_start
from jscale.model.supports import SPACES

_FORMS = {
    "powers": 'Declare A·N^(-alpha) as powers=(("A", "N", "alpha"),), A·N^alpha with +1 behind.',
    "inside": 'Declare (N_c/N)^alpha as inside=(("N_c", "N", "alpha"),).',
    "offset_powers": 'Declare b + a·N^alpha as offset_powers=(("b", "a", "N", "alpha"),).',
}


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
        role = with_start(name, role, overrides["start"][name])
    if name in overrides["prior"]:
        role = replace(role, prior=tuple(overrides["prior"][name]))
    return Parameter(name, role)


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
    axes += [*made.positive, *made.falling, *made.rising, *made.codes, *made.simplex]
    axes += [x for pair in made.ordered for x in pair]
    axes += [x for x in made.limits if x != made.output]
    for x in axes:
        if x not in made.inputs:
            raise unknown_parameter(made, x)
    check_choice(f"{made.name}: space", made.space, SPACES, error=LawError)
    locations = [p.name for p in made.parameters if p.role.unit == "range"]
    unplaced = [n for n in locations if n not in made.axes]
    if unplaced and len(made.inputs) > 1:
        raise LawError(
            f"{made.name}: {listing(unplaced)} is a location, but along which of "
            f'{listing(made.inputs)}? Say axes={{"{unplaced[0]}": "{made.inputs[0]}"}}.'
        )
    _check_simplex(made)
    _check_supports(made)


def _check_simplex(made: Law) -> None:
    """A share cannot move alone, so the output neither falls nor rises in one by itself."""
    if len(set(made.simplex)) != len(made.simplex) or len(made.simplex) == 1:
        raise LawError(
            f"{made.name}: simplex={made.simplex!r} must name two or more different inputs that "
            'add up to 1, such as simplex=("r_web", "r_code").'
        )
    alone = [x for x in (*made.falling, *made.rising) if x in made.simplex]
    if alone:
        raise LawError(
            f"{made.name}: {listing(alone)} is a share of a whole and cannot change alone; leave "
            "it out of falling= and rising=."
        )


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
