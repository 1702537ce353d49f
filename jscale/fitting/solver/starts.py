"""Starts: the initial coordinates of a multi-start fit.

Exponents, locations and the like are drawn from their roles' ranges by a Sobol sequence.
Parameters in which the law is linear are then solved for, by non-negative least squares
of relative errors, so that every start already matches the level of the data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib import resources
from itertools import product
from typing import Any

import numpy as np

from jscale.errors import LawError, listing
from jscale.fitting.objective import from_space
from jscale.fitting.problem import Families, Model, Problem, predict_rows
from jscale.fitting.solver.compilation import programs
from jscale.model.layout import Slot
from jscale.model.roles import Role
from jscale.model.supports import to_line

_TILE = 64
# A coordinate at which an amplitude counts as switched off: exp of it is exactly zero.
_OFF = -1e4
# Lower limit on a solved amplitude's share, so that its term has a gradient.
_SMALLEST_SHARE = 0.1
_ENUMERATED = 4
_SWEEPS = 200
_FAMILIES = 8


@lru_cache
def _sobol_table() -> np.ndarray:
    """Points of a scrambled Sobol sequence, 1024 × 32, kept as 16-bit numbers.

    Made once by ``scipy.stats.qmc.Sobol(d=32, scramble=True, rng=20220329).random_base2(10)``;
    kept because importing scipy.stats costs more than a fit.
    """
    with resources.files("jscale.fitting.solver").joinpath("sobol.npy").open("rb") as file:
        return (np.load(file).astype(np.float64) + 0.5) / 65536.0


def unit_points(count: int, dimensions: int, seed: int) -> np.ndarray:
    """Return ``count`` low-discrepancy points (count, dimensions) in the unit cube.

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
    theta = _drawn(problem, unit_points(count, layout.size, seed))
    return with_amplitudes(problem, theta[None])[0] if layout.linear else theta


def automatic_many(families: Families, count: int, seed: int = 0) -> np.ndarray:
    """Return ``count`` starts for each of F families, (F, count, p). Float64 scope."""
    layout = families.layout
    points = unit_points(count, layout.size, seed)
    theta = np.stack([_drawn(part, points) for part in families.parts])
    return with_amplitudes(families, theta) if layout.linear else theta


