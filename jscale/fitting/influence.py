"""influence: the effect of each run on a fit, without refitting.

Leaving a run out takes its weight to zero. To first order the optimum then moves by
w·H⁻¹·psi·dr/dtheta (the infinitesimal jackknife), for all runs from one factorisation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jscale._precision import float64_scope
from jscale.arguments import check_choice
from jscale.errors import DataError
from jscale.fitting.points import Points, standard_errors
from jscale.fitting.result import Fit
from jscale.fitting.second_order import second_order
from jscale.fitting.statistics import sums_by


@dataclass(frozen=True, eq=False)
class Influence:
    """How much each run moves a fit: the change that leaving it out makes.

    Attributes
    ----------
    parameters : DataFrame
        One row per row of ``runs`` (or per run, with ``by="run"``) and one column per parameter:
        its
        value without the row minus its value with it, to first order in the row's weight.
    predictions : DataFrame or None
        The same with one column per point of ``at``, in the unit of the output.
    errors : Series
        The standard errors of all columns, parameters first.
    output : str
        What the law predicts.
    smoothed : bool
        Whether the expected curvature was used instead of the objective's own.
    """

    parameters: pd.DataFrame
    predictions: pd.DataFrame | None
    errors: pd.Series
    output: str
    smoothed: bool

    def to_frame(self) -> pd.DataFrame:
        """Return the influence on parameters and predictions as one table.

        Returns
        -------
        DataFrame
            One column per parameter, and ``loss[label]`` per predicted point.
        """
        if self.predictions is None:
            return self.parameters.copy()
        labelled = self.predictions.set_axis(
            [f"{self.output}[{label}]" for label in self.predictions.columns], axis=1
        )
        return pd.concat([self.parameters, labelled], axis=1)

    def in_errors(self) -> pd.DataFrame:
        """Return the influence in units of standard errors.

        Returns
        -------
        DataFrame
            :meth:`to_frame`, with each column divided by its standard error.
        """
        frame = self.to_frame()
        return frame / self.errors.to_numpy()

    def most(self, k: int = 5) -> pd.DataFrame:
        """Return the runs that move any parameter or prediction most.

        Parameters
        ----------
        k : int
            The number of runs.

        Returns
        -------
        DataFrame
            One row per run, the largest first: ``moves`` names what it moves most, ``change`` says
            by
            how much, and ``in_errors`` the same in standard errors.
        """
        changes, sizes = self.to_frame(), self.in_errors()
        values = np.nan_to_num(sizes.to_numpy())
        column = np.argmax(np.abs(values), axis=1)
        rows = np.arange(len(values))
        table = pd.DataFrame(
            {
                "moves": changes.columns.to_numpy()[column],
                "change": changes.to_numpy()[rows, column],
                "in_errors": values[rows, column],
            },
            index=changes.index,
        )
        order = np.argsort(-np.abs(values[rows, column]), kind="stable")
        return table.iloc[order[:k]]

    def __repr__(self) -> str:
        table = self.most().to_string(float_format=lambda v: f"{v:.4g}")
        return f"Influence of {len(self.parameters)} runs; those that move most:\n{table}"


def influence(
    fit: Fit, *, at: Any = None, by: str = "row", smoothed: bool | str = "auto"
) -> Influence:
    """Return how leaving out each run would move the parameters and predictions of a fit.

    To first order in the weight w of a run, theta moves by w·H⁻¹·psi(r)·dr/dtheta, with H the
    Hessian of the objective. A run that determines a parameter almost alone moves it more than
    that.

    Parameters
    ----------
    fit : Fit
        The fit.
    at : DataFrame or mapping, optional
        Inputs to predict at, with a column for each parameter given per group.
    by : {"row", "run"}
        Whether rows are left out one by one, or all rows of a run (``Runs.from_frame(…, run=…)``)
        together.
    smoothed : bool or "auto"
        The curvature H: the objective's own (False), the expected curvature that standard errors
        are computed with (True), or "auto": the latter where an objective has a kink and fewer than
        3 residuals per parameter lie inside it.

    Returns
    -------
    Influence
        The change of each parameter and prediction, by run.

    Raises
    ------
    NotDifferentiable
        Where H is singular.
    PredictionError
        For inputs in ``at`` that the law cannot take.
    DataError
        For ``by="run"`` without run ids.

    Notes
    -----
    With ``smoothed=True`` the squares summed over runs are the variances of ``fit.stderr``, apart
    from its factor n/(n − p). A scale that the fit estimated (delta="auto") is held fixed; where it
    would move too, so would the optimum, by about a tenth of it.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"], objective=js.huber(1e-2))
    >>> moved = js.influence(fit, at={"N": 2e7, "D": 1e9})
    >>> moved.parameters.shape == (len(fit.runs), 5)
    True
    >>> len(moved.most(3))
    3
    """
    check_smoothed(smoothed)
    problem = fit.problem
    rows, label = _units(fit, by)
    points = Points.of(fit, at)
    with float64_scope():
        local = second_order(problem, fit.theta, smoothed=smoothed)
        slopes = points.slopes(fit)
    moves = -local.by_weights() * local.weights[:, None]
    if rows is not None:
        moves = sums_by(moves, rows)
    predictions = None
    if at is not None:
        predictions = pd.DataFrame(moves @ slopes.T, index=label, columns=points.index)
    parameters = pd.DataFrame(moves @ local.slope.T, index=label, columns=fit.params.index)
    errors = standard_errors(fit, points, slopes)
    return Influence(parameters, predictions, errors, fit.law.output, local.smoothed)


def check_smoothed(smoothed: bool | str) -> None:
    """Raise JscaleError for an unknown choice of curvature."""
    check_choice("smoothed", smoothed, ("auto", True, False))


def _units(fit: Fit, by: str) -> tuple[np.ndarray | None, pd.Index]:
    """Return each row's unit, or None where rows stand alone, and the units' labels."""
    runs = fit.runs
    if by == "row":
        return None, runs.frame.index
    check_choice("by", by, ("row", "run"))
    if runs.run is None:
        raise DataError(
            'by="run" takes the rows of a run together, but these Runs have no run ids. Name their '
            'column, Runs.from_frame(df, run="<column>"), or use by="row".'
        )
    codes, labels = pd.factorize(runs.frame[runs.run])
    return codes, pd.Index(labels, name=runs.run)
