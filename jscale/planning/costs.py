"""Costs: the price of a choice of size and data, in FLOPs or in dollars.

A cost is a function of a law's inputs by name. It increases in each of them, so that a budget and
all inputs but one determine the last.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np

from jscale._precision import float64_scope
from jscale.errors import PredictionError
from jscale.model.source import digest_of

_HOUR = 3600.0
# Points along each input at which a cost is checked to rise: of two inputs, and of more.
_FINE, _COARSE = 65, 9


@dataclass(frozen=True, eq=False)
class Cost:
    """What inputs cost.

    Costs compare equal when their code and numbers do.

    Parameters
    ----------
    name : str
        What it is called.
    function : callable
        The cost as a function of inputs by name, written with jax.numpy.
    inputs : tuple of str
        The names of those inputs.
    unit : str
        The unit of the cost, such as "FLOPs".
    coefficient, exponents : float and mapping of str to float, optional
        Where the cost is coefficient·Π input^exponent: a budget is then met in closed form.
    inverse : mapping of str to callable, optional
        For an input by name, the function of the budget and of the other inputs that gives it.
    """

    name: str
    function: Callable[..., Any]
    inputs: tuple[str, ...]
    unit: str = "FLOPs"
    coefficient: float | None = None
    exponents: Mapping[str, float] | None = None
    inverse: Mapping[str, Callable[..., Any]] | None = None

    @cached_property
    def digest(self) -> str:
        """A digest of code and numbers."""
        return digest_of(self.function) + repr((self.inputs, self.coefficient, self.exponents))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cost) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Cost({self.name}, in {self.unit})"

    def __call__(self, **inputs: Any) -> Any:
        """Return the cost of inputs by name."""
        return self.function(*(inputs[name] for name in self.inputs))


def _product(name: str, coefficient: float, unit: str = "FLOPs", **exponents: float) -> Cost:
    def product(*values: Any) -> Any:
        total = coefficient
        for value, exponent in zip(values, exponents.values(), strict=True):
            total = total * value**exponent
        return total

    return Cost(name, product, tuple(exponents), unit, coefficient, dict(exponents))


def training() -> Cost:
    """Return 6·N·D: forward and backward FLOPs of dense training.

    Returns
    -------
    Cost
        In FLOPs, of N (parameters) and D (tokens).

    References
    ----------
    Kaplan et al., arXiv:2001.08361, §2.1.

    Examples
    --------
    >>> import jscale as js
    >>> float(js.costs.training()(N=1e9, D=1e9))
    6e+18
    """
    return _product("6·N·D", 6.0, N=1.0, D=1.0)


def attention(context: int, *, aspect: float = 128.0) -> Cost:
    """Return 6·N·D + 12·l·d·context·D: training with attention over a context.

    Layers l and width d = aspect·l are those of a model with N = 12·l·d² parameters.

    Parameters
    ----------
    context : int
        The number of tokens in a context.
    aspect : float
        Width over layers.

    Returns
    -------
    Cost
        In FLOPs, of N (parameters) and D (tokens).

    Raises
    ------
    PredictionError
        For numbers that are not positive.

    Examples
    --------
    >>> import jscale as js
    >>> bool(js.costs.attention(4096)(N=1e9, D=1e9) > 6e18)
    True
    """
    _positive("context", context)
    _positive("aspect", aspect)

    def cost(N: Any, D: Any) -> Any:
        layers = (N / (12.0 * aspect**2)) ** (1.0 / 3.0)
        return 6.0 * N * D + 12.0 * aspect * layers**2 * context * D

    return Cost(f"6·N·D + attention over {context:g}", cost, ("N", "D"))


def embeddings(omega: float = 47491.0) -> Cost:
    """Return 6·(N + omega·N^(1/3))·D, for N without embeddings, whose FLOPs are added.

    Parameters
    ----------
    omega : float
        The default is that of Pearce and Song, for one vocabulary and shape.

    Returns
    -------
    Cost
        In FLOPs, of N (parameters without embeddings) and D (tokens).

    Raises
    ------
    PredictionError
        For an omega that is not positive.

    References
    ----------
    Pearce and Song, arXiv:2406.12907.

    Examples
    --------
    >>> import jscale as js
    >>> bool(js.costs.embeddings()(N=1e9, D=1e9) > 6e18)
    True
    """
    _positive("omega", omega)

    def cost(N: Any, D: Any) -> Any:
        return 6.0 * (N + omega * N ** (1.0 / 3.0)) * D

    return Cost(f"6·(N + {omega:g}·N^(1/3))·D", cost, ("N", "D"))


def lifetime(tokens: float) -> Cost:
    """Return 6·N·D + 2·N·tokens: training, and serving a number of tokens.

    Parameters
    ----------
    tokens : float
        The number of tokens served.

    Returns
    -------
    Cost
        In FLOPs, of N (parameters) and D (tokens trained on).

    Raises
    ------
    PredictionError
        For tokens that are not positive.

    References
    ----------
    Sardana et al., arXiv:2401.00448.

    Examples
    --------
    >>> import jscale as js
    >>> float(js.costs.lifetime(1e9)(N=1e9, D=1e9))
    8e+18
    """
    _positive("tokens", tokens)
    tokens = float(tokens)

    def cost(N: Any, D: Any) -> Any:
        return 6.0 * N * D + 2.0 * N * tokens

    inverse = {
        "N": lambda budget, D: budget / (6.0 * D + 2.0 * tokens),
        "D": lambda budget, N: (budget / N - 2.0 * tokens) / 6.0,
    }
    return Cost(f"6·N·D + 2·N·{tokens:g}", cost, ("N", "D"), inverse=inverse)


def dollars(
    price: float, *, flops: float, utilisation: float = 0.4, of: Cost | None = None
) -> Cost:
    """Return a cost in dollars, from one in FLOPs.

    Parameters
    ----------
    price : float
        Dollars for an hour of one device.
    flops : float
        FLOPs that the device can do in a second.
    utilisation : float
        The share of them that training uses.
    of : Cost, optional
        The cost in FLOPs, by default 6·N·D.

    Returns
    -------
    Cost
        In dollars, of the inputs of ``of``.

    Raises
    ------
    PredictionError
        For numbers that are not positive, a utilisation above 1, or a cost that is not in FLOPs.

    Examples
    --------
    >>> import jscale as js
    >>> hour = js.costs.dollars(2.0, flops=1e15, utilisation=0.5)
    >>> float(hour(N=1e9, D=3e8))
    2.0
    """
    within = training() if of is None else of
    for name, value in (("price", price), ("flops", flops), ("utilisation", utilisation)):
        _positive(name, value)
    if utilisation > 1:
        raise PredictionError(f"utilisation={utilisation!r} is a share of the peak, up to 1.")
    if within.unit != "FLOPs":
        raise PredictionError(f"{within} is not a cost in FLOPs; give one, of=js.costs.training().")
    each = price / (_HOUR * flops * utilisation)

    def cost(*values: Any) -> Any:
        return each * within.function(*values)

    scaled = None if within.coefficient is None else each * within.coefficient
    name = f"dollars of {within.name}"
    inverse = within.inverse and {
        x: lambda budget, invert=invert, **others: invert(budget / each, **others)
        for x, invert in within.inverse.items()
    }
    return Cost(name, cost, within.inputs, "dollars", scaled, within.exponents, inverse)


def as_cost(given: Any) -> Cost:
    """Return a Cost: one given, 6·N·D for None or its text, or of a function of named inputs.

    Raises PredictionError for anything else.
    """
    if isinstance(given, Cost):
        return given
    if given is None or given in ("6*N*D", "6ND"):
        return training()
    if not callable(given):
        raise PredictionError(
            f"cost={given!r} is not a cost: js.costs.lifetime(1e12), or a function of inputs by "
            "name, lambda N, D: 6 * N * D."
        )
    known = inspect.signature(given).parameters.values()
    many = [str(p) for p in known if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if many:
        raise PredictionError(
            f"A cost names its inputs, such as lambda N, D: 6 * N * D; {many[0]} names none."
        )
    # An argument with a default is an option of the function, not an input.
    names = tuple(p.name for p in known if p.default is p.empty)
    return Cost(getattr(given, "__name__", "cost"), given, names, "units of the cost")


def check_rising(cost: Cost, limits: Mapping[str, Any], others: Mapping[str, float]) -> None:
    """Raise PredictionError unless a cost rises in each of the inputs within their limits.

    ``limits`` are the ends of the inputs that are chosen, ``others`` the values of the rest.
    """
    import jax

    if cost.exponents is not None:
        return
    count = _FINE if len(limits) == 2 else _COARSE
    axes = [np.geomspace(low, high, count) for low, high in limits.values()]
    places = dict(zip(limits, np.meshgrid(*axes, indexing="ij"), strict=True))
    flat = {name: grid.ravel() for name, grid in places.items()}

    def one(chosen: Any) -> Any:
        return cost(**{x: {**others, **chosen}[x] for x in cost.inputs})

    try:
        with float64_scope():
            totals = np.asarray(jax.vmap(one)(flat)).reshape(next(iter(places.values())).shape)
    except (TypeError, ValueError, jax.errors.JAXTypeError) as error:
        first = str(error).splitlines()[0]
        raise PredictionError(
            f"The cost {cost.name!r} must be written with JAX, of one number each ({first})."
        ) from error
    for axis, name in enumerate(limits):
        falls = ~(np.diff(totals, axis=axis) > 0)
        if falls.any() or not (totals > 0).all():
            worst = np.unravel_index(np.argmax(falls), falls.shape)
            at = ", ".join(f"{x} = {grid[worst]:.3g}" for x, grid in places.items())
            raise PredictionError(
                f"The cost {cost.name!r} must be positive and rise in {name}, but does not from "
                f"{at} on. Give bounds within which it does, or another cost."
            )


def _positive(name: str, value: float) -> None:
    known = isinstance(value, Real) and not isinstance(value, bool)
    if not (known and 0 < value < float("inf")):
        raise PredictionError(f"{name}={value!r} must be a positive, finite number.")
