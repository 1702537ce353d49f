"""predict: the curve and new runs at given inputs, each with its own interval.

A confidence interval is of the curve: where the law's median lies. A prediction interval is
of a new run: the curve's uncertainty and a run's own noise together. Both are always given.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from jscale._precision import float64_scope
from jscale.data.flops import training_flops
from jscale.errors import ExtrapolationWarning, PredictionError, listing, nearest
from jscale.fitting.objective import from_space, to_space
from jscale.fitting.problem import bucket, evaluate_rows, pad_rows
from jscale.fitting.result import Fit
from jscale.model.layout import Layout
from jscale.uncertainty.bootstrap import bootstrap
from jscale.uncertainty.draws import Draws, check_level, tails
from jscale.uncertainty.laplace import laplace
from jscale.uncertainty.noise import draw_noise

_FAR = 10.0
_ROWS_AT_ONCE = 256
_AUTO_RESAMPLES = 1000


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predictions at given inputs.

    ``frame`` has the inputs and the columns ``curve``, ``confidence_low``,
    ``confidence_high``, ``prediction_low``, ``prediction_high`` (equal-tailed, at ``level``;
    absent for a point alone) and ``extrapolation``: the largest compute fitted goes into this
    row's compute so many times. ``method`` says where the draws came from.
    """

    frame: pd.DataFrame
    output: str
    level: float
    method: str
    settings: Mapping[str, Any]

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table."""
        return self.frame.copy()

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        table = self.frame.to_string(float_format=lambda v: f"{v:.5g}", index=False)
        return (
            f"Prediction of {self.output}: {100 * self.level:g}% intervals by {self.method}\n"
            + table
        )


def predict(
    source: Draws | Fit,
    where: pd.DataFrame | Mapping[str, Any] | None = None,
    *,
    level: float = 0.9,
    method: str | None = "auto",
    seed: int = 0,
    **inputs: Any,
) -> Prediction:
    """Predict a law's output at given inputs, with confidence and prediction intervals.

    ``source`` is Draws, or a Fit: then draws are made by ``method``, "auto" (1000 pairs
    resamples), "bootstrap", "laplace", or None for the point alone. Inputs come as a table
    ``where`` or by keyword (``N=70e9, D=1.4e12``; arrays broadcast), with a column for each
    parameter given per group. Seed and level are recorded.

    Raises PredictionError for inputs that are missing, unknown, or not usable; warns with
    ExtrapolationWarning past ten times the largest fitted compute.

    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> js.predict(fit, N=3e5, D=8e6, method=None).frame.columns.tolist()
    ['N', 'D', 'curve', 'extrapolation']
    """
    check_level(level)
    fit, draws = _draws(source, method, seed)
    table = _inputs(fit, where, inputs)
    samples = fit.params.to_numpy()[None]
    if draws is not None:
        samples = np.concatenate([samples, draws.flat])
    pieces = [
        _predict_rows(fit, table.iloc[i : i + _ROWS_AT_ONCE], samples, level, seed + i)
        for i in range(0, len(table), _ROWS_AT_ONCE)
    ]
    frame = pd.concat(pieces)
    frame["extrapolation"] = extrapolation(fit, table)
    _warn_far(frame)
    settings = {"seed": seed, **(draws.settings if draws else {})}
    name = draws.method if draws else "none (point alone)"
    return Prediction(frame, fit.law.output, level, name, settings)


def _draws(source: Draws | Fit, method: str | None, seed: int) -> tuple[Fit, Draws | None]:
    if isinstance(source, Draws):
        return source.fit, source
    if not isinstance(source, Fit):
        raise PredictionError(f"predict takes a Fit or Draws, not {type(source).__name__}.")
    if method is None:
        return source, None
    known: dict[str, Callable[[], Draws]] = {
        "auto": lambda: bootstrap(source, _AUTO_RESAMPLES, seed=seed),
        "bootstrap": lambda: bootstrap(source, seed=seed),
        "laplace": lambda: laplace(source, seed=seed),
    }
    if method not in known:
        hint = nearest(str(method), known)
        raise PredictionError(f"method={method!r} is not known.{hint} Use {listing(list(known))}.")
    return source, known[method]()


def _inputs(fit: Fit, where: Any, inputs: Mapping[str, Any]) -> pd.DataFrame:
    """Return a table with the law's inputs (float64) and the group columns it needs."""
    columns = list(dict.fromkeys((*fit.law.inputs, *fit.settings.per.values())))
    given = dict(where) if where is not None else {}
    given.update(inputs)
    unknown = [k for k in inputs if k not in (*columns, *fit.runs.inputs)]
    missing = [k for k in columns if k not in given]
    if unknown or missing:
        hint = nearest(unknown[0], columns) if unknown else ""
        example = ", ".join(f"{c}=…" for c in columns)
        raise PredictionError(
            f"{fit.law.name} predicts from {listing(columns)}; "
            + (f"{listing(missing)} is missing. " if missing else "")
            + (f"{listing(unknown)} is not one of them.{hint} " if unknown else "")
            + f"Call predict(fit, {example})."
        )
    kept = [c for c in given if c in (*columns, "C")]
    arrays = np.broadcast_arrays(*(np.asarray(given[c]) for c in kept))
    table = pd.DataFrame({c: np.ravel(a) for c, a in zip(kept, arrays, strict=True)})
    if table.empty:
        raise PredictionError(f"There are no rows to predict: give values of {listing(columns)}.")
    if isinstance(where, pd.DataFrame) and len(table) == len(where):
        table.index = where.index
    for name in (c for c in kept if c in (*fit.law.inputs, "C")):
        table[name] = _number(table[name], name)
    return table


