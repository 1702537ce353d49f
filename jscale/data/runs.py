"""Runs: a validated table of training runs, the input of every fit.

A Runs object is made once from a table, checks everything that can be checked without
knowing the law, and remembers what it doubted and what it left out.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jscale.data.checks import (
    MISSING,
    check_weights,
    fault_of_values,
    ignored_column,
    overflow_doubt,
    raise_fault,
    rows_at,
    to_numbers,
)
from jscale.data.columns import GLOSSARY, find_column, missing_column
from jscale.data.flops import training_flops
from jscale.data.units import LOSS_UNITS, doubts_about_unit, to_unit
from jscale.errors import DataError, DataWarning, listing, nearest, outside

_STANDARD_INPUTS = ("N", "D", "C", "U")
_COUNTS = ("total", "non_embedding", None)
_OPTIONAL = ("C", "U")
_FLOPS_RATIO = (0.8, 1.25)


class Doubt(NamedTuple):
    """Something usable but doubtful about a table: a note's code, what was seen, what to do."""

    code: str
    seen: str
    remedy: str


@dataclass(frozen=True, eq=False)
class Runs:
    """A validated table of training runs.

    ``frame`` holds one row per observation: inputs and output as float64 under their standard
    names, and every other column of the source untouched (but for one whose name a standard
    name has taken, as "N" is by ``N="params"``); its index keeps the source's row labels. Make
    one with :meth:`from_frame`.
    """

    frame: pd.DataFrame
    inputs: tuple[str, ...]
    output: str = "loss"
    run: str | None = None
    group: str | None = None
    weight: str | None = None
    loss_unit: str = "nats"
    count: str | None = None
    dropped: pd.DataFrame = field(default_factory=pd.DataFrame)
    doubts: tuple[Doubt, ...] = ()
    source: str = ""

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        output: str = "loss",
        run: str | None = None,
        group: str | None = None,
        weight: str | None = None,
        loss_unit: str | None = None,
        count: str | None = None,
        invalid: str = "raise",
        source: str = "",
        **columns: str,
    ) -> Runs:
        """Make Runs from a DataFrame, naming columns by keyword (``N="params"``).

        ``columns`` map a standard name or a law's own input to a column. N, D, C, U and the
        output are found by their usual names when not given. C is computed as 6·N·D when
        absent; a C or U that was not named and has bad values is left out, with a doubt. ``run``
        names the column that identifies a run (several rows per run), ``group`` the family.
        ``loss_unit`` is "nats" (the default for ``loss``), "bits", "perplexity" (converted to
        nats) or "other" (the default for scores and all else); ``count`` is "total" or
        "non_embedding". ``invalid="drop"`` leaves bad rows out and lists them, with reasons, in
        ``dropped``.

        Raises DataError for columns or values that cannot be used; warns with DataWarning for
        doubtful ones.

        >>> import pandas as pd, jscale as js
        >>> table = pd.DataFrame({"params": [1e6, 2e6], "tokens": [1e8, 1e8], "loss": [4.0, 3.9]})
        >>> js.Runs.from_frame(table, N="params", D="tokens").inputs
        ('N', 'D', 'C')
        """
        loss_unit = loss_unit or ("nats" if output == "loss" else "other")
        _check_settings(frame, loss_unit, count, invalid)
        mapping = _map_columns(frame, output, columns)
        marks = {"run": run, "group": group, "weight": weight}
        for mark, column in marks.items():
            if column is not None:
                _check_named(frame, mark, column)
        asked = _needed(mapping, columns, output)
        values, dropped, keep = _validate(frame, asked, marks, output, loss_unit, invalid)
        found, doubts = _found_beside(frame, mapping, asked, keep)
        mapping = {n: c for n, c in mapping.items() if n in asked or n in found}
        values = {n: values[n] if n in values else found[n] for n in mapping}
        doubts += _doubts_before(frame, mapping, output, values, loss_unit, keep)
        if loss_unit == "perplexity":
            values[output], loss_unit = to_unit(values[output], "perplexity", "nats"), "nats"
        inputs = tuple(name for name in values if name != output)
        if "C" not in values and {"N", "D"} <= set(values):
            values["C"] = training_flops(values["N"], values["D"])
            inputs = (*inputs, "C")
        clean = _assemble(frame, mapping, values, keep, marks)
        if weight is not None:
            check_weights(to_numbers(clean, weight), clean, f"column {weight!r}")
        doubts += _doubts_after(clean, inputs, output, mapping.get("C", "C"))
        for doubt in doubts:
            warnings.warn(f"{doubt.seen} {doubt.remedy}", DataWarning, stacklevel=outside())
        return cls(
            clean, inputs, output, run, group, weight, loss_unit, count, dropped, doubts, source
        )

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, column: str) -> np.ndarray:
        """Return one column as a NumPy array."""
        if column not in self.frame.columns:
            raise missing_column(column, None, self.frame.columns)
        return self.frame[column].to_numpy()

    def __repr__(self) -> str:
        spans = [
            f"{name} {self.frame[name].min():.3g}…{self.frame[name].max():.3g}"
            for name in (*self.inputs, self.output)
        ]
        left_out = f", {len(self.dropped)} rows dropped" if len(self.dropped) else ""
        counts = f"{len(self)} rows, {self.n_independent} independent{left_out}"
        return f"Runs({counts}: {', '.join(spans)})"

    @property
    def n_independent(self) -> int:
        """The number of independent runs: distinct ``run`` ids, or else distinct rows."""
        if self.run is not None:
            return len(self.frame.drop_duplicates(self.run))
        return len(self.frame[[*self.inputs, self.output]].drop_duplicates())

    @property
    def digest(self) -> str:
        """A SHA-256 digest of names and values, equal for equal data (16 hexadecimal digits)."""
        hasher = hashlib.sha256()
        for name in (*self.inputs, self.output):
            hasher.update(name.encode())
            hasher.update(np.ascontiguousarray(self[name], dtype=np.float64).tobytes())
        for mark, name in (("run", self.run), ("group", self.group), ("weight", self.weight)):
            if name is not None:
                hasher.update("\x1f".join([mark, *map(str, self.frame[name])]).encode())
        return hasher.hexdigest()[:16]

    def where(self, keep: Sequence[bool] | np.ndarray | pd.Series | Callable[..., Any]) -> Runs:
        """Return the rows where ``keep`` holds: a mask, or a function of the frame.

        Doubts about rows (repeats, C far from 6·N·D) are those of the rows kept, not told again.
        Raises DataError if the mask has the wrong length or type, or if no row is left.

        >>> import jscale as js
        >>> runs = js.Runs.from_frame(js.datasets.load("stdlib_lm"))
        >>> len(runs.where(lambda table: table["split"] == "holdout")) > 0
        True
        """
        mask = np.asarray(keep(self.frame) if callable(keep) else keep)
        if mask.dtype != bool or mask.shape != (len(self),):
            raise DataError(
                f"The mask has type {mask.dtype} and shape {mask.shape}; it must hold True or "
                f"False for each of the {len(self)} rows, such as runs['C'] < 1e20."
            )
        if not mask.any():
            raise DataError(f"The mask keeps none of the {len(self)} rows.")
        frame = self.frame.loc[mask]
        seen = _seen_in_rows(frame, self.inputs, self.output)
        doubts = [d._replace(seen=seen.get(d.code, d.seen)) for d in self.doubts]
        return replace(self, frame=frame, doubts=tuple(d for d in doubts if d.seen))


