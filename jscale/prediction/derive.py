"""derive: quantities in closed form of a law's parameters, with intervals.

The tokens that a loss requires, the optimal size for a budget, a critical batch size: each law
declares such quantities as functions of its parameters, which are evaluated here for all draws.
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
from jscale.prediction.components import Component, over_draws
from jscale.prediction.extrapolation import extrapolation, warn_if_far
from jscale.prediction.predictor import Predictor
from jscale.prediction.sources import predictor_of
from jscale.uncertainty.draws import Draws, tails


@dataclass(frozen=True, eq=False)
class Derived:
    """A derived quantity at given inputs, from :func:`jscale.derive`.

    Attributes
    ----------
    name : str
        The quantity.
    law : Law
        The law that declares it.
    frame : DataFrame
        A row for each case: the inputs, ``estimate``, ``confidence_low`` and ``confidence_high``
        (equal-tailed, at ``level``), and ``exists``, the share of draws in which there is such a
        value. Draws without one (a loss that cannot be reached) count as infinite, so that an
        interval may end at inf.
    samples : ndarray, shape (draws, rows)
        The values of the draws.
    level : float
        The level of the intervals.
    method : str
        Where the draws came from.
    """

    name: str
    law: Law
    frame: pd.DataFrame
    samples: np.ndarray
    level: float
    method: str

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table.

        Returns
        -------
        DataFrame
            A copy of ``frame``.
        """
        return self.frame.copy()

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        table = self.frame.to_string(float_format=lambda v: f"{v:.5g}", index=False)
        what = f"{self.name} of {self.law.name}"
        return f"{what}: {100 * self.level:g}% confidence intervals by {self.method}\n{table}"


def derive(
    source: Draws | Fit | Predictor,
    name: str,
    *,
    level: float = 0.9,
    seed: int = 0,
    **inputs: Any,
) -> Derived:
    """Return a law's derived quantity at given inputs, with its confidence interval.

    Parameters
    ----------
    source : Draws, Fit or Predictor
        Draws of the law's parameters, or a Fit, which is drawn by :func:`jscale.draws`. Of a
        predictor of several laws, all must declare the quantity: the estimate is then the weighted
        mean, and draws are pooled in proportion to the laws' weights.
    name : str
        One of ``law.quantities``; ``jscale laws NAME`` lists them.
    level : float, default 0.9
        The level of the interval.
    seed : int, default 0
        The seed of a Fit's draws.
    **inputs : float, str or array_like
        What the quantity takes, as numbers or arrays that broadcast, and the group's label where
        parameters differ by group (``family="a"``).

    Returns
    -------
    Derived
        The quantity at each case, with its samples.

    Raises
    ------
    LawError
        For a quantity that a law does not have.
    PredictionError
        For inputs that are missing, unknown, or not positive numbers, and for a predictor that is
        more than laws of their parameters, which a closed form does not describe.
    JscaleError
        For a level outside (0, 1).

    Warns
    -----
    ExtrapolationWarning
        Past ten times the largest compute fitted.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> best = js.derive(js.laplace(fit, 100), "optimal_size", C=[1e11, 1e12])
    >>> best.frame.columns.tolist()
    ['C', 'estimate', 'confidence_low', 'confidence_high', 'exists']
    """
    check_level(level)
    predictor = predictor_of(source, seed=seed, caller="derive")
    fit = predictor.reference
    function = _function(fit.law, name)
    table = _table(fit, name, function, inputs)
    components = predictor.components
    for component in components:
        _check_component(component, name, _inputs_of(function))
    _check_far(fit, name, table)
    (values,) = over_draws(
        components,
        lambda component, samples, rows: (_values(component, name, table, samples),),
        average=True,
    )
    samples = values[1:]
    low, high = np.quantile(samples, tails(level), axis=0, method="inverted_cdf")
    exists = np.isfinite(samples).mean(axis=0)
    frame = table.assign(
        estimate=values[0], confidence_low=low, confidence_high=high, exists=exists
    )
    return Derived(name, fit.law, frame, samples, level, predictor.method)


