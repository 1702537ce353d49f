"""Trend: noise that grows or shrinks with compute, as estimated from the runs.

The scale of a run's error is taken to be s·(x/x0)^slope, x its compute (or the first input that
is positive). Few runs cannot distinguish such a slope from none, and a test that then accepts
"none" makes intervals too narrow. The slope is therefore drawn, from a posterior with a normal
prior around zero. A score test of slope = 0 only decides whether to tell the user: Breusch and
Pagan's, studentised by Koenker (Journal of Econometrics 17, 1981), with the scores of a
Student-t's scale in place of squares, since squares of heavy-tailed errors obscure a trend.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from jscale.data.checks import rows_at
from jscale.data.flops import training_flops
from jscale.errors import DataError
from jscale.fitting.notes import Note
from jscale.fitting.result import Fit
from jscale.fitting.statistics import robust_spread, sums_by

_BY_CHANCE = 0.01
_ENOUGH_RUNS = 8
# The prior's standard deviation; one of it changes the noise by a factor of 1.4 in a decade. With
# 0.1 intervals of new runs were too narrow where noise grows (20 runs), with 0.2 too wide beyond.
_LIKELY_SLOPE = 0.15
_HEAVY = 4.0
# Beyond the fitted runs noise grows at most by this factor, and does not shrink.
MOST_GROWTH = 3.0


@dataclass(frozen=True)
class Trend:
    """Noise in proportion to x^``slope``, 1 at x = exp(``centre``), x the column ``column``.

    ``slope`` and ``error`` are the mean and the standard deviation of its posterior, ``chance``
    is the p-value of a test of none, ``low`` and ``high`` are the logarithms of the smallest and
    the largest fitted x.
    """

    column: str
    slope: float
    error: float
    chance: float
    centre: float
    low: float
    high: float

    def factor(self, log_x: np.ndarray, slope: np.ndarray | float | None = None) -> np.ndarray:
        """Return the scale of the noise at log x (m,), relative to the centre.

        Beyond the fitted x it stays constant where it would shrink, and continues to grow by the
        mean slope where it grows, up to three times its value there. For slopes
        (R, 1) it is (R, m).
        """
        slope = self.slope if slope is None else slope
        inside = np.clip(log_x, self.low, self.high)
        beyond = np.clip(self.slope * (log_x - inside), 0.0, np.log(MOST_GROWTH))
        return np.exp(slope * (inside - self.centre) + beyond)

    def slopes(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draw slopes (count, 1) from the posterior."""
        return self.slope + self.error * rng.standard_normal((count, 1))

    def draw(self, table: pd.DataFrame, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return factors (count, m) for rows of inputs, each draw with a slope of its own."""
        return self.factor(log_axis(table, self.column), self.slopes(count, rng))

    def of(self, fit: Fit) -> np.ndarray:
        """Return the fitted rows' log x (n,), of rows with weight."""
        return log_axis(fit.runs.frame.loc[fit.problem.used], self.column)

    @property
    def notes(self) -> tuple[Note, ...]:
        """The note on it, where the test finds that the noise varies (p < 0.01)."""
        return (self._note,) if self.chance < _BY_CHANCE else ()

    @property
    def _note(self) -> Note:
        how = "grows" if self.slope > 0 else "shrinks"
        return Note(
            "noise-varies",
            "info",
            f"The runs' noise {how} as {self.column}^{self.slope:.3g} (error {self.error:.2g}; by "
            f"chance: p = {self.chance:.1e}).",
            "New runs get the noise of their size. Beyond the fitted runs it stays constant, or, "
            f"where it grows, continues to at most {MOST_GROWTH:g} times its value there.",
            "Weigh the runs by 1/noise² for a sharper fit: js.fit(…, weights=…).",
        )


def axis(fit: Fit) -> str | None:
    """Return the column that noise may vary with: C, or else the first positive input."""
    law = fit.law
    if "C" in fit.runs.inputs and ("C" in law.inputs or {"N", "D"} <= set(law.inputs)):
        return "C"
    return next((x for x in law.positive_inputs if x not in law.codes), None)


def log_axis(table: pd.DataFrame, column: str) -> np.ndarray:
    """Return the logarithm of a column (m,), C = 6·N·D where a table has none."""
    if column == "C" and "C" not in table and {"N", "D"} <= set(table):
        return np.log(training_flops(table["N"].to_numpy(float), table["D"].to_numpy(float)))
    if column not in table:
        raise DataError(
            f"The noise was learnt to follow {column}, but the table has no column {column!r}. "
            "Give it, or learn noise that is the same everywhere: noise_model(fit, trend=False)."
        )
    values = table[column].to_numpy(dtype=np.float64)
    if not (values > 0).all():
        raise DataError(
            f"column {column!r} must be positive, since the noise was learnt to follow its "
            f"logarithm, but {rows_at(table, ~(values > 0), values)}."
        )
    return np.log(values)


def find_trend(fit: Fit, errors: np.ndarray, units: np.ndarray, spare: np.ndarray) -> Trend | None:
    """Return how the sizes of errors (n,) vary with the runs, or None where it cannot be estimated.

    ``units`` (n,) numbers the run of each row with weight: a run counts once. ``spare`` (n,) is
    1 − leverage of each row: where a fit interpolates, residuals carry no information. None below
    8 runs.
    """
    column = axis(fit)
    if column is None:
        return None
    x = log_axis(fit.runs.frame.loc[fit.problem.used], column)
    return trend_along(x, errors, units, spare, column)


def trend_along(
    x: np.ndarray, errors: np.ndarray, units: np.ndarray, spare: np.ndarray, column: str
) -> Trend | None:
    """Return how the sizes of errors (n,) vary with x, the logarithm of a column (n,), or None."""
    _, place, rows = np.unique(units, return_inverse=True, return_counts=True)
    # A run with a parameter of its own has almost no weight, but not zero: sums divide by it.
    weights = np.clip(spare, 1e-6, 1.0) / rows[place]
    spread = robust_spread(errors)
    if len(rows) < _ENOUGH_RUNS or np.ptp(x) == 0 or spread == 0:
        return None
    centre = float(weights @ x / weights.sum())
    slope, error = _slope(x - centre, errors / spread, weights, place)
    chance = _chance(x, _scores((errors / spread) ** 2), weights, place)
    return Trend(column, slope, error, chance, centre, float(x.min()), float(x.max()))


def _scores(square: np.ndarray) -> np.ndarray:
    """The slope of a Student-t's log density in the logarithm of its scale, at r²/s²."""
    return (_HEAVY + 1) * square / (_HEAVY + square) - 1.0


def _chance(x: np.ndarray, scores: np.ndarray, weights: np.ndarray, units: np.ndarray) -> float:
    """The p-value of a weighted correlation of runs' means, by Student's t with n − 2 degrees."""
    from scipy.special import stdtr

    total = sums_by(weights, units)
    means = sums_by(np.column_stack([x, scores]) * weights[:, None], units) / total[:, None]
    means = (means - total @ means / total.sum()) * np.sqrt(total)[:, None]
    (xx, xs), (_, ss) = means.T @ means
    # Without any variation there is no correlation to test.
    r = xs / np.sqrt(xx * ss) if xx * ss > 0 else 0.0
    freedom = len(total) - 2
    t = abs(r) * np.sqrt(freedom / max(1 - r * r, 1e-12))
    return float(2 * stdtr(freedom, -t))


def _slope(
    x: np.ndarray, errors: np.ndarray, weights: np.ndarray, units: np.ndarray
) -> tuple[float, float]:
    """Fit log scale = a + slope·x by Student-t likelihood under the prior; return slope, error.

    Its mode, and the standard deviation that the curvature there gives. Where runs' scores spread
    more than independent Student-t errors' would (the sandwich of clusters, by G/(G − 2) for
    their number), the likelihood is down-weighted by that factor.
    """
    X = np.column_stack([np.ones(len(x)), x])
    # Fisher information of a Student-t's log scale.
    known = (X * weights[:, None]).T @ X * (2 * _HEAVY) / (_HEAVY + 3)
    prior = np.diag([0.0, _LIKELY_SLOPE**-2])
    at = _mode(X, errors, weights, known, prior)
    each = sums_by(X * (weights * _scores((errors / np.exp(X @ at)) ** 2))[:, None], units)
    # At the mode under the prior scores do not sum to zero: the offset is no spread.
    each = each - each.mean(axis=0)
    inverse, few = np.linalg.inv(known), len(each) / (len(each) - 2)
    trust = min(1.0, inverse[1, 1] / max((inverse @ (each.T @ each) @ inverse)[1, 1] * few, 1e-300))
    at = _mode(X, errors, trust * weights, trust * known, prior)
    return float(at[1]), float(np.sqrt(np.linalg.inv(trust * known + prior)[1, 1]))


def _mode(
    X: np.ndarray, errors: np.ndarray, weights: np.ndarray, known: np.ndarray, prior: np.ndarray
) -> np.ndarray:
    """The most probable (log scale, slope), by Fisher scoring with information ``known``."""
    inverse, at = np.linalg.inv(known + prior), np.zeros(2)
    for _ in range(50):
        slope = X.T @ (weights * _scores((errors / np.exp(X @ at)) ** 2)) - prior @ at
        step = inverse @ slope
        # Scoring may overshoot from zero: a step of 1 is a factor of e in scale.
        at = at + np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-10:
            break
    return at
