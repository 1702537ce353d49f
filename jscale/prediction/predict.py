"""predict: the curve and new runs at given inputs, each with its own interval.

A confidence interval is of the curve: where the law's median lies. A prediction interval is
of a new run: the curve's uncertainty and a run's own noise together. Both are always given.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jscale._precision import float64_scope
from jscale.arguments import check_choice, check_level
from jscale.comparison.ensemble import Ensemble
from jscale.data.flops import training_flops
from jscale.data.runs import Runs
from jscale.errors import FitWarning, PredictionError, listing, outside
from jscale.fitting.notes import Note
from jscale.fitting.objective import to_space
from jscale.fitting.points import Points, input_table
from jscale.fitting.problem import evaluate_rows
from jscale.fitting.result import Fit
from jscale.fitting.solver.compilation import programs
from jscale.model.layout import Layout
from jscale.prediction.extrapolation import warn_if_far
from jscale.prediction.newruns import (
    KNOWN,
    NewRun,
    beside,
    errors_of,
    remarks,
    with_known_errors,
)
from jscale.prediction.predictive import Predictive, Samples
from jscale.prediction.quantiles import quantiles
from jscale.uncertainty.automatic import METHODS
from jscale.uncertainty.automatic import draws as make_draws
from jscale.uncertainty.bayes.result import Posterior
from jscale.uncertainty.draws import Draws, NewRuns

# Measured by benchmarks/coverage.py: 60 runs of farseer fitted by chinchilla, and of a broken law
# by power_const.
_WRONG_LAW = (
    "Of simulated runs of two laws other than the one fitted, 80% prediction intervals held 20% "
    "and 96% at ten times the largest compute, and 1% and 29% at a hundred times."
)
_ROWS_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predictions at given inputs.

    ``frame`` has the inputs and the columns ``curve``, ``confidence_low``,
    ``confidence_high``, ``prediction_low``, ``prediction_high`` (equal-tailed, at ``level``;
    absent for a point alone) and ``extrapolation``: the largest compute fitted goes into this
    row's compute so many times (the largest input fitted into this one, where there is no
    compute). ``method`` says where the draws came from, ``settings`` how (their own seed
    included), and the ``noise_seed`` of new runs: all that is needed to predict the same again.
    ``notes`` are remarks of the draws and of the noise of new runs.
    """

    frame: pd.DataFrame
    output: str
    level: float
    method: str
    settings: Mapping[str, Any]
    notes: tuple[Note, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table."""
        return self.frame.copy()

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        table = self.frame.to_string(float_format=lambda v: f"{v:.5g}", index=False)
        family = ", new runs of a new family" if self.settings.get("new") == "family" else ""
        intervals = f"{100 * self.level:g}% intervals by {self.method}{family}"
        notes = "".join(f"\n{note}" for note in self.notes)
        return f"Prediction of {self.output}: {intervals}\n{table}{notes}"


def predict(
    source: Draws | Fit | Ensemble,
    where: pd.DataFrame | Runs | Mapping[str, Any] | None = None,
    *,
    level: float = 0.9,
    method: str | None = "auto",
    new: str = "run",
    known_error: Any = None,
    noise: NewRuns | None = None,
    seed: int = 0,
    **inputs: Any,
) -> Prediction:
    """Predict a law's output at given inputs, with confidence and prediction intervals.

    ``source`` is Draws, or a Fit: then 1000 draws are made by ``method``, "auto", "bayesian",
    "bootstrap", "laplace" or "jackknife" (see :func:`jscale.draws`), or None for the point alone;
    or an Ensemble, whose laws have draws. The ``curve`` is the fit's; that of a posterior is the
    median of its curves, and that of an ensemble the median of all its laws', weighted. Inputs
    come as a table ``where`` or by keyword (``N=70e9, D=1.4e12``; arrays broadcast), with a column
    for each parameter given per group. ``seed`` is that of the noise of new runs and, for a Fit,
    of the draws.

    ``new="run"`` predicts a new run of the fitted families, ``new="family"`` one of a new family.
    The noise of new runs is the draws' own (a posterior's) or else
    :func:`~jscale.uncertainty.noise.model.noise_model`'s, unless another ``noise`` is given.
    ``known_error`` adds in quadrature what is known beside: standard deviations in the
    objective's space (relative, for log), one or one per row, or a column of ``where``. A column
    that the fitted runs have too is first taken out of their noise. Rates that a posterior counted
    take their number of trials from its column in ``where``, else the fitted runs' median.

    Raises PredictionError for inputs that are missing, unknown, or not usable, JscaleError for a
    new family where the fit knows fewer than five; warns with
    ExtrapolationWarning past ten times the largest fitted compute, and with FitWarning where
    draws give no number.

    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> js.predict(fit, N=2e5, D=5e6, method=None).frame.columns.tolist()
    ['N', 'D', 'curve', 'extrapolation']
    """
    check_level(level)
    asked = NewRun.asked(new, known_error, noise)
    if isinstance(source, Ensemble):
        return _predict_ensemble(source, where, level, method, asked, known_error, seed, inputs)
    fit, draws = _draws(source, method, seed)
    errors: NewRuns | None = None
    if draws is not None:
        draws, errors = asked.of(draws, seed)
        fit = draws.fit
    also = () if errors is None else beside(errors)
    table = input_table(fit, where, inputs, also=also)
    table = with_known_errors(table, known_error, where)
    notes: tuple[Note, ...] = ()
    if draws is None or errors is None:
        point = curves(fit, table, fit.params.to_numpy()[None])[0]
        frame = table.assign(curve=point)
    else:
        notes = remarks([draws], [errors])
        parts = []
        for first, part in _pieces(table):
            samples = _samples(draws, part, errors, seed + first)
            parts.append(_framed(part, Predictive.of(samples), level))
        frame = pd.concat(parts)
    frame["extrapolation"] = extrapolation(fit, table)
    _warn_far(frame, "input" if fit.largest is None else "compute")
    settings = {**(draws.settings if draws else {}), **asked.settings, "noise_seed": seed}
    name = draws.method if draws else "none (point alone)"
    return Prediction(frame, fit.law.output, level, name, settings, notes)


def _predict_ensemble(
    source: Ensemble, where: Any, level: float, method: str | None, asked: NewRun,
    known_error: Any, seed: int, inputs: Mapping[str, Any],
) -> Prediction:  # fmt: skip
    if method != "auto":
        raise PredictionError(
            f"method={method!r} is for a Fit: an ensemble has its draws. Leave it out."
        )
    members = list(source.members.values())
    widest = max(members, key=lambda draws: len(draws.fit.law.inputs)).fit
    if widest.law.inputs == ("C",):
        inputs = _with_compute(where, inputs)
    table = with_known_errors(input_table(widest, where, inputs), known_error, where)
    if "C" not in table and {"N", "D"} <= set(table):
        table["C"] = training_flops(table["N"], table["D"])
    weights, widening = (source.table.loc[source.weights.index, c] for c in ("weight", "widening"))
    members, noises = zip(*(asked.of(draws, seed) for draws in members), strict=True)
    frames = []
    for first, part in _pieces(table):
        parts = []
        for draws, errors, factor in zip(members, noises, widening, strict=True):
            own = input_table(draws.fit, part, {})
            own = own if KNOWN not in part else own.assign(**{KNOWN: part[KNOWN]})
            samples = _samples(draws, own, errors, seed + first)
            parts.append(samples.widened(factor))
        each = np.broadcast_to(weights.to_numpy()[:, None], (len(parts), len(part)))
        frames.append(_framed(part, Predictive.mix(parts, each), level))
    frame = pd.concat(frames)
    frame["extrapolation"] = extrapolation(widest, table)
    _warn_far(frame, "input" if widest.largest is None else "compute")
    said = ", ".join(f"{name} {w:.2f}" for name, w in weights.items())
    settings = {**source.settings, **asked.settings, "noise_seed": seed}
    notes, name = remarks(members, noises), f"ensemble ({said})"
    return Prediction(frame, widest.law.output, level, name, settings, notes)


def _with_compute(where: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Add C = 6·N·D where only N and D are given, since the laws with weight take C alone."""
    table = where.frame if isinstance(where, Runs) else where
    named = table if isinstance(table, (Mapping, pd.DataFrame)) else {}
    given = {**{name: named[name] for name in ("N", "D", "C") if name in named}, **inputs}
    if "C" in given or not {"N", "D"} <= set(given):
        return dict(inputs)
    return {**inputs, "C": training_flops(given["N"], given["D"])}


