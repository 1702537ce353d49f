"""The lowest loss that a budget buys, for a batch of draws and budgets at once.

Inputs are chosen on the logarithmic scale. The budget and the other inputs determine the last one;
a damped Newton search finds the others, and two unrolled steps at its end carry derivatives.
Everything here is a pure function of arrays, safe under jit and vmap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from jscale.fitting.solver.compilation import programs
from jscale.model.root import root
from jscale.planning.costs import Cost
from jscale.prediction.components import Function

_STEPS = 12
_LONGEST = 1.5
_AT_BOUND = 1e-6
# e-folds around the bounds within which the point of a given ratio is searched.
_AROUND = 25.0


class Choice(NamedTuple):
    """The static part of a plan: the function of one draw, the chosen inputs, and the cost."""

    function: Function
    variables: tuple[str, ...]
    cost: Cost
    falling: bool


class Place(NamedTuple):
    """One lane's numbers: a draw's (q,), log budget, other inputs and codes, log bounds (k,).

    ``ratio`` (2,) are log bounds of D/N, None for none.
    """

    flat: Any
    budget: Any
    others: Any
    codes: Any
    low: Any
    high: Any
    ratio: Any = None


# The numbers that differ from lane to lane.
_LANE: Any = Place(flat=0, budget=0, others=None, codes=None, low=0, high=0, ratio=None)


class Found(NamedTuple):
    """Logarithms of the inputs (k,), the output there, the last step, and the side of a bound."""

    inputs: Any
    output: Any
    step: Any
    bound: Any


def all_inputs(choice: Choice, free: Any, place: Place) -> Any:
    """Return the logarithms of all variables (k,): free ones and the budget's."""
    import jax.numpy as jnp

    *first, last = choice.variables
    cost = choice.cost
    if cost.exponents is not None and cost.coefficient is not None:
        spent = jnp.log(cost.coefficient)
        for name, exponent in cost.exponents.items():
            if name in first:
                spent = spent + exponent * free[first.index(name)]
            elif name != last:
                spent = spent + exponent * jnp.log(place.others[name])
        rest = (place.budget - spent) / cost.exponents[last]
    elif cost.inverse is not None:
        named = {**place.others, **{name: jnp.exp(free[i]) for i, name in enumerate(first)}}
        others = {name: named[name] for name in cost.inputs if name != last}
        rest = jnp.log(cost.inverse[last](jnp.exp(place.budget), **others))
    else:
        rest = root(
            lambda u, args: _log_cost(choice, args[0], u, args[1]) - args[1].budget,
            (free, place),
            place.low[-1],
            place.high[-1],
        )
    return jnp.append(free, rest)


def _log_cost(choice: Choice, free: Any, rest: Any, place: Place) -> Any:
    import jax.numpy as jnp

    *first, last = choice.variables
    named = {**place.others, **{name: jnp.exp(free[i]) for i, name in enumerate(first)}}
    named[last] = jnp.exp(rest)
    return jnp.log(choice.cost(**{name: named[name] for name in choice.cost.inputs}))


def output_at(choice: Choice, inputs: Any, place: Place) -> Any:
    """Return the function's output at logarithms of the variables (k,)."""
    import jax.numpy as jnp

    chosen = {name: jnp.exp(inputs[i]) for i, name in enumerate(choice.variables)}
    return choice.function(place.flat, {**place.others, **chosen}, place.codes)


def free_bounds(choice: Choice, place: Place) -> tuple[Any, Any]:
    """Return log bounds (k − 1,) of the free inputs, at which the last is within its own too.

    This holds for two inputs; of more, only the free ones are bounded.
    """
    import jax.numpy as jnp

    low, high = place.low[:-1], place.high[:-1]
    if len(choice.variables) > 2:
        return low, high
    turned = choice._replace(variables=choice.variables[::-1])
    back = place._replace(low=place.low[::-1], high=place.high[::-1])
    least = all_inputs(turned, place.high[-1:], back)[1:]
    most = all_inputs(turned, place.low[-1:], back)[1:]
    low = jnp.where(least > low, least, low)
    high = jnp.where(most < high, most, high)
    ratio: Any = place.ratio
    if ratio is None:
        return low, high
    fewest, most = (jnp.atleast_1d(_at_ratio(choice, ratio[i], place)) for i in (0, 1))
    # The more tokens per parameter, the smaller N.
    first, last = (most, fewest) if choice.variables.index("N") == 0 else (fewest, most)
    return jnp.clip(first, low, high), jnp.clip(last, low, high)


