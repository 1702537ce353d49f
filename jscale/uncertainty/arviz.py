"""ArviZ: draws as its containers and back, and the statistics computed by it.

The only file that imports arviz (0.x) or arviz_base and arviz_stats (1.x), inside functions. Draws
arrive as finished groups of labelled arrays, and become one ``xarray.DataTree``, the same under
both majors, so files interchange.
"""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from jscale.errors import FileError, JscaleError
from jscale.uncertainty.groups import HasGroups


def _classic() -> Any:
    """Return arviz of the 0.x line, or None where 1.x (or its parts alone) is installed."""
    if find_spec("arviz") is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 0.23 announces 1.0 on import
        import arviz

    return arviz if int(arviz.__version__.split(".")[0]) < 1 else None


def _array_stats() -> Any:
    """Return the functions on arrays of ArviZ 1.x."""
    from arviz_stats.base.array import array_stats  # pyright: ignore[reportMissingImports]

    return array_stats


def smoothed_log_weights(log_weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Return Pareto-smoothed log weights (S,) and Pareto's k (arXiv:1507.02646)."""
    usable = np.where(np.isfinite(log_weights), log_weights, -1e300)
    if not np.isfinite(log_weights).any():
        return np.zeros_like(usable), np.inf
    usable = np.maximum(usable, usable.max() - 700.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        classic = _classic()
        # 1.x takes log likelihoods, the negative of log weights.
        smoothed, k = classic.psislw(usable) if classic else _array_stats().psislw(-usable)
    smoothed = np.asarray(smoothed)
    return smoothed - np.logaddexp.reduce(smoothed), float(k)


def mixing(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (R-hat, bulk effective number of draws), each (k,), for draws (chain, draw, k).

    R-hat is the rank-normalised split one (arXiv:1903.08008), of the halves of a single
    chain; NaN where draws are constant.
    """
    if len(values) == 1:
        half = values.shape[1] // 2
        values = values[0, : 2 * half].reshape(2, half, -1)
    classic = _classic()
    rhat, ess = np.full(values.shape[2], np.nan), np.full(values.shape[2], np.nan)
    for i in range(values.shape[2]):
        one = np.ascontiguousarray(values[:, :, i])
        if np.ptp(one) == 0.0:
            continue
        if classic is not None:
            rhat[i], ess[i] = classic.rhat(one), classic.ess(one)
        else:
            stats = _array_stats()
            rhat[i] = stats.rhat(one, chain_axis=0, draw_axis=1)
            ess[i] = stats.ess(one, chain_axis=0, draw_axis=1)
    return rhat, ess


def to_datatree(draws: HasGroups) -> Any:
    """Return draws as an ``xarray.DataTree``, one child per group of ``draws.groups()``.

    Groups: ``posterior`` (``prior`` for draws from a prior), with one variable per parameter and
    dimensions chain and draw; ``observed_data``, the output by row; for a posterior
    ``log_likelihood`` and, where there are any, ``sample_stats``; and for a posterior or a prior
    ``posterior_predictive`` or ``prior_predictive``, replicated outputs of each row.

    Parameters
    ----------
    draws : Draws
        Draws of any method.

    Returns
    -------
    xarray.DataTree
        The same under both majors of ArviZ.
    """
    import xarray

    datasets = {
        name: xarray.Dataset(dict(group.variables), dict(group.coords), dict(group.attributes))
        for name, group in draws.groups().items()
    }
    return xarray.DataTree.from_dict(datasets)


def to_arviz(draws: HasGroups) -> Any:
    """Return draws as ArviZ holds them: InferenceData on 0.x, an xarray.DataTree on 1.x.

    >>> import jscale as js
    >>> from jscale.uncertainty.arviz import to_arviz
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> "posterior" in to_arviz(js.bootstrap(fit, resamples=64))
    True
    """
    tree, classic = to_datatree(draws), _classic()
    return tree if classic is None else classic.InferenceData.from_datatree(tree)


def save_netcdf(draws: HasGroups, path: str | Path) -> Path:
    """Write draws to a NetCDF file that either major of ArviZ reads; raises FileError."""
    path = Path(path)
    if path.exists():
        raise FileError(f"{path} exists already. Name another file, or delete it first.")
    try:
        to_datatree(draws).to_netcdf(path, engine="h5netcdf")
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error}.") from error
    return path


def load_netcdf(path: str | Path) -> Any:
    """Read a file of :func:`save_netcdf`, as :func:`to_arviz` returns draws; raises FileError."""
    import xarray

    path = Path(path)
    if not path.exists():
        raise FileError(f"There is no file {path}.")
    try:
        tree = xarray.open_datatree(path, engine="h5netcdf").load()
    except (OSError, ValueError) as error:
        raise FileError(f"{path} is not a NetCDF file of draws: {error}.") from error
    tree.close()
    if not {"posterior", "prior"} & set(tree.children):
        raise JscaleError(f"{path} has neither a posterior nor a prior: it holds no draws.")
    classic = _classic()
    return tree if classic is None else classic.InferenceData.from_datatree(tree)
