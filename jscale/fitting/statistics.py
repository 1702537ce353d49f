"""Small statistics that many files need: robust spreads, sums by group, scaled eigenvectors."""

from __future__ import annotations

import numpy as np

# The standard deviation of normal errors over their median absolute deviation, 1/Φ⁻¹(3/4).
MAD_SCALE = 1.4826


def median(values: np.ndarray) -> float:
    """Return the median of numbers (n,), n ≥ 1.

    ``numpy.median`` takes ten times as long for few of them. NaN counts as the largest number.
    """
    ordered = np.sort(values)
    return 0.5 * float(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2])


def robust_spread(values: np.ndarray) -> float:
    """Return 1.4826·median|x|, which is the standard deviation of normal errors (n,) around zero.

    Examples
    --------
    >>> robust_spread(np.array([-1.0, 0.5, 2.0]))
    1.4826
    """
    return MAD_SCALE * median(np.abs(values))


def sums_by(values: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Return the sums of rows of values within units, in the order of the units' numbers.

    Parameters
    ----------
    values : ndarray, shape (n, …)
        Values; returned as they are where each unit is a single row, already in order.
    units : ndarray of int, shape (n,)
        The unit of each row.

    Returns
    -------
    ndarray, shape (units, …)
        One sum for each unit that occurs.

    Examples
    --------
    >>> sums_by(np.array([1.0, 10.0, 100.0]), np.array([7, 2, 7]))
    array([ 10., 101.])
    """
    if (units[1:] > units[:-1]).all():
        return values
    _, place = np.unique(units, return_inverse=True)
    total = np.zeros((int(place.max()) + 1, *values.shape[1:]))
    np.add.at(total, place, values)
    return total


def unit_diagonal_eigh(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the eigenvalues and eigenvectors of a symmetric matrix scaled to unit diagonal.

    Coordinates of very different size would otherwise hide the small eigenvalues in rounding.

    Parameters
    ----------
    matrix : ndarray, shape (p, p)
        A symmetric matrix, H.

    Returns
    -------
    scale : ndarray, shape (p,)
        s = 1/√|diag H|, where H·s·sᵀ is the matrix that is decomposed.
    values : ndarray, shape (p,)
        Eigenvalues, in ascending order.
    vectors : ndarray, shape (p, p)
        Eigenvectors, in columns.
    """
    scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(matrix)), 1e-300))
    values, vectors = np.linalg.eigh(matrix * np.outer(scale, scale))
    return scale, values, vectors


def floored(values: np.ndarray) -> np.ndarray:
    """Return eigenvalues, none of them below 1e-14 of the largest, so that they can be divided by.

    Directions below it are those that the data do not determine.
    """
    return np.maximum(values, 1e-14 * values.max(initial=0.0))