def _pieces(table: pd.DataFrame) -> Iterator[tuple[int, pd.DataFrame]]:
    """Yield a table some rows at a time, with the number of the first."""
    for first in range(0, len(table), _ROWS_AT_ONCE):
        yield first, table.iloc[first : first + _ROWS_AT_ONCE]


def _framed(table: pd.DataFrame, predictive: Predictive, level: float) -> pd.DataFrame:
    return pd.concat([table, predictive.frame(level).set_index(table.index)], axis=1)


def _draws(source: Draws | Fit, method: str | None, seed: int) -> tuple[Fit, Draws | None]:
    if isinstance(source, Draws):
        return source.fit, source
    if not isinstance(source, Fit):
        raise PredictionError(
            f"predict takes a Fit, Draws or an Ensemble, not {type(source).__name__}."
        )
    if method is None:
        return source, None
    check_choice("method", method, METHODS, error=PredictionError)
    return source, make_draws(source, method, seed=seed)


@programs
def _curves_program(layout: Layout) -> Callable[..., Any]:
    """Return a compiled program: parameters (R, q), inputs (m,), codes (m,) to outputs (R, m)."""
    import jax

    def one(flat: Any, inputs: Any, codes: Any) -> Any:
        return evaluate_rows(layout, layout.unflatten(flat), inputs, codes, jax.vmap)

    return jax.jit(jax.vmap(one, in_axes=(0, None, None)))


