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
from jscale.data.columns import GLOSSARY
from jscale.data.flops import training_flops
from jscale.data.runs import Runs
from jscale.errors import ExtrapolationWarning, FitWarning, PredictionError, listing, nearest
from jscale.fitting.objective import from_space, to_space
from jscale.fitting.problem import bucket, evaluate_rows, pad_rows
from jscale.fitting.result import Fit
from jscale.model.law import Law
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
    row's compute so many times (the largest input fitted into this one, where there is no
    compute). ``method`` says where the draws came from, ``settings`` how (their own seed
    included), and the ``noise_seed`` of new runs: all that is needed to predict the same again.
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
    where: pd.DataFrame | Runs | Mapping[str, Any] | None = None,
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
    parameter given per group. ``seed`` is that of the noise of new runs and, for a Fit, of the
    draws.

    Raises PredictionError for inputs that are missing, unknown, or not usable; warns with
    ExtrapolationWarning past ten times the largest fitted compute, and with FitWarning where
    draws give no number.

    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> js.predict(fit, N=2e5, D=5e6, method=None).frame.columns.tolist()
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
    _warn_far(frame, "input" if fit.largest is None else "compute")
    settings = {**(draws.settings if draws else {}), "noise_seed": seed}
    name = draws.method if draws else "none (point alone)"
    return Prediction(frame, fit.law.output, level, name, settings)


