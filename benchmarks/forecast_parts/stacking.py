"""Stacking: the weight of each law, from its predictions beyond the runs that it was fitted to.

The evidence is a set of questions, grouped by origin: each law was fitted to the runs up to an
origin and predicted runs beyond it. Later origins count more, since they use nearly all the runs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from jscale.comparison.stacking import stacking_weights

# Factors by which a law's intervals may be widened.
WIDENINGS = (1.0, 1.25, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 6.5, 8.0)
# The prior weights are proportional to the inverse fourth power of the interval score and count
# as much as a tenth of all questions: from a handful of origins, stacking alone would put all the
# weight on a single law.
_PRIOR, _POWER = 0.1, 4.0
# The k-th origin has a weight proportional to k to this power.
_RECENT = 3.0
_LEAST = 0.01
_WORST_SCORE, _WORST_LOG = 1e3, -50.0
_EXACT = 1e-12


@dataclass(frozen=True, eq=False)
class Evidence:
    """What K laws scored on P questions.

    ``parameters`` (K,) counts each law's free ones; ``origin`` (P,) numbers the origin of a
    question, the earliest first. ``log_score`` (K, W, P) is by WIDENINGS, ``interval_score``
    (over the measured number) and ``error`` (absolute, of the logarithm) are (K, P). Without
    ``beyond``, runs were left out one by one: there is no origin to roll.
    """

    laws: tuple[str, ...]
    parameters: np.ndarray
    origin: np.ndarray
    log_score: np.ndarray
    interval_score: np.ndarray
    error: np.ndarray
    beyond: bool = True


def weigh(evidence: Evidence) -> pd.DataFrame:
    """Return a row per law: its parameters, score, error, widening, weight, and why it has none.

    ``score`` is its mean interval score over the measured number and ``error`` its mean absolute
    error of the logarithm (later origins count more), ``widening`` how many times wider its
    intervals would best have been (1 to 8, by log score), ``weight`` that of stacking (Yao et
    al. 2018, doi:10.1214/17-BA1091) with intervals so widened. A law that at no origin beat
    some simpler one has no weight, nor has one with less than a hundredth: ``why`` says so.
    Where runs were left out one by one, weights go by the inverse fourth power of the error.
    """
    return _by_origins(evidence) if evidence.beyond else _by_single_runs(evidence)


def _by_origins(evidence: Evidence) -> pd.DataFrame:
    counts = _counts(evidence.origin)
    scores = np.nan_to_num(evidence.interval_score, nan=_WORST_SCORE, posinf=_WORST_SCORE)
    scores = np.minimum(scores, _WORST_SCORE)
    logs = np.maximum(np.nan_to_num(evidence.log_score, nan=_WORST_LOG), _WORST_LOG)
    mean = scores @ counts
    best = np.argmax(logs @ counts, axis=1)
    widest = np.take_along_axis(logs, best[:, None, None], axis=1)[:, 0]
    why = _never_better(evidence, scores)
    kept = np.flatnonzero([reason == "" for reason in why])
    weights = np.zeros(len(mean))
    prior = _PRIOR * _in_inverse(mean[kept])
    weights[kept] = stacking_weights(widest[kept].T, counts, prior)
    weights = _without_the_least(weights, why)
    error = _errors(evidence) @ counts
    return _frame(evidence, mean, error, np.asarray(WIDENINGS)[best], weights, why)


def _counts(origin: np.ndarray) -> np.ndarray:
    """Each question's share (P,): an origin's is proportional to k³, split among its rows."""
    place, size = np.unique(origin, return_inverse=True, return_counts=True)[1:]
    counts = (place + 1.0) ** _RECENT / size[place]
    return counts / counts.sum()


def _never_better(evidence: Evidence, scores: np.ndarray) -> list[str]:
    """For each law, the simpler law that it never beat, in words; "" if there is none."""
    place = np.unique(evidence.origin, return_inverse=True)[1]
    size = np.bincount(place)
    by_origin = np.stack([np.bincount(place, row) / size for row in scores])
    why = []
    for k, mine in enumerate(by_origin):
        simpler = np.flatnonzero(evidence.parameters < evidence.parameters[k])
        unbeaten = [j for j in simpler if not (mine < by_origin[j]).any()]
        why.append(f"never beat {evidence.laws[unbeaten[0]]}" if unbeaten else "")
    return why


def _by_single_runs(evidence: Evidence) -> pd.DataFrame:
    error = _errors(evidence).mean(axis=1)
    weights = _in_inverse(error)
    why = [""] * len(error)
    weights = _without_the_least(weights, why)
    score = evidence.interval_score.mean(axis=1)
    return _frame(evidence, score, error, np.ones(len(error)), weights, why)


def _in_inverse(error: np.ndarray) -> np.ndarray:
    share = (np.maximum(error, _EXACT) / max(error.min(), _EXACT)) ** -_POWER
    return share / share.sum()


def _without_the_least(weights: np.ndarray, why: list[str]) -> np.ndarray:
    """Return weights with those below a hundredth removed, recorded in ``why``."""
    for k in np.flatnonzero((weights > 0) & (weights < _LEAST)):
        why[k] = f"less than {_LEAST:g} of the weight"
    kept = np.where(weights >= _LEAST, weights, 0.0)
    return kept / kept.sum()


def _errors(evidence: Evidence) -> np.ndarray:
    return np.nan_to_num(evidence.error, nan=_WORST_SCORE, posinf=_WORST_SCORE)


def _frame(
    evidence: Evidence,
    score: np.ndarray,
    error: np.ndarray,
    widening: np.ndarray,
    weight: np.ndarray,
    why: list[str],
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "parameters": evidence.parameters,
            "score": score,
            "error": error,
            "widening": widening,
            "weight": weight,
            "why": why,
        },
        index=pd.Index(evidence.laws, name="law"),
    )