def _check_settings(frame: Any, loss_unit: str, count: str | None, invalid: str) -> None:
    if not isinstance(frame, pd.DataFrame):
        raise DataError(
            f"Runs are made from a pandas DataFrame, not from {type(frame).__name__}; "
            "try pandas.DataFrame({'N': …, 'D': …, 'loss': …})."
        )
    if len(frame) == 0:
        raise DataError("The table has no rows. A scaling law needs at least a handful of runs.")
    twice = frame.columns[frame.columns.duplicated()].tolist()
    if twice:
        raise DataError(
            f"Several columns have the same name: {listing(twice)}. Keep one of each: "
            "df.loc[:, ~df.columns.duplicated()]."
        )
    legal = {
        "loss_unit": (loss_unit, (*LOSS_UNITS, "perplexity")),
        "count": (count, _COUNTS),
        "invalid": (invalid, ("raise", "drop")),
    }
    for setting, (value, known) in legal.items():
        if value not in known:
            hint = nearest(str(value), [k for k in known if k])
            raise DataError(f"{setting}={value!r} is not known.{hint} Use one of {listing(known)}.")


def _check_named(frame: pd.DataFrame, name: str, column: Any) -> None:
    if not isinstance(column, str):
        raise DataError(
            f"{name} must be the name of a column, not {type(column).__name__}. Add it to the "
            f"table, df[{name!r}] = …, and name it: Runs.from_frame(df, {name}={name!r})."
        )
    if column not in frame.columns:
        raise missing_column(name, column, frame.columns)