def _check_component(component: Component, name: str, inputs: list[str]) -> None:
    """Raise an error for a component whose draws do not determine the quantity."""
    law = component.function.law
    if law is None:
        raise PredictionError(
            f"derive evaluates a closed form of a law's parameters, and {component.name} is more "
            "than a law: what it adds would be ignored. Use allocate or required, or derive from "
            "draws of the law alone: derive(js.draws(fit), …)."
        )
    if _inputs_of(_function(law, name)) != inputs:
        raise LawError(
            f"{name} of {law.name} takes {listing(_inputs_of(_function(law, name)))}, not "
            f"{listing(inputs)}, so it is another quantity. Derive it from draws of one law."
        )


def _function(law: Law, name: str) -> Any:
    if name not in law.quantities:
        known = list(law.quantities)
        which = f"It has {listing(known, 20)}." if known else "It declares none."
        raise LawError(
            f"{law.name} has no derived quantity {name!r}.{nearest(str(name), known)} {which}"
        )
    return law.quantities[name]


def _inputs_of(function: Any) -> list[str]:
    """Return the inputs that a quantity takes, besides the parameters."""
    return list(signature(function).parameters)[1:]


def _table(fit: Fit, name: str, function: Any, inputs: Mapping[str, Any]) -> pd.DataFrame:
    """Return the inputs as a table, one row per case."""
    groups = [column for column, _ in fit.problem.layout.groups]
    wanted = [*_inputs_of(function), *groups]
    missing = [key for key in wanted if key not in inputs]
    unknown = [key for key in inputs if key not in wanted]
    if missing or unknown:
        what = f"misses {listing(missing)}" if missing else f"takes no {listing(unknown)}"
        call = ", ".join([f'"{name}"', *(f"{key}=…" for key in wanted)])
        raise PredictionError(f"{name} of {fit.law.name} {what}. Call derive(draws, {call}).")
    table = broadcast({key: inputs[key] for key in wanted}) if wanted else pd.DataFrame(index=[0])
    for key in _inputs_of(function):
        table[key] = numbers_of(table.loc[:, key], positive=True)
    return table


def _check_far(fit: Fit, name: str, table: pd.DataFrame) -> None:
    """Warn where a quantity is evaluated past ten times the largest fitted compute."""
    if fit.largest is None or not ("C" in table or {"N", "D"} <= set(table)):
        return
    warn_if_far(
        extrapolation(fit, table),
        f"rows of {name}",
        "compute",
        "Intervals cover the uncertainty within the law, not that the law may be wrong. Hold out "
        "your largest runs to check its predictions: js.rollout(law, runs).",
    )


def _values(
    component: Component, name: str, table: pd.DataFrame, samples: np.ndarray
) -> np.ndarray:
    """Return the quantity (R, m) for samples (R, q), inf where it does not exist."""
    fit = component.fit
    function = _function(fit.law, name)
    labels = list(fit.params.index)
    layout = fit.problem.layout
    parameters = {}
    for parameter in fit.law.names:
        column = layout.column(parameter)
        if column is None:
            parameters[parameter] = samples[:, [labels.index(parameter)]]
        else:
            places = [_place(labels, parameter, label, column) for label in table[column]]
            parameters[parameter] = samples[:, places]
    inputs = {key: table[key].to_numpy() for key in _inputs_of(function)}
    with np.errstate(all="ignore"):
        values = np.asarray(function(parameters, **inputs), dtype=np.float64)
    values = np.broadcast_to(values, (len(samples), len(table)))
    return np.where(np.isnan(values), np.inf, values)


def _place(labels: list[str], name: str, value: Any, column: str) -> int:
    """Return the place of a parameter's value for a label; raises PredictionError."""
    label = f"{name}[{value}]"
    if label not in labels:
        known = [x[len(name) + 1 : -1] for x in labels if x.startswith(f"{name}[")]
        raise PredictionError(
            f"{column}={value!r} was not among the fitted runs.{nearest(str(value), known)} "
            f"Use one of {listing(known, 24)}."
        )
    return labels.index(label)
