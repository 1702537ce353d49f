"""Designs: which runs to train, as tables with the columns N (parameters) and D (tokens)."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd

from jscale.errors import DataError, listing


def grid(N: Any, D: Any) -> pd.DataFrame:
    """Return every combination of sizes N and numbers of tokens D.

    Parameters
    ----------
    N : array_like
        Sizes, in parameters.
    D : array_like
        Numbers of training tokens.

    Returns
    -------
    pandas.DataFrame
        One row per pair, with the columns N and D.

    Raises
    ------
    DataError
        If a value is not a positive, finite number.

    Examples
    --------
    >>> import jscale as js
    >>> len(js.designs.grid([1e7, 1e8], [1e9, 1e10, 1e11]))
    6
    """
    sizes, tokens = _positive(N=N), _positive(D=D)
    return pd.DataFrame({"N": np.repeat(sizes, len(tokens)), "D": np.tile(tokens, len(sizes))})


def isoflop(C: Any, N: Any) -> pd.DataFrame:
    """Return all sizes N at each budget C, with D = C/(6 N).

    Parameters
    ----------
    C : array_like
        Budgets of training compute, in FLOPs.
    N : array_like
        Sizes, in parameters.

    Returns
    -------
    pandas.DataFrame
        One row per budget and size, with the columns N and D.

    Raises
    ------
    DataError
        If a value is not a positive, finite number.

    Examples
    --------
    >>> import jscale as js
    >>> js.designs.isoflop([6e18], [1e8, 1e9])["D"].tolist()
    [10000000000.0, 1000000000.0]
    """
    budgets, sizes = _positive(C=C), _positive(N=N)
    pairs = np.array([(n, c / (6.0 * n)) for c in budgets for n in sizes])
    return pd.DataFrame(pairs, columns=["N", "D"])


def fixed_ratio(N: Any, tokens_per_parameter: float = 20.0) -> pd.DataFrame:
    """Return one run per size N, at a fixed ratio of D to N.

    Parameters
    ----------
    N : array_like
        Sizes, in parameters.
    tokens_per_parameter : float
        The ratio D/N.

    Returns
    -------
    pandas.DataFrame
        One row per size, with the columns N and D.

    Raises
    ------
    DataError
        If a value is not a positive, finite number.

    Notes
    -----
    This is what one trains once the ratio is settled. The terms of N and of D cannot be
    distinguished from such runs.

    Examples
    --------
    >>> import jscale as js
    >>> js.designs.fixed_ratio([1e8], 20.0)["D"].tolist()
    [2000000000.0]
    """
    sizes, ratio = _positive(N=N), _positive(tokens_per_parameter=tokens_per_parameter)
    return pd.DataFrame({"N": sizes, "D": sizes * ratio[0]})


def frontier(C: Any, tokens_per_parameter: float = 20.0) -> pd.DataFrame:
    """Return one run per budget C = 6·N·D, at a fixed ratio of D to N.

    Parameters
    ----------
    C : array_like
        Budgets of training compute, in FLOPs.
    tokens_per_parameter : float
        The ratio D/N.

    Returns
    -------
    pandas.DataFrame
        One row per budget, with the columns N and D.

    Raises
    ------
    DataError
        If a value is not a positive, finite number.

    Examples
    --------
    >>> import jscale as js
    >>> js.designs.frontier([1.2e20], 20.0).round()["N"].tolist()
    [1000000000.0]
    """
    budgets, ratio = _positive(C=C), _positive(tokens_per_parameter=tokens_per_parameter)
    return fixed_ratio(np.sqrt(budgets / (6.0 * ratio[0])), ratio[0])


def random(
    count: int, N: tuple[float, float], D: tuple[float, float], seed: int = 0
) -> pd.DataFrame:
    """Return random runs, uniform in the logarithms of N and D.

    Parameters
    ----------
    count : int
        Number of runs.
    N : tuple of float
        Smallest and largest size, in parameters.
    D : tuple of float
        Smallest and largest number of training tokens.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    pandas.DataFrame
        One row per run, with the columns N and D.

    Raises
    ------
    DataError
        If ``count`` is below 1, or N or D are not two positive, finite numbers.

    Examples
    --------
    >>> import jscale as js
    >>> len(js.designs.random(12, (1e7, 1e9), (1e9, 1e11)))
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
    """Return checkpoints along each run of a design.

    Parameters
    ----------
    design : pandas.DataFrame
        The design, with a column D.
    count : int
        Number of checkpoints per run.
    first : float
        Share of a run's D at its first checkpoint, in (0, 1]; the last one is at the run's full D.

    Returns
    -------
    pandas.DataFrame
        ``count`` rows per run of the design. Shares of D are evenly spaced in the logarithm; a
        column C is scaled with D. The column ``run`` numbers the runs, so that
        ``Noise(shared={"run": 0.01})`` adds an effect shared by all checkpoints of a run.

    Raises
    ------
    DataError
        If the design lacks D or has a column ``run``, ``count`` is below 1, or ``first`` is out
        of range.

    Examples
    --------
    >>> import jscale as js
    >>> js.designs.checkpoints(js.designs.grid([1e8], [1e10, 4e10]), 3, first=0.25)["D"].tolist()
    [2500000000.0, 5000000000.0, 10000000000.0, 10000000000.0, 20000000000.0, 40000000000.0]
    """
    frame = _table(design, "checkpoints", "D", taken=("run",))
    _positive(D=frame["D"].to_numpy())
    _check_count(count)
    if not (isinstance(first, Real) and 0.0 < float(first) <= 1.0):
        raise DataError(f"first={first!r} must be a share of D, above 0 and up to 1, such as 0.1.")
    # Counted from the end, so that the last share is exactly 1 even if it is the only one.
    shares = np.tile(np.geomspace(1.0, float(first), int(count))[::-1], len(frame))
    frame = frame.assign(run=np.arange(len(frame)))
    rows = frame.loc[frame.index.repeat(int(count))].reset_index(drop=True)
    return rows.assign(**{name: rows[name] * shares for name in ("D", "C") if name in rows})


