"""The joint density of a posterior: parameters, their spread over families, and the noise.

A point z on the line holds, in this order: the solver's coordinates theta (p,), where the
parameters that are pooled hold each family's offset in units of the spread (non-centred);
the population's mean and the logarithm of its spread for each pooled parameter; and the logarithm
of the likelihood's nuisance parameter. Programs are compiled for a :class:`Spec` and given arrays,
so that tables of similar size share them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from jscale.fitting.objective import to_space
from jscale.fitting.problem import Data, Problem, predict_rows
from jscale.fitting.solver.compilation import programs
from jscale.model.layout import Layout
from jscale.uncertainty.bayes.likelihoods import NUISANCE, log_density

_STEPS, _LONGEST_STEP, _AT_REST = 200, 2.0, 1e-10
_LANES_AT_ONCE = 16


@dataclass(frozen=True, eq=False)
class StatedPrior:
    """A NumPyro distribution stated as the prior of a parameter's own value."""

    name: str
    distribution: Any


class Spec(NamedTuple):
    """The static part of a program: layout, likelihood, pooled parameters, stated priors."""

    layout: Layout
    space: str
    likelihood: str
    pooled: tuple[str, ...] = ()
    stated: tuple[StatedPrior, ...] = ()

    @property
    def size(self) -> int:
        """The number of coordinates of z."""
        return self.layout.size + 2 * len(self.pooled) + (NUISANCE[self.likelihood] is not None)

    @property
    def labels(self) -> tuple[str, ...]:
        """A name for each coordinate: the layout's, ``E[mean]``, ``E[spread]``, ``noise_scale``."""
        nuisance = NUISANCE[self.likelihood]
        population = [f"{name}[{what}]" for name in self.pooled for what in ("mean", "spread")]
        return (*self.layout.labels, *population, *([nuisance] if nuisance else []))

    def population(self, name: str) -> int:
        """The place of a pooled parameter's mean; its log spread is the next one."""
        return self.layout.size + 2 * self.pooled.index(name)


class DensityInputs(NamedTuple):
    """The arrays that a program receives.

    ``counts`` are (successes, trials), each (rows,). ``mean`` and ``sd`` (size,) are the normal
    priors of z's coordinates, ``plain`` (size,) is 1 where they apply; ``spread`` (pooled,) the
    scales of the half-normal priors of the spreads. ``share`` (size,) is the degree to which
    a family's coordinate is centred (its own value instead of an offset), ``anchor`` (pooled, 2)
    the mean and the log spread that standardise such a value.
    """

    data: Data
    weights: Any
    counts: tuple[Any, Any]
    df: Any
    mean: Any
    sd: Any
    plain: Any
    spread: Any
    share: Any
    anchor: Any


def coordinates(spec: Spec, z: Any, given: DensityInputs) -> Any:
    """Return the layout's coordinates theta (p,) at z: offsets become families' values (JAX)."""
    theta = z[: spec.layout.size]
    for k, name in enumerate(spec.pooled):
        where, mean, log_width = _families(spec, k, name, z, given)
        # Offsets stand in the family's slot of z, so that z and theta share a layout.
        theta = theta.at[where].set(mean + log_width[1] * theta[where])
    return theta


def _families(spec: Spec, k: int, name: str, z: Any, given: DensityInputs) -> Any:
    """The place of a pooled parameter's families in z, with their location and scale.

    With share 0 that is the population's mean and spread (non-centred); with share 1 the anchor,
    so that a family that its own runs determine does not move with the population's spread.
    """
    import jax.numpy as jnp

    slot, at = spec.layout.slot(name), spec.population(name)
    assert slot is not None
    share = given.share[slot.where]
    mean = share * given.anchor[k, 0] + (1 - share) * z[at]
    log_width = share * given.anchor[k, 1] + (1 - share) * z[at + 1]
    return slot.where, mean, (log_width, jnp.exp(log_width))


