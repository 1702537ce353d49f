"""Errors: a sample of errors, mixed with the Student-t that fits it.

A few residuals say little about their distribution's tails: the ends of a 95% interval from 20 of
them are the outermost two. The distribution of errors is therefore a mixture, as predicted by a
Dirichlet process (Ferguson, Annals of Statistics 1, 1973): a new error is one of the n measured
ones with probability n/(n + 20), and else comes from a Student-t whose scale and degrees of
freedom are drawn from their posterior (prior of the freedom: Gamma(2, 0.1),
Juárez and Steel, Journal of Business & Economic Statistics 28, 2010).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jscale.fitting.statistics import robust_spread

# Weight of the Student-t, in numbers of errors. With it intervals of new runs at 50, 80 and 95%
# (20 and 60 runs, normal and t(3) errors, Huber and least squares, two laws; 240 runs by Huber)
# covered within 3 points, but for five parameters from 20 runs by Huber: 4 and 5 too much.
PRIOR_RUNS = 20.0
_FREEDOMS = np.array([1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 25.0, 50.0, 200.0])
_SCALES = 81
_BEYOND = 1.5


@dataclass(frozen=True, eq=False)
class Errors:
    """A distribution of errors: ``values`` (n,) with ``shares`` (n,) of one, and a Student-t.

    ``tail`` is the probability that an error comes from the Student-t around ``centre``, whose
    ``scale`` and ``freedom`` (K,) are drawn with probabilities ``chance`` (K,).
    """

    values: np.ndarray
    shares: np.ndarray
    tail: float
    centre: float
    scale: np.ndarray
    freedom: np.ndarray
    chance: np.ndarray

    @classmethod
    def of(
        cls,
        values: np.ndarray,
        shares: np.ndarray,
        spare: float,
        count: float,
        tail: float | None = None,
        centre: float = 0.0,
    ) -> Errors:
        """Learn the distribution of errors from a sample (n,) of ``count`` independent ones.

        ``spare`` are the degrees of freedom left after the parameters: the weight of the sample's
        likelihood. ``tail`` is 0 for the sample alone, 1 for the Student-t alone.
        """
        tail = PRIOR_RUNS / (PRIOR_RUNS + count) if tail is None else tail
        scale, freedom, chance = _posterior(values - centre, shares * spare)
        tail = tail if len(scale) else 0.0
        return cls(values, shares, tail, centre, scale, freedom, chance)

    @property
    def spread(self) -> float:
        """A robust standard deviation of the sample."""
        return _spread(self.values - self.centre)

    @property
    def typical_freedom(self) -> float:
        """The Student-t's median degrees of freedom, infinite where the sample has no error."""
        if not len(self.freedom):
            return np.inf
        order = np.argsort(self.freedom)
        total = np.cumsum(self.chance[order])
        return float(self.freedom[order][np.searchsorted(total, 0.5)])

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Draw errors of the given shape."""
        if self.tail >= 1.0:
            return self._of_the_tail(shape, rng)
        drawn = rng.choice(self.values, size=shape, p=self.shares)
        if self.tail > 0.0:
            beyond = rng.random(shape) < self.tail
            drawn[beyond] = self._of_the_tail((int(beyond.sum()),), rng)
        return drawn

    def _of_the_tail(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        which = rng.choice(len(self.chance), size=shape, p=self.chance)
        return self.centre + self.scale[which] * rng.standard_t(self.freedom[which])


def _spread(values: np.ndarray) -> float:
    """1.4826 times the median size, or the root mean square if over half of them are zero."""
    robust = robust_spread(values)
    return robust if robust > 0 else float(np.sqrt(np.mean(values**2)))


def _posterior(values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return scales, degrees of freedom (K,) and their probabilities, on a grid."""
    from scipy.special import gammaln

    ends = np.array([_spread(values), np.sqrt(np.mean(values**2))])
    if not (ends > 0).all():
        return np.empty(0), np.empty(0), np.empty(0)
    # The grid covers both the robust and the plain scale, which heavy tails set apart.
    low, high = np.log(ends.min()) - _BEYOND, np.log(ends.max()) + _BEYOND
    scale = np.exp(np.linspace(low, high, _SCALES))
    square = (values[:, None] / scale) ** 2
    chance = np.empty((len(_FREEDOMS), _SCALES))
    # The grid of freedoms is uneven: its spacing is part of the prior mass.
    prior = np.log(np.gradient(_FREEDOMS)) + np.log(_FREEDOMS) - 0.1 * _FREEDOMS
    for k, v in enumerate(_FREEDOMS):
        constant = gammaln((v + 1) / 2) - gammaln(v / 2) - 0.5 * np.log(v)
        log_density = constant - 0.5 * (v + 1) * np.log1p(square / v) - np.log(scale)
        chance[k] = weights @ log_density + prior[k]
    chance = np.exp(chance - chance.max())
    freedom = np.repeat(_FREEDOMS, _SCALES)
    return np.tile(scale, len(_FREEDOMS)), freedom, (chance / chance.sum()).ravel()
