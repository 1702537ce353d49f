"""Settings: the options of a fit, checked and normalised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from jscale.arguments import check_choice, check_seed
from jscale.errors import DataError, LawError
from jscale.fitting.objective import Objective

_SOLVERS = ("gauss_newton", "lbfgs")


@dataclass(frozen=True, eq=False)
class Settings:
    """The choices of a fit, other than its law and its runs.

    Attributes
    ----------
    objective : Objective
        What is minimised.
    fixed : mapping of str to float
        Parameters whose values are given.
    tie : sequence
        Parameters that are equal: one group of names, or several.
    per : mapping of str to str
        Parameters that differ by the labels of a column.
    weights : array_like, shape (rows,), optional
        Weights of the rows' terms, instead of the column that the runs may name.
    starts : {"auto", "hoffmann"}, int, or parameter values
        Where the search starts; values are one mapping or several, or a DataFrame.
    seed : int
        Of the automatic starts.
    solver : {"gauss_newton", "lbfgs"}
        The solver.
    scale : float, optional
        What an objective's delta="auto" came to.

    Raises
    ------
    LawError
        For a choice of the wrong form.
    DataError
        For weights that are not numbers.
    JscaleError
        For an unknown solver.
    """

    objective: Objective
    fixed: Mapping[str, float] = field(default_factory=dict)
    tie: Sequence[Any] = ()
    per: Mapping[str, str] = field(default_factory=dict)
    weights: np.ndarray | None = None
    starts: Any = "auto"
    seed: int = 0
    solver: str = "gauss_newton"
    scale: float | None = None

    def __post_init__(self) -> None:
        kept = {
            "fixed": _mapping("fixed", self.fixed, '{"E": 1.69}'),
            "per": _mapping("per", self.per, '{"E": "family"}'),
            "tie": _tied(self.tie),
            "seed": check_seed(self.seed, error=LawError),
            "solver": check_choice("solver", self.solver, _SOLVERS),
            "starts": _starts(self.starts),
            "weights": _numbers(self.weights),
        }
        for name, value in kept.items():
            object.__setattr__(self, name, value)

    @property
    def solved(self) -> Objective:
        """The objective that was minimised, its scale a number."""
        return self.objective if self.scale is None else self.objective.at(self.scale)


def _mapping(name: str, value: Any, form: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise LawError(f"{name}={value!r} must be a mapping by parameter: {name}={form}.")
    return dict(value)


def _tied(tie: Any) -> tuple[Any, ...]:
    if isinstance(tie, str) or not isinstance(tie, Sequence):
        raise LawError(f'tie={tie!r} must name two or more parameters: tie=("alpha", "beta").')
    return tuple(tie)


def _numbers(weights: Any) -> np.ndarray | None:
    if weights is None:
        return None
    try:
        return np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"weights must be numbers, not {weights!r}; name a column of the table by "
            'Runs.from_frame(df, weight="<column>").'
        ) from error


def _starts(starts: Any) -> str | int | tuple[dict[str, Any], ...]:
    """Return the choice of starts as it is kept: a name, a number, or parameter values."""
    if isinstance(starts, str) and starts in ("auto", "hoffmann"):
        return starts
    if isinstance(starts, Integral) and not isinstance(starts, bool):
        if starts < 1:
            raise LawError(f"starts={starts} must be at least 1.")
        return int(starts)
    if isinstance(starts, pd.DataFrame):
        starts = starts.to_dict("records")
    rows = [starts] if isinstance(starts, Mapping) else starts
    if isinstance(rows, (list, tuple)) and rows and all(isinstance(r, Mapping) for r in rows):
        return tuple({str(k): _start(str(k), v) for k, v in row.items()} for row in rows)
    raise LawError(
        f'starts={starts!r} is not known; use "auto", a number, or parameter values: a mapping, '
        "several of them, or a DataFrame."
    )


def _start(name: str, value: Any) -> Any:
    """One number, or a tuple of them for a parameter with one per group."""
    try:
        exact = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        exact = np.full((), np.nan)
    if exact.ndim > 1 or not np.isfinite(exact).all():
        raise LawError(
            f"A start has {name}={value!r}; it must be a finite number, or a list of one per "
            f"group where {name} is per group."
        )
    return exact.tolist() if exact.ndim == 0 else tuple(exact.tolist())