def _map_columns(frame: pd.DataFrame, output: str, columns: dict[str, str]) -> dict[str, str]:
    mapping: dict[str, str] = {}
    for name, column in columns.items():
        _check_named(frame, name, column)
        mapping[name] = column
    for name in _STANDARD_INPUTS:
        found = find_column(name, frame.columns) if name not in mapping else None
        if found is not None and found not in mapping.values():
            mapping[name] = found
    if output not in mapping:
        found = find_column(output, frame.columns)
        if found is None:
            raise missing_column(output, None, frame.columns)
        mapping[output] = found
    order = [n for n in _STANDARD_INPUTS if n in mapping]
    order += [n for n in mapping if n not in order and n != output]
    return {name: mapping[name] for name in (*order, output)}


def _needed(mapping: dict[str, str], columns: dict[str, str], output: str) -> dict[str, str]:
    """Return the columns whose values must be right: all but a C or U that nobody named.

    Where there is no other input, these are needed too.
    """
    needed = {n: c for n, c in mapping.items() if n in columns or n not in _OPTIONAL}
    return needed if set(needed) - {output} else mapping


def _found_beside(
    frame: pd.DataFrame, mapping: dict[str, str], needed: dict[str, str], keep: np.ndarray
) -> tuple[dict[str, np.ndarray], tuple[Doubt, ...]]:
    """Return the optional columns' values in the rows kept, and doubts about those left out."""
    kept, found, doubts = frame.loc[keep], {}, []
    for name, column in mapping.items():
        if name in needed:
            continue
        values = to_numbers(kept, column)
        faults = fault_of_values(kept, column, values, above=0.0)
        if not faults:
            found[name] = values
            continue
        reason, bad = next(iter(faults.items()))
        seen, remedy = ignored_column(kept, name, column, reason, bad)
        computed = " C is computed as 6*N*D." if name == "C" and {"N", "D"} <= set(mapping) else ""
        doubts.append(Doubt("column-ignored", seen + computed, remedy))
    return found, tuple(doubts)


def _validate(
    frame: pd.DataFrame,
    mapping: dict[str, str],
    marks: dict[str, str | None],
    output: str,
    loss_unit: str,
    invalid: str,
) -> tuple[dict[str, np.ndarray], pd.DataFrame, np.ndarray]:
    """Return each input's values in the rows that are right, the others, and which are right."""
    keep = np.ones(len(frame), dtype=bool)
    reasons = np.full(len(frame), "", dtype=object)
    values = {name: to_numbers(frame, column) for name, column in mapping.items()}
    above = {name: _limit(name, output, loss_unit) for name in mapping}
    for name, column, reason, bad in _faults(frame, mapping, marks, values, above):
        if invalid == "raise":
            raise_fault(frame, name, column, reason, bad)
        keep &= ~bad
        reasons[bad & (reasons == "")] = f"{column}: {reason}"
    if not keep.any():
        raise DataError(f"No row is left: {listing(sorted(set(reasons)))}.")
    dropped = frame[~keep].assign(reason=reasons[~keep])
    return {name: v[keep] for name, v in values.items()}, dropped, keep


def _limit(name: str, output: str, loss_unit: str) -> float | None:
    """Return what a column's values must exceed, or None where any number will do."""
    if name == output:
        return {"other": None, "perplexity": 1.0}.get(loss_unit, 0.0)
    known = GLOSSARY.get(name)
    return 0.0 if known is not None and known.positive else None


