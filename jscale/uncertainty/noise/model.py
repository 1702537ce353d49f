"""The noise of new runs around a fitted curve, learnt from the fit's residuals.

Residuals are taken in the objective's space (relative errors, for log) and studentised, since a
fit bends towards its own runs. A new run's error is drawn from them, mixed with the Student-t that
fits them (:mod:`jscale.uncertainty.noise.errors`), and scaled by a power of the run's
compute, drawn from its posterior under the residuals (:mod:`jscale.uncertainty.noise.trend`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jscale._precision import float64_scope
from jscale.arguments import check_choice
from jscale.data.checks import rows_at
from jscale.errors import DataError, JscaleError, listing, nearest
from jscale.fitting.diagnostics import Optimum, leverages, linearise, studentised
from jscale.fitting.notes import Note
from jscale.fitting.problem import Problem
from jscale.fitting.result import Fit
from jscale.fitting.statistics import robust_spread
from jscale.uncertainty.draws import no_spare_runs
from jscale.uncertainty.noise.errors import Errors
from jscale.uncertainty.noise.trend import Trend, find_trend, log_axis

_KINDS = {"auto": None, "empirical": 0.0, "student_t": 1.0}
_NEW = ("run", "family")
_FEWEST_FAMILIES = 5
# As for single rows: where the fit interpolates, residuals carry no information about errors.
_HIGHEST_LEVERAGE = 0.9


@dataclass(frozen=True, eq=False)
class NoiseModel:
    """The errors of new runs around a fit's curve, in the objective's space.

    Attributes
    ----------
    new : {"run", "family"}
        Whether a new run of the fitted families is meant, or one of a new family.
    own : Errors
        The distribution of a run's own error.
    family : Errors or None
        The distribution of what the runs of a new family share.
    trend : Trend or None
        How ``own`` varies with compute; None where nothing could tell (fewer than 8 runs, one
        compute, no input that is always positive) or it was not asked for.
    why : str
        How it was chosen.
    notes : tuple of Note
        What to know about it.
    space : str
        The objective's space.
    """

    new: str
    own: Errors
    family: Errors | None
    trend: Trend | None
    why: str
    notes: tuple[Note, ...] = ()
    space: str = "log"

    def draw(self, curves: np.ndarray, table: pd.DataFrame, seed: int) -> np.ndarray:
        """Draw one error for each draw of the curve at rows of inputs.

        Parameters
        ----------
        curves : ndarray, shape (R, m)
            Draws of the curve; only their shape is used.
        table : DataFrame
            The inputs of the m rows, each a run (or a family) of its own.
        seed : int
            The seed of the draws.

        Returns
        -------
        ndarray, shape (R, m)
            The errors.
        """
        rng = np.random.default_rng(seed)
        errors = self.own.draw(curves.shape, rng)
        if self.trend is not None:
            errors = errors * self.trend.draw(table, len(curves), rng)
        return errors if self.family is None else errors + self.family.draw(curves.shape, rng)

    def quantiles(
        self, table: pd.DataFrame, at: Sequence[float], *, count: int = 20000, seed: int = 0
    ) -> np.ndarray:
        """Return quantiles of a new run's error at rows of inputs, from draws of it.

        Parameters
        ----------
        table : DataFrame
            The inputs of the m rows. The same draws serve all rows, so that equal rows have equal
            intervals.
        at : sequence of float
            Levels of the quantiles.
        count : int
            The number of draws.
        seed : int
            The seed of the draws.

        Returns
        -------
        ndarray, shape (len(at), m)
            The quantiles.
        """
        rng = np.random.default_rng(seed)
        errors = self.own.draw((count,), rng)
        shared = 0.0 if self.family is None else self.family.draw((count,), rng)
        if self.trend is None:
            return np.repeat(np.quantile(errors + shared, at)[:, None], len(table), axis=1)
        slopes = self.trend.slopes(count, rng)
        # Once per distinct value, so that equal rows share a quantile and its cost.
        places, place = np.unique(log_axis(table, self.trend.column), return_inverse=True)
        factors = (self.trend.factor(np.array([x]), slopes)[:, 0] for x in places)
        return np.stack([np.quantile(errors * f + shared, at) for f in factors], axis=1)[:, place]

    def __repr__(self) -> str:
        notes = "".join(f"\n{note}" for note in self.notes)
        return f"NoiseModel(a new {self.new}'s errors): {self.why}{notes}"


def noise_model(
    fit: Fit,
    kind: str = "auto",
    *,
    new: str = "run",
    known_error: str | None = None,
    trend: bool = True,
) -> NoiseModel:
    """Learn the noise of new runs around a fit's curve from its residuals.

    Parameters
    ----------
    fit : Fit
        The fit.
    kind : {"auto", "empirical", "student_t"}
        "auto" draws an error from the n runs' studentised residuals with probability n/(n + 20),
        and
        otherwise from a Student-t with the scale and degrees of freedom that they suggest; the
        others
        are the two alone. Of runs with several rows (``Runs.run``) each counts once, and a new
        run's
        error is that of one row of a run.
    new : {"run", "family"}
        "family" means a run of a new family: what its runs share (drawn from the mean errors of the
        fitted families, ``Runs.group``), and the run's own error within it.
    known_error : str, optional
        A column of the runs with the standard deviation of each row's known error (of evaluation,
        say) in the objective's space, which is removed from the noise.
    trend : bool
        From 8 runs on, the noise's scale follows a power of compute, drawn each time from a
        posterior
        whose prior is normal around zero with a standard deviation of 0.15. False takes all runs to
        have errors of one scale.

    Returns
    -------
    NoiseModel
        Where a score test finds that the noise varies (p < 0.01), its notes say so
        (``noise-varies``).

    Raises
    ------
    JscaleError
        For an unknown choice, or fewer than five families for a new one.
    FitError
        Without a run to spare.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> noise_model(fit).new
    'run'
    """
    _check(kind, new, trend)
    if fit.problem.freedom < 1:
        raise no_spare_runs(fit)
    units = fit.problem.units[fit.problem.used]
    with float64_scope():
        optimum = linearise(fit.problem, fit.theta)
    errors = studentised_by(fit.problem, optimum, units)
    effects, errors = _families(fit, errors) if new == "family" else (None, errors)
    notes = []
    if known_error is not None:
        left = _without(errors, _known(fit, known_error))
        errors = errors * left
        notes += [_all_known(known_error)] if not left.any() else []
    # Rows of high leverage have small residuals by construction, not by small noise.
    spare = 1.0 - leverages(fit.problem, optimum)
    varies = find_trend(fit, errors, units, spare) if trend else None
    if varies is not None:
        # Errors are put on the scale of the trend's centre before they are pooled.
        errors = errors / varies.factor(varies.of(fit))
        notes.extend(varies.notes)
    _, place, rows = np.unique(units, return_inverse=True, return_counts=True)
    # Each run counts once, however many rows it has.
    shares = 1.0 / rows[place] / len(rows)
    run_errors = Errors.of(errors, shares, fit.problem.freedom, len(rows), _KINDS[kind])
    family = None if effects is None else _of_a_family(effects)
    return NoiseModel(
        new,
        run_errors,
        family,
        varies,
        _why(run_errors, len(rows), family, varies),
        tuple(notes),
        fit.problem.model.space,
    )


def studentised_residuals(fit: Fit) -> np.ndarray:
    """Return residuals over √(1 − leverage), in the objective's space (rows with weight only).

    Where runs have several rows, r̃ = (I − H)^(−1/2) r for each run's block H of the hat matrix
    (Bell and McCaffrey, Survey Methodology 28, 2002), since the fit adapts more to what a run's
    rows share than to any single row. The median is subtracted.
    """
    problem = fit.problem
    with float64_scope():
        optimum = linearise(problem, fit.theta)
    return studentised_by(problem, optimum, problem.units[problem.used])


def studentised_by(problem: Problem, optimum: Optimum, units: np.ndarray) -> np.ndarray:
    """Return studentised residuals by units (n,), as :func:`studentised_residuals` by runs."""
    if len(np.unique(units)) == len(units):
        return studentised(problem, optimum)
    J = optimum.jacobian[problem.used]
    J = J[:, np.isfinite(J).all(axis=0)]
    # The hat matrix is Q·Qᵀ, so that its block for a unit has the singular vectors of Q's rows.
    basis, _ = np.linalg.qr(J / np.maximum(np.abs(J).max(axis=0, initial=0.0), 1e-300))
    residuals = -optimum.residual[problem.used]
    for unit in np.unique(units):
        rows = units == unit
        left, size, _ = np.linalg.svd(basis[rows], full_matrices=False)
        more = 1.0 / np.sqrt(1.0 - np.minimum(size**2, _HIGHEST_LEVERAGE)) - 1.0
        residuals[rows] += left @ (more * (left.T @ residuals[rows]))
    return residuals - np.median(residuals)


def _check(kind: str, new: str, trend: Any) -> None:
    check_choice("kind", kind, _KINDS)
    check_choice("new", new, _NEW)
    if not isinstance(trend, bool):
        raise JscaleError(
            f"trend={trend!r} must be True (noise may follow compute) or False (it is the same "
            "everywhere)."
        )


def _families(fit: Fit, errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean error of each family (F,), and the errors within them (n,)."""
    _check_families(fit)
    labels, _ = pd.factorize(fit.runs[str(fit.runs.group)][fit.problem.used])
    count = np.bincount(labels)
    effects = np.bincount(labels, errors) / count
    # Deviations from a mean of few are too small by this factor.
    more = np.sqrt(count / np.maximum(count - 1, 1))
    return effects, (errors - effects[labels]) * more[labels]