def _at_ratio(choice: Choice, ratio: Any, place: Place) -> Any:
    """Return the logarithm of the first input where D/N has the given logarithm."""
    more = ratio if choice.variables[0] == "N" else -ratio
    return root(
        lambda u, args: _log_cost(choice, u[None], u + args[0], args[1]) - args[1].budget,
        (more, place),
        place.low[0] - _AROUND,
        place.high[0] + _AROUND,
    )


def objective(choice: Choice, free: Any, place: Place) -> Any:
    """Return the function to minimise: the output, or its negative where more is better."""
    output = output_at(choice, all_inputs(choice, free, place), place)
    return output if choice.falling else -output


def lowest(choice: Choice, start: Any, place: Place) -> Found:
    """Search from ``start`` (k − 1,) within bounds; differentiable by ``place``."""
    import jax
    import jax.numpy as jnp

    still = jax.lax.stop_gradient(place)
    low, high = free_bounds(choice, still)
    start = jnp.clip(start, low, high)

    def newton(free: Any, at: Place) -> Any:
        slope = jax.grad(lambda v: objective(choice, v, at))(free)
        bend = jax.hessian(lambda v: objective(choice, v, at))(free)
        return _downhill(slope, bend)

    def step(_: Any, state: tuple[Any, Any]) -> tuple[Any, Any]:
        free, _ = state
        move = jnp.clip(newton(free, still), -_LONGEST, _LONGEST)
        new = jnp.clip(free + move, low, high)
        # Where the budget cannot be met the output is NaN: shorten the step.
        there = jnp.isfinite(objective(choice, new, still))
        new = jnp.where(there, new, jnp.clip(free + 0.2 * move, low, high))
        return new, jnp.max(jnp.abs(new - free))

    free, last = jax.lax.fori_loop(0, _STEPS, step, (start, jnp.full((), jnp.inf)))
    side = jnp.where(free <= low + _AT_BOUND, -1, jnp.where(free >= high - _AT_BOUND, 1, 0))
    for _ in range(2):
        moved = free + newton(free, place)
        free = jnp.where(side == 0, moved, free)
    inputs = all_inputs(choice, free, place)
    return Found(inputs, output_at(choice, inputs, place), last, side)


def _downhill(slope: Any, bend: Any) -> Any:
    """Return Newton's step with the absolute curvature, so that it always descends."""
    import jax.numpy as jnp

    if slope.shape[0] == 1:
        curved = jnp.abs(bend[0, 0])
        return -slope / jnp.where(curved > 0, curved, 1.0)
    values, vectors = jnp.linalg.eigh(bend)
    size = jnp.maximum(jnp.abs(values), 1e-12 * jnp.max(jnp.abs(values)) + 1e-300)
    return -(vectors / size) @ (vectors.T @ slope)


@programs
def lowest_program(choice: Choice) -> Callable[..., Any]:
    """Return a compiled program of :func:`lowest` over lanes: starts (L, k − 1), places (L, …)."""
    import jax

    return jax.jit(jax.vmap(lambda s, p: lowest(choice, s, p), in_axes=(0, _LANE)))


@programs
def bounds_program(choice: Choice) -> Callable[..., Any]:
    """Return a compiled program of :func:`free_bounds` over lanes."""
    import jax

    return jax.jit(jax.vmap(lambda p: free_bounds(choice, p), in_axes=(_LANE,)))


@programs
def objective_program(choice: Choice) -> Callable[..., Any]:
    """Return a compiled program: free inputs (L, G, k − 1) and lanes to objectives (L, G)."""
    import jax

    def over(free: Any, place: Place) -> Any:
        return jax.vmap(lambda v: objective(choice, v, place))(free)

    return jax.jit(jax.vmap(over, in_axes=(0, _LANE)))


@programs
def inputs_program(choice: Choice) -> Callable[..., Any]:
    """Return a compiled program: free inputs (L, G, k − 1) and lanes to all inputs (L, G, k)."""
    import jax

    def over(free: Any, place: Place) -> Any:
        return jax.vmap(lambda v: all_inputs(choice, v, place))(free)

    return jax.jit(jax.vmap(over, in_axes=(0, _LANE)))