def _number(column: pd.Series, name: str) -> np.ndarray:
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
    bad = ~np.isfinite(values) | (values <= 0)
    if bad.any():
        raise PredictionError(
            f"{name} must be a positive, finite number; it is "
            f"{listing(column[bad].tolist())} in row {listing(column.index[bad].tolist())}."
        )
    return values


@lru_cache(maxsize=256)
def _curves_program(layout: Layout) -> Callable[..., Any]:
    """Return a compiled program: parameters (R, q), inputs (m,), codes (m,) to outputs (R, m)."""
    import jax

    def one(flat: Any, inputs: Any, codes: Any) -> Any:
        return evaluate_rows(layout, _unflatten(layout, flat), inputs, codes, jax.vmap)

    return jax.jit(jax.vmap(one, in_axes=(0, None, None)))


def _unflatten(layout: Layout, flat: Any) -> dict[str, Any]:
    groups, per, leaders = dict(layout.groups), dict(layout.per), dict(layout.ties)
    values, first = {}, 0
    for name in layout.law.names:
        column = per.get(name) or per.get(leaders.get(name, ""))
        size = len(groups[column]) if column else 1
        values[name] = flat[first : first + size] if column else flat[first]
        first += size
    return values


def curves(fit: Fit, table: pd.DataFrame, samples: np.ndarray) -> np.ndarray:
    """Return the law's output for each sample of parameters (R, q) and row of inputs: (R, m)."""
    layout, rows = fit.problem.layout, bucket(len(table))
    inputs = tuple(pad_rows(table[x].to_numpy(dtype=np.float64), rows) for x in fit.law.inputs)
    codes = {c: pad_rows(_codes(table[c], c, labels), rows) for c, labels in layout.groups}
    with float64_scope():
        output = _curves_program(layout)(samples, inputs, codes)
        return np.asarray(output)[:, : len(table)]


def _codes(column: pd.Series, name: str, labels: tuple[str, ...]) -> np.ndarray:
    places = {label: i for i, label in enumerate(labels)}
    unknown = [v for v in column.astype(str) if v not in places]
    if unknown:
        raise PredictionError(
            f"{name}={unknown[0]!r} was not among the fitted runs.{nearest(unknown[0], labels)} "
            f"Known: {listing(labels, 24)}."
        )
    return column.astype(str).map(places).to_numpy(dtype=np.int32)


def _predict_rows(
    fit: Fit, table: pd.DataFrame, samples: np.ndarray, level: float, seed: int
) -> pd.DataFrame:
    output = curves(fit, table, samples)
    frame = table.copy()
    frame["curve"] = output[0]
    if len(samples) == 1:
        return frame
    space = fit.settings.objective.space
    with float64_scope(), np.errstate(all="ignore"):
        level_in_space = np.asarray(to_space(output[1:], space))
    noise = draw_noise(fit, level_in_space.shape, seed)
    quantiles = tails(level)
    for name, values in (("confidence", level_in_space), ("prediction", level_in_space + noise)):
        low, high = from_space(np.nanquantile(values, quantiles, axis=0), space)
        frame[f"{name}_low"], frame[f"{name}_high"] = low, high
    return frame


def extrapolation(fit: Fit, table: pd.DataFrame) -> np.ndarray:
    """Return how many times each row lies past the largest fitted compute (or input)."""
    largest = fit.largest
    if largest is not None and "C" in table:
        return table["C"].to_numpy(dtype=np.float64) / largest
    if largest is not None and {"N", "D"} <= set(table):
        return training_flops(table["N"], table["D"]) / largest
    ratios = [table[x].to_numpy() / fit.runs[x].max() for x in fit.law.inputs]
    return np.max(ratios, axis=0)


def _warn_far(frame: pd.DataFrame) -> None:
    far = frame["extrapolation"] > _FAR
    if far.any():
        warnings.warn(
            f"{int(far.sum())} of {len(frame)} predictions lie more than {_FAR:g} times past the "
            f"largest fitted compute (up to {frame['extrapolation'].max():.3g} times). If the law "
            "is wrong out there, the true loss can lie well outside these intervals: they only "
            "cover uncertainty within the law. Hold out your largest runs to see how it fares.",
            ExtrapolationWarning,
            stacklevel=3,
        )
