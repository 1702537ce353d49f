"""Starts: where the lanes of a multi-start fit begin.

Exponents, locations and the like are drawn from their roles' ranges by a Sobol sequence.
Parameters in which the law is linear are then solved for, by least squares of relative
errors without negative amplitudes: so every start already fits the data's level.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np

from jscale.errors import LawError, listing
from jscale.fitting.objective import from_space
from jscale.fitting.problem import Model, Problem, predict_rows
from jscale.model.layout import Slot
from jscale.model.roles import Role
from jscale.model.supports import to_line

_TILE = 64
# A coordinate at which an amplitude counts as switched off: exp of it is exactly zero.
_OFF = -1e4
_SMALLEST_SHARE = 1e-3
_SWEEPS = 200


@lru_cache
def _sobol_table() -> np.ndarray:
    """Points of a scrambled Sobol sequence, 1024 × 32, kept as 16-bit numbers.

    Made once by ``scipy.stats.qmc.Sobol(d=32, scramble=True, rng=20220329).random_base2(10)``;
    kept because importing scipy.stats costs more than a fit.
    """
    with resources.files("jscale.fitting").joinpath("sobol.npy").open("rb") as file:
        return (np.load(file).astype(np.float64) + 0.5) / 65536.0


def unit_points(count: int, dimensions: int, seed: int) -> np.ndarray:
    """Return ``count`` well-spread points (count, dimensions) in the unit cube.

    Seed 0 gives the plain table; another seed shifts it around the cube.
    """
    table = _sobol_table()
    if count <= len(table) and dimensions <= table.shape[1]:
        points = table[:count, :dimensions]
    else:
        from scipy.stats import qmc

        power = int(np.ceil(np.log2(count)))
        points = qmc.Sobol(d=dimensions, scramble=True, rng=0).random_base2(power)[:count]
    if seed == 0:
        return points
    shift = np.random.default_rng(seed).random(dimensions)
    return (points + shift) % 1.0


def automatic(problem: Problem, count: int, seed: int = 0) -> np.ndarray:
    """Return ``count`` starts (count, p) for a problem, amplitudes solved for where linear.

    Call inside the float64 scope.
    """
    layout = problem.layout
    observed = from_space(np.asarray(problem.data.target)[: problem.n], problem.model.space)
    points = unit_points(count, layout.size, seed)
    theta = np.empty((count, layout.size))
    for slot in layout.slots:
        columns = slice(slot.first, slot.first + slot.size)
        theta[:, columns] = _draw(slot, points[:, columns], observed, problem)
    return _solve_amplitudes(problem, theta) if layout.linear else theta


def _draw(slot: Slot, unit: np.ndarray, observed: np.ndarray, problem: Problem) -> np.ndarray:
    """Turn unit points into coordinates by the role's range and units."""
    role = slot.role
    low, high = role.start
    typical = float(np.median(np.abs(observed))) or 1.0
    if role.unit == "range":
        axis = problem.layout.axis(slot) or 0
        x = np.log(np.asarray(problem.data.inputs[axis])[: problem.n])
        inside = low + (high - low) * unit
        return x.min() + inside * (x.max() - x.min()) - problem.data.centre[axis]
    if role.unit == "log-typical":
        return np.log(typical) + low + (high - low) * unit
    value = _between(role, unit)
    if role.unit == "lowest":
        value = value * (observed.min() if observed.min() > 0 else typical)
    if role.unit == "typical":
        value = value * typical
    return to_line(value, role.support)


def _between(role: Role, unit: np.ndarray) -> np.ndarray:
    low, high = role.start
    if role.log and low > 0:
        return low * (high / low) ** unit
    return low + (high - low) * unit


def _columns(model: Model, theta: Any, data: Any) -> tuple[Any, Any]:
    """Return each linear amplitude's column at unit size (k, rows), and the offset (rows,).

    With all linear amplitudes switched off the law gives its offset; with one of them at its
    unit, that amplitude's column (JAX).
    """
    import jax
    import jax.numpy as jnp

    index = np.array([i for i, _ in model.layout.linear])
    off = np.array([_OFF if logarithm else 0.0 for _, logarithm in model.layout.linear])
    unit = np.array([0.0 if logarithm else 1.0 for _, logarithm in model.layout.linear])
    settings = np.vstack([off, np.where(np.eye(len(index), dtype=bool), unit, off)])

    def at(setting: Any) -> Any:
        return predict_rows(model.layout, theta.at[index].set(setting), data)

    outputs = jax.vmap(at)(jnp.asarray(settings))
    return outputs[1:] - outputs[0], outputs[0]