def pointwise(spec: Spec, z: Any, given: DensityInputs) -> Any:
    """Return the log likelihood of each row at z (rows,), unweighted (JAX)."""
    predicted = predict_rows(spec.layout, coordinates(spec, z, given), given.data)
    return log_density(
        spec.likelihood, spec.space, predicted, given.data.target, given.counts, z[-1], given.df
    )


def log_prior(spec: Spec, z: Any, given: DensityInputs) -> Any:
    """Return the log prior density of z, a number (JAX)."""
    import jax.numpy as jnp

    normal = -0.5 * ((z - given.mean) / given.sd) ** 2 - jnp.log(given.sd)
    total = jnp.sum(given.plain * (normal - 0.5 * np.log(2 * np.pi)))
    for k, name in enumerate(spec.pooled):
        total += _log_prior_of_families(spec, k, name, z, given)
    return total + sum(_stated_density(spec, stated, z, given) for stated in spec.stated)


def _log_prior_of_families(spec: Spec, k: int, name: str, z: Any, given: DensityInputs) -> Any:
    """A half-normal spread, and families that are normal around the population's mean."""
    import jax.numpy as jnp

    where, mean, (log_width, width) = _families(spec, k, name, z, given)
    centre, log_spread = z[spec.population(name)], z[spec.population(name) + 1]
    ratio = jnp.exp(log_spread) / given.spread[k]
    # The last terms are the Jacobians: of the logarithm, and of a family's scale.
    spread = -0.5 * ratio**2 - jnp.log(given.spread[k]) + 0.5 * np.log(2 / np.pi) + log_spread
    offset = (mean + width * z[where] - centre) * jnp.exp(-log_spread)
    families = -0.5 * offset**2 - log_spread - 0.5 * np.log(2 * np.pi) + log_width
    return spread + jnp.sum(families)


def _stated_density(spec: Spec, stated: StatedPrior, z: Any, given: DensityInputs) -> Any:
    """The log density of a parameter's own value, transformed to its coordinates.

    A parameter's value depends on other coordinates only through ones that come before it
    (amplitudes through exponents), so the Jacobian is the slope along its own coordinates.
    """
    import jax
    import jax.numpy as jnp

    if stated.name == NUISANCE[spec.likelihood]:
        value, log_slope = jnp.exp(z[-1]), z[-1]
    else:
        theta = coordinates(spec, z, given)
        slot = spec.layout.slot(stated.name)
        assert slot is not None

        def of_one(u: Any) -> Any:
            # Other coordinates stay fixed, as the Jacobian of a triangular map requires.
            changed = theta.at[slot.where].set(u)
            return spec.layout.natural(changed, given.data.fixed, given.data.centre)[stated.name]

        value, slope = jax.jvp(of_one, (theta[slot.where],), (jnp.ones_like(theta[slot.where]),))
        log_slope = jnp.log(jnp.abs(slope))
    inside = stated.distribution.support(value)
    # Outside the support the mean stands in, so that no NaN enters the derivative.
    density = stated.distribution.log_prob(jnp.where(inside, value, stated.distribution.mean))
    return jnp.sum(jnp.where(inside, density + log_slope, -jnp.inf))


def log_joint(spec: Spec, z: Any, given: DensityInputs) -> Any:
    """Return the log joint density at z, a number, −inf where it is not one (JAX)."""
    import jax.numpy as jnp

    # Rows of weight 0, padding included, may be NaN, and 0·NaN would spread.
    terms = jnp.where(given.weights > 0, pointwise(spec, z, given), 0.0)
    total = jnp.sum(given.weights * terms) + log_prior(spec, z, given)
    return jnp.where(jnp.isfinite(total), total, -jnp.inf)


@programs
def density_program(spec: Spec) -> Callable[..., Any]:
    """Return a compiled program: points (S, size) and given to log densities (S,)."""
    import jax

    def many(z: Any, given: DensityInputs) -> Any:
        one = jax.vmap(lambda x: log_joint(spec, x, given))
        return jax.lax.map(lambda x: one(x), z.reshape(-1, _LANES_AT_ONCE, spec.size)).ravel()

    return jax.jit(many)