def curves(fit: Fit, table: pd.DataFrame, samples: np.ndarray) -> np.ndarray:
    """Return the law's output for each sample of parameters (R, q) and row of inputs: (R, m)."""
    inputs, codes = Points.in_table(fit, table).padded()
    with float64_scope():
        output = _curves_program(fit.problem.layout)(samples, inputs, codes)
        return np.asarray(output)[:, : len(table)]


def _samples(draws: Draws, table: pd.DataFrame, noise: NewRuns, seed: int) -> Samples:
    """Return what a fit's draws say of rows of inputs."""
    fit = draws.fit
    output = curves(fit, table, np.concatenate([fit.params.to_numpy()[None], draws.flat]))
    space = fit.settings.objective.space
    with float64_scope(), np.errstate(all="ignore"):
        curve = np.asarray(to_space(output, space))
    _warn_undefined(fit, table, curve[1:])
    new = curve[1:] + errors_of(noise, curve[1:], table, seed)
    # A posterior is another estimator than the fit: its curve is its own.
    own = quantiles(curve[1:], (0.5,))[0] if isinstance(draws, Posterior) else curve[0]
    return Samples(own, curve[1:], new, space)


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
            stacklevel=outside(),
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
    measures = [x for x in fit.law.inputs if x not in fit.law.codes]
    positive = [x for x in measures if (fit.runs[x] > 0).all()]
    ratios = [table[x].to_numpy() / fit.runs[x].max() for x in positive]
    return np.max(ratios, axis=0) if ratios else np.full(len(table), np.nan)


def _warn_far(frame: pd.DataFrame, axis: str) -> None:
    warn_if_far(
        frame["extrapolation"], "predictions", axis,
        "If the law is wrong out there, the true loss can lie well outside these intervals: they "
        f"only cover uncertainty within the law. {_WRONG_LAW} Hold out your largest runs to see "
        "how it fares.",
    )  # fmt: skip
