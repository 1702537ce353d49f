"""The decorator ``law``, which turns a function into a Law, and its checks."""

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

# How each kind of term is declared, for error messages.
_FORMS = {
    "powers": 'Declare A·N^(-alpha) as powers=(("A", "N", "alpha"),), A·N^alpha with +1 added.',
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
    """Make a Law of a function; a decorator, with or without arguments.

    Positional arguments of the function are inputs. Keyword-only arguments are parameters, each
    annotated with a role.

    Parameters
    ----------
    function : callable
        The function, which takes the inputs of one observation (or arrays of them) and returns
        the output. It must be differentiable by JAX.
    name : str, optional
        Name of the law; by default that of the function.
    parameters : mapping of str to role, optional
        Parameters with their roles, for a function that takes ``**values``.
    inputs : sequence of str, optional
        Names of the inputs, for a function that takes ``*inputs``.
    start : mapping of str to (float, float), optional
        Ranges of automatic starts, in place of those of the roles.
    prior : mapping of str to (str, float, float), optional
        Priors, as the name of a distribution and its two numbers, in place of those of the roles.
    powers : sequence of tuple, optional
        Terms A·x^(-alpha) as ``("A", "x", "alpha")``, A·x^alpha as ``("A", "x", "alpha", +1)``.
    linear : sequence of str, optional
        Parameters in which the law is linear, the others given.
    inside : sequence of tuple, optional
        Terms (A/x)^alpha as ``("A", "x", "alpha")``.
    offset_powers : sequence of tuple, optional
        Terms b + a·x^alpha as ``("b", "a", "x", "alpha")``.
    **declared
        Other fields of :class:`Law`: formula, reference, unit, output, limits, falling, ….

    Returns
    -------
    Law or callable
        The law, or a decorator if no function is given.

    Raises
    ------
    LawError
        If a parameter has no role, or a declaration names no parameter or input of the law.

    Notes
    -----
    The solver needs none of the declarations. ``powers``, ``inside`` and ``offset_powers`` let it
    work in units of the data's geometric mean, which makes it faster and more certain to find the
    best fit; ``linear`` lets it solve for amplitudes directly.

    Examples
    --------
    >>> from jscale import law, Floor, Scale, Exponent, power
    >>> @law
    ... def mine(N, *, E: Floor, A: Scale, alpha: Exponent):
    ...     return E + A * power(N, -alpha)
    >>> mine
    Law(mine(N; E, A, alpha))
    """
    # Annotations that are text are resolved with the names of the function that declares the law.
    scope = sys._getframe(1).f_locals

    def make(target: Callable[..., Any]) -> Law:
        positional, annotated = _signature(target, scope)
        roles = dict(parameters) if parameters is not None else annotated
        overrides = {key: dict(value or {}) for key, value in (("start", start), ("prior", prior))}
        made = Law(
            name=name or target.__name__,
            function=target,
            inputs=tuple(inputs) if inputs is not None else positional,
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
    """Return declared terms as tuples; raise LawError if one has the wrong form."""
    for entry in given:
        if isinstance(entry, str) or len(entry) not in lengths:
            raise LawError(f"{what} has the entry {entry!r}. {_FORMS[what]}")
    return tuple(tuple(entry) for entry in given)


def _signature(target: Callable[..., Any], scope: Mapping[str, Any]) -> tuple[tuple[str, ...], Any]:
    """Return the inputs of a function, and its parameters with their annotations."""
    inputs, roles = [], {}
    for parameter in inspect.signature(target).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY:
            roles[parameter.name] = _resolve(target, parameter, scope)
        elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            inputs.append(parameter.name)
    return tuple(inputs), roles


def _resolve(target: Any, parameter: inspect.Parameter, scope: Mapping[str, Any]) -> Any:
    """Return an annotation; it is evaluated if the module postpones annotations."""
    annotation = parameter.annotation
    # A module with postponed annotations gives them as text.
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
    """Return a parameter with the role in its annotation and what overrides it."""
    roles = [r for r in (annotation, *get_args(annotation)) if isinstance(r, Role)]
    if not roles:
        raise LawError(
            f"The parameter {name!r} has no role. Annotate it with one of "
            f"{listing(sorted(ROLE_ALIASES), 20)}, such as {name}: Scale."
        )
    role = roles[0]
    if name in overrides["start"]:
        role = with_start(name, role, overrides["start"][name])
    if name in overrides["prior"]:
        role = replace(role, prior=tuple(overrides["prior"][name]))
    return Parameter(name, role)


def _check_declarations(made: Law, overrides: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise LawError for a declaration that names nothing in the law or contradicts another."""
    if not made.inputs or not made.parameters:
        raise LawError(
            f"{made.name} has {len(made.inputs)} inputs and {len(made.parameters)} parameters. "
            "Write inputs as positional and parameters as keyword-only arguments: "
            "def mine(N, D, *, E: Floor, A: Scale)."
        )
    parameters = [*made.linear, *overrides["start"], *overrides["prior"], *made.axes]
    parameters += [n for constants in made.published.values() for n in constants]
    parameters += [n for entry in made.powers for n in (entry.amplitude, entry.exponent)]
    parameters += [n for a, _, p in made.inside for n in (a, p)]
    parameters += [n for b, a, _, p in made.offset_powers for n in (b, a, p)]
    for n in parameters:
        if n not in made.names:
            raise unknown_parameter(made, n)
    inputs = [e.input for e in made.powers] + [x for _, x, _ in made.inside]
    inputs += [x for _, _, x, _ in made.offset_powers] + list(made.axes.values())
    inputs += [*made.positive, *made.falling, *made.rising, *made.codes, *made.simplex]
    inputs += [x for pair in made.ordered for x in pair]
    inputs += [x for x in made.limits if x != made.output]
    for x in inputs:
        if x not in made.inputs:
            raise unknown_parameter(made, x)
    check_choice(f"{made.name}: space", made.space, SPACES, error=LawError)
    # Starts of a location need the range of one input.
    locations = [p.name for p in made.parameters if p.role.unit == "range"]
    unplaced = [n for n in locations if n not in made.axes]
    if unplaced and len(made.inputs) > 1:
        raise LawError(
            f"{made.name}: {listing(unplaced)} is a location along one of "
            f'{listing(made.inputs)}. Declare which: axes={{"{unplaced[0]}": "{made.inputs[0]}"}}.'
        )
    _check_simplex(made)
    _check_supports(made)


def _check_simplex(made: Law) -> None:
    """Raise LawError for repeated shares, and for an output that falls or rises in one share.

    A share cannot change alone, since the shares add up to 1.
    """
    if len(set(made.simplex)) != len(made.simplex) or len(made.simplex) == 1:
        raise LawError(
            f"{made.name}: simplex={made.simplex!r} must name two or more different inputs that "
            'add up to 1, such as simplex=("r_web", "r_code").'
        )
    alone = [x for x in (*made.falling, *made.rising) if x in made.simplex]
    if alone:
        raise LawError(
            f"{made.name}: {listing(alone)} is a share of a whole and cannot change alone; remove "
            "it from falling= and rising=."
        )


def _check_supports(made: Law) -> None:
    """Raise LawError for a declared term whose parameters have the wrong support.

    Centring maps an amplitude of ``inside`` through a logarithm, and moves both numbers of
    ``offset_powers`` along the real line.
    """
    needed = [("inside", a, POSITIVE) for a, _, _ in made.inside]
    needed += [("offset_powers", n, REAL) for b, a, _, _ in made.offset_powers for n in (b, a)]
    for what, name, support in needed:
        role = made.role(name)
        if role.support != support:
            raise LawError(
                f"{made.name}: {what} takes {name} as a {support} number, but its role, "
                f"{role.name}, is {role.support}. Change the role, or remove the entry."
            )
