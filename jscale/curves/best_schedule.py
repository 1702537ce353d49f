"""Best schedules: the learning-rate schedule with the lowest loss under a law of whole curves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jscale.arguments import check_level
from jscale.curves.schedule_search import Falling, losses_after, lowest_rates
from jscale.curves.whole import check_others, law_of_curves, memory_of
from jscale.data.schedule import Schedule
from jscale.data.schedules import cosine, linear
from jscale.errors import PredictionError
from jscale.fitting.notes import Note
from jscale.fitting.result import Fit
from jscale.prediction.predictor import Predictor, only_law
from jscale.prediction.sources import predictor_of, reference_of
from jscale.uncertainty.draws import Draws, tails

# With more knots the search finds stairs, which gain less than 1e-3 in loss under the law.
_KNOTS = 24
_LONGER = 1.05


@dataclass(frozen=True, eq=False)
class BestSchedule:
    """The schedule with the lowest predicted loss, from :func:`jscale.best_schedule`.

    Attributes
    ----------
    schedule : Schedule
        The best schedule.
    against : Schedule
        The schedule with which it is compared.
    frame : pandas.DataFrame
        A row for each of the two: the predicted loss after the last step, with its confidence
        interval.
    gain : float
        How much lower the loss of ``schedule`` is than that of ``against``.
    gain_low, gain_high : float
        Confidence interval of the gain, equal-tailed.
    better : float
        Share of draws in which ``schedule`` has the lower loss.
    level : float
        Probability of the intervals.
    method : str
        Method of the draws.
    notes : tuple of Note
        What to know before training with it.
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
        """Return the predicted losses of the two schedules as a table.

        Returns
        -------
        pandas.DataFrame
            A copy of ``frame``.
        """
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
    source: Draws | Fit | Predictor,
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
    """Find the schedule with the lowest loss at its end under a fitted law.

    The rate rises linearly to ``peak`` over the warm-up, then falls or stays constant, never below
    ``end``. It is piecewise linear between knots, which are optimised by gradient from several
    initial shapes.

    Parameters
    ----------
    source : Draws, Fit or Predictor
        A fit of ``annealing``, ``annealing_size`` or :func:`jscale.multi_power`, draws of one, or
        another predictor of one such law.
    steps : int
        Number of steps.
    peak : float
        Learning rate at the end of the warm-up.
    end : float
        Lowest learning rate, from 0 to below ``peak``.
    warmup : int or float
        Number of steps, or share of all steps, of the warm-up.
    against : Schedule, optional
        Schedule of the same length for comparison; by default a cosine with the same peak, end
        and warm-up.
    knots : int
        Number of knots, at least 2.
    memory : float, optional
        Decay factor of the annealing momentum in S2; by default that of the fitted curves.
    level : float
        Probability of the intervals, in (0, 1).
    method : str
        How to draw parameters of a fit, as in :func:`jscale.draws`.
    seed : int
        Seed of the draws.
    **inputs : float
        Further inputs of the law, such as N.

    Returns
    -------
    BestSchedule
        The schedule that is best at the point estimate, with its gain over ``against`` in every
        draw of the parameters.

    Raises
    ------
    PredictionError
        For a fit of any other law, inputs that are missing or unknown, bounds that are not a
        falling rate, ``against`` of another length, or fewer than 2 knots.
    DataError
        If steps or warm-up do not make a schedule.

    Notes
    -----
    The gain is computed under the law, for a schedule chosen as the best under the law. It is
    therefore optimistic, increasingly so the further the schedule lies from those fitted, and the
    coverage of its interval has not been measured. ``notes`` of the result say what is known.

    Examples
    --------
    >>> import jscale as js
    >>> curves = js.Curves.from_frame(js.datasets.load("stdlib_lm_curves"))
    >>> first = [name for name in dict.fromkeys(curves.frame["run"]) if "d01200k-b16" in name]
    >>> fit = js.fit("annealing", curves.where(first).runs())
    >>> best = js.best_schedule(js.laplace(fit, 200), 586, peak=0.02, warmup=58)
    >>> best.gain > 0
    True
    """
    check_level(level)
    fit = reference_of(source, caller="best_schedule")
    law = law_of_curves(fit)
    if not 0.0 <= end < peak or knots < 2:
        raise PredictionError(
            f"peak={peak!r}, end={end!r}, knots={knots!r}: a schedule falls from a peak to an end "
            "below it (0 or more), along at least 2 knots."
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
    family = Falling.make(steps, peak, end, warmup, knots)
    given = {name: float(value) for name, value in inputs.items()}
    point = {str(name): float(value) for name, value in fit.params.items()} | given
    rates, finished = lowest_rates(law, point, family, memory)
    best = Schedule(rates, warmup, "best")
    predictor = predictor_of(source, method, seed, caller="best_schedule")
    draws = only_law(predictor, "best_schedule", "Give draws of one law: js.draws(fit).")
    best_losses = losses_after(law, point, draws, best, memory, given)
    reference_losses = losses_after(law, point, draws, reference, memory, given)
    gains = reference_losses - best_losses
    low, high = np.quantile(gains[1:], tails(level))
    return BestSchedule(
        schedule=best,
        against=reference,
        frame=pd.DataFrame(
            [
                _row(best, best_losses, level),
                _row(reference, reference_losses, level),
            ]
        ),
        gain=float(gains[0]),
        gain_low=float(low),
        gain_high=float(high),
        better=float((gains[1:] > 0).mean()),
        level=level,
        method=predictor.method,
        notes=tuple(_notes(fit, best, reference, end, finished)),
    )


def _row(schedule: Schedule, losses: np.ndarray, level: float) -> dict[str, Any]:
    low, high = np.quantile(losses[1:], tails(level))
    return {
        "schedule": schedule.name,
        "steps": len(schedule),
        "peak": schedule.peak,
        "end": float(schedule.rates[-1]),
        "loss": losses[0],
        "confidence_low": low,
        "confidence_high": high,
    }


def _notes(
    fit: Fit, best: Schedule, reference: Schedule, end: float, finished: bool
) -> Iterator[Note]:
    """Yield what is known to go wrong with the best schedule under a law."""
    yield Note(
        "within-the-law",
        "caution",
        "The interval of the gain covers the uncertainty due to noise along the fitted curves.",
        "It does not cover the error of the law on a schedule that nobody has run, and the "
        "schedule was chosen for its loss under the law, which flatters it.",
        "Train with it once before you rely on it.",
    )
    if not finished:
        yield Note(
            "search-unsettled",
            "info",
            "The search for the best schedule reached its limit of iterations.",
            "A little more may be gained under the law.",
            "Ask for fewer knots.",
        )
    if "S2" in fit.law.inputs:
        yield Note(
            "annealing-law-fails",
            "warning",
            "Under the annealing law, steps at a rate of 0 still lower the loss, and a larger rate "
            "throughout always lowers it.",
            "A schedule that is best under it exploits both.",
            "Compare with js.multi_power, which has neither fault.",
        )
    longest = float(fit.runs["S1"].max())
    reached = float(max(s.area([len(s)])[0] for s in (best, reference)))
    if reached > _LONGER * longest:
        yield Note(
            "longer-than-fitted",
            "caution",
            f"The schedules sum to a rate of {reached:.4g}, the fitted curves to {longest:.4g} at "
            "most.",
            "The loss is extrapolated.",
            "Fit a curve that long, or ask for fewer steps or a lower peak.",
        )
    if end > 0 and best.rates[-1] <= end + 0.001 * (best.peak - end):
        yield Note(
            "at-the-end-bound",
            "info",
            f"The best schedule ends at its bound, {end:.4g}.",
            "A lower end would be better still under the law.",
            "Give another end to see what it is worth.",
        )
