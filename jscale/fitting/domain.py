"""The domain of a law: positive inputs, limits, mutual bounds, shares that sum to 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from jscale.data.checks import rows_at
from jscale.errors import JscaleError, listing
from jscale.model.law import Law

# Shares read from a table are rounded: their sum may miss 1 by this much.
SUM_TOLERANCE = 1e-6


def check_domain(
    law: Law, frame: pd.DataFrame, error: type[JscaleError], remedy: Callable[[str], str]
) -> None:
    """Raise ``error`` for rows outside the law's domain, naming the limit, the rows and values.

    ``frame`` holds inputs, and the output where it is known; ``remedy`` turns a condition that
    holds for good rows into advice.
    """
    for name in law.positive_inputs:
        _check(
            frame[name].to_numpy() <= 0,
            frame,
            name,
            error,
            f"{law.name} takes the logarithm of {name}, which is zero or negative in",
            remedy(f"runs[{name!r}] > 0"),
        )
    for name in law.codes:
        values = frame[name].to_numpy()
        _check(
            values != np.floor(values),
            frame,
            name,
            error,
            f"{law.name} takes {name} as a whole number, the place of one of several, but not in",
            remedy(f"runs[{name!r}] % 1 == 0"),
        )
    for name, (low, high) in law.limits.items():
        if name in frame:
            values = frame[name].to_numpy()
            _check(
                (values < low) | (values > high),
                frame,
                name,
                error,
                f"{law.name} holds for {name} {_between(low, high)}, but not in",
                remedy(f"(runs[{name!r}] >= {low:g}) & (runs[{name!r}] <= {high:g})"),
            )
    for least, most in law.ordered:
        bad = frame[least].to_numpy() > frame[most].to_numpy() * (1 + 1e-9)
        _check(
            bad,
            frame,
            least,
            error,
            f"{law.name} holds for {least} up to {most}, but {least} is above {most} in",
            remedy(f"runs[{least!r}] <= runs[{most!r}]"),
        )
    if law.simplex:
        _check_shares(law, frame, error, remedy)


def _check_shares(
    law: Law, frame: pd.DataFrame, error: type[JscaleError], remedy: Callable[[str], str]
) -> None:
    """Raise ``error`` for rows whose shares are negative or do not add up to 1."""
    names = list(law.simplex)
    for name in names:
        _check(
            frame[name].to_numpy() < 0,
            frame,
            name,
            error,
            f"{law.name} takes {name} as a share of a mixture, but it is negative in",
            remedy(f"runs[{name!r}] >= 0"),
        )
    total = frame[names].to_numpy(dtype=np.float64).sum(axis=1)
    bad = np.abs(total - 1.0) > SUM_TOLERANCE
    if bad.any():
        raise error(
            f"{law.name} takes {listing(names, 12)} as shares of one mixture, but they do not add "
            f"up to 1 in {rows_at(frame, bad, total)}. Divide each row by its sum."
        )


def _check(
    bad: np.ndarray,
    frame: pd.DataFrame,
    name: str,
    error: type[JscaleError],
    seen: str,
    remedy: str,
) -> None:
    if bad.any():
        raise error(f"{seen} {rows_at(frame, bad, frame[name])}. {remedy}")


def _between(low: float, high: float) -> str:
    if np.isinf(high):
        return f"from {low:g} up"
    return f"between {low:g} and {high:g}"


def check_fixed_floors(
    law: Law, frame: pd.DataFrame, fixed: Mapping[str, np.ndarray], error: type[JscaleError]
) -> None:
    """Raise ``error`` where losses lie below an irreducible loss that is held fixed."""
    for name, value in fixed.items():
        if law.role(name).name != "floor":
            continue
        bad = frame[law.output].to_numpy() < float(value)
        _check(
            bad,
            frame,
            law.output,
            error,
            f"{law.name} cannot fall below {name}, which is fixed at {float(value):g}, but "
            f"{law.output} does in",
            f"Fix {name} lower, or leave it free.",
        )
