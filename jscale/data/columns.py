"""The glossary of columns: what each standard quantity means, its unit, and its usual names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from jscale.errors import DataError, listing, nearest


@dataclass(frozen=True)
class Column:
    """A standard quantity of a table of runs.

    Parameters
    ----------
    name : str
        The standard name, such as ``"N"``.
    meaning : str
        What the quantity is, in a few words.
    unit : str
        The unit in which jscale takes its values.
    aliases : tuple of str
        Other names by which tables call it, in lower case with underscores.
    positive : bool
        Whether laws take its logarithm, so that all values must be above zero.
    """

    name: str
    meaning: str
    unit: str
    aliases: tuple[str, ...] = ()
    positive: bool = True


COLUMNS: tuple[Column, ...] = (
    Column(
        "N",
        "model parameters",
        "parameters",
        ("params", "parameters", "n_params", "num_params", "model_size", "n_parameters"),
    ),
    Column(
        "D",
        "training tokens (or bytes, samples) seen",
        "tokens",
        ("tokens", "n_tokens", "num_tokens", "train_tokens", "training_tokens", "dataset_size"),
    ),
    Column(
        "C",
        "training compute",
        "FLOPs",
        ("flops", "flop", "compute", "training_flop", "training_flops", "train_flops"),
    ),
    Column("U", "unique training tokens", "tokens", ("unique_tokens", "unique_bytes")),
    Column(
        "M",
        "training tokens per parameter, D/N",
        "tokens per parameter",
        ("tokens_per_parameter", "tokens_per_param"),
    ),
    Column(
        "B",
        "batch size in tokens",
        "tokens per batch",
        ("batch_tokens", "tokens_per_batch", "batch_size_tokens"),
    ),
    Column(
        "S",
        "optimiser steps",
        "steps",
        ("steps", "n_steps", "num_steps", "train_steps", "optimizer_steps"),
    ),
    Column(
        "loss",
        "held-out loss",
        "nats per token unless stated",
        (
            "val_loss",
            "valid_loss",
            "validation_loss",
            "eval_loss",
            "test_loss",
            "final_loss",
            "train_loss",
        ),
    ),
)

GLOSSARY: dict[str, Column] = {column.name: column for column in COLUMNS}


def _folded(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def _quantity(name: str) -> str | None:
    """Return the standard name of the quantity that a column name stands for, or None."""
    for column in COLUMNS:
        if name == column.name or _folded(name) in column.aliases:
            return column.name
    return None


def find_column(wanted: str, available: Iterable[str]) -> str | None:
    """Return the column that holds the quantity ``wanted``, or None if no column does.

    An exact match wins; otherwise one alias may match (ignoring case, spaces and dashes). Raises
    DataError if several do.
    """
    available = [str(name) for name in available]
    if wanted in available:
        return wanted
    known = GLOSSARY.get(wanted)
    names = {_folded(alias) for alias in (known.aliases if known else ())}
    # A single letter in lower case often means something else: n is a count, d a width.
    if len(wanted) > 1:
        names.add(_folded(wanted))
    matches = [a for a in available if _folded(a) in names]
    if len(matches) > 1:
        raise DataError(
            f"Several columns could be {wanted!r}: {listing(matches)}. "
            f"Name one: Runs.from_frame(df, {wanted}={matches[0]!r})."
        )
    return matches[0] if matches else None


def missing_column(wanted: str, named: str | None, available: Iterable[str]) -> DataError:
    """Return the error for a column that is not in the table, suggesting the likely one.

    ``named`` is the name that the user gave for ``wanted``, or None.
    """
    available = [str(name) for name in available]
    known = GLOSSARY.get(wanted)
    meaning = f" ({known.meaning})" if known else ""
    called = f", named {named!r}" if named is not None else ""
    if named is not None:
        tries: tuple[str, ...] = (named,)
    else:
        tries = (wanted, *known.aliases) if known else (wanted,)
    # A column that clearly holds another quantity (tokens, where params is wanted) is no typo.
    candidates = [name for name in available if not known or _quantity(name) in (None, wanted)]
    hint = next(filter(None, (nearest(name, candidates) for name in tries)), "")
    return DataError(
        f"The table has no column for {wanted!r}{meaning}{called}.{hint} "
        f"Its columns are: {listing(available, 20)}. "
        f'Say which one it is: Runs.from_frame(df, {wanted}="<column>").'
    )
