"""Fit: the result of a fit, frozen, with all that is needed to run it again."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from jscale.data.runs import Runs
from jscale.fitting.build import build
from jscale.fitting.notes import Note
from jscale.fitting.problem import Problem
from jscale.fitting.settings import Settings
from jscale.model.law import Law


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted law.

    Attributes
    ----------
    law : Law
        The law.
    runs : Runs
        The runs that it was fitted to.
    settings : Settings
        The choices of the fit.
    params, stderr : Series
        Estimates and standard errors by parameter (``E[label]`` for one per group). Standard errors
        are those of a smoothed sandwich.
    covariance : DataFrame
        The covariance of ``params``.
    derived : DataFrame
        Well-determined combinations of parameters, with errors.
    objective : float
        The minimised sum.
    fitted, residuals : ndarray, shape (n,)
        By row of ``runs``; residuals are in the objective's space.
    theta, theta_covariance : ndarray
        The estimate and its covariance in the solver's coordinates.
    agree : tuple of int
        How many starts ended at the best objective, and how many were taken to an end.
    search : DataFrame
        One row per start. Its objective is as the solver sums it: without the constants of a
        likelihood, and with |r| rounded off within 1e-8.
    condition : float
        The condition number of the scaled Hessian.
    notes : tuple of Note
        What to know before trusting the fit.
    provenance : mapping
        Versions, device and precision.
    given_problem : Problem, optional
        The problem, where runs and settings alone do not make it.
    """

    law: Law
    runs: Runs
    settings: Settings
    params: pd.Series
    stderr: pd.Series
    covariance: pd.DataFrame
    derived: pd.DataFrame
    objective: float
    fitted: np.ndarray
    residuals: np.ndarray
    theta: np.ndarray
    theta_covariance: np.ndarray
    agree: tuple[int, int]
    search: pd.DataFrame
    condition: float
    notes: tuple[Note, ...]
    provenance: Mapping[str, str]
    given_problem: Problem | None = None

    @cached_property
    def problem(self) -> Problem:
        """The problem that was solved, built again from runs and settings unless it was given."""
        import warnings

        if self.given_problem is not None:
            return self.given_problem
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return build(self.law, self.runs, self.settings)[0]

    @property
    def largest(self) -> float | None:
        """The largest compute C among the runs, in FLOPs, or None where runs have no C."""
        return float(self.runs["C"].max()) if "C" in self.runs.inputs else None

    def to_frame(self) -> pd.DataFrame:
        """Return estimates and standard errors.

        Returns
        -------
        DataFrame
            One row per parameter, with the columns ``estimate`` and ``error``.
        """
        return pd.DataFrame({"estimate": self.params, "error": self.stderr})

    def summary(self) -> str:
        """Return the fit as text.

        Returns
        -------
        str
            The law, estimates, the objective, how many starts agree, and notes.
        """
        agree, count = self.agree
        lines = [
            f"{self.law.name}: {self.law.output} = {self.law.formula or '(custom)'}",
            f"{len(self.runs)} rows, {self.runs.n_independent} independent runs; "
            f"{self.settings.solved} = {self.objective:.6g}",
            f"{agree} of {count} starts agree on the optimum",
            "",
            self._table(self.to_frame()),
        ]
        if len(self.derived):
            lines += ["", "well-determined combinations", self._table(self.derived)]
        if self.notes:
            lines += ["", *(str(note) for note in self.notes)]
        return "\n".join(lines)

    @staticmethod
    def _table(frame: pd.DataFrame) -> str:
        return frame.to_string(float_format=lambda v: f"{v:.5g}")

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        agree, count = self.agree
        notes = "".join(f"<li>{html.escape(str(n))}</li>" for n in self.notes)
        tables = "".join(
            f.to_html(float_format=lambda v: f"{v:.5g}")
            for f in (self.to_frame(), self.derived)
            if len(f)
        )
        return (
            f"<p><b>{html.escape(self.law.name)}</b>: {html.escape(self.law.output)} = "
            f"{html.escape(self.law.formula or '(custom)')}<br>{len(self.runs)} rows, "
            f"{html.escape(str(self.settings.solved))} = {self.objective:.6g}, "
            f"{agree} of {count} starts agree</p>{tables}<ul>{notes}</ul>"
        )
