"""Learning a family's weights: those under which the experts predicted past sweeps best.

Each record is a forecasting task from a past sweep: the runs below a cut, and the log density that
every expert assigned to the larger runs. The weights maximise the mean log density of the mixture;
data sets count equally, then the families within them, then the tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jscale._precision import float64_scope
from jscale.discrepancy.prior import FamilyPrior

# The loss of a miss is capped at this many nats, so that one odd run does not decide the prior.
_FLOOR = -8.0
_RIDGE = (0.003, 0.006, 0.006)
_TEMPER_PRIOR = (-0.58, 0.0)
_TEMPER_RIDGE = (0.01, 0.02)
_STEPS = 200


@dataclass(frozen=True, eq=False)
class Record:
    """A question: ``evidence`` (K, G, P) and log densities (K, G, P, m) of the m larger runs.

    ``runs`` and ``scale`` are the number of fitted runs and their noise's scale; ``data_set`` and
    ``part`` name the question's source.
    """

    data_set: str
    part: str
    runs: int
    scale: float
    evidence: np.ndarray
    log_density: np.ndarray


def question_weights(records: Sequence[Record]) -> np.ndarray:
    """Return weights (R,) that sum to one: equal for data sets, then parts, then questions."""
    parts: dict[str, dict[str, int]] = {}
    for record in records:
        counts = parts.setdefault(record.data_set, {})
        counts[record.part] = counts.get(record.part, 0) + 1
    each = [1.0 / (len(parts[r.data_set]) * parts[r.data_set][r.part]) for r in records]
    return np.array(each) / len(parts)


def learn_family(
    template: FamilyPrior, records: Sequence[Record], start: FamilyPrior | None = None
) -> FamilyPrior:
    """Return the template with the weights that predicted the records best."""
    from scipy.optimize import minimize

    K, G, P = len(template.kernels), len(template.noises), len(template.variants)
    with float64_scope():
        value_and_slope = _objective(template, records)
        first = _flat(start) if start is not None else _blank(K, G, P)
        end = minimize(
            value_and_slope, first, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}
        )
    return _filled(template, end.x)


def _blank(K: int, G: int, P: int) -> np.ndarray:
    flat = np.zeros(3 * (K + G + P) + 2)
    flat[-2:] = _TEMPER_PRIOR
    return flat


def _flat(prior: FamilyPrior) -> np.ndarray:
    biases = (prior.kernel_bias, prior.noise_bias, prior.variant_bias)
    return np.concatenate([*(b.ravel() for b in biases), prior.temper])


def _filled(template: FamilyPrior, flat: np.ndarray) -> FamilyPrior:
    K, G, P = len(template.kernels), len(template.noises), len(template.variants)
    kernel, noise, variant, temper = np.split(flat, np.cumsum([3 * K, 3 * G, 3 * P]))
    return replace(
        template,
        kernel_bias=kernel.reshape(K, 3),
        noise_bias=noise.reshape(G, 3),
        variant_bias=variant.reshape(P, 3),
        temper=temper,
    )


def _objective(template: FamilyPrior, records: Sequence[Record]) -> Any:
    """Return the penalised loss of a prior's numbers, with its slope, for SciPy."""
    import jax
    import jax.numpy as jnp
    from jax.scipy.special import logsumexp

    K, G, P = len(template.kernels), len(template.noises), len(template.variants)
    most = max(r.log_density.shape[-1] for r in records)
    evidence = np.stack([_usable(r.evidence, -1e6) for r in records])
    # Only differences of evidence matter; the shift keeps tempered exponentials in range.
    evidence -= evidence.max(axis=(1, 2, 3), keepdims=True)
    # Records of all sizes in one padded array; padding has no share in `counted`.
    density = np.zeros((len(records), K, G, P, most), dtype=np.float32)
    counted = np.zeros((len(records), most))
    for i, record in enumerate(records):
        m = record.log_density.shape[-1]
        density[i, ..., :m] = _usable(record.log_density, -1e4)
        counted[i, :m] = question_weights(records)[i] / m
    features = np.stack([template.features(r.runs, r.scale) for r in records])
    # Few questions inform some weights: the ridge shrinks those towards equal weights.
    ridge = jnp.asarray(np.tile(_RIDGE, K + G + P))

    def loss(flat: Any, evidence: Any, density: Any, counted: Any, features: Any) -> Any:
        kernel, noise, variant, temper = jnp.split(flat, np.cumsum([3 * K, 3 * G, 3 * P]))
        log = (
            (features @ kernel.reshape(K, 3).T)[:, :, None, None]
            + (features @ noise.reshape(G, 3).T)[:, None, :, None]
            + (features @ variant.reshape(P, 3).T)[:, None, None, :]
        )
        # As a logarithm, so that the tempering power stays positive.
        eta = jnp.exp(features[:, :2] @ temper)
        log = eta[:, None, None, None] * evidence + log
        log = log - logsumexp(log, axis=(1, 2, 3), keepdims=True)
        # A smooth maximum with the floor, so that a capped miss still has a gradient.
        score = jnp.logaddexp(logsumexp(log[..., None] + density, axis=(1, 2, 3)), _FLOOR)
        off = temper - jnp.asarray(_TEMPER_PRIOR)
        penalty = jnp.sum(ridge * flat[:-2] ** 2) + jnp.sum(jnp.asarray(_TEMPER_RIDGE) * off**2)
        return penalty - jnp.sum(counted * score)

    both = jax.jit(jax.value_and_grad(loss))

    def value_and_slope(flat: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = both(flat, evidence, density, counted, features)
        return float(value), np.asarray(slope, dtype=np.float64)

    return value_and_slope


def _usable(values: np.ndarray, least: float) -> np.ndarray:
    return np.maximum(np.where(np.isfinite(values), values, least), least)
