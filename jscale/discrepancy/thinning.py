"""Large tables: which kernels matter is found on some of the runs, and beyond a size some do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jscale.discrepancy.members import Member, part_of_member
from jscale.discrepancy.observations import Observations

# On the thinned table, kernels and priors with these shares of the weight together are kept,
# rounded up to few sizes, so that few programs are compiled. All rows concentrate weights further.
_MOST_KERNELS, _MOST_VARIANTS = 0.9, 0.99
_KERNELS, _VARIANTS = (4, 8, 12, 16, 24), (2, 6, 12)


def spread_rows(table: Observations, count: int) -> np.ndarray:
    """Return the places of ``count`` rows, evenly spread in the order of the size."""
    n = len(table)
    if n <= count:
        return np.arange(n)
    # The sum of logarithms: the compute, where inputs are N and D.
    logs = [np.log(x) if np.all(x > 0) else x for x in table.inputs]
    order = np.argsort(np.sum(logs, axis=0), kind="stable")
    return np.sort(order[np.linspace(0, n - 1, count).round().astype(int)])


def thinned(table: Observations, count: int) -> Observations:
    """Return a table with at most ``count`` of its rows, evenly spread."""
    rows = spread_rows(table, count)

    def of(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else values[rows]

    return replace(
        table,
        inputs=tuple(x[rows] for x in table.inputs),
        target=table.target[rows],
        codes={name: code[rows] for name, code in table.codes.items()},
        run=of(table.run),
        known=of(table.known),
        relative=of(table.relative),
        rows=rows if table.rows is None else table.rows[rows],
    )


def screened(member: Member, log_weights: np.ndarray) -> tuple[Member, np.ndarray]:
    """Return a member with the kernels and variants that matter, and the places of the variants.

    ``log_weights`` (K, G, P) are those on a thinned table.
    """
    weights = np.exp(log_weights)
    kernels = _leading(weights.sum(axis=(1, 2)), _MOST_KERNELS, _KERNELS)
    variants = _leading(weights.sum(axis=(0, 1)), _MOST_VARIANTS, _VARIANTS)
    return part_of_member(member, kernels, variants), variants


def _leading(weights: np.ndarray, share: float, sizes: tuple[int, ...]) -> np.ndarray:
    """Return the places, in order, of those with most of the weight, rounded up to a size."""
    order = np.argsort(-weights, kind="stable")
    most = int(np.searchsorted(np.cumsum(weights[order]), share * weights.sum())) + 1
    count = next((size for size in sizes if size >= most), len(weights))
    return np.sort(order[:count])
