"""From a law, runs and options to a Problem, with the checks that depend on the law."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from inspect import signature
from typing import Any

import numpy as np
import pandas as pd

from jscale.data.checks import check_weights, rows_at
from jscale.data.columns import GLOSSARY, find_column, missing_column
from jscale.data.doubts import Doubt
from jscale.data.runs import Runs
from jscale.errors import DataError, DataWarning, LawError, listing, nearest, outside
from jscale.fitting.domain import check_domain, check_fixed_floors
from jscale.fitting.problem import Data, Model, Problem, bucket, log_centre, pad_rows
from jscale.fitting.settings import Settings
from jscale.model.law import Law
from jscale.model.layout import Layout

_MOST_PARAMETERS = 24
_TOGETHER = 0.999
FIT_OPTIONS = (
    "objective",
    "weights",
    "fixed",
    "tie",
    "per",
    "starts",
    "start",
    "solver",
    "devices",
    "seed",
    "progress",
)


def as_runs(law: Law, data: Runs | pd.DataFrame, columns: Mapping[str, Any]) -> Runs:
    """Return Runs that hold the law's inputs and output; raises DataError if they cannot."""
    _check_options(law, columns)
    if isinstance(data, Runs):
        if columns:
            raise DataError(
                f"{listing(list(columns))}: columns are named when Runs are made, "
                "Runs.from_frame(df, N=…), or given to fit together with a DataFrame."
            )
        return data
    if not isinstance(data, pd.DataFrame):
        raise DataError(f"fit takes Runs or a pandas DataFrame, not {type(data).__name__}.")
    named = {k: v for k, v in columns.items() if v is not None}
    for name in law.inputs:
        column = find_column(name, data.columns) if name not in named else None
        if column is not None:
            named[name] = column
    return Runs.from_frame(data, **{"output": law.output, **named})


def _check_options(law: Law, columns: Mapping[str, Any]) -> None:
    """Raise DataError for a keyword of fit that is neither an option nor a column's name."""
    known = {*law.inputs, law.output, *GLOSSARY, *signature(Runs.from_frame).parameters}
    unknown = [name for name in columns if name not in known]
    if unknown:
        name = unknown[0]
        raise DataError(
            f"fit has no option {name!r}, and {law.name} has no input of that name."
            f"{nearest(name, (*FIT_OPTIONS, *known))} Its options are {listing(FIT_OPTIONS, 20)}; "
            f"its inputs are {listing(law.inputs, 20)}."
        )


def build(
    law: Law,
    runs: Runs,
    settings: Settings,
    *,
    few: bool = False,
) -> tuple[Problem, tuple[Doubt, ...]]:
    """Check a law against runs and return the Problem and what is doubtful about it.

    Raises DataError or LawError, naming columns, rows and values.
    """
    objective = settings.solved
    _check_columns(law, runs)
    columns = [runs[name] for name in law.inputs]
    check_domain(law, runs.frame, DataError, _leave_out)
    target = _target(runs, law.output, objective.space)
    codes, groups = _groups(runs, settings.per)
    exact = {name: _number(name, value) for name, value in settings.fixed.items()}
    check_fixed_floors(law, runs.frame, exact, DataError)
    layout = Layout.make(law, fixed=tuple(exact), tie=settings.tie, per=settings.per, groups=groups)
    weight = _weights(runs, settings.weights)
    if settings.solver == "gauss_newton":
        _check_dense(law, layout)
    if not few:
        _check_counts(law, layout, runs.where(weight > 0))
    _check_groups(layout, codes, weight)
    check_traces(law)
    n, rows = len(runs), bucket(len(runs))
    data = Data(
        inputs=tuple(pad_rows(x, rows) for x in columns),
        codes={name: pad_rows(code, rows) for name, code in codes.items()},
        target=pad_rows(target, rows),
        centre=log_centre(columns),
        fixed=exact,
    )
    padded = np.zeros(rows)
    padded[:n] = weight
    model = Model(layout, type(objective), objective.space)
    return Problem(model, objective, data, padded, n, _units(runs)), _doubts(law, runs)


