"""Experts: a law under each combination of kernel, noise and prior, with its weight.

Tables of one law are lanes of one program: hyperparameters × priors × tables. The host
decomposes the covariance of each kernel once; everything else runs in compiled programs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from jscale._precision import float64_scope
from jscale.discrepancy.kernels import Site, covariance, variance
from jscale.discrepancy.lanes import Lanes, Table, Targets, predict_program, solve_program, stack
from jscale.discrepancy.lowrank import smooth_basis
from jscale.discrepancy.members import Floor, Member
from jscale.discrepancy.observations import Observations
from jscale.discrepancy.start import Start, robust_start
from jscale.discrepancy.thinning import screened, thinned
from jscale.discrepancy.whitening import (
    Root,
    apply_root,
    decorrelate,
    noise_root,
    pad_root,
    weights,
)
from jscale.fitting.problem import Data, bucket, evaluate_rows, log_centre, pad_rows
from jscale.fitting.solver.compilation import programs
from jscale.model.layout import Layout

_LEAST_SHARE, _MOST_SHARE = 0.02, 2.0
_PLAIN_SHARE = 1.0
# Rows² × experts up to which a table is solved exactly, and the least such number of rows.
_EXACT, _LEAST_EXACT = 400 * 400 * 180, 512
# Kernels are chosen on so many rows of larger tables.
_SCREENED = 256
# Rows × experts to which tables are thinned, and the most and least rows that it leaves.
_THINNED, _MOST_ROWS, _LEAST_ROWS = 3_000_000, 4096, 1024
_RANK_STEP = 64


class Solved(NamedTuple):
    """The experts of one table, with normalised log weights (K, G, P) and what they derive from.

    ``scale`` is that of the noise, ``start`` the starting fit whose reducible shares kernels use,
    and ``inflation`` (n,) by how much outliers' variances are larger than expected.
    """

    member: Member
    observations: Observations
    table: Table
    lanes: Lanes
    site: Site
    scale: float
    start: np.ndarray
    variant: int
    log_weights: np.ndarray
    inflation: np.ndarray


def coordinates(inputs: Sequence[np.ndarray]) -> np.ndarray:
    """Return a kernel's coordinates (m, d): logarithms of positive inputs, others unchanged."""
    return np.stack([np.log(x) if np.all(x > 0) else x for x in inputs], axis=1)


@programs
def _level_program(layout: Layout, floor: Floor | None) -> Callable[..., tuple[Any, Any]]:
    """Return a compiled program: coordinates and data to the law's outputs and floors (rows,)."""
    import jax
    import jax.numpy as jnp

    def levels(theta: Any, data: Data) -> tuple[Any, Any]:
        values = layout.natural(theta, data.fixed, data.centre)
        output = evaluate_rows(layout, values, data.inputs, data.codes, jax.vmap)
        if floor is None:
            return output, jnp.full_like(output, jnp.nan)
        read = floor
        each = jax.vmap(lambda codes: read(layout.pick(values, codes)), axis_size=len(output))
        return output, each(data.codes)

    return jax.jit(levels)


def site_of(member: Member, theta: np.ndarray, data: Data, n: int) -> Site:
    """Return the first n rows of data as a kernel's Site, with shares from a starting fit."""
    output, floor = _level_program(member.layout, member.floor)(theta, data)
    output, floor = np.asarray(output)[:n], np.asarray(floor)[:n]
    share = 2.0 * (1.0 - floor / output) if member.space == "log" else np.full(n, np.nan)
    # Laws without a single floor have no reducible share and get a constant one.
    share = np.where(np.isfinite(share), share, _PLAIN_SHARE)
    u = coordinates([np.asarray(x)[:n] for x in data.inputs])
    return Site(u, np.clip(share, _LEAST_SHARE, _MOST_SHARE))


