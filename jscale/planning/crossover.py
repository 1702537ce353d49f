"""crossover and equivalent: where one recipe overtakes another, and its equivalent in the other.

Both compare two fitted laws along one input, for every pair of draws.
"""

from __future__ import annotations

import html
import warnings
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jscale.arguments import check_level
from jscale.errors import (
    ExtrapolationWarning,
    FitWarning,
    PredictionError,
    listing,
    nearest,
    outside,
)
from jscale.fitting.points import input_table
from jscale.fitting.result import Fit
from jscale.planning.allocate import allocate
from jscale.prediction.components import over_draws
from jscale.prediction.extrapolation import CHECK_FAR, warn_if_far
from jscale.prediction.predictor import Predictor, is_within_law, label
from jscale.prediction.sources import predictor_of, reference_of
from jscale.uncertainty.draws import Draws, tails

_POINTS = 121
_BEYOND = 100.0
_FINEST = 16.0


@dataclass(frozen=True, eq=False)
class Crossover:
    """Where a overtakes b, or b overtakes a.

    Attributes
    ----------
    along : str
        The input along which they are compared.
    frame : DataFrame
        One row per place: the outputs ``a`` and ``b`` at the estimate, their ``difference`` a − b
        with its confidence interval ``low`` to ``high``, and ``a_better``, the share of draws in
        which a is better; ties count half.
    at : float
        The first crossing at the estimate, NaN where there is none in the range.
    at_low, at_high : float
        Its interval. Draws that do not cross within the range count as beyond its end (inf).
    crosses : float
        The share of draws that cross.
    after : str
        Which is better just past the crossing, or throughout where there is none ("neither": they
        are
        equal).
    again : tuple of float
        Further crossings of the estimates.
    level : float
        The level of the intervals.
    method : str
        Where the draws came from.
    paired : bool
        Whether draws were resamples of common runs.
    samples : ndarray, shape (draws,)
        The first crossings of the single draws, inf where there is none.
    left_out : int
        How many draws give NaN somewhere in the range, and are left out.
    """

    along: str
    frame: pd.DataFrame
    at: float
    at_low: float
    at_high: float
    crosses: float
    after: str
    again: tuple[float, ...]
    level: float
    method: str
    paired: bool
    samples: np.ndarray
    left_out: int = 0

    def interval(self, level: float = 0.9) -> tuple[float, float]:
        """Return the crossing's interval at another level.

        Parameters
        ----------
        level : float, default 0.9
            The level.

        Returns
        -------
        tuple of float
            Low and high, infinite where that many draws do not cross within the range.

        Raises
        ------
        JscaleError
            For a level outside (0, 1).
        """
        check_level(level)
        low, high = np.quantile(self.samples, tails(level), method="inverted_cdf")
        return float(low), float(high)

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table.

        Returns
        -------
        DataFrame
            One row per place.
        """
        return self.frame.copy()

    def summary(self) -> str:
        """Return the answer in a sentence or two.

        Returns
        -------
        str
            Where they cross, with what probability, and which is better.
        """
        low, high = (f"{self.frame[self.along].iloc[i]:.4g}" for i in (0, -1))
        last = self.frame.iloc[-1]
        verdict = f"At {self.along} = {high}, a is better with probability {last['a_better']:.2f}."
        if self.left_out:
            verdict += f" {self.left_out} draws that are NaN in the range are left out."
        if not np.isfinite(self.at):
            return (
                f"At the estimate there is no crossing from {self.along} = {low} to {high}; "
                f"{100 * self.crosses:.0f}% of draws have one. {verdict}"
            )
        more = listing([f"{x:.4g}" for x in self.again])
        more = f" The estimates cross again at {more}." if self.again else ""
        return (
            f"{self.after} is better past {self.along} = {self.at:.4g} ({100 * self.level:g}% "
            f"confidence interval {self.at_low:.4g} to {self.at_high:.4g}; "
            f"{100 * self.crosses:.0f}% of draws cross from {low} to {high}).{more} {verdict}"
        )

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.summary())}</p>"


def crossover(
    a: Draws | Fit | Predictor,
    b: Draws | Fit | Predictor,
    *,
    along: str = "C",
    over: tuple[float, float] | None = None,
    level: float = 0.9,
    method: str = "auto",
    discrepancy: bool = True,
    seed: int = 0,
    **others: Any,
) -> Crossover:
    """Find where one law overtakes another along an input, and which is better where.

    Parameters
    ----------
    a, b : Draws, Fit or Predictor
        Two recipes: what predicts one output in one unit. A Fit is forecast with its
        law's discrepancy; the draws of several laws, as of a :class:`~jscale.Forecast`, are pooled
        in proportion to their weights.
    along : str, default "C"
        An input of both, or C for laws of N and D, which then spend it best
        (:func:`jscale.allocate` at 6·N·D).
    over : tuple of float, optional
        The range to look at, low and high; by default from the smallest fitted to a hundred times
        past the largest.
    level : float, default 0.9
        The level of confidence intervals.
    method : str, default "auto"
        How the parameters of a Fit are drawn (see :func:`jscale.draws`); a method that is named
        gives intervals within the law.
    discrepancy : bool, default True
        Whether draws of a Fit include the chance that the truth departs from its law.
    seed : int, default 0
        The seed of those draws.
    **others : float or str
        The laws' other inputs, and the group's label where parameters differ by group.

    Returns
    -------
    Crossover
        Where one overtakes the other, with its interval and the probability that they cross.

    Raises
    ------
    PredictionError
        For laws of other outputs, units or inputs, an invalid range, or an estimate that is
        NaN within it.
    JscaleError
        For a level outside (0, 1).

    Warns
    -----
    ExtrapolationWarning
        Where a crossing lies more than ten times past the runs.

    Notes
    -----
    Draws are paired in order. Resamples of common runs by one seed are paired correctly, since they
    share the errors of those runs; two Fits drawn otherwise are drawn independently.

    The coverage of the crossing's interval within the laws has been measured for two power laws
    that cross at the largest compute and at ten times it: off by at most 7 percentage points
    (benchmarks/results/plan_coverage.txt). With discrepancies it has not been measured.

    Examples
    --------
    >>> import jscale as js
    >>> C = {"C": [1e6, 1e7, 1e8, 1e9, 1e10]}
    >>> slow, fast = {"A": 20.0, "alpha": 0.1}, {"A": 80.0, "alpha": 0.2}
    >>> both = [js.fit("power", js.simulate("power", p, C, noise=0.01)) for p in (slow, fast)]
    >>> js.crossover(*(js.laplace(fit, 100) for fit in both)).frame.columns.tolist()
    ['C', 'a', 'b', 'difference', 'low', 'high', 'a_better']
    """
    check_level(level)
    pair = _Pair.of(a, b, along, over, _Drawing(method, discrepancy, seed, "crossover"), others)
    first, second = pair.outputs()
    gap, left_out = _finite(first - second, pair)
    sign = 1.0 if pair.falling else -1.0
    low, high = np.quantile(gap[1:], tails(level), axis=0)
    frame = pd.DataFrame(
        {
            along: pair.places,
            "a": first[0],
            "b": second[0],
            "difference": gap[0],
            "low": low,
            "high": high,
            "a_better": 0.5 - 0.5 * np.sign(sign * gap[1:]).mean(axis=0),
        }
    )
    at = _crossings(sign * gap, np.log(pair.places))
    samples = np.where(np.isnan(at[1:]), np.inf, at[1:])
    at_low, at_high = np.quantile(samples, tails(level), method="inverted_cdf")
    every = _every_crossing(gap[0], np.log(pair.places))
    # The first place past the crossing; the first of all where there is none.
    past = np.searchsorted(pair.places, every[0]) if every else 0
    after = {-1.0: "a", 0.0: "neither", 1.0: "b"}[float(np.sign(sign * gap[0, past]))]
    largest = min(_largest(predictor.reference, along) for predictor in (pair.a, pair.b))
    warn_if_far([float(at[0]) / largest], "crossings", along, pair.advice)
    return Crossover(
        along=along,
        frame=frame,
        at=float(at[0]),
        at_low=float(at_low),
        at_high=float(at_high),
        crosses=float(np.isfinite(samples).mean()),
        after=after,
        again=every[1:],
        level=level,
        method=pair.method,
        paired=pair.paired,
        samples=samples,
        left_out=left_out,
    )


def equivalent(
    a: Draws | Fit | Predictor,
    b: Draws | Fit | Predictor,
    *,
    along: str = "C",
    over: tuple[float, float] | None = None,
    level: float = 0.9,
    method: str = "auto",
    discrepancy: bool = True,
    seed: int = 0,
    **others: Any,
) -> pd.DataFrame:
    """Return what one recipe is worth in the other's input: how much b needs to do as well as a.

    Parameters
    ----------
    a, b : Draws, Fit or Predictor
        Two recipes, as :func:`jscale.crossover` takes them.
    along : str, default "C"
        An input of both, or C for laws of N and D.
    over : tuple of float, optional
        The range of a's input, low and high. That of b is extended a hundredfold at both ends.
    level : float, default 0.9
        The level of confidence intervals.
    method : str, default "auto"
        How the parameters of a Fit are drawn (see :func:`jscale.draws`); a method that is named
        gives intervals within the law.
    discrepancy : bool, default True
        Whether draws of a Fit include the chance that the truth departs from its law.
    seed : int, default 0
        The seed of those draws.
    **others : float or str
        The laws' other inputs, and the group's label where parameters differ by group.

    Returns
    -------
    DataFrame
        Columns: ``along``; ``needs``, the amount that b needs for a's output; ``times``, that
        amount over a's (above 1: a saves so much), with its confidence interval ``low`` to
        ``high``; and ``exists``, the share of draws in which b gets there within its range. The
        others count as infinite where b stays behind throughout, as 0 where it is ahead
        throughout.

    Raises
    ------
    PredictionError
        As :func:`jscale.crossover`.

    Warns
    -----
    FitWarning
        Of draws that are NaN somewhere in the range; they are left out.

    Notes
    -----
    The coverage of these intervals has not been measured; that of the crossing has (see
    :func:`jscale.crossover`).

    Examples
    --------
    >>> import jscale as js
    >>> C = {"C": [1e6, 1e7, 1e8, 1e9, 1e10]}
    >>> slow, fast = {"A": 20.0, "alpha": 0.1}, {"A": 80.0, "alpha": 0.2}
    >>> both = [js.fit("power", js.simulate("power", p, C, noise=0.01)) for p in (slow, fast)]
    >>> js.equivalent(*(js.laplace(fit, 100) for fit in both)).columns.tolist()
    ['C', 'needs', 'times', 'low', 'high', 'exists']
    """
    check_level(level)
    pair = _Pair.of(a, b, along, over, _Drawing(method, discrepancy, seed, "equivalent"), others)
    first, _ = pair.outputs()
    wide = pair.widened(_BEYOND)
    _, second = wide.outputs()
    known = np.asarray(np.isfinite(first).all(axis=1))
    if not known[0] or not known[1:].any():
        raise _no_number(pair)
    if not known.all():
        warnings.warn(
            f"{int((~known).sum())} draws are NaN in the range and are left out. Narrow it: "
            "over=(low, high).",
            FitWarning,
            stacklevel=outside(),
        )
    first, second = first[known], second[known]
    sign = 1.0 if pair.falling else -1.0
    needs = _inverted(sign * second, np.log(wide.places), sign * first)
    times = needs / pair.places
    low, high = np.quantile(times[1:], tails(level), axis=0, method="inverted_cdf")
    inside = np.isfinite(times[1:]) & (times[1:] > 0)
    return pd.DataFrame(
        {
            along: pair.places,
            "needs": needs[0],
            "times": times[0],
            "low": low,
            "high": high,
            "exists": inside.mean(axis=0),
        }
    )


def _finite(gap: np.ndarray, pair: _Pair) -> tuple[np.ndarray, int]:
    """Drop draws with a NaN somewhere; return the others and how many were dropped."""
    known = np.asarray(np.isfinite(gap).all(axis=1))
    if not known[0] or not known[1:].any():
        raise _no_number(pair)
    return gap[known], int((~known).sum())


def _no_number(pair: _Pair) -> PredictionError:
    return PredictionError(
        f"The estimate, or every draw, of a or b is NaN somewhere from {pair.along} = "
        f"{pair.places[0]:.4g} to {pair.places[-1]:.4g}. Narrow the range: over=(low, high)."
    )


class _Drawing(NamedTuple):
    """How draws of Fits are made, and the function to name in messages."""

    method: str
    discrepancy: bool
    seed: int
    caller: str

    def of(self, source: Any, seed: int) -> Predictor:
        """Return the predictor of a source."""
        return predictor_of(
            source, self.method, seed, caller=self.caller, discrepancy=self.discrepancy
        )


@dataclass(frozen=True, eq=False)
class _Pair:
    """Two predictors, and the places at which they are compared."""

    a: Predictor
    b: Predictor
    along: str
    places: np.ndarray
    others: dict[str, Any]
    paired: bool

    @classmethod
    def of(
        cls,
        a: Any,
        b: Any,
        along: str,
        over: Any,
        drawing: _Drawing,
        others: dict[str, Any],
    ) -> _Pair:
        """Check two sources, and draw those that are Fits."""
        seed = drawing.seed
        fits = [reference_of(source, caller=drawing.caller) for source in (a, b)]
        _check(fits, along)
        known = {x for f in fits for x in _columns(f)} - {along}
        for name in others:
            if name not in known:
                raise PredictionError(
                    f"{name!r} is not another input of either law.{nearest(name, sorted(known))} "
                    f"Theirs are {listing(sorted(known), 12) or 'none'}."
                )
        first = drawing.of(a, seed)
        # Refits of common runs with one seed share the errors of those runs, which cancel in
        # differences; any other draws must not share their random numbers.
        common = first.resamples is not None and fits[0].runs.digest == fits[1].runs.digest
        second = drawing.of(b, seed if common else seed + 1)
        low, high = _range(fits, along, over)
        places = np.geomspace(low, high, _POINTS)
        paired = common and second.resamples == first.resamples
        return cls(first, second, along, places, others, paired)

    @property
    def method(self) -> str:
        """Where the draws came from."""
        return ", ".join(dict.fromkeys(label(part) for part in (self.a, self.b)))

    @property
    def advice(self) -> str:
        """What a warning of distance says."""
        within = is_within_law(self.a) or is_within_law(self.b)
        return "Intervals only cover uncertainty within the laws." if within else CHECK_FAR

    @property
    def falling(self) -> bool:
        """Whether less is better: an output that rises along the input is better when larger."""
        law = self.a.reference.law
        chosen = {self.along} if self.along in law.inputs else {"N", "D"}
        return not chosen & set(law.rising)

    def widened(self, factor: float) -> _Pair:
        """Return the pair over a wider range, at as many places for each factor."""
        low, high = self.places[0] / factor, self.places[-1] * factor
        finer = np.log(high / low) / np.log(self.places[-1] / self.places[0])
        places = np.geomspace(low, high, int(_POINTS * min(finer, _FINEST)))
        return replace(self, places=places)

    def outputs(self) -> tuple[np.ndarray, np.ndarray]:
        """Return outputs of as many draws of each, the estimates first: (1 + R, places)."""
        first, second = self._of(self.a), self._of(self.b)
        count = min(len(first), len(second))
        return first[:count], second[:count]

    def _of(self, predictor: Predictor) -> np.ndarray:
        """Return a predictor's outputs at the places, the estimate's first: (1 + R, places)."""
        fit = predictor.reference
        given = {x: value for x, value in self.others.items() if x in _columns(fit)}
        if self.along not in fit.law.inputs:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExtrapolationWarning)
                plan = allocate(predictor, self.places, **given)
            point = plan.frame[fit.law.output].to_numpy()
            return np.concatenate([point[None], plan.outputs])
        table = input_table(fit, {**given, self.along: self.places}, {})
        (outputs,) = over_draws(
            predictor.components,
            lambda component, samples, rows: (component.at(table, samples),),
            average=True,
        )
        return outputs


def _columns(fit: Fit) -> tuple[str, ...]:
    return (*fit.law.inputs, *(c for c, _ in fit.problem.layout.groups))


def _check(fits: list[Fit], along: str) -> None:
    """Raise PredictionError for laws that cannot be compared along an input."""
    for what, of in (("outputs", lambda f: f.law.output), ("units", lambda f: f.runs.loss_unit)):
        if of(fits[0]) != of(fits[1]):
            raise PredictionError(
                f"The two laws have {what} {of(fits[0])!r} and {of(fits[1])!r}; only one and the "
                "same can be compared."
            )
    for fit in fits:
        surface = along == "C" and {"N", "D"} <= set(fit.law.inputs)
        if along not in fit.law.inputs and not surface:
            raise PredictionError(
                f"{fit.law.name} has no input {along!r}; it has {listing(fit.law.inputs, 12)}. "
                "Compare along an input of both."
            )


def _largest(fit: Fit, along: str) -> float:
    known = along in fit.runs.frame.columns
    return float(fit.runs[along].max()) if known else float(fit.largest or np.inf)


def _range(fits: list[Fit], along: str, over: Any) -> tuple[float, float]:
    if over is None:
        low = min(float(f.runs[along].min()) for f in fits)
        return low, _BEYOND * max(_largest(f, along) for f in fits)
    try:
        low, high = (float(x) for x in over)
    except (TypeError, ValueError):
        low, high = np.nan, np.nan
    if not 0 < low < high < np.inf:
        raise PredictionError(f"over={over!r} must be two positive numbers, low and high.")
    return low, high


def _crossings(gap: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """Return where each row of gaps (R, G) first changes sign, between places; NaN for none."""
    turned = np.sign(gap[:, 1:]) != np.sign(gap[:, :-1])
    i = np.argmax(turned, axis=1)
    rows = np.arange(len(gap))
    before, after = gap[rows, i], gap[rows, i + 1]
    part = np.clip(before / np.where(before == after, 1.0, before - after), 0.0, 1.0)
    return np.where(turned.any(axis=1), np.exp(logs[i] + part * (logs[i + 1] - logs[i])), np.nan)


def _every_crossing(gap: np.ndarray, logs: np.ndarray) -> tuple[float, ...]:
    """Return all places at which a row of gaps (G,) changes sign."""
    turns = np.flatnonzero(np.sign(gap[1:]) != np.sign(gap[:-1]))
    return tuple(float(_crossings(gap[None, i : i + 2], logs[i : i + 2])[0]) for i in turns)


def _inverted(outputs: np.ndarray, logs: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return where rows of falling outputs (R, G) first reach the target outputs (R, m)."""
    amounts = np.empty_like(wanted)
    for row, (curve, target) in enumerate(zip(outputs, wanted, strict=True)):
        lowest = np.minimum.accumulate(np.where(np.isfinite(curve), curve, np.inf))
        where = np.exp(np.interp(-target, -lowest, logs))
        amounts[row] = np.where(
            target < lowest[-1], np.inf, np.where(target > curve[0], 0.0, where)
        )
    return amounts
