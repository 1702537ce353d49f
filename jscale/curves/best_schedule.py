"""best_schedule: the learning-rate schedule that a fitted law of whole curves likes best.

The rate falls, never rises, from its peak; it is a line through knots, closer together towards
the end, where the rate matters most. The loss at the end is summed step by step, exactly, and
its gradient by all knots taken at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jscale._precision import float64_scope
from jscale.arguments import check_level
from jscale.curves.whole import check_others, law_of_curves, memory_of
from jscale.data.schedule import Schedule
from jscale.data.schedules import cosine, linear, wsd
from jscale.errors import PredictionError
from jscale.fitting.notes import Note
from jscale.fitting.result import Fit
from jscale.fitting.solver.compilation import programs
from jscale.laws.annealing import loss_at_end
from jscale.model.law import Law
from jscale.uncertainty.automatic import draws as make_draws
from jscale.uncertainty.draws import Draws, tails

# More knots find stairs, which gain less than 1e-3 in loss under the law.
_KNOTS = 24
# A straight line in steps has its knots spaced evenly; a higher power crowds them to the end.
_CROWDED = 1.5
_LONGER = 1.05
_OUT_OF_STEPS = 1  # SciPy's status of L-BFGS-B


@dataclass(frozen=True, eq=False)
class BestSchedule:
    """The schedule with the lowest predicted loss, beside the one it is measured ``against``.

    ``frame`` has a row for each of the two: the predicted loss after the last step with its
    confidence interval; ``gain`` is the fall in loss from ``against`` to ``schedule`` and
    ``gain_low``, ``gain_high`` its confidence interval (equal-tailed, at ``level``), ``better``
    the share of draws in which there is one. ``notes`` are to be read before training with it.
    """

    schedule: Schedule
    against: Schedule
    frame: pd.DataFrame
    gain: float
    gain_low: float
    gain_high: float
    better: float
    level: float
    method: str
    notes: tuple[Note, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table of the two schedules."""
        return self.frame.copy()

    def __repr__(self) -> str:
        table = self.frame.to_string(float_format=lambda v: f"{v:.5g}", index=False)
        gain = (
            f"predicted gain {self.gain:.4g} ({100 * self.level:g}% confidence interval "
            f"{self.gain_low:.4g} to {self.gain_high:.4g}, better in {100 * self.better:.0f}% "
            f"of draws by {self.method})"
        )
        return "\n".join([f"Best schedule: {self.schedule}", table, gain, *map(str, self.notes)])