def _drawn(problem: Problem, points: np.ndarray) -> np.ndarray:
    """Map unit points (S, p) to coordinates by each role's range and units."""
    observed = from_space(np.asarray(problem.data.target)[: problem.n], problem.model.space)
    size = np.abs(observed)
    # The median without averaging; 1 where the data are all zero.
    typical = float(np.partition(size, len(size) // 2)[len(size) // 2]) or 1.0
    lowest = float(observed.min())
    theta = np.empty_like(points)
    for slot in problem.layout.slots:
        at = slice(slot.first, slot.first + slot.size)
        theta[:, at] = _draw(slot, points[:, at], typical, lowest, problem)
    return theta


def _draw(
    slot: Slot, unit: np.ndarray, typical: float, lowest: float, problem: Problem
) -> np.ndarray:
    """Map unit points to one parameter's coordinates."""
    role = slot.role
    low, high = role.start
    if role.unit == "range":
        axis = problem.layout.axis(slot) or 0
        x = np.log(np.asarray(problem.data.inputs[axis])[: problem.n])
        inside = low + (high - low) * unit
        return x.min() + inside * (x.max() - x.min()) - problem.data.centre[axis]
    if role.unit == "log-typical":
        return np.log(typical) + low + (high - low) * unit
    value = _between(role, unit)
    if role.unit == "lowest":
        value = value * (lowest if lowest > 0 else typical)
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
    # An amplitude held as a logarithm is zero far down its axis, a plain one at zero.
    off = np.array([_OFF if logarithm else 0.0 for _, logarithm in model.layout.linear])
    unit = np.array([0.0 if logarithm else 1.0 for _, logarithm in model.layout.linear])
    settings = np.vstack([off, np.where(np.eye(len(index), dtype=bool), unit, off)])

    def at(setting: Any) -> Any:
        return predict_rows(model.layout, theta.at[index].set(setting), data)

    outputs = jax.vmap(at)(jnp.asarray(settings))
    return outputs[1:] - outputs[0], outputs[0]


@programs
def _normal_equations(model: Model) -> Callable[..., Any]:
    """Return a compiled program for families of starts, one after the other along axis 0.

    It maps starts (G, S, p), weights (G, rows), observations (G, rows) and data (G, …) to Gram
    matrices (G, S, k, k), sides (G, S, k), and each column's largest share of the observations
    (G, S, k).
    """
    import jax
    import jax.numpy as jnp

    def one(theta: Any, weights: Any, observed: Any, data: Any) -> tuple[Any, Any, Any]:
        columns, offset = _columns(model, theta, data)
        share = jnp.max(jnp.abs(columns / observed), axis=1)
        # Only k × k Gram matrices leave the program: the host solves them without the rows.
        basis = columns * jnp.sqrt(weights)
        rest = (observed - offset) * jnp.sqrt(weights)
        return basis @ basis.T, basis @ rest, share

    return jax.jit(jax.vmap(jax.vmap(one, in_axes=(0, None, None, None))))


def _equations(
    problem: Problem | Families, theta: np.ndarray, relative: bool
) -> tuple[np.ndarray, ...]:
    """Run the program on starts (F, S, p) in groups of one shape; (F, S, …) arrays."""
    import jax

    program = _normal_equations(problem.model)
    single = isinstance(problem, Problem)
    # Small groups fit in the cache, and their common shape needs a single compilation.
    group = 1 if single else _FAMILIES
    data, weights = problem.data, problem.weights
    if single:
        data, weights = jax.tree.map(lambda x: np.asarray(x)[None], (data, weights))
    observed = from_space(np.asarray(data.target), problem.model.space)
    if relative and problem.model.space == "log":
        # Log residuals are relative errors to first order.
        weights = weights * observed**-2
    families, count, _ = theta.shape
    parts = []
    for first in range(0, families, group):
        members = np.minimum(np.arange(first, first + group), families - 1)
        chosen = jax.tree.map(lambda x, at=members: np.asarray(x)[at], data)
        for begin in range(0, count, _TILE):
            lanes = np.minimum(np.arange(begin, begin + _TILE), count - 1)
            out = program(theta[members][:, lanes], weights[members], observed[members], chosen)
            keep = (slice(min(group, families - first)), slice(min(_TILE, count - begin)))
            parts.append([np.asarray(x)[keep] for x in out])
    return tuple(_joined([p[k] for p in parts], families, count) for k in range(3))


def _joined(parts: list[np.ndarray], families: int, count: int) -> np.ndarray:
    """Put tiles of groups, in the order they were computed, together as (F, S, …)."""
    tiles = -(-count // _TILE)
    rows = [np.concatenate(parts[i : i + tiles], axis=1) for i in range(0, len(parts), tiles)]
    return np.concatenate(rows).reshape(families, count, *parts[0].shape[2:])


def shares_of_terms(problem: Problem, theta: np.ndarray) -> dict[str, float]:
    """Return, for each linear amplitude, the largest share of an observation that its term makes.

    ``theta`` (p,) are coordinates. Call inside the float64 scope.
    """
    shares = lane_shares(problem, theta[None, None])[0, 0] if problem.layout.linear else ()
    labels = [problem.layout.labels[i] for i, _ in problem.layout.linear]
    return {label: float(share) for label, share in zip(labels, shares, strict=True)}


def lane_shares(problem: Problem | Families, theta: np.ndarray) -> np.ndarray:
    """Return each linear term's largest share of an observation, (F, S, k), at (F, S, p)."""
    share = _equations(problem, theta, relative=False)[2]
    size = np.empty_like(share)
    with np.errstate(over="ignore", invalid="ignore"):
        for k, (i, logarithm) in enumerate(problem.layout.linear):
            size[..., k] = np.exp(theta[..., i]) if logarithm else np.abs(theta[..., i])
        return size * share


def with_amplitudes(problem: Problem | Families, theta: np.ndarray) -> np.ndarray:
    """Solve for the linear amplitudes of starts (F, S, p), by least squares of relative errors."""
    observed = from_space(np.asarray(problem.data.target), problem.model.space)
    gram, side, _ = _equations(problem, theta, relative=True)
    k = gram.shape[-1]
    flat = gram.reshape(-1, k, k), side.reshape(-1, k)
    amplitudes = _amplitude_coordinates(problem, *flat, observed).reshape(*theta.shape[:2], k)
    solved = theta.copy()
    solved[:, :, [i for i, _ in problem.layout.linear]] = amplitudes
    # A lane whose columns overflow keeps its drawn amplitudes; the solver may reject it.
    return np.where(np.isfinite(solved), solved, theta)


def reseed(problem: Problem, theta: np.ndarray, dead: np.ndarray, seed: int = 0) -> np.ndarray:
    """Give dead terms (S, k) of lanes (S, p) a new exponent, and solve for all amplitudes again."""
    layout = problem.layout
    drawn = _drawn(problem, unit_points(len(theta), layout.size, seed + 1))
    fresh = theta.copy()
    for k, (i, _) in enumerate(layout.linear):
        # Dead terms get the exponent of a fresh draw; the other coordinates stay.
        owner = next(s for s in layout.slots if s.first <= i < s.first + s.size)
        exponents = {e.exponent for e in layout.law.powers if e.amplitude == owner.name}
        for slot in layout.slots:
            if slot.name in exponents:
                at = slice(slot.first, slot.first + slot.size)
                fresh[:, at] = np.where(dead[:, [k]], drawn[:, at], fresh[:, at])
    return with_amplitudes(problem, fresh[None])[0]


def _amplitude_coordinates(
    problem: Problem | Families, gram: np.ndarray, side: np.ndarray, observed: np.ndarray
) -> np.ndarray:
    logarithm = np.array([is_log for _, is_log in problem.layout.linear])
    with np.errstate(all="ignore"):
        # Unit diagonal: terms differ in size by orders of magnitude.
        size = np.sqrt(np.einsum("skk->sk", gram))
        scaled = gram / (size[:, :, None] * size[:, None, :])
        right = side / size
        amplitude = _least_squares(scaled, right, nonnegative=logarithm)
        total = np.linalg.norm(right, axis=1, keepdims=True)
        amplitude = np.where(logarithm, np.maximum(amplitude, _SMALLEST_SHARE * total), amplitude)
        amplitude = amplitude / size
        return np.where(logarithm, np.log(amplitude), amplitude)


def _least_squares(gram: Any, side: Any, nonnegative: Any) -> np.ndarray:
    """Minimise ½aᵀGa − aᵀb per lane (S, k), some entries non-negative.

    Few entries: exactly, by enumerating the sets of zero entries. Many: by descent.
    """
    # A tiny ridge separates columns that coincide, as two equal exponents make them.
    gram = gram + 1e-9 * np.eye(gram.shape[-1])
    if np.sum(nonnegative) > _ENUMERATED:
        return _by_descent(gram, side, nonnegative)
    broken = ~(np.isfinite(gram).all(axis=(1, 2)) & np.isfinite(side).all(axis=1))
    gram = np.where(broken[:, None, None], np.eye(gram.shape[-1]), gram)
    best, lowest = np.zeros_like(side), np.full(len(side), np.inf)
    for kept in product(*([(True, False) if n else (True,) for n in nonnegative])):
        mask = np.array(kept, dtype=float)
        # A row and column of the identity pin an excluded amplitude at zero, in one batched solve.
        system = gram * np.outer(mask, mask) + np.diag(1.0 - mask)
        solution = np.linalg.solve(system, (side * mask)[..., None])[..., 0]
        gain = -0.5 * np.einsum("sk,sk->s", side, solution)
        better = (solution[:, nonnegative] >= 0).all(axis=1) & (gain < lowest)
        best[better], lowest[better] = solution[better], gain[better]
    return np.where(broken[:, None], np.nan, best)


def _by_descent(gram: Any, side: Any, nonnegative: Any) -> np.ndarray:
    amplitude = np.zeros_like(side)
    for _ in range(_SWEEPS):
        for k in range(side.shape[1]):
            rest = side[:, k] - np.einsum("sj,sj->s", gram[:, k], amplitude)
            new = amplitude[:, k] + rest / gram[:, k, k]
            amplitude[:, k] = np.maximum(new, 0.0) if nonnegative[k] else new
    return amplitude


def make(problem: Problem, starts: Any, seed: int) -> np.ndarray:
    """Return starts (S, p) as chosen: "auto", a number, "hoffmann", or parameter values.

    Call inside the float64 scope. Raises LawError for values that miss a parameter, and for
    "hoffmann" with a law that lacks its five parameters.
    """
    if isinstance(starts, tuple):
        return given(problem, starts)
    if starts == "hoffmann":
        return hoffmann(problem)
    count = problem.layout.law.starts if starts == "auto" else int(starts)
    return automatic(problem, count, seed)


def hoffmann(problem: Problem) -> np.ndarray:
    """Return the 4500 starts of Hoffmann et al. for the law E + A/N^alpha + B/D^beta.

    alpha, beta in {0, .5, 1, 1.5, 2}, ln E in {-1, -.5, 0, .5, 1}, ln A, ln B in
    {0, 5, …, 25}; an exponent of 0 is taken as 1e-6, since exponents are positive here.
    Raises LawError for a law with other parameters. Source: arXiv:2203.15556, D.3.
    """
    layout = problem.layout
    exponents, amplitudes = np.maximum(np.arange(0, 2.1, 0.5), 1e-6), np.exp(np.arange(0, 26, 5.0))
    axes = {
        "alpha": exponents,
        "beta": exponents,
        "E": np.exp(np.arange(-1, 1.1, 0.5)),
        "A": amplitudes,
        "B": amplitudes,
    }
    free = [slot.name for slot in layout.slots]
    if not set(free) <= set(axes) or layout.per:
        raise LawError(
            f'starts="hoffmann" is a grid of {listing(list(axes))}, but {layout.law.name} has '
            f'{listing(layout.labels, 24)} free: use starts="auto".'
        )
    grid = np.meshgrid(*(axes[name] for name in free), indexing="ij")
    values = {name: x.ravel() for name, x in zip(free, grid, strict=True)}
    fixed = {k: np.broadcast_to(v, values[free[0]].shape) for k, v in problem.data.fixed.items()}
    return layout.coordinates_of_many({**values, **fixed}, problem.data.centre)


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