def _faults(
    frame: pd.DataFrame,
    mapping: dict[str, str],
    marks: dict[str, str | None],
    values: dict[str, np.ndarray],
    above: dict[str, float | None],
) -> Iterator[tuple[str, str, str, np.ndarray]]:
    """Yield (name, column, reason, rows) for every fault of the columns that are used."""
    for name, column in mapping.items():
        faults = fault_of_values(frame, column, values[name], above=above[name])
        for reason, bad in faults.items():
            yield name, column, reason, bad
    for mark, column in marks.items():
        if column is None or mark == "weight":  # weights are checked by check_weights
            continue
        missing = frame[column].isna().to_numpy()
        if missing.any():
            yield mark, column, MISSING, missing


def _assemble(
    frame: pd.DataFrame,
    mapping: dict[str, str],
    values: dict[str, np.ndarray],
    keep: np.ndarray,
    marks: dict[str, str | None],
) -> pd.DataFrame:
    kept = frame.loc[keep]
    renamed = set(mapping.values()) - {m for m in marks.values() if m}
    others = [c for c in kept.columns if c not in values and c not in renamed]
    numbers = pd.DataFrame(values, index=kept.index)
    return pd.concat([numbers, kept.loc[:, others]], axis=1)


def _doubts_before(
    frame: pd.DataFrame,
    mapping: dict[str, str],
    output: str,
    values: dict[str, np.ndarray],
    loss_unit: str,
    keep: np.ndarray,
) -> tuple[Doubt, ...]:
    doubts = []
    if not keep.all():
        doubts.append(
            Doubt("rows-dropped", f"{int((~keep).sum())} of {len(keep)} rows were left out.",
                  "They are listed with reasons in runs.dropped.")
        )  # fmt: skip
    why = doubts_about_unit(values[output], mapping[output], loss_unit)
    if why:
        doubts.append(
            Doubt("loss-unit", f"The loss is taken to be in nats, but {why}.",
                  'Say so: loss_unit="perplexity" (or "bits"), or "other".')
        )  # fmt: skip
    if {"N", "D"} <= set(mapping):
        text = overflow_doubt(frame, mapping["N"], mapping["D"])
        if text:
            doubts.append(Doubt("int64-overflow", text, ""))
    return tuple(doubts)


def _doubts_after(
    clean: pd.DataFrame, inputs: tuple[str, ...], output: str, compute: str
) -> tuple[Doubt, ...]:
    """Return the doubts about rows; ``compute`` is the name of the source's column of C."""
    remedies = {
        "duplicate-runs": "If they are one run logged twice, use df.drop_duplicates(); "
        'if rows belong to one run, name it: run="<column>".',
        "flops-mismatch": "Check units, and whether N counts embeddings in the same way as C; "
        f'to use 6*N*D instead, df.drop(columns="{compute}").',
    }
    seen = _seen_in_rows(clean, inputs, output)
    return tuple(Doubt(code, seen[code], remedy) for code, remedy in remedies.items() if seen[code])


def _seen_in_rows(frame: pd.DataFrame, inputs: tuple[str, ...], output: str) -> dict[str, str]:
    """Say by code what is doubtful about a table's rows, an empty text where nothing is."""
    seen = {"duplicate-runs": "", "flops-mismatch": ""}
    repeated = frame.duplicated([*inputs, output], keep="first").to_numpy()
    if repeated.any():
        seen["duplicate-runs"] = (
            f"{int(repeated.sum())} rows repeat another one in every number: "
            f"{rows_at(frame, repeated, frame[output])}."
        )
    if {"N", "D", "C"} <= set(inputs):
        ratio = frame["C"].to_numpy() / training_flops(frame["N"], frame["D"])
        off = (ratio < _FLOPS_RATIO[0]) | (ratio > _FLOPS_RATIO[1])
        if off.any():
            seen["flops-mismatch"] = (
                f"C is not near 6*N*D in {int(off.sum())} of {len(frame)} rows; "
                f"C/(6*N*D) is {rows_at(frame, off, np.round(ratio, 3))}."
            )
    return seen
