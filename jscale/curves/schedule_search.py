"""The search for the schedule with the lowest loss at its end.

From its peak the rate never rises. It is piecewise linear between knots, which are closer together
towards the end, where the rate matters most. The loss at the end is summed exactly, step by step,
with its gradient with respect to all knots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from jscale._precision import float64_scope
from jscale.data.schedule import Schedule
from jscale.data.schedules import cosine, linear, wsd
from jscale.fitting.solver.compilation import programs
from jscale.laws.annealing import loss_at_end
from jscale.model.law import Law
from jscale.prediction.components import Component

# A power of 1 spaces knots evenly in steps; a higher one crowds them towards the end.
_CROWDED = 1.5
_OUT_OF_ITERATIONS = 1  # SciPy's status of L-BFGS-B


@dataclass(frozen=True, eq=False)
class Falling:
    """The family of schedules searched: bounds, warm-up, and knots at ``places`` in [0, 1].

    ``weights`` (steps after the warm-up, knots + 1) interpolate linearly between the knots.
    """

    peak: float
    end: float
    warmup: int
    rise: np.ndarray
    weights: np.ndarray
    places: np.ndarray

    @classmethod
    def make(cls, steps: int, peak: float, end: float, warmup: int, knots: int) -> Falling:
        """Return the family with that many knots after a linear warm-up."""
        rise = linear(steps, peak, end, warmup=warmup).rates[:warmup]
        places = 1.0 - (1.0 - np.arange(knots + 1) / knots) ** _CROWDED
        # Column k holds the weight of knot k at each step: the line through a single 1 there.
        u = np.arange(1, steps - warmup + 1) / (steps - warmup)
        weights = np.stack([np.interp(u, places, row) for row in np.eye(knots + 1)], axis=1)
        return cls(peak, end, warmup, rise, weights, places)

    def starts(self) -> Iterator[np.ndarray]:
        """Yield logits of the falls between knots: a cosine, a line, and two late decays."""
        steps, bounds = len(self.rise) + len(self.weights), (self.peak, self.end)
        shapes = [
            cosine(steps, *bounds, warmup=self.warmup),
            linear(steps, *bounds, warmup=self.warmup),
            *(wsd(steps, *bounds, warmup=self.warmup, decay=d) for d in (0.1, 0.4)),
        ]
        at = np.clip((self.places * len(self.weights)).round().astype(int) - 1, 0, None)
        for schedule in shapes:
            rates = schedule.rates[self.warmup :][at]
            falls = -np.diff(rates) / (self.peak - self.end)
            # A fall of zero has no logarithm; the share never taken starts next to nothing.
            yield np.log(np.append(falls, 0.0) + 1e-4)


def _rates(logits: Any, shape: Any) -> Any:
    """Return the rates after the warm-up.

    Falls between knots are shares (softmax) of peak − end; the last share is not taken, so that
    the rate may stay above ``end``.
    """
    import jax
    import jax.numpy as jnp

    fallen = jnp.cumsum(jax.nn.softmax(logits))[:-1]
    at_knots = shape["peak"] - (shape["peak"] - shape["end"]) * fallen
    return shape["weights"] @ jnp.concatenate([shape["peak"][None], at_knots])


@programs
def _end_program(law: Law, warmup: int, memory: float) -> tuple[Callable[..., Any], ...]:
    """Return compiled programs: the loss at the end with its gradient in logits, and of draws."""
    import jax
    import jax.numpy as jnp

    def of_knots(logits: Any, params: Any, shape: Any) -> Any:
        rates = jnp.concatenate([shape["rise"], _rates(logits, shape)])
        return loss_at_end(law, params, rates, warmup, memory)

    def of_draws(params: Any, rates: Any) -> Any:
        return jax.lax.map(lambda draw: loss_at_end(law, draw, rates, warmup, memory), params)

    return jax.jit(jax.value_and_grad(of_knots)), jax.jit(of_draws)


def lowest_rates(
    law: Law, point: dict[str, float], family: Falling, memory: float
) -> tuple[np.ndarray, bool]:
    """Return the rates (steps,) with the lowest loss at the end, over several initial shapes.

    Also return whether that search converged, instead of reaching its limit of iterations.
    """
    from scipy.optimize import minimize

    with float64_scope():
        import jax.numpy as jnp

        arrays = {k: jnp.asarray(getattr(family, k)) for k in ("peak", "end", "rise", "weights")}
        program, _ = _end_program(law, family.warmup, memory)

        def loss(logits: np.ndarray) -> tuple[float, np.ndarray]:
            value, slope = program(jnp.asarray(logits), point, arrays)
            return float(value), np.asarray(slope)

        options = {"maxiter": 500, "ftol": 1e-13, "gtol": 1e-9}
        optima: list[Any] = []
        for start in family.starts():
            # Beyond these logits a share is 0 or 1 to all digits.
            bounds = [(-30.0, 30.0)] * len(start)
            optima.append(
                minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
            )
        best = min(optima, key=lambda optimum: optimum.fun)
        after = np.asarray(_rates(jnp.asarray(best.x), arrays))
    # Rounding can carry the lines between knots slightly beyond the bounds.
    after = np.minimum.accumulate(np.clip(after, family.end, family.peak))
    return np.concatenate([family.rise, after]), best.status != _OUT_OF_ITERATIONS


def losses_after(
    law: Law,
    point: dict[str, float],
    draws: Component,
    schedule: Schedule,
    memory: float,
    given: dict[str, float],
) -> np.ndarray:
    """Return the loss after a schedule at the point estimate and at every draw (1 + draws,)."""
    names = [str(name) for name in draws.fit.params.index]
    values = np.concatenate([[[point[name] for name in names]], draws.flat])
    with float64_scope():
        import jax.numpy as jnp

        params = {name: jnp.asarray(values[:, i]) for i, name in enumerate(names)}
        params |= {name: jnp.full(len(values), value) for name, value in given.items()}
        _, program = _end_program(law, schedule.warmup, memory)
        return np.asarray(program(params, jnp.asarray(schedule.rates)))