def _check_families(fit: Fit) -> None:
    if fit.settings.per:
        names, columns = listing(list(fit.settings.per)), listing(list(fit.settings.per.values()))
        raise JscaleError(
            f'new="family": {names} differs by {columns} in this fit, and is unknown '
            "for a new one. Predict from a posterior that learns how it differs: "
            f" js.posterior(fit, pool={dict(fit.settings.per)!r})."
        )
    if fit.runs.group is None:
        raise JscaleError(
            'new="family" needs the family of each run, which these Runs do not know. Name its '
            'column when making them: Runs.from_frame(df, group="<column>").'
        )
    labels = fit.runs.frame.loc[fit.problem.used, fit.runs.group].unique()
    if len(labels) < _FEWEST_FAMILIES:
        raise JscaleError(
            f'new="family": column {fit.runs.group!r} has {len(labels)} families '
            f"({listing(labels)}); how families differ can be learnt from "
            f'{_FEWEST_FAMILIES} or more. Predict a new run of these: new="run".'
        )


def _of_a_family(effects: np.ndarray) -> Errors:
    """The distribution of the error that a new family's runs share, whose mean is estimated."""
    count, centre = len(effects), float(effects.mean())
    # Widened by the error of the mean, which a new family's prediction shares.
    wide = centre + (effects - centre) * np.sqrt(1.0 + 1.0 / count)
    return Errors.of(wide, np.full(count, 1.0 / count), count - 1, count, centre=centre)


