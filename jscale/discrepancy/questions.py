"""Forecasting tasks from a past sweep: predict its larger runs from its smaller ones.

Priors are learnt from the answers, and forecasts are evaluated on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

_QUANTILES = (0.35, 0.5, 0.65, 0.8)
_HALF_WAY = 0.45
_SIZES = 0.6
_FEW_FROM = 0.65
_COUNTS = (3, 5, 8, 12, 24)
_LEAST_FIT, _LEAST_HELD = 8, 2
_MANY = 40
_IN_RANGE = 16


class Question(NamedTuple):
    """Rows to fit and rows to predict; ``kind`` is "beyond", "few" or "in range"."""

    name: str
    kind: str
    fit: np.ndarray
    held: np.ndarray


def questions(
    size: np.ndarray, parameters: np.ndarray | None = None, seed: int = 0
) -> Iterator[Question]:
    """Yield the questions of a table of n runs.

    Parameters
    ----------
    size : ndarray, shape (n,)
        What tells small runs from large ones: the compute.
    parameters : ndarray, shape (n,), optional
        Sizes of models, which are then also extrapolated apart from the compute.
    seed : int
        The seed of the runs that are drawn where few are kept.

    Yields
    ------
    Question
        Cuts at quantiles of the size; below one of them 3, 5, 8, 12 and 24 runs, spread evenly;
        and a random quarter held out in range.
    """
    rng = np.random.default_rng(seed)
    seen: set[tuple[int, int]] = set()
    for quantile in _QUANTILES:
        cut = _at(size, quantile)
        question = _beyond(f"C below its {quantile:g} quantile", size, cut, 1.02 * cut)
        # Quantiles of a short table coincide: each split is asked once.
        if question is not None and (len(question.fit), len(question.held)) not in seen:
            seen.add((len(question.fit), len(question.held)))
            yield question
    if len(size) >= _MANY:
        logs = np.log(size)
        cut = float(np.exp(logs.min() + _HALF_WAY * np.ptp(logs)))
        question = _beyond(f"C below {_HALF_WAY:g} of its range", size, cut, 3.0 * cut)
        if question is not None:
            yield question
    if parameters is not None and len(np.unique(parameters)) >= 5:
        # Sizes are few and repeated: quantiles are over distinct ones.
        cut = float(np.quantile(np.unique(parameters), _SIZES))
        question = _beyond("smaller models", parameters, cut, cut)
        if question is not None:
            yield question
    if len(size) >= _IN_RANGE:
        order = rng.permutation(len(size))
        quarter = len(size) // 4
        yield Question("a random quarter", "in range", order[quarter:], order[:quarter])
    yield from _few(size, rng)


def _at(size: np.ndarray, quantile: float) -> float:
    # Slightly above the quantile, so that rounding does not exclude the run that defines it.
    return float(np.exp(np.quantile(np.log(size), quantile))) * 1.0001


def _beyond(name: str, size: np.ndarray, cut: float, start: float) -> Question | None:
    fit, held = np.flatnonzero(size <= cut), np.flatnonzero(size > start)
    enough = len(fit) >= _LEAST_FIT and len(held) >= _LEAST_HELD
    return Question(name, "beyond", fit, held) if enough else None


def _few(size: np.ndarray, rng: np.random.Generator) -> Iterator[Question]:
    cut = _at(size, _FEW_FROM)
    fit, held = np.flatnonzero(size <= cut), np.flatnonzero(size > 1.02 * cut)
    for count in _COUNTS:
        if len(fit) >= 1.3 * count and len(held):
            order = fit[np.argsort(size[fit], kind="stable")]
            # One run from each part of the range, so that few runs still span it.
            rows = np.array([rng.choice(part) for part in np.array_split(order, count)])
            yield Question(f"{count} runs", "few", rows, held)
