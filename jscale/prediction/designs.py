"""Designs: which runs to train, as tables with the columns N (parameters) and D (tokens)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from jscale.errors import DataError


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
    if int(count) < 1:
        raise DataError(f"count={count!r} must be 1 or more.")
    low, high = np.log(_positive(N=N)), np.log(_positive(D=D))
    if len(low) != 2 or len(high) != 2:
        raise DataError("N and D must each be bounds, lowest and highest: N=(1e7, 1e9).")
    rng = np.random.default_rng(seed)
    logs = rng.uniform([low[0], high[0]], [low[1], high[1]], size=(int(count), 2))
    return pd.DataFrame(np.exp(logs), columns=["N", "D"])


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
