"""crossover and equivalent: where one recipe overtakes another, and what one is worth in the other.

Both look at two fitted laws along one input, for every pair of draws.
"""

from __future__ import annotations

import html
import warnings
from dataclasses import dataclass
from typing import Any

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
from jscale.prediction.components import curves
from jscale.prediction.extrapolation import warn_if_far
from jscale.uncertainty.automatic import draws as make_draws
from jscale.uncertainty.draws import Draws, tails

_POINTS = 121
_BEYOND = 100.0
_FINEST = 16.0


@dataclass(frozen=True, eq=False)
class Crossover:
    """Where a overtakes b, or b overtakes a.

    ``frame`` has a row per place along ``along``: the outputs ``a`` and ``b`` at the estimate,
    their ``difference`` a − b with its confidence interval ``low`` to ``high``, and ``a_better``,
    the share of draws in which a is, ties counting half. ``at`` is the first crossing at the
    estimate (NaN where there is none in the range), ``at_low`` to ``at_high`` its interval, in
    which draws that do not cross within the range count as beyond its end (inf); ``crosses`` is
    the share that do. ``after`` says which is better right past the crossing, or throughout where
    there is none ("neither": they are equal); ``again`` holds further crossings of the estimates.
    ``samples`` (draws,) are the single draws' first crossings, inf where there is none;
    ``left_out`` counts draws that give no number somewhere in the range, and are left out.
    ``paired`` whether draws were resamples of common runs.
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

        Raises JscaleError for a level outside (0, 1).
        """
        check_level(level)
        low, high = np.quantile(self.samples, tails(level), method="inverted_cdf")
        return float(low), float(high)

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table."""
        return self.frame.copy()

    def summary(self) -> str:
        """Return the answer in a sentence or two."""
        low, high = (f"{self.frame[self.along].iloc[i]:.4g}" for i in (0, -1))
        last = self.frame.iloc[-1]
        said = f"At {self.along} = {high}, a is better with probability {last['a_better']:.2f}."
        if self.left_out:
            said += f" {self.left_out} draws that give no number in the range are left out."
        if not np.isfinite(self.at):
            return (
                f"At the estimate there is no crossing from {self.along} = {low} to {high}; "
                f"{100 * self.crosses:.0f} % of draws have one. {said}"
            )
        more = listing([f"{x:.4g}" for x in self.again])
        more = f" The estimates cross again at {more}." if self.again else ""
        return (
            f"{self.after} is better past {self.along} = {self.at:.4g} ({100 * self.level:g}% "
            f"confidence interval {self.at_low:.4g} to {self.at_high:.4g}; "
            f"{100 * self.crosses:.0f} % of draws cross from {low} to {high}).{more} {said}"
        )

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.summary())}</p>"


def crossover(
    a: Draws | Fit,
    b: Draws | Fit,
    *,
    along: str = "C",
    over: tuple[float, float] | None = None,
    level: float = 0.9,
    method: str = "auto",
    seed: int = 0,
    **others: Any,
) -> Crossover:
    """Find where one law overtakes another along an input, and which is better where.

    ``a``, ``b``: Draws or Fits of two laws of one output in one unit. ``along`` is an input of
    both, or C for laws of N and D, which then spend it best (:func:`jscale.allocate` at 6·N·D).
    ``over``: the range looked at, from the smallest fitted to a hundred times past the largest by
    default. ``others``: the laws' other inputs. Draws are paired in order: resamples of common
    runs by one seed are paired rightly; two Fits are drawn independently otherwise.

    How often the crossing's interval holds the truth has been measured for two power laws that
    cross at the largest compute and at ten times it: off by at most 7 percentage points
    (benchmarks/results/plan_coverage.txt).

    Raises PredictionError for laws of other outputs, units or inputs, or a range that is none;
    warns with ExtrapolationWarning where a crossing lies more than ten times past the runs.

    >>> import jscale as js
    >>> C = {"C": [1e6, 1e7, 1e8, 1e9, 1e10]}
    >>> slow, fast = {"A": 20.0, "alpha": 0.1}, {"A": 80.0, "alpha": 0.2}
    >>> both = [js.fit("power", js.simulate("power", p, C, noise=0.01)) for p in (slow, fast)]
    >>> js.crossover(*(js.laplace(fit, 100) for fit in both)).frame.columns.tolist()
    ['C', 'a', 'b', 'difference', 'low', 'high', 'a_better']
    """
    pair = _Pair.of(a, b, along, over, level, method, seed, others)
    first, second = pair.outputs()
    gap, left_out = _finite(first - second, pair)
    sign = 1.0 if pair.falling else -1.0
    low, high = np.quantile(gap[1:], tails(level), axis=0)
    frame = pd.DataFrame(
        {along: pair.places, "a": first[0], "b": second[0], "difference": gap[0], "low": low,
         "high": high, "a_better": 0.5 - 0.5 * np.sign(sign * gap[1:]).mean(axis=0)}
    )  # fmt: skip
    at = _crossings(sign * gap, np.log(pair.places))
    samples = np.where(np.isnan(at[1:]), np.inf, at[1:])
    bounds = np.quantile(samples, tails(level), method="inverted_cdf")
    every = _every_crossing(gap[0], np.log(pair.places))
    # The first place past the crossing; the first of all where there is none.
    past = np.searchsorted(pair.places, every[0]) if every else 0
    after = {-1.0: "a", 0.0: "neither", 1.0: "b"}[float(np.sign(sign * gap[0, past]))]
    found = Crossover(
        along, frame, float(at[0]), float(bounds[0]), float(bounds[1]),
        float(np.isfinite(samples).mean()), after, every[1:], level, pair.method, pair.paired,
        samples, left_out,
    )  # fmt: skip
    largest = min(_largest(d.fit, along) for d in (pair.a, pair.b))
    warn_if_far(
        [found.at / largest], "crossings", along,
        "Intervals only cover uncertainty within the laws.",
    )  # fmt: skip
    return found


def equivalent(
    a: Draws | Fit,
    b: Draws | Fit,
    *,
    along: str = "C",
    over: tuple[float, float] | None = None,
    level: float = 0.9,
    method: str = "auto",
    seed: int = 0,
    **others: Any,
) -> pd.DataFrame:
    """Return what a is worth in b's input: how much b needs to do as well, at each place.

    Arguments and errors are those of :func:`jscale.crossover`. Columns: ``along``, ``needs``, the
    amount that b needs for a's output, ``times``, that amount over a's (above 1: a saves so much),
    its confidence interval ``low`` to ``high``, and ``exists``, the share of draws in which b gets
    there within the range, extended a hundredfold at both ends; others count as infinite where b
    stays behind throughout, as 0 where it is ahead throughout. How often these intervals hold the
    truth has not been measured; that of the crossing has (see :func:`crossover`).

    Warns with FitWarning of draws that give no number somewhere in the range; they are left out.
    """
    pair = _Pair.of(a, b, along, over, level, method, seed, others)
    first, _ = pair.outputs()
    wide = pair.widened(_BEYOND)
    _, second = wide.outputs()
    known = np.asarray(np.isfinite(first).all(axis=1))
    if not known[0] or not known[1:].any():
        raise _no_number(pair)
    if not known.all():
        warnings.warn(
            f"{int((~known).sum())} draws give no number in the range and are left out. Narrow it: "
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
        {along: pair.places, "needs": needs[0], "times": times[0], "low": low, "high": high,
         "exists": inside.mean(axis=0)}
    )  # fmt: skip


def _finite(gap: np.ndarray, pair: _Pair) -> tuple[np.ndarray, int]:
    """Leave out draws that have no number somewhere; return the rest and how many were left."""
    known = np.asarray(np.isfinite(gap).all(axis=1))
    if not known[0] or not known[1:].any():
        raise _no_number(pair)
    return gap[known], int((~known).sum())


def _no_number(pair: _Pair) -> PredictionError:
    return PredictionError(
        f"The estimate, or every draw, of a or b gives no number somewhere from {pair.along} = "
        f"{pair.places[0]:.4g} to {pair.places[-1]:.4g}. Narrow the range: over=(low, high)."
    )


@dataclass(frozen=True, eq=False)
class _Pair:
    """Two laws' draws, and the places at which they are compared."""

    a: Draws
    b: Draws
    along: str
    places: np.ndarray
    others: dict[str, Any]
    paired: bool

    @classmethod
    def of(
        cls, a: Any, b: Any, along: str, over: Any, level: float, method: str, seed: int,
        others: dict[str, Any],
    ) -> _Pair:  # fmt: skip
        """Check two sources and draw those that are Fits."""
        check_level(level)
        fits = [x.fit if isinstance(x, Draws) else x for x in (a, b)]
        _check(fits, along)
        known = {x for f in fits for x in _columns(f)} - {along}
        for name in others:
            if name not in known:
                raise PredictionError(
                    f"{name!r} is no other input of either law.{nearest(name, sorted(known))} "
                    f"Theirs are {listing(sorted(known), 12) or 'none'}."
                )
        first = make_draws(a, method, seed=seed) if isinstance(a, Fit) else a
        # Resamples of common runs share their luck and one seed; all else must not share it.
        same = first.method.startswith("bootstrap") and fits[0].runs.digest == fits[1].runs.digest
        second = make_draws(b, method, seed=seed if same else seed + 1) if isinstance(b, Fit) else b
        paired = same and second.method == first.method
        low, high = _range(fits, along, over)
        return cls(first, second, along, np.geomspace(low, high, _POINTS), others, paired)

    @property
    def method(self) -> str:
        """Where the draws came from."""
        return ", ".join(dict.fromkeys((self.a.method, self.b.method)))

    @property
    def falling(self) -> bool:
        """Whether less is better: an output that rises along the way is better the more."""
        law = self.a.fit.law
        chosen = {self.along} if self.along in law.inputs else {"N", "D"}
        return not chosen & set(law.rising)

    def widened(self, factor: float) -> _Pair:
        """Return the pair over a wider range, at as many places for each factor."""
        low, high = self.places[0] / factor, self.places[-1] * factor
        finer = np.log(high / low) / np.log(self.places[-1] / self.places[0])
        places = np.geomspace(low, high, int(_POINTS * min(finer, _FINEST)))
        return _Pair(self.a, self.b, self.along, places, self.others, self.paired)

    def outputs(self) -> tuple[np.ndarray, np.ndarray]:
        """Return outputs of as many draws of each, the estimates first: (1 + R, places)."""
        count = min(len(self.a), len(self.b))
        return self._of(self.a, count), self._of(self.b, count)

    def _of(self, drawn: Draws, count: int) -> np.ndarray:
        law = drawn.fit.law
        samples = np.concatenate([drawn.fit.params.to_numpy()[None], drawn.flat[:count]])
        if self.along not in law.inputs:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExtrapolationWarning)
                plan = allocate(drawn, self.places, **_own(drawn, self.others))
            point = plan.frame[law.output].to_numpy()
            return np.concatenate([point[None], plan.outputs[:count]])
        given = {**_own(drawn, self.others), self.along: self.places}
        return curves(drawn.fit, input_table(drawn.fit, given, {}), samples)


def _own(drawn: Draws, others: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in others.items() if name in _columns(drawn.fit)}


def _columns(fit: Fit) -> tuple[str, ...]:
    return (*fit.law.inputs, *(c for c, _ in fit.problem.layout.groups))


def _check(fits: list[Any], along: str) -> None:
    wrong = [type(f).__name__ for f in fits if not isinstance(f, Fit)]
    if wrong:
        raise PredictionError(f"A recipe is Draws or a Fit, not {listing(wrong)}.")
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
    found = []
    for i in np.flatnonzero(np.sign(gap[1:]) != np.sign(gap[:-1])):
        found.append(float(_crossings(gap[None, i : i + 2], logs[i : i + 2])[0]))
    return tuple(found)


def _inverted(outputs: np.ndarray, logs: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return where rows of falling outputs (R, G) first come down to those wanted (R, m)."""
    found = np.empty_like(wanted)
    for row, (own, asked) in enumerate(zip(outputs, wanted, strict=True)):
        lowest = np.minimum.accumulate(np.where(np.isfinite(own), own, np.inf))
        where = np.exp(np.interp(-asked, -lowest, logs))
        found[row] = np.where(asked < lowest[-1], np.inf, np.where(asked > own[0], 0.0, where))
    return found
