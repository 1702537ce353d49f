"""The glossary of inputs: what each standard column means, its unit, and its other names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from jscale.errors import DataError, listing, nearest


@dataclass(frozen=True)
class Column:
    """One standard quantity: its name, meaning, unit, and the names it goes by in tables."""

    name: str
    meaning: str
    unit: str
    aliases: tuple[str, ...] = ()
    positive: bool = True


COLUMNS: tuple[Column, ...] = (
    Column("N", "model parameters", "parameters",
           ("params", "parameters", "n_params", "num_params", "model_size", "n_parameters")),
    Column("D", "training tokens (or bytes, samples) seen", "tokens",
           ("tokens", "n_tokens", "num_tokens", "train_tokens", "training_tokens", "dataset_size")),
    Column("C", "training compute", "FLOPs",
           ("flops", "flop", "compute", "training_flop", "training_flops", "train_flops")),
    Column("U", "unique training tokens", "tokens", ("unique_tokens", "unique_bytes")),
    Column("M", "training tokens per parameter, D/N", "tokens per parameter",
           ("tokens_per_parameter", "tokens_per_param")),
    Column("B", "batch size in tokens", "tokens per batch",
           ("batch_tokens", "tokens_per_batch", "batch_size_tokens")),
    Column("S", "optimiser steps", "steps",
           ("steps", "n_steps", "num_steps", "train_steps", "optimizer_steps")),
    Column("loss", "held-out loss", "nats per token unless stated",
           ("val_loss", "valid_loss", "validation_loss", "eval_loss", "test_loss", "final_loss",
            "train_loss")),
)  # fmt: skip

GLOSSARY: dict[str, Column] = {column.name: column for column in COLUMNS}


def _folded(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def _quantity(name: str) -> str | None:
    """Return the standard name of the quantity that a column's name means, or None."""
    for column in COLUMNS:
        if name == column.name or _folded(name) in column.aliases:
            return column.name
    return None


def find_column(wanted: str, available: Iterable[str]) -> str | None:
    """Return the table's column for the standard name ``wanted``, or None if there is none.

    The exact name wins; else exactly one alias (case, spaces and dashes ignored) must match.
    Raises DataError when several aliases match.
    """
    available = [str(a) for a in available]
    if wanted in available:
        return wanted
    known = GLOSSARY.get(wanted)
    names = {_folded(a) for a in (known.aliases if known else ())}
    if len(wanted) > 1:
        names.add(_folded(wanted))
    matches = [a for a in available if _folded(a) in names]
    if len(matches) > 1:
        raise DataError(
            f"Several columns could be {wanted!r}: {listing(matches)}. "
            f"Name one: Runs.from_frame(df, {wanted}={matches[0]!r})."
        )
    return matches[0] if matches else None


def missing_column(wanted: str, asked: str | None, available: Iterable[str]) -> DataError:
    """Build the error for a column that is not in the table, suggesting the likely one."""
    available = [str(a) for a in available]
    known = GLOSSARY.get(wanted)
    what = f"{wanted!r} ({known.meaning})" if known else f"{wanted!r}"
    named = f", named {asked!r}" if asked is not None else ""
    tries = (wanted, *known.aliases) if known and asked is None else (asked or wanted,)
    free = [a for a in available if not known or _quantity(a) in (None, known.name)]
    hint = next(filter(None, (nearest(name, free) for name in tries)), "")
    call = f'Runs.from_frame(df, {wanted}="<column>")'
    return DataError(
        f"The table has no column for {what}{named}.{hint} "
        f"Its columns are: {listing(available, 20)}. Say which one it is: {call}."
    )