@lru_cache(maxsize=256)
def _normal_equations(model: Model) -> Callable[..., Any]:
    """Return a compiled program: starts (S, p) to Gram matrices (S, k, k) and sides (S, k).

    It also returns each column's largest share of the observations, (S, k).
    """
    import jax
    import jax.numpy as jnp

    def one(theta: Any, weights: Any, observed: Any, data: Any) -> tuple[Any, Any, Any]:
        columns, offset = _columns(model, theta, data)
        share = jnp.max(jnp.abs(columns / observed), axis=1)
        basis = columns * jnp.sqrt(weights)
        rest = (observed - offset) * jnp.sqrt(weights)
        return basis @ basis.T, basis @ rest, share

    return jax.jit(jax.vmap(one, in_axes=(0, None, None, None)))


def shares_of_terms(problem: Problem, theta: np.ndarray) -> dict[str, float]:
    """Return, for each linear amplitude, the largest share of an observation that its term makes.

    ``theta`` (p,) are coordinates. Call inside the float64 scope.
    """
    if not problem.layout.linear:
        return {}
    observed = from_space(np.asarray(problem.data.target), problem.model.space)
    tile = np.repeat(theta[None], _TILE, axis=0)
    _, _, share = _normal_equations(problem.model)(tile, problem.weights, observed, problem.data)
    made = {}
    for k, (i, logarithm) in enumerate(problem.layout.linear):
        amplitude = np.exp(theta[i]) if logarithm else abs(theta[i])
        made[problem.layout.labels[i]] = float(amplitude * np.asarray(share)[0, k])
    return made


def _solve_amplitudes(problem: Problem, theta: np.ndarray) -> np.ndarray:
    program = _normal_equations(problem.model)
    observed = from_space(np.asarray(problem.data.target), problem.model.space)
    relative = observed**-2 if problem.model.space == "log" else np.ones_like(observed)
    weights = problem.weights * relative
    solved = theta.copy()
    for first in range(0, len(theta), _TILE):
        chunk = theta[first : first + _TILE]
        filled = np.concatenate([chunk, np.repeat(chunk[:1], _TILE - len(chunk), axis=0)])
        gram, side, _ = program(filled, weights, observed, problem.data)
        found = _amplitude_coordinates(problem, np.asarray(gram), np.asarray(side), observed)
        index = [i for i, _ in problem.layout.linear]
        solved[first : first + _TILE, index] = found[: len(chunk)]
    # A lane whose columns overflow keeps its drawn amplitudes; the solver will judge it.
    return np.where(np.isfinite(solved), solved, theta)


def _amplitude_coordinates(
    problem: Problem, gram: np.ndarray, side: np.ndarray, observed: np.ndarray
) -> np.ndarray:
    logarithm = np.array([is_log for _, is_log in problem.layout.linear])
    with np.errstate(all="ignore"):
        size = np.sqrt(np.einsum("skk->sk", gram))
        scaled = gram / (size[:, :, None] * size[:, None, :])
        right = side / size
        amplitude = _least_squares(scaled, right, nonnegative=logarithm)
        total = np.linalg.norm(right, axis=1, keepdims=True)
        amplitude = np.where(logarithm, np.maximum(amplitude, _SMALLEST_SHARE * total), amplitude)
        amplitude = amplitude / size
        return np.where(logarithm, np.log(amplitude), amplitude)


def _least_squares(gram: np.ndarray, side: np.ndarray, nonnegative: np.ndarray) -> np.ndarray:
    """Minimise ½aᵀGa − aᵀb per lane, some entries non-negative, by coordinate descent."""
    amplitude = np.zeros_like(side)
    gram = gram + 1e-9 * np.eye(gram.shape[-1])
    for _ in range(_SWEEPS):
        for k in range(side.shape[1]):
            rest = side[:, k] - np.einsum("sj,sj->s", gram[:, k], amplitude)
            new = amplitude[:, k] + rest / gram[:, k, k]
            amplitude[:, k] = np.maximum(new, 0.0) if nonnegative[k] else new
    return amplitude


def given(problem: Problem, rows: Sequence[Mapping[str, float]]) -> np.ndarray:
    """Return the caller's starts, mappings of the law's own parameters, as coordinates (S, p).

    Raises LawError for missing or unknown names.
    """
    layout = problem.layout
    wanted = [slot.name for slot in layout.slots]
    for row in rows:
        unknown = [name for name in row if name not in layout.law.names]
        missing = [name for name in wanted if name not in row]
        if unknown or missing:
            raise LawError(
                f"A start has unknown names ({listing(unknown)}) or misses some "
                f"({listing(missing)}). Give {listing(wanted, 20)}, or starts=64."
            )
    fixed = {name: np.asarray(v) for name, v in problem.data.fixed.items()}
    return np.stack([layout.coordinates({**row, **fixed}, problem.data.centre) for row in rows])
