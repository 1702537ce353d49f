"""Designs: which runs to train, as tables with the columns N (parameters) and D (tokens)."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd

from jscale.errors import DataError, listing


def grid(N: Any, D: Any) -> pd.DataFrame:
    """Return every pair of the sizes N and the numbers of tokens D.

    >>> len(grid([1e7, 1e8], [1e9, 1e10, 1e11]))
    6
    """
    sizes, tokens = _positive(N=N), _positive(D=D)
    return pd.DataFrame({"N": np.repeat(sizes, len(tokens)), "D": np.tile(tokens, len(sizes))})


def isoflop(C: Any, N: Any) -> pd.DataFrame:
    """Return all sizes N at each budget C, with the tokens D = C/(6 N) that spend it.

    >>> isoflop([6e18], [1e8, 1e9])["D"].tolist()
    [10000000000.0, 1000000000.0]
    """
    budgets, sizes = _positive(C=C), _positive(N=N)
    pairs = np.array([(n, c / (6.0 * n)) for c in budgets for n in sizes])
    return pd.DataFrame(pairs, columns=["N", "D"])


def fixed_ratio(N: Any, tokens_per_parameter: float = 20.0) -> pd.DataFrame:
    """Return one D for each N, in a fixed ratio: what one trains when the ratio is settled.

    From such runs the terms of N and of D cannot be told apart.

    >>> fixed_ratio([1e8], 20.0)["D"].tolist()
    [2000000000.0]
    """
    sizes, ratio = _positive(N=N), _positive(tokens_per_parameter=tokens_per_parameter)
    return pd.DataFrame({"N": sizes, "D": sizes * ratio[0]})


def frontier(C: Any, tokens_per_parameter: float = 20.0) -> pd.DataFrame:
    """Return one run for each budget C, at that ratio of D to N: 6·N·D = C.

    >>> frontier([1.2e20], 20.0).round()["N"].tolist()
    [1000000000.0]
    """
    budgets, ratio = _positive(C=C), _positive(tokens_per_parameter=tokens_per_parameter)
    return fixed_ratio(np.sqrt(budgets / (6.0 * ratio[0])), ratio[0])


def random(
    count: int, N: tuple[float, float], D: tuple[float, float], seed: int = 0
) -> pd.DataFrame:
    """Return ``count`` runs, even in the logarithms of N and D between their bounds.

    >>> len(random(12, (1e7, 1e9), (1e9, 1e11)))
    12
    """
    _check_count(count)
    low, high = np.log(_positive(N=N)), np.log(_positive(D=D))
    if len(low) != 2 or len(high) != 2:
        raise DataError("N and D must each be bounds, lowest and highest: N=(1e7, 1e9).")
    rng = np.random.default_rng(seed)
    logs = rng.uniform([low[0], high[0]], [low[1], high[1]], size=(int(count), 2))
    return pd.DataFrame(np.exp(logs), columns=["N", "D"])


def checkpoints(design: pd.DataFrame, count: int = 10, first: float = 0.1) -> pd.DataFrame:
    """Return ``count`` rows along each run of a design, its D growing to what it was.

    The shares of D are even in the logarithm, from ``first`` to 1; a column C shrinks with D.
    The column ``run`` numbers the runs, so that ``Noise(shared={"run": 0.01})`` gives what all
    checkpoints of a run share. Raises DataError for a design without D or with a column
    ``run``, for a count below 1, and for ``first`` not in (0, 1].

    >>> checkpoints(grid([1e8], [1e10, 4e10]), 3, first=0.25)["D"].tolist()
    [2500000000.0, 5000000000.0, 10000000000.0, 10000000000.0, 20000000000.0, 40000000000.0]
    """
    frame = _table(design, "checkpoints", "D", taken=("run",))
    _positive(D=frame["D"].to_numpy())
    _check_count(count)
    if not (isinstance(first, Real) and 0.0 < float(first) <= 1.0):
        raise DataError(f"first={first!r} must be a share of D, above 0 and up to 1, such as 0.1.")
    # From the end, so that it is exactly 1, also where there is one share.
    shares = np.tile(np.geomspace(1.0, float(first), int(count))[::-1], len(frame))
    frame = frame.assign(run=np.arange(len(frame)))
    rows = frame.loc[frame.index.repeat(int(count))].reset_index(drop=True)
    return rows.assign(**{name: rows[name] * shares for name in ("D", "C") if name in rows})


def seeds(design: pd.DataFrame, count: int = 3) -> pd.DataFrame:
    """Return each run of a design ``count`` times, with the columns ``cell`` and ``seed``.

    ``cell`` numbers the runs of the design, ``seed`` is 0 to count − 1. Noise per row is then
    that between seeds; ``Noise(sd, shared={"cell": 0.01})`` adds how far a cell lies off the law
    whatever its seed, ``shared={"seed": 0.01}`` what all runs of one seed share, as they do an
    order of the data. For checkpoints of each, ``checkpoints(seeds(design))``. Raises DataError
    for a count below 1 and for a design with a column ``cell``, ``seed`` or ``run``.

    >>> seeds(grid([1e8], [1e10, 4e10]), 2)[["cell", "seed"]].to_numpy().tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    frame = _table(design, "seeds", taken=("cell", "seed", "run"))
    _check_count(count)
    frame = frame.assign(cell=np.arange(len(frame)))
    rows = frame.loc[frame.index.repeat(int(count))].reset_index(drop=True)
    return rows.assign(seed=np.tile(np.arange(int(count)), len(frame)))


def _table(design: Any, what: str, *needed: str, taken: tuple[str, ...]) -> pd.DataFrame:
    """Return a copy of a design with rows numbered; raises DataError where it cannot be used."""
    if not isinstance(design, pd.DataFrame) or not len(design):
        seen = "without rows" if isinstance(design, pd.DataFrame) else type(design).__name__
        raise DataError(
            f"{what} takes a design as a DataFrame with rows, not {seen}: "
            "designs.grid([1e7, 1e8], [1e9, 1e10])."
        )
    missing = [name for name in needed if name not in design]
    if missing:
        raise DataError(
            f"{what} needs the column {listing(missing)}; the design has "
            f"{listing(list(design.columns), 20)}."
        )
    there = [name for name in taken if name in design]
    if there:
        raise DataError(
            f"The design has a column {listing(there)} already, which {what} would overwrite. "
            "Rename it; seeds come before checkpoints: checkpoints(seeds(design))."
        )
    return design.reset_index(drop=True)


def _check_count(count: Any) -> None:
    if isinstance(count, bool) or not isinstance(count, Integral) or count < 1:
        raise DataError(f"count={count!r} must be a whole number, 1 or more.")


def _positive(**named: Any) -> np.ndarray:
    ((name, value),) = named.items()
    try:
        exact = np.atleast_1d(np.asarray(value, dtype=np.float64))
    except (TypeError, ValueError):
        exact = np.full(1, np.nan)
    if exact.ndim != 1 or not exact.size or not (np.isfinite(exact) & (exact > 0)).all():
        raise DataError(
            f"{name}={value!r} must be positive, finite numbers, such as np.geomspace(1e7, 1e9, 5)."
        )
    return exact