def best_schedule(
    source: Draws | Fit,
    steps: int,
    *,
    peak: float,
    end: float = 0.0,
    warmup: int | float = 0,
    against: Schedule | None = None,
    knots: int = _KNOTS,
    memory: float | None = None,
    level: float = 0.9,
    method: str = "auto",
    seed: int = 0,
    **inputs: float,
) -> BestSchedule:
    """Find the schedule of ``steps`` steps with the lowest loss at its end under a fitted law.

    ``source`` is a fit of ``annealing``, ``annealing_size`` or :func:`jscale.multi_power`, or
    draws of one. The rate rises in a straight line over ``warmup`` steps to ``peak``, then falls or
    stays, never below ``end``, along ``knots`` knots that are found by the loss's gradient from
    several shapes. The schedule is that of the point estimate; every draw of the parameters then
    gives the loss of it and of ``against`` (a cosine with the same peak, end and warm-up unless
    given). ``inputs`` are a law's others, such as N.

    The gain is that under the law, chosen as the best under the law: it is optimistic, the more
    the further the schedule lies from those fitted, and the coverage of its interval has not been
    measured. Notes name what is known of that.
    Raises PredictionError for another law, inputs that are missing or unknown, bounds that are no
    falling rate, ``against`` of another length, or a number of knots below 2; DataError for steps
    or a warm-up that are no schedule.

    >>> import jscale as js
    >>> curves = js.Curves.from_frame(js.datasets.load("stdlib_lm_curves"))
    >>> first = [name for name in dict.fromkeys(curves.frame["run"]) if "d01200k-b16" in name]
    >>> fit = js.fit("annealing", curves.where(first).runs())
    >>> best = js.best_schedule(js.laplace(fit, 200), 586, peak=0.02, warmup=58)
    >>> best.gain > 0
    True
    """
    check_level(level)
    fit = source.fit if isinstance(source, Draws) else source
    law = law_of_curves(fit)
    if not 0.0 <= end < peak or knots < 2:
        raise PredictionError(
            f"peak={peak!r}, end={end!r}, knots={knots!r}: a schedule falls from a peak to an end "
            "below it, from 0 up, along at least 2 knots."
        )
    check_others(law, inputs)
    memory = memory_of(fit, memory)
    reference = against or cosine(steps, peak, end, warmup=warmup)
    warmup = linear(steps, peak, end, warmup=warmup).warmup
    if len(reference) != steps:
        raise PredictionError(
            f"against has {len(reference)} steps, the best schedule {steps}: the gain would be "
            "that of training for longer. Give one of the same length."
        )
    shape = _Shape.make(steps, peak, end, warmup, knots)
    given = {name: float(value) for name, value in inputs.items()}
    point = {str(name): float(value) for name, value in fit.params.items()} | given
    rates, finished = _lowest(law, point, shape, memory)
    found = Schedule(rates, warmup, "best")
    drawn = make_draws(source, method, seed=seed) if isinstance(source, Fit) else source
    at = [_losses(law, point, drawn, s, memory, given) for s in (found, reference)]
    frame = pd.DataFrame(
        [_row(s, own, level) for s, own in zip((found, reference), at, strict=True)]
    )
    gains = at[1][1:] - at[0][1:]
    low, high = np.quantile(gains, tails(level))
    return BestSchedule(
        found, reference, frame, float(at[1][0] - at[0][0]), float(low), float(high),
        float((gains > 0).mean()), level, drawn.method,
        tuple(_notes(fit, found, reference, end, finished)),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Shape:
    """Bounds of a schedule and its knots; ``weights`` (after, knots + 1) draw lines between."""

    peak: float
    end: float
    warmup: int
    rise: np.ndarray
    weights: np.ndarray
    places: np.ndarray

    @classmethod
    def make(cls, steps: int, peak: float, end: float, warmup: int, knots: int) -> _Shape:
        rise = linear(steps, peak, end, warmup=warmup).rates[:warmup]
        places = 1.0 - (1.0 - np.arange(knots + 1) / knots) ** _CROWDED
        u = np.arange(1, steps - warmup + 1) / (steps - warmup)
        weights = np.stack([np.interp(u, places, row) for row in np.eye(knots + 1)], axis=1)
        return cls(peak, end, warmup, rise, weights, places)

    def starts(self) -> Iterator[np.ndarray]:
        """Yield logits of the falls between knots: a cosine, a line, and two late decays."""
        steps, bounds = len(self.rise) + len(self.weights), (self.peak, self.end)
        made = [cosine(steps, *bounds, warmup=self.warmup)]
        made += [linear(steps, *bounds, warmup=self.warmup)]
        made += [wsd(steps, *bounds, warmup=self.warmup, decay=d) for d in (0.1, 0.4)]
        at = np.clip((self.places * len(self.weights)).round().astype(int) - 1, 0, None)
        for schedule in made:
            rates = schedule.rates[self.warmup :][at]
            falls = -np.diff(rates) / (self.peak - self.end)
            yield np.log(np.append(falls, 0.0) + 1e-4)


def _rates(logits: Any, shape: Any) -> Any:
    """Return the rates after the warm-up: falls are shares of peak − end, one is never taken."""
    import jax
    import jax.numpy as jnp

    fallen = jnp.cumsum(jax.nn.softmax(logits))[:-1]
    at_knots = shape["peak"] - (shape["peak"] - shape["end"]) * fallen
    return shape["weights"] @ jnp.concatenate([shape["peak"][None], at_knots])


@programs
def _end_program(law: Law, warmup: int, memory: float) -> tuple[Callable[..., Any], ...]:
    """Return compiled programs: the loss at the end and its slope by logits; that of many draws."""
    import jax
    import jax.numpy as jnp

    def of_knots(logits: Any, params: Any, shape: Any) -> Any:
        rates = jnp.concatenate([shape["rise"], _rates(logits, shape)])
        return loss_at_end(law, params, rates, warmup, memory)

    def of_draws(params: Any, rates: Any) -> Any:
        return jax.lax.map(lambda own: loss_at_end(law, own, rates, warmup, memory), params)

    return jax.jit(jax.value_and_grad(of_knots)), jax.jit(of_draws)


def _lowest(
    law: Law, point: dict[str, float], shape: _Shape, memory: float
) -> tuple[np.ndarray, bool]:
    """Return the rates (steps,) of the lowest loss at the end, from the best of several shapes.

    And whether that search ended by itself, not by its limit of steps.
    """
    from scipy.optimize import minimize

    with float64_scope():
        import jax.numpy as jnp

        arrays = {k: jnp.asarray(getattr(shape, k)) for k in ("peak", "end", "rise", "weights")}
        program, _ = _end_program(law, shape.warmup, memory)

        def loss(logits: np.ndarray) -> tuple[float, np.ndarray]:
            value, slope = program(jnp.asarray(logits), point, arrays)
            return float(value), np.asarray(slope)

        ends: list[Any] = [
            minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(-30.0, 30.0)] * len(start),
                     options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-9})
            for start in shape.starts()
        ]  # fmt: skip
        best = min(ends, key=lambda found: found.fun)
        after = np.asarray(_rates(jnp.asarray(best.x), arrays))
    # The lines between knots can stray from the bounds by rounding.
    after = np.minimum.accumulate(np.clip(after, shape.end, shape.peak))
    return np.concatenate([shape.rise, after]), best.status != _OUT_OF_STEPS


