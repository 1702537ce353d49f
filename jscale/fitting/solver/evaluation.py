"""Evaluation: the objective, its slope and its two curvatures at a point, in one pass.

Each row's residual is a scalar function of a few coordinates, so its slope is computed in reverse
mode, row by row (in forward mode for laws that support nothing else, such as those with a loop of
unknown length). The sums over rows are matrix products, which are several times
faster than reductions. Many rows are summed in blocks, so that a lane's Jacobian stays in
the processor's cache and memory does not grow with the number of rows.

Everything here is a pure function of arrays, safe under jit and vmap.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from jscale.fitting.objective import to_space
from jscale.fitting.problem import BLOCK, Data, Model, predict_rows


class Evaluation(NamedTuple):
    """One fused evaluation: objective F, slope g (p,), curvature H and majoriser M (p, p),
    and ``spread`` = Σ w·psi², which scales steps to standard errors.
    """

    F: Any
    g: Any
    H: Any
    M: Any
    spread: Any


def residuals(model: Model, theta: Any, data: Data) -> Any:
    """Return the residuals (rows,) in the model's space (JAX)."""
    predicted = predict_rows(model.layout, theta, data)
    return to_space(predicted, model.space) - data.target


def evaluate(
    model: Model, theta: Any, weights: Any, data: Data, width: Any, shape: Any = ()
) -> Evaluation:
    """Return F, g, H, M and spread at ``theta`` (JAX).

    ``width`` is the objective's scale, ``shape`` its second number, if any. H is the
    Gauss–Newton matrix of the true curvature, or of zero where that is negative.
    """
    import jax
    import jax.numpy as jnp

    rows = len(data.target)
    if rows <= BLOCK:
        return _evaluate_block(model, theta, weights, data, width, shape)

    def add(total: Evaluation, block: tuple[Any, Data]) -> tuple[Evaluation, None]:
        w, part = block
        part = part._replace(centre=data.centre, fixed=data.fixed)
        now = _evaluate_block(model, theta, w, part, width, shape)
        return jax.tree.map(jnp.add, total, now), None

    by_row = jax.tree.map(
        lambda x: x.reshape(-1, BLOCK), (weights, data._replace(centre=(), fixed={}))
    )
    p = theta.shape[0]
    zero, square = jnp.zeros((), theta.dtype), jnp.zeros((p, p), theta.dtype)
    start = Evaluation(zero, jnp.zeros((p,), theta.dtype), square, square, zero)
    return jax.lax.scan(add, start, by_row)[0]


def _evaluate_block(
    model: Model, theta: Any, weights: Any, data: Data, width: Any, shape: Any
) -> Evaluation:
    import jax
    import jax.numpy as jnp

    r, J = residuals_and_slopes(model, theta, data)
    rho, psi, majoriser, curvature = model.loss.terms(r, width, *shape)
    if not model.loss.convex:
        # A redescending loss is concave in its tails; steps need a positive curvature.
        curvature = jnp.maximum(curvature, 0.0)
    p = theta.shape[0]
    # One product gives the majoriser, the curvature and the slope together.
    right = [J * (weights * majoriser), J * (weights * curvature), (weights * psi)[None]]
    # Computed row by row, as laid out in memory, then transposed once. Without the barriers XLA
    # would fuse both into the product, which reads columns, with strided access to every entry.
    right = jax.lax.optimization_barrier(jnp.concatenate(right))
    product = J @ jax.lax.optimization_barrier(right.T)
    return Evaluation(
        F=weights @ rho,
        g=product[:, 2 * p],
        H=product[:, p : 2 * p],
        M=product[:, :p],
        spread=(weights * psi) @ psi,
    )


def residuals_and_slopes(model: Model, theta: Any, data: Data) -> tuple[Any, Any]:
    """Return residuals (rows,) and the Jacobian, a row per coordinate, (p, rows) (JAX)."""
    try:
        return _in_reverse(model, theta, data)
    except ValueError as error:
        if "Reverse-mode" not in str(error):
            raise
        return _in_forward(model, theta, data)


def _in_reverse(model: Model, theta: Any, data: Data) -> tuple[Any, Any]:
    import jax

    def one(theta: Any, row: tuple[Any, ...], code: Any, target: Any) -> Any:
        values = model.layout.natural(theta, data.fixed, data.centre)
        named = dict(zip(model.layout.law.inputs, row, strict=True))
        output = model.layout.law.evaluate({**named, **model.layout.pick(values, code)})
        return to_space(output, model.space) - target

    slopes = jax.vmap(jax.value_and_grad(one), in_axes=(None, 0, 0, 0), out_axes=(0, 1))
    return slopes(theta, data.inputs, data.codes, data.target)


def _in_forward(model: Model, theta: Any, data: Data) -> tuple[Any, Any]:
    import jax

    def twice(t: Any) -> tuple[Any, Any]:
        r = residuals(model, t, data)
        return r, r

    J, r = jax.jacfwd(twice, has_aux=True)(theta)
    return r, J.T
