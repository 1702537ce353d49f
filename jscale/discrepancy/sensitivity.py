"""Sensitivity: how a curve moves with the outcome of each run, and narrows by it.

Given its hyperparameters, an expert's curve is a linear function of the outcomes, h·z + constant,
with h = S⁻¹·c: S = K + J·P⁻¹·Jᵀ is the covariance of the outcomes with the parameters integrated
out, and c that of the outcomes with the curve. Without run i the curve's variance is larger by
hᵢ²/(S⁻¹)ᵢᵢ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jscale._precision import float64_scope
from jscale.discrepancy.experts import Solved, site_of, target_data, whitened_rows
from jscale.discrepancy.kernels import covariance, variance
from jscale.discrepancy.start import row_spread
from jscale.discrepancy.whitening import precision_diagonal, weights, whiten_transpose
from jscale.fitting.objective import to_space
from jscale.fitting.problem import Data, bucket, predict_rows
from jscale.fitting.solver.compilation import programs
from jscale.model.layout import Layout

# Experts below this share of the largest weight are left out.
_NEGLIGIBLE = 1e-4


class Sensitivity(NamedTuple):
    """Sums over experts by weight, for m points and n runs, in the space.

    ``slopes`` (m, n) are the derivatives of the curve's mean, ``wider`` (m, n) by how much its
    variance grows without each run, ``variance`` (m,) what it is.
    """

    slopes: np.ndarray
    wider: np.ndarray
    variance: np.ndarray


@programs
def _slopes_program(layout: Layout, space: str) -> Any:
    """Return a compiled program: coordinates and data to the curve's derivatives (rows, p)."""
    import jax

    def slopes(theta: Any, data: Data) -> Any:
        return jax.jacfwd(lambda t: to_space(predict_rows(layout, t, data), space))(theta)

    return jax.jit(slopes)


def sensitivity(
    solved: Solved, shares: np.ndarray, inputs: Sequence[np.ndarray], codes: dict[str, Any]
) -> Sensitivity:
    """Return the sensitivity of a member's experts with weights (K, G, P) at points."""
    m, n = len(inputs[0]), len(solved.observations)
    total = Sensitivity(np.zeros((m, n)), np.zeros((m, n)), np.zeros(m))
    with float64_scope():
        data = target_data(solved, inputs, codes, bucket(m))
        for place in np.argwhere(shares > _NEGLIGIBLE * shares.max()).tolist():
            each = _of_expert(solved, place, data, m)
            total = Sensitivity(
                *(a + shares[tuple(place)] * b for a, b in zip(total, each, strict=True))
            )
    return total


def _of_expert(solved: Solved, place: Sequence[int], data: Data, m: int) -> Sensitivity:
    k, g, p = place
    table, lanes, n = solved.table, solved.lanes, len(solved.observations)
    kernel = solved.member.prior.kernels[k]
    fixed = {name: values[p] for name, values in solved.member.fixed.items()}
    site = site_of(solved.member, solved.start, data, m)
    program = _slopes_program(solved.member.layout, solved.member.space)
    at_points = np.asarray(program(lanes.theta[k, g, p], data._replace(fixed=fixed)))[:m]
    at_runs, inverse = lanes.slopes[k, g, p], lanes.inverse[k, g, p]
    known = whitened_rows(table, k, g, covariance(kernel, solved.site, site))
    # What the parameters move at a point beyond what the discrepancy compensates.
    moved = at_points - known.T @ at_runs
    weight = weights(table.mask, table.spectrum[k], table.noise[g], table.root)
    root, basis = table.root, table.basis[k]
    slopes = whiten_transpose(basis, root, weight, known + at_runs @ inverse @ moved.T)[:n].T
    carried = whiten_transpose(basis, root, weight, at_runs)[:n]
    precision = precision_diagonal(basis, root, weight)[:n]
    precision = precision - np.einsum("np,pq,nq->n", carried, inverse, carried)
    spread = variance(kernel, site) - np.sum(known**2, axis=0)
    spread = np.maximum(spread, 0.0) + np.einsum("mp,pq,mq->m", moved, inverse, moved)
    return Sensitivity(slopes, slopes**2 / precision, spread)


def left_out_errors(solved: Solved) -> tuple[np.ndarray, np.ndarray]:
    """Return each run's error as predicted from the others, standardised (n,), and what it tells.

    The latter (n,) is the share of its variance that is noise: next to one where the other runs
    tell the curve, next to zero where they do not. Both are of the expert with the most weight.
    """
    k, g, p = np.unravel_index(int(np.argmax(solved.log_weights)), solved.log_weights.shape)
    table, lanes, n = solved.table, solved.lanes, len(solved.observations)
    weight = weights(table.mask, table.spectrum[k], table.noise[g], table.root)
    basis, root = table.basis[k], table.root
    both = np.column_stack([lanes.residual[k, g, p], lanes.slopes[k, g, p]])
    carried = whiten_transpose(basis, root, weight, both)[:n]
    # S⁻¹·(z − mean): at the most probable parameters it is K⁻¹·(z − curve).
    pulled, slopes = carried[:, 0], carried[:, 1:]
    precision = precision_diagonal(basis, root, weight)[:n]
    precision = precision - np.einsum("np,pq,nq->n", slopes, lanes.inverse[k, g, p], slopes)
    own = table.noise[g] * row_spread(solved.observations, solved.scale) ** 2 * solved.inflation
    # Relative to what was expected: the larger variance of an outlier would hide that it is one.
    errors = pulled / np.sqrt(precision) * np.sqrt(solved.inflation)
    return errors, np.clip(own * precision, 0.0, 1.0)
