"""regime: is a fitted exponent that of a variance limit, or of the resolution of the data?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jscale.arguments import check_level
from jscale.errors import PredictionError, listing
from jscale.fitting.result import Fit
from jscale.uncertainty.automatic import draws as draw
from jscale.uncertainty.draws import Draws, tails

_FIXED = {"variance": 1.0, "variance by width": 0.5}


@dataclass(frozen=True)
class Regime:
    """The regime of an exponent.

    ``name`` is "variance" (1 in the interval), "variance by width" (1/2 in it), "undecided"
    (both), "resolution" (neither, and below 1) or "steeper" (above 1). ``dimension`` is 4/exponent.
    ``tails`` gives, for 1 and 1/2, twice the smaller share of draws on either side.
    """

    name: str
    exponent: float
    interval: tuple[float, float]
    dimension: float
    dimension_interval: tuple[float, float]
    tails: dict[float, float]
    level: float

    def __repr__(self) -> str:
        low, high = self.interval
        near, far = self.dimension_interval
        shares = ", ".join(f"{value:g}: {share:.3g}" for value, share in self.tails.items())
        return (
            f"{self.name}: exponent {self.exponent:.4g} ({100 * self.level:g}% {low:.4g} to "
            f"{high:.4g}); 4/exponent {self.dimension:.4g} ({near:.4g} to {far:.4g}); "
            f"two-sided tail shares {shares}"
        )


def regime(of: Draws | Fit, level: float = 0.9, *, seed: int = 0) -> Regime:
    """Say which regime an exponent is in: variance-limited (1 or 1/2) or resolution-limited.

    Of a law with one exponent (``power_const``, ``resolution_limited``), by whether its interval
    holds 1 or 1/2; 4/exponent is the dimension of the data that it implies if resolution limits
    and the loss is smooth. An interval that holds 1/2 does not exclude resolution at dimension 8.
    A Fit is drawn by :func:`jscale.draws` with ``seed``.

    Raises PredictionError for anything but Draws or a Fit, and for a law without exactly one free
    exponent; JscaleError for a level outside (0, 1).
    Source: Bahri et al., arXiv:2102.06701.

    >>> import jscale as js, numpy as np, pandas as pd
    >>> from jscale.prediction.regimes import regime
    >>> N = np.geomspace(1e3, 1e6, 20)
    >>> wave = 1 + 0.01 * np.sin(7 * np.arange(20))
    >>> table = pd.DataFrame({"N": N, "loss": 9 * N**-0.25 * wave})
    >>> fit = js.fit("power:N", table, loss_unit="other")
    >>> regime(js.laplace(fit, 200)).name
    'resolution'
    """
    check_level(level)
    drawn = draw(of, seed=seed) if isinstance(of, Fit) else of
    if not isinstance(drawn, Draws):
        raise PredictionError(f"regime takes Draws or a Fit, not {type(of).__name__}.")
    column = _exponent(drawn.fit)
    values = drawn.flat[:, column]
    point = float(drawn.fit.params.to_numpy()[column])
    low, high = (float(v) for v in np.quantile(values, tails(level)))
    shares = {v: _two_sided(values, v) for v in _FIXED.values()}
    name = _name(low, high)
    return Regime(name, point, (low, high), 4 / point, (4 / high, 4 / low), shares, level)


def _name(low: float, high: float) -> str:
    held = [name for name, value in _FIXED.items() if low <= value <= high]
    if held:
        return held[0] if len(held) == 1 else "undecided"
    return "steeper" if low > 1 else "resolution"


def _two_sided(values: np.ndarray, at: float) -> float:
    below = float(np.mean(values <= at))
    return min(1.0, 2 * min(below, 1 - below))


def _exponent(fit: Fit) -> int:
    """Return the position of the law's only exponent; raises PredictionError if not one."""
    named = [p.name for p in fit.law.parameters if p.role.name == "exponent"]
    labels = [str(label) for label in fit.params.index]
    found = [i for i, label in enumerate(labels) if label.partition("[")[0] in named]
    if len(found) != 1:
        raise PredictionError(
            f"regime needs a law with one exponent; {fit.law.name} has "
            f"{listing([labels[i] for i in found]) if found else 'none'}. "
            "Fit power_const along one input: power_const:D."
        )
    return found[0]