def _units(runs: Runs) -> np.ndarray:
    """Number the independent runs (n,): by run id, or else by distinct rows."""
    columns = [runs.run] if runs.run is not None else [*runs.inputs, runs.output]
    return runs.frame.groupby(columns, sort=False).ngroup().to_numpy()


def _check_columns(law: Law, runs: Runs) -> None:
    for name in (*law.inputs, law.output):
        if name in runs.inputs or name == runs.output:
            continue
        if name in runs.frame.columns:
            raise DataError(
                f"{law.name} needs the column {name!r}, which these Runs only carry along, "
                f"unchecked. Name it when making them: Runs.from_frame(df, {name}={name!r})."
            )
        raise missing_column(name, None, runs.frame.columns)


def _leave_out(condition: str) -> str:
    return f"Leave those rows out: runs.where({condition})."


def _target(runs: Runs, output: str, space: str) -> np.ndarray:
    y = np.asarray(runs[output], dtype=np.float64)
    bad = {"log": y <= 0, "logit": (y <= 0) | (y >= 1)}.get(space, np.zeros(len(y), dtype=bool))
    if bad.any():
        limit = "positive" if space == "log" else "strictly between 0 and 1"
        raise DataError(
            f"{output} must be {limit} for residuals in {space} space, but "
            f"{rows_at(runs.frame, bad, y)}. Leave those rows out with runs.where(…), or use "
            'another space: objective=huber(delta=1e-3, space="linear").'
        )
    if space == "log":
        return np.log(y)
    return np.log(y) - np.log1p(-y) if space == "logit" else y


def _groups(
    runs: Runs, per: Mapping[str, str]
) -> tuple[dict[str, np.ndarray], dict[str, tuple[str, ...]]]:
    codes, groups = {}, {}
    for column in dict.fromkeys(per.values()):
        if column not in runs.frame.columns:
            raise _missing_group(column, per, runs)
        missing = runs.frame[column].isna().to_numpy()
        if missing.any():
            raise DataError(
                f"column {column!r} has no label in {rows_at(runs.frame, missing, missing)}; "
                f"leave those rows out: runs.where(runs.frame[{column!r}].notna())."
            )
        code, labels = pd.factorize(runs.frame[column].astype(str), sort=True)
        codes[column], groups[column] = code.astype(np.int32), tuple(map(str, labels))
    return codes, groups


def _missing_group(column: str, per: Mapping[str, str], runs: Runs) -> DataError:
    name = next(n for n, c in per.items() if c == column)
    columns = list(runs.frame.columns)
    return DataError(
        f"The table has no column {column!r} to give each {column} its own {name}."
        f"{nearest(str(column), columns)} Its columns are: {listing(columns, 20)}. "
        f'Say which one it is: per={{"{name}": "<column>"}}.'
    )


def _number(name: str, value: Any) -> np.ndarray:
    try:
        exact = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        exact = np.full((), np.nan)
    if exact.shape != () or not np.isfinite(exact):
        raise LawError(
            f"{name} is fixed at {value!r}; it must be one finite number: fixed={{{name!r}: 1.0}}."
        )
    return exact


def _check_dense(law: Law, layout: Layout) -> None:
    if layout.size > _MOST_PARAMETERS:
        raise LawError(
            f"{law.name} has {layout.size} free parameters here; the dense solver takes up to "
            f"{_MOST_PARAMETERS}. Share more of them, fit the groups one by one (fit_many), or use "
            'solver="lbfgs".'
        )


