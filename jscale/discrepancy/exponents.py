"""Exponents of a prior, learnt from the fits of past sweeps.

A sweep tells an exponent's usual value as far as its runs contract a broad prior. The tight prior's
mean and variance are averaged with those that sweeps tell, its own counting for several sweeps: a
few sweeps move it a little, many decide. Floors and amplitudes are relative to the fitted runs, so
that those of a whole sweep say little of those of its small runs: they stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from jscale.discrepancy.experts import Solved
from jscale.discrepancy.prior import FamilyPrior, Variant

TIGHT, BROAD = "tight", "broad"
# How many sweeps the prior to start from counts for.
STRENGTH = 8.0
# An estimate is taken at most this many broad standard deviations from the broad mean.
_FURTHEST = 3.0
# However much sweeps agree, a standard deviation shrinks to this share at most.
_LEAST = 0.4


@dataclass(frozen=True)
class Told:
    """What one part of a sweep tells of an exponent, as a difference from the broad prior's mean.

    ``share`` is by how much its runs contract the broad prior: 1 where they decide, 0 where not.
    """

    data_set: str
    name: str
    off: float
    variance: float
    share: float


def told_by(solved: Solved, data_set: str) -> list[Told]:
    """Return what a table's experts under the broad prior tell of exponents, if there is one."""
    member = solved.member
    broad = _places(member.prior, BROAD)
    if len(broad) == 0:
        return []
    weights = np.exp(solved.log_weights[:, :, broad])
    weights = weights / weights.sum()
    off = solved.lanes.theta[:, :, broad] - member.mean[broad]
    inner = np.einsum("kgpii->kgpi", solved.lanes.inverse[:, :, broad])
    mean = np.einsum("kgp,kgpi->i", weights, off)
    variance = np.einsum("kgp,kgpi->i", weights, inner + (off - mean) ** 2)
    sd = np.einsum("kgp,pi->i", weights, member.sd[broad])
    mean = np.clip(mean, -_FURTHEST * sd, _FURTHEST * sd)
    share = np.clip(1.0 - variance / sd**2, 0.0, 1.0)
    slots = [slot for slot in member.layout.slots if slot.role.name == "exponent"]
    return [
        Told(data_set, name, float(mean[i]), float(variance[i]), float(share[i]))
        for name, i in ((slot.name, slot.first) for slot in slots)
        if np.isfinite(mean[i]) and np.isfinite(variance[i])
    ]


def learn_exponents(family: FamilyPrior, told: Sequence[Told]) -> FamilyPrior:
    """Return a family's prior with its tight variants moved towards what sweeps tell.

    Data sets weigh alike. Unchanged for a family without tight and broad variants.
    """
    tight, broad = _places(family, TIGHT), _places(family, BROAD)
    if len(tight) == 0 or len(broad) == 0:
        return family
    wide = family.variants[broad[0]].parameters
    moved = {}
    for name, start in family.variants[tight[0]].parameters.items():
        each = [_of_data_set(part) for part in _by_data_set(t for t in told if t.name == name)]
        moved[name] = _average(start, [(wide[name][0] + off, v, w) for off, v, w in each])
    variants = tuple(
        replace(v, parameters={**v.parameters, **moved}) if i in tight else v
        for i, v in enumerate(family.variants)
    )
    return replace(family, variants=variants)


def _places(family: FamilyPrior, label: str) -> np.ndarray:
    """Return the places of the variants of one label, the first word of their names."""

    def of(variant: Variant) -> bool:
        return variant.name.split(",")[0] == label

    return np.flatnonzero([of(variant) for variant in family.variants])


def _by_data_set(told: Iterable[Told]) -> list[list[Told]]:
    sets: dict[str, list[Told]] = {}
    for each in told:
        sets.setdefault(each.data_set, []).append(each)
    return list(sets.values())


def _of_data_set(parts: Sequence[Told]) -> tuple[float, float, float]:
    """Return the mean, the variance around it and the share of one data set's parts."""
    off, variance, share = (
        np.array(x) for x in zip(*((t.off, t.variance, t.share) for t in parts), strict=True)
    )
    weight = np.maximum(share, 1e-9) / np.maximum(share, 1e-9).sum()
    mean = float(weight @ off)
    return mean, float(weight @ (variance + (off - mean) ** 2)), float(share.mean())


def _average(
    start: tuple[float, float], told: Sequence[tuple[float, float, float]]
) -> tuple[float, float]:
    """Return the mean and standard deviation of a start and of what data sets tell, by weight."""
    middle, sd = start
    each = np.array([(middle, sd**2, STRENGTH), *told])
    weight = each[:, 2] / each[:, 2].sum()
    mean = float(weight @ each[:, 0])
    spread = float(weight @ (each[:, 1] + (each[:, 0] - mean) ** 2))
    return mean, max(float(np.sqrt(spread)), _LEAST * sd)