def solve(
    members: Sequence[Member], tables: Sequence[Observations], rows: int | None = None
) -> list[Solved]:
    """Solve all experts of tables whose members share a program key, padded to ``rows``."""
    import jax

    first = members[0]
    rows = rows or max(bucket(len(t)) for t in tables)
    with float64_scope():
        data = [_padded(m, t, rows) for m, t in zip(members, tables, strict=True)]
        starts = robust_start(_filled(members), _filled(data), _filled(tables))[: len(members)]
        made = [
            _table(m, t, d, s) for m, t, d, s in zip(members, tables, data, starts, strict=True)
        ]
        whole = stack(_filled([table for table, _ in made]))
        lanes = jax.tree.map(np.asarray, solve_program(first.layout, first.space)(whole))
    return [
        _solved(members[i], tables[i], made[i], jax.tree.map(lambda x, i=i: x[i], lanes), starts[i])
        for i in range(len(members))
    ]


# So few tables are padded alike, to share a program.
_FEW_TABLES = 32


def _filled(items: Sequence[Any]) -> list[Any]:
    """Lengthen a batch with its last item, so that few numbers of tables need programs."""
    n = len(items)
    step = max(2 ** ((n - 1).bit_length() - 1) // 2, 1) if n > 1 else 1
    return [*items, *[items[-1]] * (-n % step)]


# Limit on the numbers in a program's decorrelating bases: 64 MB.
_NUMBERS_AT_ONCE = 8_000_000


def solve_each(
    members: Sequence[Member], tables: Sequence[Observations], *, screen: bool = True
) -> list[Solved]:
    """Solve tables of any members, batching those of the same program and size.

    Without ``screen``, large tables keep all experts of their prior.
    """
    programs: dict[Any, list[int]] = {}
    solved: dict[int, Solved] = {}
    for i, (member, table) in enumerate(zip(members, tables, strict=True)):
        if len(table) > exact_rows(member):
            solved[i] = solve_large(member, table, screen=screen)
        else:
            programs.setdefault(member.program_key, []).append(i)
    groups: dict[Any, list[int]] = {}
    for key, places in programs.items():
        for i, rows in zip(places, padded_sizes([len(tables[i]) for i in places]), strict=True):
            groups.setdefault((key, rows), []).append(i)
    for (_, rows), places in groups.items():
        kernels = len(members[places[0]].prior.kernels)
        # A basis holds rows² numbers per kernel, which limits the tables in a batch.
        most = max(_NUMBERS_AT_ONCE // (kernels * rows * rows), 1)
        for first in range(0, len(places), most):
            part = places[first : first + most]
            ends = solve([members[i] for i in part], [tables[i] for i in part], rows)
            solved.update(zip(part, ends, strict=True))
    return [solved[i] for i in range(len(members))]


def padded_sizes(counts: Sequence[int]) -> list[int]:
    """Return the sizes that tables are padded to: one for all, where they are few and alike.

    Compiling a program costs more than solving a few dozen padded tables.
    """
    coarse = [bucket(n, steps=2) for n in counts]
    numbers = len(coarse) * max(coarse) ** 2
    if len(coarse) <= _FEW_TABLES and numbers <= 4 * sum(rows**2 for rows in coarse):
        return [max(coarse)] * len(coarse)
    return coarse


def exact_rows(member: Member) -> int:
    """Return how many rows are solved exactly, for the number of a member's experts."""
    return max(int(np.sqrt(_EXACT / _experts(member))), _LEAST_EXACT)


def most_rows(member: Member) -> int:
    """Return the number of rows to which larger tables are thinned."""
    return int(np.clip(_THINNED / _experts(member), _LEAST_ROWS, _MOST_ROWS))


def _experts(member: Member) -> int:
    prior = member.prior
    return len(prior.kernels) * len(prior.noises) * len(prior.variants)


def solve_large(member: Member, table: Observations, *, screen: bool = True) -> Solved:
    """Solve a table of many rows, in bases of low rank.

    With ``screen``, of kernels and priors those alone that matter on some of the rows.
    """
    import jax

    table = thinned(table, most_rows(member))
    (few,) = solve([member], [thinned(table, _SCREENED)])
    variants = np.arange(len(member.prior.variants))
    if screen:
        member, variants = screened(member, few.log_weights)
    with float64_scope():
        data = _padded(member, table, bucket(len(table), steps=2))
        first = few.table.start[variants][None]
        (start,) = robust_start([member], [data], [table], first)
        made = _smooth_table(member, table, data, start)
        whole = stack([made[0]])
        lanes = jax.tree.map(np.asarray, solve_program(member.layout, member.space)(whole))
    return _solved(member, table, made, jax.tree.map(lambda x: x[0], lanes), start)


def _solved(
    member: Member, table: Observations, made: tuple[Table, Site], lanes: Lanes, start: Start
) -> Solved:
    # A lane that diverged gets no weight instead of spoiling the sum.
    evidence = np.where(np.isfinite(lanes.evidence), lanes.evidence, -np.inf)
    prior = member.prior
    eta = prior.temperature(len(table), start.scale)
    log = eta * (evidence - evidence.max()) + prior.log_weights(len(table), start.scale)
    log = log - log.max()
    # Safe after the shift: the largest term is exactly 1.
    log = log - np.log(np.exp(log).sum())
    return Solved(
        member,
        table,
        made[0],
        lanes,
        made[1],
        start.scale,
        start.theta[start.variant],
        start.variant,
        log,
        start.variance,
    )


def _padded(member: Member, table: Observations, rows: int) -> Data:
    names = member.layout.law.inputs
    inputs = [x / member.unit.get(name, 1.0) for name, x in zip(names, table.inputs, strict=True)]
    return Data(
        tuple(pad_rows(x, rows) for x in inputs),
        {name: pad_rows(code, rows) for name, code in table.codes.items()},
        pad_rows(table.target, rows),
        log_centre(inputs),
        {},
    )


def _table(member: Member, table: Observations, data: Data, start: Start) -> tuple[Table, Site]:
    """Decorrelate a table's errors under every kernel of its prior (host)."""
    n, rows = len(table), len(data.target)
    site = _site(member, data, start, n)
    root = apply_root(_root(table, start), np.eye(n))
    kernels = member.prior.kernels
    basis, spectrum = np.zeros((len(kernels), rows, rows)), np.zeros((len(kernels), rows))
    for k, kernel in enumerate(kernels):
        # Eigenvalues of a covariance are not negative: clipping removes the rounding below zero.
        values, vectors = np.linalg.eigh(root @ covariance(kernel, site, site) @ root.T)
        basis[k, :n, :n] = vectors.T @ root
        spectrum[k, :n] = np.maximum(values, 0.0)
    return _made(member, data, start, (n, basis, spectrum)), site


def _smooth_table(
    member: Member, table: Observations, data: Data, start: Start
) -> tuple[Table, Site]:
    """Decorrelate a large table's errors, in bases of low rank (host)."""
    n, rows = len(table), len(data.target)
    site, root = _site(member, data, start, n), _root(table, start)
    least = (min(member.prior.noises) * start.scale) ** 2
    parts = [smooth_basis(kernel, site, root, least) for kernel in member.prior.kernels]
    # Few ranks, so that few programs are compiled.
    rank = _RANK_STEP * int(np.ceil(max(len(values) for _, values in parts) / _RANK_STEP))
    basis, spectrum = np.zeros((len(parts), rank, rows)), np.zeros((len(parts), rank))
    for k, (vectors, values) in enumerate(parts):
        basis[k, : len(values), :n], spectrum[k, : len(values)] = vectors, values
    made = _made(member, data, start, (n, basis, spectrum))
    return made._replace(root=pad_root(root, rows)), site


def _site(member: Member, data: Data, start: Start, n: int) -> Site:
    """Return the runs as a kernel sees them, by the best variant of the starting fit."""
    fixed = {name: values[start.variant] for name, values in member.fixed.items()}
    return site_of(member, start.theta[start.variant], data._replace(fixed=fixed), n)


def _root(table: Observations, start: Start) -> Root:
    """Return the root of the noise's covariance, relative to that of the starting fit.

    Outliers get larger noise; known errors add to it; rows of one run share half of it.
    """
    variance = start.variance if table.relative is None else start.variance * table.relative
    known = None
    if table.known is not None:
        known = start.variance * (table.known / start.scale) ** 2
    return noise_root(variance, known, table.run)


def _made(
    member: Member, data: Data, start: Start, parts: tuple[int, np.ndarray, np.ndarray]
) -> Table:
    n, basis, spectrum = parts
    return Table(
        data,
        (np.arange(len(data.target)) < n).astype(np.float64),
        basis,
        spectrum,
        (np.array(member.prior.noises) * start.scale) ** 2,
        start.theta,
        member.mean,
        member.sd**-2.0,
        dict(member.fixed),
    )


def whitened_rows(table: Table, kernel: int, noise: int, values: np.ndarray) -> np.ndarray:
    """Return values (n, m) at the runs with one expert's errors whitened, padded (host)."""
    padded = np.zeros((len(table.mask), values.shape[1]))
    padded[: len(values)] = values
    weight = weights(table.mask, table.spectrum[kernel], table.noise[noise], table.root)
    return weight[:, None] * decorrelate(table.basis[kernel], table.root, padded)


class Curves(NamedTuple):
    """Every expert's curve at m points (K, G, P, m), and noise variances (G,).

    ``bend`` and ``parameters`` are the variances that come from the discrepancy and from the
    law's parameters.
    """

    mean: np.ndarray
    bend: np.ndarray
    parameters: np.ndarray
    noise: np.ndarray

    @property
    def variance(self) -> np.ndarray:
        """The curve's variance (K, G, P, m)."""
        return self.bend + self.parameters


def predict(solved: Sequence[Solved], where: Sequence[Any]) -> list[Curves]:
    """Return every expert's curve at points: (inputs, codes) for each table."""
    groups: dict[Any, list[int]] = {}
    for i, each in enumerate(solved):
        # Only tables of the same shapes are lanes of one program.
        groups.setdefault((each.member.program_key, each.table.basis.shape), []).append(i)
    ends: dict[int, Curves] = {}
    for places in groups.values():
        part = _predict([solved[i] for i in places], [where[i] for i in places])
        ends.update(zip(places, part, strict=True))
    return [ends[i] for i in range(len(solved))]


def _predict(solved: Sequence[Solved], where: Sequence[Any]) -> list[Curves]:
    first = solved[0].member
    points = max(bucket(len(inputs[0])) for inputs, _ in where)
    with float64_scope():
        targets = [
            _targets(s, inputs, codes, points)
            for s, (inputs, codes) in zip(solved, where, strict=True)
        ]
        tables = stack(_filled([s.table for s in solved]))
        lanes = stack(_filled([s.lanes for s in solved]))
        curves = predict_program(first.layout, first.space)(tables, lanes, stack(_filled(targets)))
        mean, bend, parameters = (np.asarray(x) for x in curves)
    counts = [len(inputs[0]) for inputs, _ in where]
    return [
        Curves(
            mean[i, ..., :count], bend[i, ..., :count], parameters[i, ..., :count], s.table.noise
        )
        for i, (s, count) in enumerate(zip(solved, counts, strict=True))
    ]


def _targets(
    solved: Solved, inputs: Sequence[np.ndarray], codes: dict[str, np.ndarray], points: int
) -> Targets:
    member, table = solved.member, solved.table
    m = len(inputs[0])
    data = target_data(solved, inputs, codes, points)
    site = site_of(member, solved.start, data, m)
    n, rows = len(solved.observations), len(table.mask)
    kernels = member.prior.kernels
    cross, prior = np.zeros((len(kernels), rows, points)), np.zeros((len(kernels), points))
    for k, kernel in enumerate(kernels):
        cross[k, :n, :m] = covariance(kernel, solved.site, site)
        prior[k, :m] = variance(kernel, site)
    return Targets(data.inputs, data.codes, cross, prior)


def target_data(
    solved: Solved, inputs: Sequence[np.ndarray], codes: dict[str, np.ndarray], points: int
) -> Data:
    """Return points as data of the member's law, padded, with the starting fit's fixed values."""
    member = solved.member
    names = member.layout.law.inputs
    scaled = [
        np.asarray(x, dtype=np.float64) / member.unit.get(name, 1.0)
        for name, x in zip(names, inputs, strict=True)
    ]
    return Data(
        tuple(pad_rows(x, points) for x in scaled),
        {name: pad_rows(np.asarray(code), points) for name, code in codes.items()},
        np.zeros(points),
        solved.table.data.centre,
        {name: values[solved.variant] for name, values in member.fixed.items()},
    )