def log_joint_of_many(spec: Spec, z: np.ndarray, given: DensityInputs) -> np.ndarray:
    """Return log joint densities (S,) at points (S, size). Call inside the float64 scope."""
    return np.asarray(density_program(spec)(_padded(z, _LANES_AT_ONCE), given))[: len(z)]


def _padded(z: np.ndarray, block: int) -> np.ndarray:
    rows = block * -(-len(z) // block)
    return np.concatenate([z, np.repeat(z[:1], rows - len(z), axis=0)])


@programs
def _pointwise_program(spec: Spec) -> Callable[..., Any]:
    import jax

    one = jax.vmap(lambda z, given: pointwise(spec, z, given), in_axes=(0, None))
    return jax.jit(one)


def pointwise_of_many(spec: Spec, z: np.ndarray, given: DensityInputs) -> np.ndarray:
    """Return log likelihoods (S, rows) at points (S, size). Call inside the float64 scope."""
    return np.asarray(_pointwise_program(spec)(z, given))


@programs
def _curves_program(spec: Spec) -> Callable[..., Any]:
    import jax

    def one(z: Any, given: DensityInputs) -> Any:
        predicted = predict_rows(spec.layout, coordinates(spec, z, given), given.data)
        return to_space(predicted, spec.space)

    return jax.jit(jax.vmap(one, in_axes=(0, None)))


def curves_of_many(spec: Spec, z: np.ndarray, given: DensityInputs) -> np.ndarray:
    """Return the law's outputs in the objective's space (S, rows). Call in the float64 scope."""
    return np.asarray(_curves_program(spec)(z, given))


@programs
def _coordinates_program(spec: Spec) -> Callable[..., Any]:
    import jax

    return jax.jit(jax.vmap(lambda z, given: coordinates(spec, z, given), in_axes=(0, None)))


def coordinates_of_many(spec: Spec, z: np.ndarray, given: DensityInputs) -> np.ndarray:
    """Return the layout's coordinates (S, p) at points (S, size). Call in the float64 scope."""
    if not spec.pooled:
        return z[:, : spec.layout.size]
    return np.asarray(_coordinates_program(spec)(z, given))


@dataclass(frozen=True, eq=False)
class Mode:
    """The point of highest joint density: z (size,), ``root`` with root·rootᵀ the covariance.

    The covariance is the inverse of the negative ``hessian`` (Laplace); ``height`` is the log
    density, ``settled`` says whether Newton's steps converged.
    """

    z: np.ndarray
    root: np.ndarray
    hessian: np.ndarray
    height: float
    settled: bool


@programs
def _mode_program(spec: Spec) -> Callable[..., Any]:
    """Return a compiled program: damped Newton from z, its Hessian made positive."""
    import jax
    import jax.numpy as jnp

    def at(z: Any, given: DensityInputs) -> Any:
        def slope(x: Any) -> Any:
            value, gradient = jax.value_and_grad(lambda y: -log_joint(spec, y, given))(x)
            return gradient, (value, gradient)

        hessian, (value, gradient) = jax.jacfwd(slope, has_aux=True)(z)
        return value, gradient, hessian

    def newton(gradient: Any, hessian: Any, damping: Any) -> Any:
        values, vectors = jnp.linalg.eigh(hessian)
        # Absolute eigenvalues: at a saddle Newton's step would climb towards it.
        size = jnp.abs(values) + damping * jnp.max(jnp.abs(values)) + 1e-12
        step = -vectors @ ((vectors.T @ gradient) / size)
        return step, -gradient @ step

    def advance(state: Any, given: DensityInputs) -> Any:
        kept, trial, gain, damping, _, count = state
        new = (trial, *at(trial, given))
        better = jnp.isfinite(new[1]) & (new[1] < kept[1])
        kept = jax.tree.map(lambda a, b: jnp.where(better, a, b), new, kept)
        # Damping vanishes after some good steps, so that the last ones are pure Newton.
        smaller, larger = jnp.where(damping < 1e-9, 0.0, 0.1 * damping), 10 * damping + 1e-7
        damping = jnp.where(better, smaller, larger)
        step, promised = newton(kept[2], kept[3], damping)
        step = step / jnp.maximum(1.0, jnp.max(jnp.abs(step)) / _LONGEST_STEP)
        rest = jnp.where(better, promised < _AT_REST, (gain < _AT_REST) | (damping > 1e6))
        return kept, kept[0] + step, promised, damping, rest, count + 1

    def run(z: Any, given: DensityInputs) -> Any:
        nothing = (z, jnp.array(jnp.inf), jnp.zeros_like(z), jnp.eye(len(z)))
        start = (nothing, z, jnp.array(jnp.inf), jnp.zeros(()), jnp.array(False), jnp.array(0))
        (z, value, _, hessian), *_, rest, _ = jax.lax.while_loop(
            lambda s: ~s[4] & (s[5] < _STEPS), lambda s: advance(s, given), start
        )
        return z, value, hessian, rest

    return jax.jit(run)


def find_mode(spec: Spec, start: np.ndarray, given: DensityInputs) -> Mode:
    """Climb from ``start`` (size,) to the mode. Call inside the float64 scope."""
    z, value, hessian, settled = map(np.asarray, _mode_program(spec)(start, given))
    return Mode(z, _root(hessian), hessian, -float(value), bool(settled))


def _root(hessian: np.ndarray) -> np.ndarray:
    """Return a root of the inverse of a Hessian, made positive."""
    values, vectors = np.linalg.eigh(hessian)
    # A flat direction has no width of its own: it is given one of order one.
    size = np.abs(values)
    return vectors * np.where(size > 1e-6, 1 / np.sqrt(np.maximum(size, 1e-6)), 1.0)


@programs
def _hessian_program(spec: Spec) -> Callable[..., Any]:
    import jax

    return jax.jit(jax.hessian(lambda z, given: -log_joint(spec, z, given)))


def centred(spec: Spec, given: DensityInputs, mode: Mode) -> tuple[DensityInputs, Mode]:
    """Centre the families that their runs determine; returns the new inputs and mode.

    With h the curvature along a family's offset, of which the prior's share is 1/h, its
    coordinate becomes its own value by 1 − 1/h and an offset by 1/h (arXiv:1906.03028 learns such
    shares; here they are the mode's). A family without runs stays non-centred. Call inside
    the float64 scope.
    """
    share, anchor = np.zeros(spec.size), np.zeros((len(spec.pooled), 2))
    for k, name in enumerate(spec.pooled):
        slot, at = spec.layout.slot(name), spec.population(name)
        assert slot is not None
        share[slot.where] = 1.0 - 1.0 / np.maximum(np.diag(mode.hessian)[slot.where], 1.0)
        anchor[k] = mode.z[at : at + 2]
    # At the mode itself, centred and non-centred coordinates coincide.
    given = given._replace(share=share, anchor=anchor)
    hessian = np.asarray(_hessian_program(spec)(mode.z, given))
    return given, replace(mode, root=_root(hessian), hessian=hessian)


def given_arrays(
    problem: Problem, counts: tuple[Any, Any], df: float, normal: tuple[np.ndarray, ...]
) -> DensityInputs:
    """Gather a program's arrays; weights are scaled to a mean of 1 over the rows that have any.

    A row thus counts as one run on average, and scaling all weights has no effect.
    """
    # Padding has weight zero and takes no part in the mean.
    weights = problem.weights / problem.weights[problem.weights > 0].mean()
    mean, sd, plain, spread = normal
    share, anchor = np.zeros(len(mean)), np.zeros((len(spread), 2))
    return DensityInputs(
        problem.data, weights, counts, np.float64(df), mean, sd, plain, spread, share, anchor
    )
