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

    ``params`` and ``stderr`` are Series by parameter (``E[label]`` where one per group);
    ``covariance`` is that of ``params``; standard errors are smoothed-sandwich ones.
    ``objective`` is the minimised sum, ``fitted`` and ``residuals`` (n,) follow the rows of
    ``runs`` (residuals in the objective's space). ``derived`` holds well-determined
    combinations with errors. ``agree`` is (starts at the best objective, starts that were
    taken to an end). ``search`` has one row per start, its objective as the solver adds it up:
    less the constants of a likelihood, and with |r| rounded off within 1e-8. ``theta`` and
    ``theta_covariance`` are in the solver's coordinates.
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
        """Return estimates and standard errors, one row per parameter."""
        return pd.DataFrame({"estimate": self.params, "error": self.stderr})

    def summary(self) -> str:
        """Return the fit as text: the law, estimates, objective, agreement of starts, notes."""
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
            f.to_html(float_format=lambda v: f"{v:.5g}") for f in (self.to_frame(), self.derived)
            if len(f)
        )  # fmt: skip
        return (
            f"<p><b>{html.escape(self.law.name)}</b>: {html.escape(self.law.output)} = "
            f"{html.escape(self.law.formula or '(custom)')}<br>{len(self.runs)} rows, "
            f"{html.escape(str(self.settings.solved))} = {self.objective:.6g}, "
            f"{agree} of {count} starts agree</p>{tables}<ul>{notes}</ul>"
        )
