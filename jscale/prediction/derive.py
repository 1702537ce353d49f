"""derive: what follows from a law's parameters in closed form, with its interval.

The tokens that a loss takes, the best size at a budget, a critical batch size: each law
declares such quantities as functions of its parameters, and here they are taken over draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np
import pandas as pd

from jscale.arguments import check_level
from jscale.errors import LawError, PredictionError, listing, nearest
from jscale.fitting.points import broadcast, numbers_of
from jscale.fitting.result import Fit
from jscale.model.law import Law
from jscale.prediction.extrapolation import extrapolation, warn_if_far
from jscale.uncertainty.automatic import draws as draw
from jscale.uncertainty.draws import Draws, tails


@dataclass(frozen=True, eq=False)
class Derived:
    """A derived quantity at given inputs.

    ``frame`` has the inputs and the columns ``estimate``, ``confidence_low``,
    ``confidence_high`` (equal-tailed, at ``level``) and ``exists``, the share of draws in which
    there is such a value. Draws without one (a loss that cannot be reached) count as infinite,
    so that an interval may end at inf. ``samples`` (draws, rows) are the values themselves.
    """

    name: str
    law: Law
    frame: pd.DataFrame
    samples: np.ndarray
    level: float
    method: str

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table."""
        return self.frame.copy()

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        table = self.frame.to_string(float_format=lambda v: f"{v:.5g}", index=False)
        what = f"{self.name} of {self.law.name}"
        return f"{what}: {100 * self.level:g}% confidence intervals by {self.method}\n{table}"


def derive(
    source: Draws | Fit, name: str, *, level: float = 0.9, seed: int = 0, **inputs: Any
) -> Derived:
    """Return a law's derived quantity at given inputs, with its confidence interval.

    ``name`` is one of ``law.quantities`` (see ``jscale laws NAME``), ``inputs`` are what it
    takes, as numbers or arrays that broadcast, and the group's label where parameters differ by
    group (``family="a"``). A Fit is drawn by :func:`jscale.draws` with ``seed``.

    Raises LawError for a quantity that the law does not have, PredictionError for inputs that are
    missing, unknown, or not positive numbers, JscaleError for a level outside (0, 1). Warns with
    ExtrapolationWarning past ten times the largest compute fitted.

    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> found = js.derive(js.laplace(fit, 100), "optimal_size", C=[1e11, 1e12])
    >>> found.frame.columns.tolist()
    ['C', 'estimate', 'confidence_low', 'confidence_high', 'exists']
    """
    check_level(level)
    drawn = draw(source, seed=seed) if isinstance(source, Fit) else source
    if not isinstance(drawn, Draws):
        raise PredictionError(f"derive takes Draws or a Fit, not {type(source).__name__}.")
    fit, function = drawn.fit, _function(drawn.fit.law, name)
    table = _table(fit, name, function, inputs)
    _check_far(fit, name, table)
    asked = {key: table[key].to_numpy() for key in _asked(function)}
    point = _values(fit, fit.params.to_numpy()[None], table, function, asked)[0]
    samples = _values(fit, drawn.flat, table, function, asked)
    low, high = np.quantile(samples, tails(level), axis=0, method="inverted_cdf")
    frame = table.assign(
        estimate=point, confidence_low=low, confidence_high=high,
        exists=np.isfinite(samples).mean(axis=0),
    )  # fmt: skip
    return Derived(name, fit.law, frame, samples, level, drawn.method)


def _function(law: Law, name: str) -> Any:
    if name not in law.quantities:
        known = list(law.quantities)
        which = f"It has {listing(known, 20)}." if known else "It declares none."
        raise LawError(
            f"{law.name} has no derived quantity {name!r}.{nearest(str(name), known)} {which}"
        )
    return law.quantities[name]


def _asked(function: Any) -> list[str]:
    """Return the inputs that a quantity takes, beside the parameters."""
    return list(signature(function).parameters)[1:]


def _table(fit: Fit, name: str, function: Any, inputs: Mapping[str, Any]) -> pd.DataFrame:
    """Return the inputs as a table, one row per case."""
    groups = [column for column, _ in fit.problem.layout.groups]
    wanted = [*_asked(function), *groups]
    missing = [key for key in wanted if key not in inputs]
    unknown = [key for key in inputs if key not in wanted]
    if missing or unknown:
        what = f"misses {listing(missing)}" if missing else f"takes no {listing(unknown)}"
        call = ", ".join([f'"{name}"', *(f"{key}=…" for key in wanted)])
        raise PredictionError(f"{name} of {fit.law.name} {what}. Call derive(draws, {call}).")
    table = broadcast({key: inputs[key] for key in wanted}) if wanted else pd.DataFrame(index=[0])
    for key in _asked(function):
        table[key] = numbers_of(table.loc[:, key], positive=True)
    return table


def _check_far(fit: Fit, name: str, table: pd.DataFrame) -> None:
    """Warn where a quantity is asked for past ten times the largest compute fitted."""
    if fit.largest is None or not ("C" in table or {"N", "D"} <= set(table)):
        return
    warn_if_far(
        extrapolation(fit, table), f"rows of {name}", "compute",
        "Intervals cover what is unsure within the law, not that the law may be wrong. Hold out "
        "your largest runs to see how it fares: js.rollout(law, runs).",
    )  # fmt: skip


def _values(
    fit: Fit, params: np.ndarray, table: pd.DataFrame, function: Any, asked: Mapping[str, Any]
) -> np.ndarray:
    """Return the quantity (R, m) for parameters (R, k), inf where it does not exist."""
    labels = list(fit.params.index)
    layout = fit.problem.layout
    held = {}
    for name in fit.law.names:
        column = layout.column(name)
        if column is None:
            held[name] = params[:, [labels.index(name)]]
        else:
            held[name] = params[:, [_place(labels, name, v, column) for v in table[column]]]
    with np.errstate(all="ignore"):
        found = np.asarray(function(held, **asked), dtype=np.float64)
    found = np.broadcast_to(found, (len(params), len(table)))
    return np.where(np.isnan(found), np.inf, found)


def _place(labels: list[str], name: str, value: Any, column: str) -> int:
    label = f"{name}[{value}]"
    if label not in labels:
        known = [each[len(name) + 1 : -1] for each in labels if each.startswith(f"{name}[")]
        raise PredictionError(
            f"{column}={value!r} was not among the fitted runs.{nearest(str(value), known)} "
            f"Use one of {listing(known, 24)}."
        )
    return labels.index(label)
