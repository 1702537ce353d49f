"""Units of loss (nats, bits, perplexity), and numbers as people write them."""

from __future__ import annotations

import numpy as np

from jscale.errors import DataError, listing, nearest

LOSS_UNITS: tuple[str, ...] = ("nats", "bits", "other")

# ln(vocabulary) bounds the loss of even an untrained model: about 12.5 nats for 256k tokens.
_HIGHEST_PLAUSIBLE_NATS = 12.5


def to_unit(values: np.ndarray, unit: str, new: str) -> np.ndarray:
    """Convert losses element-wise between "nats", "bits" and "perplexity".

    Raises DataError for any other unit.
    """
    nats = {
        "nats": lambda v: v,
        "bits": lambda v: v * np.log(2.0),
        "perplexity": lambda v: np.log(v),
    }
    back = {
        "nats": lambda v: v,
        "bits": lambda v: v / np.log(2.0),
        "perplexity": lambda v: np.exp(v),
    }
    for name in (unit, new):
        if name not in nats:
            raise DataError(
                f"{name!r} is not a unit of loss that converts.{nearest(name, nats)} "
                f"Use one of {listing(list(nats))}."
            )
    return back[new](nats[unit](np.asarray(values, dtype=np.float64)))


_SUFFIXES = {"K": 1e3, "M": 1e6, "B": 1e9, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}


def parse_number(text: str) -> float:
    """Return the number written by a text such as "70B", "1.4T" or "3e9".

    K, M, B (or G), T, P and E stand for 1e3 to 1e18. Raises DataError for anything else.

    >>> parse_number("1.4T")
    1400000000000.0
    """
    stripped = text.strip().replace("_", "")
    factor = _SUFFIXES.get(stripped[-1:].upper(), 1.0)
    digits = stripped[:-1] if factor != 1.0 else stripped
    try:
        number = float(digits) * factor
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise DataError(f"{text!r} is not a number. Write it as 70e9 or 70B (K, M, B, T, P, E).")
    return number


def suspected_unit(values: np.ndarray, column: str, unit: str) -> str | None:
    """Return why losses said to be in ``unit`` look like another unit, or None."""
    name = column.lower()
    if unit == "nats" and ("ppl" in name or "perplex" in name):
        return f"its name {column!r} says perplexity"
    if unit == "nats" and any(t in name for t in ("bits", "bpb", "bpc", "bit_per", "bits_per")):
        return f"its name {column!r} says bits"
    if unit == "nats" and np.median(values) > _HIGHEST_PLAUSIBLE_NATS:
        return (
            f"its median is {np.median(values):.3g}, above the {_HIGHEST_PLAUSIBLE_NATS} nats "
            "of an untrained model: these look like perplexities"
        )
    return None