def _losses(
    law: Law, point: dict[str, float], drawn: Draws, schedule: Schedule, memory: float,
    given: dict[str, float],
) -> np.ndarray:  # fmt: skip
    """Return the loss after a schedule at the point and at every draw (1 + draws,)."""
    names = [str(name) for name in drawn.names]
    values = np.concatenate([[[point[name] for name in names]], drawn.flat])
    with float64_scope():
        import jax.numpy as jnp

        params = {name: jnp.asarray(values[:, i]) for i, name in enumerate(names)}
        params |= {name: jnp.full(len(values), value) for name, value in given.items()}
        _, program = _end_program(law, schedule.warmup, memory)
        return np.asarray(program(params, jnp.asarray(schedule.rates)))


def _row(schedule: Schedule, losses: np.ndarray, level: float) -> dict[str, Any]:
    low, high = np.quantile(losses[1:], tails(level))
    return {
        "schedule": schedule.name, "steps": len(schedule), "peak": schedule.peak,
        "end": float(schedule.rates[-1]), "loss": losses[0], "confidence_low": low,
        "confidence_high": high,
    }  # fmt: skip


def _notes(
    fit: Fit, found: Schedule, reference: Schedule, end: float, finished: bool
) -> Iterator[Note]:
    """Say what is known to go wrong with the best schedule under a law."""
    yield Note(
        "within-the-law", "caution",
        "The interval of the gain holds what noise along the fitted curves leaves open.",
        "It knows nothing of how wrong the law is on a schedule that nobody has run, and the "
        "schedule was chosen for its loss under the law, which flatters it.",
        "Train with it once before you rely on it.",
    )  # fmt: skip
    if not finished:
        yield Note(
            "search-unsettled", "info",
            "The search for the best schedule ended by its limit of steps.",
            "A little more may be gained under the law.",
            "Ask for fewer knots.",
        )  # fmt: skip
    if "S2" in fit.law.inputs:
        yield Note(
            "annealing-law-fails", "warning",
            "Under the annealing law steps at a rate of 0 go on lowering the loss, and a larger "
            "rate throughout always lowers it.",
            "A schedule that is best under it leans on both.",
            "Compare with js.multi_power, which has neither fault.",
        )  # fmt: skip
    longest = float(fit.runs["S1"].max())
    reached = float(max(s.area([len(s)])[0] for s in (found, reference)))
    if reached > _LONGER * longest:
        yield Note(
            "longer-than-fitted", "caution",
            f"The schedules sum to a rate of {reached:.4g}, the fitted curves to {longest:.4g} at "
            "most.",
            "The loss is extrapolated.",
            "Fit a curve that long, or ask for fewer steps or a lower peak.",
        )  # fmt: skip
    if end > 0 and found.rates[-1] <= end + 0.001 * (found.peak - end):
        yield Note(
            "at-the-end-bound", "info",
            f"The best schedule ends at its bound, {end:.4g}.",
            "A lower end would be better still under the law.",
            "Give another end to see what it is worth.",
        )  # fmt: skip
