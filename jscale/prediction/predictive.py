"""Predictive: the distribution of new runs under a law or a mixture of laws, as weighted samples.

A law gives samples of its curve (its parameters' draws) and of new runs (the curve and a run's
own error), in the objective's space. A mixture gives the weighted samples of all its laws.
Intervals and scores are computed from the samples by the same code for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from jscale.fitting.objective import from_space
from jscale.prediction.log_score import log_score
from jscale.prediction.quantiles import quantiles
from jscale.uncertainty.draws import tails

_SPAN = 10.0


@dataclass(frozen=True, eq=False)
class Samples:
    """One law at points (m,): ``curve`` (m,) at the fit itself, ``curves`` and ``new`` (R, m).

    All are in ``space``; a draw without a value is NaN and is left out of quantiles.
    """

    curve: np.ndarray
    curves: np.ndarray
    new: np.ndarray
    space: str

    def widened(self, factor: Any) -> Samples:
        """Return the samples ``factor`` times as far from their medians: a number, or (m,)."""
        if np.all(np.asarray(factor) == 1.0):
            return self
        return replace(self, curves=_spread(self.curves, factor), new=_spread(self.new, factor))

    def log_score(self, measured: np.ndarray) -> np.ndarray:
        """Return the log density of ln measured (m,) under new runs, in nats."""
        with np.errstate(over="ignore"):
            return log_score(from_space(self.new, self.space), measured)


@dataclass(frozen=True, eq=False)
class Predictive:
    """A mixture of K laws' samples at points (m,), ``weights`` (K, m) adding up to one.

    ``mute`` (m,) marks the points at which no law's samples are informative.
    """

    parts: tuple[Samples, ...]
    weights: np.ndarray
    mute: np.ndarray | None = None

    @classmethod
    def of(cls, samples: Samples) -> Predictive:
        """Return the predictive of one law alone."""
        return cls((samples,), np.ones((1, len(samples.curve))))

    @classmethod
    def mix(cls, parts: Sequence[Samples], weights: np.ndarray) -> Predictive:
        """Mix laws by weights (K, m); a law that is uninformative at a point has no weight there.

        A law is uninformative where its own 90% interval of a new run spans more than a factor of
        ten, or is unbounded: resamples of a flexible law can diverge far out, and even with a
        small weight would widen the mixture's interval. Where all are uninformative, all keep
        their weights.
        """
        says = np.stack([_says_something(part) for part in parts])
        some = (says & (weights > 0)).any(axis=0)
        kept = np.where(says | ~some, weights, 0.0)
        return cls(tuple(parts), kept / kept.sum(axis=0), np.asarray(~some))

    def frame(self, level: float) -> pd.DataFrame:
        """Return the curve and both intervals, equal-tailed at ``level``: a row per point.

        A mixture's curve is the median of its curves' samples, so that a diverging law of little
        weight does not move it; where one law has all the weight, it is that law's own, and where
        no law is informative, the median of the laws' own curves. Without samples, only the curve
        is returned.
        """
        space = self.parts[0].space
        if not any(len(part.curves) for part in self.parts):
            return pd.DataFrame({"curve": from_space(self.parts[0].curve, space)})
        curves = np.concatenate([part.curves for part in self.parts])
        new = np.concatenate([part.new for part in self.parts])
        weights = self._of_samples()
        low, middle, high = tails(level)[0], 0.5, tails(level)[1]
        bounds = quantiles(curves, (low, middle, high), weights)
        curve = bounds[1]
        point_curves = np.stack([part.curve for part in self.parts])
        if self.mute is not None and self.mute.any():
            curve = np.where(self.mute, quantiles(point_curves, (0.5,), self.weights)[0], curve)
        curve = np.where(
            (self.weights == 1.0).any(axis=0),
            point_curves[self.weights.argmax(axis=0), np.arange(point_curves.shape[1])],
            curve,
        )
        ends = quantiles(new, (low, high), weights)
        columns = {
            "curve": curve,
            "confidence_low": bounds[0],
            "confidence_high": bounds[2],
            "prediction_low": ends[0],
            "prediction_high": ends[1],
        }
        with np.errstate(over="ignore"):
            return pd.DataFrame({name: from_space(x, space) for name, x in columns.items()})

    def log_score(self, measured: np.ndarray) -> np.ndarray:
        """Return the log density of ln measured (m,) under the mixture, in nats."""
        from scipy.special import logsumexp

        scores = np.stack([part.log_score(measured) for part in self.parts])
        return np.asarray(logsumexp(scores, axis=0, b=self.weights))

    def pit(self, measured: np.ndarray) -> np.ndarray:
        """Return the share of new runs at or below the measured ones (m,); NaN without any."""
        space = self.parts[0].space
        total, below = np.zeros(len(measured)), np.zeros(len(measured))
        for part, weight in zip(self.parts, self.weights, strict=True):
            with np.errstate(over="ignore"):
                new = from_space(part.new, space)
            usable = ~np.isnan(new)
            each = weight / len(new)
            total += each * usable.sum(axis=0)
            below += each * (usable & (new <= measured)).sum(axis=0)
        return np.divide(below, total, out=np.full(len(measured), np.nan), where=total > 0)

    def _of_samples(self) -> np.ndarray | None:
        """Each sample's own weight (samples, m); None where all are alike."""
        if len(self.parts) == 1:
            return None
        each = [
            np.broadcast_to(w / len(part.new), part.new.shape)
            for part, w in zip(self.parts, self.weights, strict=True)
        ]
        return np.concatenate(each)


def _says_something(part: Samples) -> np.ndarray:
    """Return where a law's 90% interval of a new run spans less than a factor of ten (m,)."""
    with np.errstate(all="ignore"):
        low, high = from_space(quantiles(part.new, (0.05, 0.95)), part.space)
        return (low > 0) & np.isfinite(high) & (high < _SPAN * low)


def _spread(samples: np.ndarray, factor: Any) -> np.ndarray:
    middle = quantiles(samples, (0.5,))[0]
    with np.errstate(invalid="ignore"):
        return middle + factor * (samples - middle)
