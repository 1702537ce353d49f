"""Law: a pure function of inputs (columns) and parameters, with what a fit needs to know about it.

A law is written as one decorated function. Its positional arguments are inputs, its keyword-only
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
from jscale.model.composition import (
    composed_docstring,
    directions,
    limits_of_both,
    unobserved,
    without_axis,
)
from jscale.model.docstring import read_docstring
from jscale.model.roles import Role, with_start
from jscale.model.source import digest_of


@dataclass(frozen=True)
class Parameter:
    """A named parameter and its role."""

    name: str
    role: Role


@dataclass(frozen=True)
class Power:
    """A declared term, amplitude·input^(sign·exponent)."""

    amplitude: str
    input: str
    exponent: str
    sign: int = -1


@dataclass(frozen=True, eq=False)
class Law:
    """A scaling law: a pure function with declarations that make it fit well.

    Use the decorator :func:`jscale.law` to make one; :func:`jscale.laws.get` returns those of the
    catalogue.

    Parameters
    ----------
    name : str
        Name of the law.
    function : callable
        Takes the inputs of one observation by position and the parameters by keyword.
    inputs : tuple of str
        Names of the inputs, which are columns of a table of runs.
    parameters : tuple of Parameter
        Parameters with their roles, in order.
    output : str
        Name of the column that the law predicts.
    formula : str
        The right-hand side of the law, as text.
    reference : str
        Source of the law, such as an arXiv id.
    unit : str
        Unit of the output.
    linear : tuple of str
        Parameters in which the law is linear, the others given.
    powers : tuple of Power
        Terms A·x^(∓alpha). The solver fits A in units of the data's geometric mean of x.
    inside : tuple of (str, str, str)
        Terms (A/x)^alpha as (A, x, alpha), likewise.
    offset_powers : tuple of (str, str, str, str)
        Terms b + a·x^alpha as (b, a, x, alpha), likewise.
    axes : mapping of str to str
        The input along which each parameter with the role of a location lies.
    published : mapping of str to mapping
        Verified constants by source, each a mapping from parameter names to values.
    derived : mapping of str to callable
        Well-determined combinations, as functions of the parameters and a compute C, which is
        written {C} in their names.
    starts : int
        Default number of starts of a fit.
    space : {"log", "linear", "logit"}
        The space of residuals where an objective is given by name.
    positive : tuple of str
        Inputs that must be positive, in addition to those that are raised to powers.
    limits : mapping of str to (float, float)
        Closed ranges of inputs and of the output.
    ordered : tuple of (str, str)
        Pairs of inputs of which the first is at most the second.
    falling, rising : tuple of str
        Inputs in which the output falls, and those in which it rises.
    quantities : mapping of str to callable
        What follows from the parameters in closed form, for :func:`jscale.derive`.
    inverse : callable, optional
        For a law of one input: the input at which the output takes a given value.
    codes : tuple of str
        Inputs that are numbers of something, such as a schedule, and measure nothing.
    simplex : tuple of str
        Inputs that are shares of one whole: none is negative and their sum is 1.

    Notes
    -----
    Laws compare equal when their code and declarations do, whatever their docstrings say.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("power")
    >>> law
    Law(power(C; A, alpha))
    >>> float(law(16.0, A=8.0, alpha=0.5))
    2.0
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
        """The digest of the code and declarations, 16 hexadecimal digits."""
        # What changes the computation or the fit; formula, source and units do not.
        declared = (self.inputs, self.parameters, self.linear, self.powers, self.inside)
        declared += (self.offset_powers, sorted(self.axes.items()), self.output, self.space)
        declared += (self.positive, sorted(self.limits.items()), self.ordered)
        # Laws without shares keep the digest that they had before shares existed.
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
        """The names of the parameters, in order."""
        return tuple(p.name for p in self.parameters)

    @property
    def positive_inputs(self) -> tuple[str, ...]:
        """The inputs that must be positive: those raised to a power and those declared so."""
        powered = {e.input for e in self.powers} | {x for _, x, _ in self.inside}
        powered |= {x for _, _, x, _ in self.offset_powers} | set(self.axes.values())
        powered |= set(self.positive)
        return tuple(x for x in self.inputs if x in powered)

    @property
    def doc(self) -> str:
        """The docstring of the law's function."""
        return inspect.getdoc(self.function) or ""

    def role(self, name: str) -> Role:
        """Return the role of a parameter.

        Parameters
        ----------
        name : str
            Name of the parameter.

        Returns
        -------
        Role
            Its role.

        Raises
        ------
        LawError
            If the law has no parameter of that name.
        """
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter.role
        raise unknown_parameter(self, name)

    def __call__(self, *inputs: Any, **values: Any) -> Any:
        """Evaluate the law in float64.

        Parameters
        ----------
        *inputs : array_like
            Inputs in the order of ``inputs``; they may also be given by name.
        **values : array_like
            Parameters by name. Inputs and parameters broadcast with each other.

        Returns
        -------
        numpy.ndarray
            The output. Where a JAX array is given (inside a transformation, for example), all
            arrays are used in their own precision and the result is a JAX array.

        Raises
        ------
        LawError
            If a name is missing, unknown, or given both by position and by keyword.
        """
        import jax

        named = self._named(inputs, values)
        # float64 must not be switched on inside a transformation of the caller's.
        traced = any(isinstance(v, jax.Array) for v in named.values())
        exact = {k: v if isinstance(v, jax.Array) else _exact(k, v) for k, v in named.items()}
        if traced:
            return self.evaluate(exact)
        with float64_scope():
            return to_numpy(self.evaluate(exact))[()]

    def _named(self, inputs: Sequence[Any], values: Mapping[str, Any]) -> dict[str, Any]:
        """Return inputs and parameters by name, after checking that each is given exactly once."""
        positional = dict(zip(self.inputs, inputs, strict=False))
        named = {**positional, **values}
        wanted = (*self.inputs, *self.names)
        for name in values:
            if name not in wanted:
                raise unknown_parameter(self, name)
        missing = [name for name in wanted if name not in named]
        twice = [name for name in values if name in positional]
        problem = f"misses {listing(missing, 20)}" if missing else ""
        if len(inputs) > len(self.inputs):
            problem = f"takes {len(self.inputs)} inputs by position, not {len(inputs)}"
        elif twice:
            problem = f"got {listing(twice)} by position and by name"
        if problem:
            call = f"{self.name}({', '.join(self.inputs)}, {'=…, '.join(self.names)}=…)"
            raise LawError(f"{self.name} {problem}. Call it as {call}.")
        return named

    def evaluate(self, named: Mapping[str, Any]) -> Any:
        """Evaluate the law without any check or conversion; safe inside JAX transformations.

        Parameters
        ----------
        named : mapping of str to array_like
            Inputs and parameters by name; other names are ignored.

        Returns
        -------
        array_like
            What the law's function returns.
        """
        inputs = [named[name] for name in self.inputs]
        return self.function(*inputs, **{name: named[name] for name in self.names})

    def invert(self, output: Any, **values: Any) -> Any:
        """Return the input at which a law of one input takes a given value.

        Parameters
        ----------
        output : array_like
            Value of the output.
        **values : array_like
            The parameters by name, all of them.

        Returns
        -------
        numpy.ndarray
            The input, in float64; NaN where no input gives the output.

        Raises
        ------
        LawError
            If the law has no declared inverse, or a parameter is missing or unknown.

        Examples
        --------
        >>> import jscale as js
        >>> float(js.laws.get("power").invert(2.0, A=8.0, alpha=0.5))
        16.0
        """
        if self.inverse is None:
            raise LawError(
                f"{self.name} has no inverse in closed form. Laws of one input that only fall or "
                "only rise have one: jscale laws power_const."
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
        """Return the law with other ranges for automatic starts.

        Parameters
        ----------
        start : mapping of str to (float, float)
            Lowest and highest start by parameter name, in the parameter's own units.

        Returns
        -------
        Law
            The changed law.

        Raises
        ------
        LawError
            If a name is unknown or a range lies outside the support of its parameter.
        """
        for name in start:
            self.role(name)
        changed = {
            p.name: replace(p, role=with_start(p.name, p.role, start[p.name]))
            for p in self.parameters
            if p.name in start
        }
        return replace(self, parameters=tuple(changed.get(p.name, p) for p in self.parameters))

    def along(self, axis: str) -> Law:
        """Return a law of one input with that input renamed.

        ``laws.get("power_const:N")`` is ``laws.get("power_const").along("N")``.

        Parameters
        ----------
        axis : str
            New name of the input.

        Returns
        -------
        Law
            The renamed law.

        Raises
        ------
        LawError
            If the law has more than one input.
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
            # The other declarations name the input too.
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
        """Return the composition of this law and a link, which takes this law's output as input.

        Parameters
        ----------
        link : Law
            A law of one input.

        Returns
        -------
        Law
            The law with the inputs of this law, the output of the link, and the parameters of
            both. A parameter of the link whose name is taken gets the link's name in front.

        Raises
        ------
        LawError
            If the link has more than one input, or names clash all the same.

        Examples
        --------
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

        # The name with the link's name in front may be taken as well.
        clash = [new for new in renamed.values() if new in taken]
        if clash:
            raise LawError(
                f"{self.name} and {link.name} both use {listing(clash)}; "
                f"rename the parameters of {link.name}."
            )
        composed.__doc__ = composed_docstring(
            read_docstring(self.doc or self.formula or self.name),
            read_docstring(link.doc or link.formula or link.name),
            name=self.name,
            renamed=renamed,
        )
        outer = tuple(Parameter(renamed[p.name], without_axis(p.role)) for p in link.parameters)
        inner_roles = tuple(replace(p, role=unobserved(p.role)) for p in self.parameters)
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
            # Constants and closed forms of the parts do not hold for the composition.
            published={},
            space=link.space,
            limits=limits_of_both(self, link),
            **directions(self, link),
            quantities={},
            inverse=None,
        )


def _exact(name: str, value: Any) -> np.ndarray:
    """Return a value as float64."""
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise LawError(f"{name} must be a number or an array of numbers, not {value!r}.") from error


def digest_of_text(text: str) -> str:
    """Return the first 16 hexadecimal digits of a text's SHA-256."""
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:16]


def unknown_parameter(law: Law, name: str) -> LawError:
    """Return the error for a name that the law does not have, with the nearest one."""
    known = (*law.names, *law.inputs)
    hint = nearest(name, known)
    return LawError(
        f"{law.name} has no parameter or input {name!r}.{hint} Its parameters are "
        f"{listing(law.names, 20)}; its inputs are {listing(law.inputs, 20)}."
    )
