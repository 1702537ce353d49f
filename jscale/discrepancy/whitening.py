"""Whitening: the linear map under which the errors of a table are independent.

Errors have covariance K = C + σ²·V, of a kernel's discrepancy C and of noise σ²·V. With a root
R·V·Rᵀ = I and R·C·Rᵀ = Qᵀ·Λ·Q, rows Q·R decorrelate K for every σ. A basis Q of all rows is
complete; one of a smooth kernel needs few rows, and what it leaves of R·e is noise alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

# Share of the noise variance common to the rows of one run; the rest is specific to each row.
COMMON = 0.5


class Root(NamedTuple):
    """The root R of a noise's relative covariance V, in numbers per row (rows,).

    Rows are divided by their standard deviation (``scale`` is its inverse). Where rows of one
    ``group`` share noise, V = D½·(I + u·uᵀ)·D½ within it, of which (I + β·u·uᵀ)·D^(−½) is a root:
    ``shared`` is u, and ``back`` is β·u.
    """

    scale: Any
    shared: Any = None
    back: Any = None
    group: Any = None


def noise_root(variance: np.ndarray, known: np.ndarray | None, run: np.ndarray | None) -> Root:
    """Return the root of n rows with relative variances, known variances and runs (n,).

    Rows of one run share half of the noise; known errors are independent.
    """
    extra = 0.0 if known is None else known
    if run is None:
        return Root(1.0 / np.sqrt(variance + extra))
    own = (1.0 - COMMON) * variance + extra
    u = np.sqrt(COMMON * variance / own)
    group = np.unique(run, return_inverse=True)[1]
    square = np.bincount(group, u * u)[group]
    return Root(1.0 / np.sqrt(own), u, u * (1.0 / np.sqrt(1.0 + square) - 1.0) / square, group)


def pad_root(root: Root, rows: int) -> Root:
    """Return a root padded to so many rows, which add nothing."""
    more = rows - len(root.scale)

    def wide(x: Any) -> Any:
        return None if x is None else np.pad(x, (0, more))

    return Root(*(wide(x) for x in root))


def apply_root(root: Root, values: Any) -> Any:
    """Return R·values of a vector (rows,) or matrix (rows, m), NumPy or JAX."""
    flat = values.reshape(len(values), -1)
    scaled = root.scale[:, None] * flat
    if root.group is not None:
        total = _group_sums(root.group, root.shared[:, None] * scaled)
        scaled = scaled + root.back[:, None] * total[root.group]
    return scaled.reshape(values.shape)


def apply_transpose(root: Root, values: np.ndarray) -> np.ndarray:
    """Return Rᵀ·values of a matrix (rows, m)."""
    if root.group is not None:
        total = _group_sums(root.group, root.back[:, None] * values)
        values = values + root.shared[:, None] * total[root.group]
    return root.scale[:, None] * values


def whiten_transpose(
    basis: np.ndarray, root: Root | None, weight: np.ndarray, values: np.ndarray
) -> np.ndarray:
    """Return Wᵀ·values (rows, m) of the map W = weight·:func:`decorrelate`."""
    scaled = weight[:, None] * values
    if root is None:
        return basis.T @ scaled
    inside, rest = scaled[: len(basis)], scaled[len(basis) :]
    return apply_transpose(root, basis.T @ (inside - basis @ rest) + rest)


def precision_diagonal(basis: np.ndarray, root: Root | None, weight: np.ndarray) -> np.ndarray:
    """Return the diagonal (rows,) of Wᵀ·W, the inverse of the errors' covariance."""
    if root is None:
        return (weight**2) @ basis**2
    inside, rest = weight[: len(basis)] ** 2, weight[len(basis) :] ** 2
    # Rows of the basis mix rows of the table only where runs share noise; the rest is (Rᵀ·R).
    alone = root.scale**2
    if root.group is not None:
        square = np.bincount(root.group, root.back**2)[root.group]
        alone = alone * (1.0 + 2.0 * root.shared * root.back + root.shared**2 * square)
    mixed = apply_transpose(root, np.ascontiguousarray(basis.T)) ** 2
    return alone * rest + mixed @ (inside - rest.max())


def _group_sums(group: Any, values: Any) -> Any:
    """Return the sum of each group's rows, at the place of the group's number."""
    if isinstance(values, np.ndarray):
        total = np.zeros_like(values)
        np.add.at(total, group, values)
        return total
    import jax.numpy as jnp

    return jnp.zeros_like(values).at[group].add(values)


def decorrelate(basis: Any, root: Root | None, values: Any) -> Any:
    """Return values (rows, …) in a basis (r, rows), NumPy or JAX.

    Without a root, the basis is complete and includes it. Otherwise what the basis leaves over
    follows the r places in it: (r + rows, …).
    """
    if root is None:
        return basis @ values
    whole = apply_root(root, values)
    inside = basis @ whole
    xp = _library(whole)
    return xp.concatenate([inside, whole - basis.T @ inside])


def weights(mask: Any, spectrum: Any, noise: Any, root: Root | None) -> Any:
    """Return the inverse standard deviations of what :func:`decorrelate` returns."""
    xp = _library(noise + spectrum)
    if root is None:
        return mask / xp.sqrt(spectrum + noise)
    return xp.concatenate([1.0 / xp.sqrt(spectrum + noise), mask / xp.sqrt(noise)])


def log_determinant(mask: Any, spectrum: Any, noise: Any) -> Any:
    """Return ln det(C + σ²·V) − ln det V; rows past those of the basis have noise alone."""
    xp = _library(noise + spectrum)
    return xp.sum(xp.log(spectrum + noise)) + (mask.sum() - len(spectrum)) * xp.log(noise)


def _library(values: Any) -> Any:
    if isinstance(values, np.ndarray):
        return np
    import jax.numpy

    return jax.numpy
