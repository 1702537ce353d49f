"""Trend: noise that grows or shrinks with compute, as far as the runs tell.

The scale of a run's error is taken to be s·(x/x0)^slope, x its compute (or the first input that
is positive). Few runs cannot tell such a slope from none, and a test that then says "none" makes
intervals too narrow: so the slope is never decided on but drawn, from a posterior whose prior is
normal around zero. A score test of slope = 0 only says whether to tell the user: Breusch and
Pagan's, studentised by Koenker (Journal of Econometrics 17, 1981), with the scores of a
Student-t's scale in place of squares, since squares of heavy-tailed errors hide what there is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from jscale.data.flops import training_flops
from jscale.fitting.notes import Note
from jscale.fitting.result import Fit

_BY_CHANCE = 0.01
_ENOUGH_RUNS = 8
# The prior's standard deviation; one of it changes the noise by a factor of 1.4 in a decade. With
# 0.1 intervals of new runs were too narrow where noise grows (20 runs), with 0.2 too wide beyond.
_LIKELY_SLOPE = 0.15
_HEAVY = 4.0
# Bounds on what is estimated, far beyond what the prior leaves of it.
_STEEPEST = np.array([20.0, 3.0])
# Beyond the fitted runs noise grows by at most so much more, and shrinks no further.
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

        Beyond the fitted x it stays what it was at their end where it would shrink, and where it
        grows it grows on by the mean slope, up to three times what it was there. For slopes
        (R, 1) it is (R, m).
        """
        slope = self.slope if slope is None else slope
        inside = np.clip(log_x, self.low, self.high)
        beyond = np.clip(self.slope * (log_x - inside), 0.0, np.log(MOST_GROWTH))
        return np.exp(slope * (inside - self.centre) + beyond)

    def draw(self, table: pd.DataFrame, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return factors (count, m) for rows of inputs, each with a slope within its error."""
        slopes = self.slope + self.error * rng.standard_normal((count, 1))
        return self.factor(log_axis(table, self.column), slopes)

    def of(self, fit: Fit) -> np.ndarray:
        """Return the fitted rows' log x (n,), of rows with weight."""
        return log_axis(fit.runs.frame.loc[fit.problem.used], self.column)

    @property
    def notes(self) -> tuple[Note, ...]:
        """The remark on it, where the test finds that the noise varies (p < 0.01)."""
        return (self._note,) if self.chance < _BY_CHANCE else ()

    @property
    def _note(self) -> Note:
        how = "grows" if self.slope > 0 else "shrinks"
        return Note(
            "noise-varies", "info",
            f"The runs' noise {how} as {self.column}^{self.slope:.3g} (error {self.error:.2g}; by "
            f"chance: p = {self.chance:.1e}).",
            "New runs get the noise of their size. Beyond the fitted runs it stays as it was at "
            f"their end, or where it grows goes on to at most {MOST_GROWTH:g} times that.",
            "Weigh the runs by 1/noise² for a sharper fit: js.fit(…, weights=…).",
        )  # fmt: skip


def axis(fit: Fit) -> str | None:
    """Return what noise may vary with: C, or else the first input that is positive."""
    inputs = fit.law.inputs
    if "C" in fit.runs.inputs and ("C" in inputs or {"N", "D"} <= set(inputs)):
        return "C"
    return next((x for x in inputs if (fit.runs[x] > 0).all()), None)


def log_axis(table: pd.DataFrame, column: str) -> np.ndarray:
    """Return the logarithm of a column (m,), C = 6·N·D where a table has none."""
    if column == "C" and "C" not in table:
        return np.log(training_flops(table["N"].to_numpy(float), table["D"].to_numpy(float)))
    return np.log(table[column].to_numpy(dtype=np.float64))


def find_trend(fit: Fit, errors: np.ndarray, units: np.ndarray) -> Trend | None:
    """Return how the sizes of errors (n,) vary with the runs, or None where nothing could tell.

    ``units`` (n,) numbers the run of each row with weight: a run counts once. None below 8 runs.
    """
    column = axis(fit)
    if column is None:
        return None
    return trend_along(
        log_axis(fit.runs.frame.loc[fit.problem.used], column), errors, units, column
    )


def trend_along(x: np.ndarray, errors: np.ndarray, units: np.ndarray, column: str) -> Trend | None:
    """Return how the sizes of errors (n,) vary with x, the logarithm of a column (n,), or None."""
    spread = 1.4826 * float(np.median(np.abs(errors)))
    if len(np.unique(units)) < _ENOUGH_RUNS or np.ptp(x) == 0 or spread == 0:
        return None
    chance = _chance(_by_run(x, units), _by_run(_scores((errors / spread) ** 2), units))
    slope, error = _shrunk(*_slope(x, errors / spread, units))
    return Trend(column, slope, error, chance, float(x.mean()), float(x.min()), float(x.max()))


def _shrunk(slope: float, error: float) -> tuple[float, float]:
    """The mean and standard deviation of a slope estimated with an error, under the prior."""
    share = _LIKELY_SLOPE**2 / (_LIKELY_SLOPE**2 + error**2)
    return share * slope, float(np.sqrt(share)) * error


def _scores(square: np.ndarray) -> np.ndarray:
    """The slope of a Student-t's log density in the logarithm of its scale, at r²/s²."""
    return (_HEAVY + 1) * square / (_HEAVY + square) - 1.0


def sums_by(values: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Return sums of rows of values (n, …) within units (n,), in order: (number of units, …)."""
    _, place = np.unique(units, return_inverse=True)
    total = np.zeros((int(place.max()) + 1, *values.shape[1:]))
    np.add.at(total, place, values)
    return total


def _by_run(values: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Means of rows by run."""
    return sums_by(values, units) / sums_by(np.ones(len(units)), units)


def _chance(x: np.ndarray, scores: np.ndarray) -> float:
    """The p-value of a correlation, by Student's t of n − 2 degrees of freedom."""
    from scipy.special import stdtr

    r = np.corrcoef(x, scores)[0, 1] if np.ptp(scores) > 0 else 0.0
    freedom = len(x) - 2
    t = abs(r) * np.sqrt(freedom / max(1 - r * r, 1e-12))
    return float(2 * stdtr(freedom, -t))


def _slope(x: np.ndarray, errors: np.ndarray, units: np.ndarray) -> tuple[float, float]:
    """Fit log scale = a + slope·x by Student-t likelihood; return slope and standard error.

    Fisher scoring. The error is the sandwich one, with the scores of a run added up, but not
    below that of Student-t errors, since few scores say little of their own spread.
    """
    X = np.column_stack([np.ones(len(x)), x - x.mean()])
    inverse = np.linalg.inv(X.T @ X) * (_HEAVY + 3) / (2 * _HEAVY)
    at = np.zeros(2)
    for _ in range(50):
        step = inverse @ (X.T @ _scores((errors / np.exp(X @ at)) ** 2))
        at = np.clip(at + np.clip(step, -1.0, 1.0), -_STEEPEST, _STEEPEST)
        if np.abs(step).max() < 1e-10:
            break
    each = X * _scores((errors / np.exp(X @ at)) ** 2)[:, None]
    total = sums_by(each, units)
    spread = inverse @ (total.T @ total) @ inverse
    return float(at[1]), float(np.sqrt(max(spread[1, 1], inverse[1, 1])))
