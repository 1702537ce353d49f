"""Spaces of residuals: the map of outputs to a space, its inverse, and the rounding left in it."""

from __future__ import annotations

from typing import Any


def to_space(values: Any, space: str) -> Any:
    """Map outputs to the space in which residuals are taken.

    Parameters
    ----------
    values : array
        Outputs of a law or observations, in the output's unit (NumPy or JAX).
    space : {"log", "linear", "logit"}
        The space: ln y, y, or ln(y/(1 − y)).

    Returns
    -------
    jax.Array
        The values in the space, of the same shape.
    """
    import jax.numpy as jnp

    if space == "log":
        return jnp.log(values)
    if space == "logit":
        return jnp.log(values) - jnp.log1p(-values)
    return values


def from_space(values: Any, space: str) -> Any:
    """Map numbers in a space back to outputs: the inverse of :func:`to_space`.

    Parameters
    ----------
    values : numpy.ndarray
        Numbers in the space.
    space : {"log", "linear", "logit"}
        The space.

    Returns
    -------
    numpy.ndarray
        Outputs in the output's unit, of the same shape.
    """
    import numpy as np

    if space == "log":
        return np.exp(values)
    if space == "logit":
        return 1.0 / (1.0 + np.exp(-values))
    return values


def rounding_error(target: Any, space: str, weights: Any) -> Any:
    """Return the residuals that rounding alone may leave.

    Four roundings of the output: an absolute number in a logarithm, but in linear space in
    proportion to the outputs, whatever their unit.

    Parameters
    ----------
    target : array of shape (rows,)
        Observations in the space (NumPy or JAX).
    space : {"log", "linear", "logit"}
        The space.
    weights : array of shape (rows,)
        Weights of the rows; those of weight zero do not count.

    Returns
    -------
    array of shape (rows,)
        Sizes of residuals, computed by the library that ``target`` belongs to.
    """
    import jax.numpy
    import numpy

    xp: Any = numpy if isinstance(target, numpy.ndarray) else jax.numpy
    size: Any = 1.0
    if space == "linear":
        used = weights > 0
        size = xp.sum(xp.where(used, xp.abs(target), 0.0)) / xp.maximum(xp.sum(used), 1)
    return 4 * xp.finfo(target.dtype).eps * (size + xp.abs(target))