def _check_counts(law: Law, layout: Layout, runs: Runs) -> None:
    if runs.n_independent < layout.size:
        raise DataError(
            f"{law.name} has {layout.size} free parameters ({listing(layout.labels, 24)}) but "
            f"there are only {runs.n_independent} independent runs. Add runs, or free fewer: "
            f"fixed={{{layout.labels[0].split('[')[0]!r}: …}}, tie=(…), or a simpler law."
        )


def _check_groups(layout: Layout, codes: Mapping[str, np.ndarray], weight: np.ndarray) -> None:
    """Refuse a parameter per group where a group's rows all have weight zero."""
    for column, labels in layout.groups:
        total = np.bincount(codes[column], weight, minlength=len(labels))
        unused = [label for label, sum_ in zip(labels, total, strict=True) if sum_ == 0]
        if unused:
            raise DataError(
                f"All rows with {column}={listing(unused)} have weight 0, so their own "
                "parameters are undetermined. Leave those rows out of the table, or give them "
                "weight."
            )


def check_traces(law: Law) -> None:
    """Raise LawError unless the law maps numbers to one number under JAX's tracing."""
    import jax

    number = jax.ShapeDtypeStruct((), np.float32)
    named = dict.fromkeys((*law.inputs, *law.names), number)
    try:
        out = jax.eval_shape(law.evaluate, named)
    except Exception as error:
        what = str(error).partition("\n")[0].rstrip(".") or "no message"
        raise LawError(
            f"{law.name} failed when traced for one observation: {type(error).__name__}: {what}. "
            "Write it with jax.numpy and jscale.power, without `if` on values."
        ) from error
    shape = getattr(out, "shape", None)
    if shape != ():
        what = type(out).__name__ if shape is None else f"an array of shape {shape}"
        raise LawError(
            f"{law.name} returned {what} for one observation; a law returns one number per "
            "observation (it is mapped over rows for you)."
        )


def _weights(runs: Runs, weights: np.ndarray | None) -> np.ndarray:
    if weights is None and runs.weight is None:
        return np.ones(len(runs))
    called = "weights" if weights is not None else f"column {runs.weight!r}"
    given = weights if weights is not None else runs[str(runs.weight)]
    exact = np.asarray(given, dtype=np.float64)
    if exact.shape != (len(runs),):
        raise DataError(
            f"weights has shape {exact.shape}; it must be ({len(runs)},), one for each row, "
            "0 to leave a row out of the fit."
        )
    check_weights(exact, runs.frame, called)
    return exact


def _doubts(law: Law, runs: Runs) -> tuple[Doubt, ...]:
    """Notes on constant inputs, and on pairs of inputs that move together."""
    inputs = [name for name in law.inputs if name not in law.codes]
    doubts = [_constant(name, runs) for name in inputs if np.ptp(runs[name]) == 0]
    varying = [n for n in inputs if np.ptp(runs[n]) > 0 and (runs[n] > 0).all()]
    for i, a in enumerate(varying):
        for b in varying[i + 1 :]:
            x, y = np.log(runs[a]), np.log(runs[b])
            if abs(np.corrcoef(x, y)[0, 1]) > _TOGETHER:
                slope = float(np.polyfit(x, y, 1)[0])
                doubts.append(
                    Doubt(
                        "inputs-move-together",
                        f"{a} and {b} move together: {b} follows {a}^{slope:.3g} in all rows, so "
                        f"the separate effects of {a} and {b} cannot be told apart.",
                        f"Add runs that change {b} at the same {a}, tie or fix parameters, or "
                        "use a law of one input.",
                    )
                )
    for doubt in doubts:
        warnings.warn(f"{doubt.seen} {doubt.remedy}", DataWarning, stacklevel=outside())
    return tuple(doubts)


def _constant(name: str, runs: Runs) -> Doubt:
    return Doubt(
        "constant-input",
        f"{name} is {runs[name][0]:g} in all {len(runs)} rows: its effect cannot be learnt and is "
        "mixed up with the irreducible loss.",
        f"Add runs with another {name}, or use a law without it.",
    )