def _known(fit: Fit, column: str) -> np.ndarray:
    """Return the known errors of the rows with weight (n,)."""
    frame = fit.runs.frame
    if column not in frame.columns:
        raise DataError(
            f"known_error={column!r}: the fitted runs have no such column."
            f"{nearest(str(column), list(frame.columns))} Their columns are: "
            f"{listing(list(frame.columns), 20)}."
        )
    known = np.asarray(pd.to_numeric(frame[column], errors="coerce"), dtype=np.float64)
    bad = ~(np.isfinite(known) & (known >= 0))
    if bad.any():
        raise DataError(
            f"column {column!r} must hold standard deviations, zero or more, but "
            f"{rows_at(frame, bad, frame[column])}."
        )
    return known[fit.problem.used]


def _without(errors: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the share (n,) of each error's size that remains without the known errors."""
    # Variances add, so known ones are subtracted; more than the whole leaves none.
    left = max(robust_spread(errors) ** 2 - np.mean(known**2), 0.0)
    return np.sqrt(left / np.maximum(left + known**2, 1e-300))


def _all_known(column: str) -> Note:
    return Note(
        "known-error-is-all",
        "caution",
        f"The known errors in column {column!r} are as large as the residuals.",
        "No noise is left besides them: a new run has only its known error.",
        "Check that they are standard deviations in the objective's space (relative, for log).",
    )


def _why(errors: Errors, runs: int, family: Errors | None, trend: Trend | None) -> str:
    student = f"a Student-t of about {errors.typical_freedom:g} degrees of freedom"
    text = f"the residuals of {runs} runs"
    if errors.tail >= 1.0:
        text = f"{student} fitted to {text}"
    elif errors.tail > 0.0:
        text += (
            f", and with probability {errors.tail:.2f} {student}, since so few residuals do not "
        )
        text += "show how far errors reach"
    text += f"; robust standard deviation {errors.spread:.3g}"
    if trend is not None:
        text += f" at the middle of the runs, times {trend.column}^({trend.slope:.2g} ± "
        text += f"{trend.error:.2g})"
    if family is not None:
        text += f"; and what a family shares, from {len(family.values)} ({family.spread:.3g})"
    return text + "."