def seeds(design: pd.DataFrame, count: int = 3) -> pd.DataFrame:
    """Return each run of a design several times, once per seed.

    Parameters
    ----------
    design : pandas.DataFrame
        The design.
    count : int
        Number of seeds.

    Returns
    -------
    pandas.DataFrame
        ``count`` rows per run of the design. The column ``cell`` numbers the runs of the design,
        ``seed`` runs from 0 to ``count`` − 1.

    Raises
    ------
    DataError
        If ``count`` is below 1, or the design has a column ``cell``, ``seed`` or ``run``.

    Notes
    -----
    Noise per row is then noise between seeds. ``Noise(sd, shared={"cell": 0.01})`` adds the
    deviation of a cell from the law whatever its seed; ``shared={"seed": 0.01}`` adds what all
    runs of one seed have in common, such as the order of the data. Checkpoints of every seed are
    ``checkpoints(seeds(design))``.

    Examples
    --------
    >>> import jscale as js
    >>> cells = js.designs.grid([1e8], [1e10, 4e10])
    >>> js.designs.seeds(cells, 2)[["cell", "seed"]].to_numpy().tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    frame = _table(design, "seeds", taken=("cell", "seed", "run"))
    _check_count(count)
    frame = frame.assign(cell=np.arange(len(frame)))
    rows = frame.loc[frame.index.repeat(int(count))].reset_index(drop=True)
    return rows.assign(seed=np.tile(np.arange(int(count)), len(frame)))


def _table(design: Any, what: str, *needed: str, taken: tuple[str, ...]) -> pd.DataFrame:
    """Return a copy of a design with rows numbered; raises DataError if it cannot be used."""
    if not isinstance(design, pd.DataFrame) or not len(design):
        kind = "without rows" if isinstance(design, pd.DataFrame) else type(design).__name__
        raise DataError(
            f"{what} takes a design as a DataFrame with rows, not {kind}: "
            "designs.grid([1e7, 1e8], [1e9, 1e10])."
        )
    missing = [name for name in needed if name not in design]
    if missing:
        raise DataError(
            f"{what} needs the column {listing(missing)}; the design has "
            f"{listing(list(design.columns), 20)}."
        )
    clashing = [name for name in taken if name in design]
    if clashing:
        raise DataError(
            f"The design already has a column {listing(clashing)}, which {what} would overwrite. "
            "Rename it; seeds come before checkpoints: checkpoints(seeds(design))."
        )
    return design.reset_index(drop=True)


def _check_count(count: Any) -> None:
    if isinstance(count, bool) or not isinstance(count, Integral) or count < 1:
        raise DataError(f"count={count!r} must be a whole number, 1 or more.")


def _positive(**named: Any) -> np.ndarray:
    """Return one named argument as float64 (n,); raises DataError unless all are positive."""
    ((name, value),) = named.items()
    try:
        values = np.atleast_1d(np.asarray(value, dtype=np.float64))
    except (TypeError, ValueError):
        values = np.full(1, np.nan)
    if values.ndim != 1 or not values.size or not (np.isfinite(values) & (values > 0)).all():
        raise DataError(
            f"{name}={value!r} must be positive, finite numbers, such as np.geomspace(1e7, 1e9, 5)."
        )
    return values
