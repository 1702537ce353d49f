"""Likelihoods: how observed runs scatter around a law's curve, and counted outcomes.

"student_t" and "normal" are densities of residuals in the objective's space (of log losses, by
default), with a scale to be estimated. "binomial" and "beta_binomial" are for rates of a known
number of trials: the law's output is the probability of success.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jscale._precision import float64_scope
from jscale.arguments import check_choice
from jscale.data.checks import rows_at, to_numbers
from jscale.errors import DataError, JscaleError, PredictionError, listing, nearest
from jscale.fitting.objective import from_space, to_space
from jscale.fitting.problem import Problem, pad_rows
from jscale.fitting.result import Fit

# The nuisance parameter of each likelihood: its name, or None.
NUISANCE: dict[str, str | None] = {
    "student_t": "noise_scale",
    "normal": "noise_scale",
    "binomial": None,
    "beta_binomial": "concentration",
}
COUNTED = ("binomial", "beta_binomial")
# Priors of their logarithms: of a residual's scale by space, and of the pseudo-trials.
_SCALE_PRIOR = {"log": (-5.0, 1.5), "linear": (-4.0, 2.0), "logit": (-3.0, 1.5)}
_CONCENTRATION_PRIOR = (4.0, 2.0)
_WHOLE = 1e-3


def check_likelihood(name: str) -> None:
    """Raise JscaleError for a likelihood that is not known."""
    check_choice("likelihood", name, NUISANCE)


def nuisance_prior(likelihood: str, space: str) -> tuple[str, float, float]:
    """Return the default prior of a likelihood's nuisance parameter: a lognormal."""
    known = _CONCENTRATION_PRIOR if likelihood in COUNTED else _SCALE_PRIOR[space]
    return ("lognormal", *known)


def log_density(
    likelihood: str, space: str, predicted: Any, target: Any, counts: Any, nuisance: Any, df: Any
) -> Any:
    """Return the log likelihood of each row (rows,), −inf where the law gives NaN (JAX).

    ``predicted`` are the law's outputs, ``target`` the observations in ``space``, ``counts``
    (successes, trials), ``nuisance`` the logarithm of the scale or concentration.
    """
    import jax.numpy as jnp

    if likelihood in COUNTED:
        inside = (predicted > 0) & (predicted < 1)
        # A harmless value in place of one outside: the outer where alone would leave NaN slopes.
        rate = jnp.where(inside, predicted, 0.5)
        terms = _counted(likelihood, rate, counts, nuisance)
    else:
        inside = jnp.isfinite(to_space(predicted, space))
        usable = jnp.where(inside, predicted, 0.5)
        terms = _residual(likelihood, to_space(usable, space) - target, nuisance, df)
    return jnp.where(inside, terms, -jnp.inf)


def _residual(likelihood: str, r: Any, log_scale: Any, df: Any) -> Any:
    import jax.numpy as jnp
    from jax.scipy.special import gammaln

    square = (r * jnp.exp(-log_scale)) ** 2
    if likelihood == "normal":
        return -0.5 * square - log_scale - 0.5 * np.log(2 * np.pi)
    constant = gammaln(0.5 * (df + 1)) - gammaln(0.5 * df) - 0.5 * jnp.log(np.pi * df)
    return constant - log_scale - 0.5 * (df + 1) * jnp.log1p(square / df)


def _counted(likelihood: str, rate: Any, counts: Any, log_concentration: Any) -> Any:
    import jax.numpy as jnp
    from jax.scipy.special import gammaln

    k, n = counts
    choices = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    if likelihood == "binomial":
        return choices + k * jnp.log(rate) + (n - k) * jnp.log1p(-rate)
    concentration = jnp.exp(log_concentration)
    a, b = rate * concentration, (1 - rate) * concentration
    # By gammaln alone: JAX's betaln has slopes that do not match its values.
    drawn = gammaln(k + a) + gammaln(n - k + b) - gammaln(n + concentration)
    return choices + drawn - (gammaln(a) + gammaln(b) - gammaln(concentration))