def _draws(source: Draws | Fit, method: str | None, seed: int) -> tuple[Fit, Draws | None]:
    if isinstance(source, Draws):
        return source.fit, source
    if not isinstance(source, Fit):
        raise PredictionError(f"predict takes a Fit or Draws, not {type(source).__name__}.")
    if method is None:
        return source, None
    known: dict[Any, Callable[[], Draws]] = {
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
    given = {**_given(where, columns), **inputs}
    # A table may have any columns beside; a name given by hand that means nothing is a slip.
    by_hand = inputs if isinstance(where, (pd.DataFrame, Runs)) else given
    unknown = [k for k in by_hand if k not in (*columns, *fit.runs.inputs)]
    missing = [k for k in columns if k not in given]
    if unknown or missing:
        raise _wrong_inputs(fit.law, columns, unknown, missing)
    table = _broadcast({c: given[c] for c in given if c in (*columns, "C")})
    if len(table) == 0:
        raise PredictionError(f"No rows to predict: {listing(columns)} are empty; give values.")
    source = where.frame if isinstance(where, Runs) else where
    if isinstance(source, pd.DataFrame) and len(table) == len(source):
        table.index = source.index
    for name in map(str, table):
        if name in (*fit.law.inputs, "C"):
            table[name] = _number(table.loc[:, name], _must_be_positive(fit.law, name))
    return table


def _given(where: Any, columns: list[str]) -> dict[str, Any]:
    """Return what ``where`` holds, by name."""
    if where is None:
        return {}
    if isinstance(where, Runs):
        where = where.frame
    if not isinstance(where, (pd.DataFrame, Mapping)):
        raise PredictionError(
            f"Inputs come by name or as a table, not as {type(where).__name__}. Call predict(fit, "
            f"{', '.join(f'{c}=…' for c in columns)})."
        )
    return {str(k): where[k] for k in where}


def _wrong_inputs(
    law: Law, columns: list[str], unknown: list[str], missing: list[str]
) -> PredictionError:
    hint = nearest(unknown[0], columns) if unknown else ""
    return PredictionError(
        f"{law.name} predicts from {listing(columns)}; "
        + (f"{listing(missing)} is missing. " if missing else "")
        + (f"{listing(unknown)} is not one of them.{hint} " if unknown else "")
        + f"Call predict(fit, {', '.join(f'{c}=…' for c in columns)})."
    )


def _broadcast(given: Mapping[str, Any]) -> pd.DataFrame:
    arrays = {name: np.asarray(values) for name, values in given.items()}
    try:
        whole = np.broadcast_arrays(*arrays.values())
    except ValueError as error:
        shapes = listing([f"{name} {array.shape}" for name, array in arrays.items()])
        raise PredictionError(
            f"Inputs of shapes {shapes} do not broadcast. Give arrays of one length, or numbers."
        ) from error
    return pd.DataFrame({name: np.ravel(a) for name, a in zip(arrays, whole, strict=True)})


def _must_be_positive(law: Law, name: str) -> bool:
    """Inputs that the glossary says are positive, and those that the law needs so."""
    known = GLOSSARY.get(name)
    return name in law.positive_inputs or (known is not None and known.positive)


def _number(column: pd.Series, positive: bool) -> np.ndarray:
    values = np.asarray(pd.to_numeric(column, errors="coerce"), dtype=np.float64)
    bad = ~np.isfinite(values) | ((values <= 0) if positive else False)
    if bad.any():
        what = "a positive, finite number" if positive else "a finite number"
        raise PredictionError(
            f"{column.name} must be {what}; it is {listing(column[bad].tolist())} in row "
            f"{listing(column.index[bad].tolist())}. Give numbers, such as {column.name}=7e9."
        )
    return values


@lru_cache(maxsize=256)
def _curves_program(layout: Layout) -> Callable[..., Any]:
    """Return a compiled program: parameters (R, q), inputs (m,), codes (m,) to outputs (R, m)."""
    import jax

    def one(flat: Any, inputs: Any, codes: Any) -> Any:
        return evaluate_rows(layout, layout.unflatten(flat), inputs, codes, jax.vmap)

    return jax.jit(jax.vmap(one, in_axes=(0, None, None)))


def curves(fit: Fit, table: pd.DataFrame, samples: np.ndarray) -> np.ndarray:
    """Return the law's output for each sample of parameters (R, q) and row of inputs: (R, m)."""
    layout, rows = fit.problem.layout, bucket(len(table))
    inputs = tuple(pad_rows(table[x].to_numpy(dtype=np.float64), rows) for x in fit.law.inputs)
    codes = {c: pad_rows(_codes(table.loc[:, c], labels), rows) for c, labels in layout.groups}
    with float64_scope():
        output = _curves_program(layout)(samples, inputs, codes)
        return np.asarray(output)[:, : len(table)]


def _codes(column: pd.Series, labels: tuple[str, ...]) -> np.ndarray:
    places = {label: i for i, label in enumerate(labels)}
    unknown = [v for v in column.astype(str) if v not in places]
    if unknown:
        raise PredictionError(
            f"{column.name}={unknown[0]!r} was not among the fitted runs."
            f"{nearest(unknown[0], labels)} Use one of {listing(labels, 24)}."
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
        curve = np.asarray(to_space(output[1:], space))
    _warn_undefined(fit, table, curve)
    noise = draw_noise(fit, curve.shape, seed)
    quantiles = tails(level)
    for name, values in (("confidence", curve), ("prediction", curve + noise)):
        low, high = from_space(np.nanquantile(values, quantiles, axis=0), space)
        frame[f"{name}_low"], frame[f"{name}_high"] = low, high
    return frame


def _warn_undefined(fit: Fit, table: pd.DataFrame, curve: np.ndarray) -> None:
    """Warn where draws give no number: quantiles are then those of the other draws."""
    undefined = np.asarray(np.isnan(curve))
    if undefined.any():
        rows = table.index[np.any(undefined, axis=0)].tolist()
        warnings.warn(
            f"{int(np.sum(np.any(undefined, axis=1)))} of {len(curve)} draws give no "
            f"{fit.settings.objective.space} {fit.law.output} in row {listing(rows)}: the law "
            "leaves its range there. Intervals are of the other draws, and too narrow; predict "
            "nearer to the fitted runs.",
            FitWarning,
            stacklevel=4,
        )


def extrapolation(fit: Fit, table: pd.DataFrame) -> np.ndarray:
    """Return how many times each row lies past the largest fitted compute (or input).

    NaN where the runs have no compute and no input is positive throughout.
    """
    largest = fit.largest
    if largest is not None and "C" in table:
        return table["C"].to_numpy(dtype=np.float64) / largest
    if largest is not None and {"N", "D"} <= set(table):
        return training_flops(table["N"], table["D"]) / largest
    positive = [x for x in fit.law.inputs if (fit.runs[x] > 0).all()]
    ratios = [table[x].to_numpy() / fit.runs[x].max() for x in positive]
    return np.max(ratios, axis=0) if ratios else np.full(len(table), np.nan)


def _warn_far(frame: pd.DataFrame, what: str) -> None:
    past = frame["extrapolation"].to_numpy()
    far = past > _FAR
    if far.any():
        warnings.warn(
            f"{int(far.sum())} of {len(frame)} predictions lie more than {_FAR:g} times past the "
            f"largest fitted {what} (up to {np.nanmax(past):.3g} times). If the law "
            "is wrong out there, the true loss can lie well outside these intervals: they only "
            "cover uncertainty within the law. Hold out your largest runs to see how it fares.",
            ExtrapolationWarning,
            stacklevel=3,
        )
