"""regime: whether a fitted exponent is variance-limited or resolution-limited."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jscale.arguments import check_level
from jscale.errors import PredictionError, listing
from jscale.fitting.result import Fit
from jscale.prediction.predictor import Predictor, only_law
from jscale.prediction.sources import predictor_of
from jscale.uncertainty.draws import Draws, tails

_FIXED = {"variance": 1.0, "variance by width": 0.5}


@dataclass(frozen=True)
class Regime:
    """The regime of an exponent, from :func:`~jscale.prediction.regimes.regime`.

    Attributes
    ----------
    name : str
        "variance" (1 in the interval), "variance by width" (1/2 in it), "undecided" (both),
        "resolution" (neither, and below 1) or "steeper" (above 1).
    exponent : float
        The estimate.
    interval : tuple of float
        Its interval, low and high.
    dimension : float
        4/exponent.
    dimension_interval : tuple of float
        Its interval, low and high.
    tails : dict of float to float
        For 1 and 1/2, twice the smaller share of draws on either side.
    level : float
        The level of the intervals.
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


def regime(source: Draws | Fit | Predictor, level: float = 0.9, *, seed: int = 0) -> Regime:
    """Say which regime an exponent is in: variance-limited (1 or 1/2) or resolution-limited.

    By whether the interval of the exponent holds 1 or 1/2; 4/exponent is the dimension of the data
    that it implies, if resolution limits and the loss is smooth.

    Parameters
    ----------
    source : Draws, Fit or Predictor
        Of one law with one exponent (``power_const``, ``resolution_limited``). A Fit is drawn by
        :func:`jscale.draws`.
    level : float, default 0.9
        The level of the intervals.
    seed : int, default 0
        The seed of a Fit's draws.

    Returns
    -------
    Regime
        The name of the regime, the exponent and the dimension, with their intervals.

    Raises
    ------
    PredictionError
        For any other source, for several laws, and for a law without exactly one free exponent.
    JscaleError
        For a level outside (0, 1).

    Notes
    -----
    An interval that holds 1/2 does not exclude resolution at dimension 8.

    References
    ----------
    Bahri et al., arXiv:2102.06701.

    Examples
    --------
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
    predictor = predictor_of(source, seed=seed, caller="regime")
    component = only_law(predictor, "regime", "Give draws of one law: regime(js.draws(fit)).")
    column = _exponent(component.fit)
    values = component.flat[:, column]
    point = float(component.point[column])
    low, high = (float(v) for v in np.quantile(values, tails(level)))
    shares = {v: _two_sided(values, v) for v in _FIXED.values()}
    return Regime(
        name=_name(low, high),
        exponent=point,
        interval=(low, high),
        dimension=4 / point,
        dimension_interval=(4 / high, 4 / low),
        tails=shares,
        level=level,
    )


def _name(low: float, high: float) -> str:
    """Return the regime of an exponent whose interval is low to high."""
    held = [name for name, value in _FIXED.items() if low <= value <= high]
    if held:
        return held[0] if len(held) == 1 else "undecided"
    return "steeper" if low > 1 else "resolution"


def _two_sided(values: np.ndarray, at: float) -> float:
    """Return twice the smaller share of values on either side of a number."""
    below = float(np.mean(values <= at))
    return min(1.0, 2 * min(below, 1 - below))


def _exponent(fit: Fit) -> int:
    """Return the position of the law's only exponent; raises PredictionError if not one."""
    named = [p.name for p in fit.law.parameters if p.role.name == "exponent"]
    labels = [str(label) for label in fit.params.index]
    places = [i for i, label in enumerate(labels) if label.partition("[")[0] in named]
    if len(places) != 1:
        raise PredictionError(
            f"regime needs a law with one exponent; {fit.law.name} has "
            f"{listing([labels[i] for i in places]) if places else 'none'}. "
            "Fit power_const along one input: power_const:D."
        )
    return places[0]