def counts_of(fit: Fit, problem: Problem, likelihood: str, trials: str | None) -> tuple[Any, Any]:
    """Return (successes, trials), each (rows,) and padded; zeros where nothing is counted.

    Raises JscaleError where ``trials`` is missing or not wanted, DataError for a column that is
    missing or not of whole numbers, rates outside [0, 1], and successes that are not whole.
    """
    if likelihood not in COUNTED:
        if trials is not None:
            raise JscaleError(
                f"trials={trials!r} is for counted outcomes, not for likelihood={likelihood!r}; "
                'use likelihood="binomial".'
            )
        return np.zeros(problem.rows), np.zeros(problem.rows)
    frame, output = fit.runs.frame, fit.law.output
    if trials is None:
        raise JscaleError(
            f"likelihood={likelihood!r} counts successes: name the column that holds the number "
            'of trials behind each row, posterior(fit, …, trials="<column>").'
        )
    if trials not in frame.columns:
        raise DataError(
            f"The table has no column {trials!r} of trials.{nearest(trials, map(str, frame))} "
            f'Its columns are {listing(list(frame), 20)}: trials="<column>".'
        )
    n, rate = to_numbers(frame, trials), np.asarray(fit.runs[output], dtype=np.float64)
    _refuse(frame, ~((n >= 1) & (n == np.round(n))), n, trials, "a whole number, 1 or more")
    _refuse(frame, ~((rate >= 0) & (rate <= 1)), rate, output, "a rate between 0 and 1")
    k = rate * n
    off = np.abs(k - np.round(k)) > np.maximum(_WHOLE, 1e-6 * n)
    if off.any():
        raise DataError(
            f"{output} times {trials} must be a whole number of successes, but it is "
            f"{rows_at(frame, off, k)}. Give {output} unrounded (successes / trials), or check "
            f"that {trials!r} holds the trials of the same row."
        )
    return pad_rows(np.round(k), problem.rows), pad_rows(n, problem.rows)


def _refuse(frame: pd.DataFrame, bad: np.ndarray, values: Any, column: str, wanted: str) -> None:
    if bad.any():
        raise DataError(f"{column} must be {wanted}, but it is {rows_at(frame, bad, values)}.")


@dataclass(frozen=True, eq=False)
class LikelihoodNoise:
    """Errors of new runs by a posterior's own likelihood, each draw with its own scale.

    ``nuisance`` (R,) are the scale's or concentration's draws, ``trials`` the number of trials of
    a new row where outcomes are counted (its column in a table, and the fitted runs' median).
    """

    likelihood: str
    space: str
    df: float
    nuisance: np.ndarray
    trials: tuple[str, float] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads of new rows."""
        return () if self.trials is None else (self.trials[0],)

    def draw(self, curves: np.ndarray, table: pd.DataFrame, seed: int) -> np.ndarray:
        """Return one error per draw and row (R, m), for curves in the objective's space."""
        rng = np.random.default_rng(seed)
        many = len(self.nuisance)
        # Paired with the draws of the curve where their numbers agree, to keep the correlation.
        pick = np.arange(many) if len(curves) == many else rng.integers(many, size=len(curves))
        nuisance = self.nuisance[pick][:, None]
        if self.likelihood == "normal":
            return nuisance * rng.standard_normal(curves.shape)
        if self.likelihood == "student_t":
            return nuisance * rng.standard_t(self.df, size=curves.shape)
        return self._rates(curves, table, nuisance, rng) - curves

    def _rates(
        self, curves: np.ndarray, table: pd.DataFrame, nuisance: np.ndarray, rng: Any
    ) -> np.ndarray:
        """Draw new rows' rates, in the objective's space."""
        assert self.trials is not None
        column, usual = self.trials
        n = _whole(table, column) if column in table else int(usual)
        # A beta distribution needs a rate strictly inside (0, 1).
        rate = np.clip(from_space(curves, self.space), 1e-12, 1 - 1e-12)
        if self.likelihood == "beta_binomial":
            rate = rng.beta(rate * nuisance, (1 - rate) * nuisance)
        k = rng.binomial(n, rate)
        # A rate of 0 or 1 has no logarithm or logit: half a success keeps it on the line.
        edge = (k == 0) | ((k == n) & (self.space == "logit"))
        seen = k / n
        if self.space != "linear":
            seen = np.where(edge, (k + 0.5) / (n + 1), seen)
        with float64_scope():
            return np.asarray(to_space(seen, self.space))


def _whole(table: pd.DataFrame, column: str) -> np.ndarray:
    """Return the numbers of trials of new rows (m,); raises PredictionError unless whole."""
    values = np.asarray(pd.to_numeric(table[column], errors="coerce"), dtype=np.float64)
    bad = ~(np.isfinite(values) & (values >= 1) & (values == np.round(values)))
    if bad.any():
        raise PredictionError(
            f"column {column!r} must hold whole numbers of trials, 1 or more, but "
            f"{rows_at(table, bad, table[column])}."
        )
    return values.astype(np.int64)
