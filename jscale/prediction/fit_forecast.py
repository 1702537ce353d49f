"""The forecast of a fit: its one law, with the chance that the truth departs from it.

This is what :func:`jscale.predict` and the plans use where they are given a Fit. The choices of the
fit hold: parameters that are fixed, tied or differ by group, and the weights of rows.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from jscale.data.runs import Runs
from jscale.discrepancy.prior import default_prior
from jscale.discrepancy.response import PLAIN
from jscale.errors import DataError, LawError
from jscale.fitting.result import Fit
from jscale.prediction.forecast import Forecast, forecast
from jscale.prediction.forecast_choices import DRAWS
from jscale.prediction.forecast_members import LEAST_RUNS
from jscale.prediction.forecast_noise import solve_laws
from jscale.prediction.named_law import member_of_fit


def default_forecast(fit: Fit, *, draws: int = DRAWS, seed: int = 0) -> Forecast:
    """Return the forecast that reports and ``jscale fit`` show alongside a fit.

    It is :func:`jscale.forecast` with ``laws="auto"`` of the fitted runs, where that takes the
    inputs of the fitted law. Otherwise, or where the fit has parameters that are fixed, tied or
    differ by group, or weights of its own, it is that of the law itself.

    Parameters
    ----------
    fit : Fit
        The fit, which is the forecast's reference.
    draws : int
        How many functions plans draw.
    seed : int
        The seed of those draws.

    Returns
    -------
    Forecast
        The forecast.

    Raises
    ------
    DataError
        For a fit that has no forecast, with the reason.
    """
    s = fit.settings
    if not (s.per or s.fixed or s.tie or s.weights is not None):
        try:
            auto = forecast(fit.runs, draws=draws, seed=seed)
        except (DataError, LawError):
            return forecast_fit(fit, draws=draws, seed=seed)
        if set(auto.reference.law.inputs) == set(fit.law.inputs):
            return replace(auto, fit=fit)
    return forecast_fit(fit, draws=draws, seed=seed)


def forecast_fit(fit: Fit, *, draws: int = DRAWS, seed: int = 0) -> Forecast:
    """Return the forecast of a fit's law from its runs.

    Parameters
    ----------
    fit : Fit
        A fit of three or more runs whose outcomes are positive.
    draws : int
        How many functions plans draw.
    seed : int
        The seed of those draws.

    Returns
    -------
    Forecast
        Of one law, with the fit as its reference.

    Raises
    ------
    DataError
        For a fit that has no forecast, with the reason.
    """
    made = _KEPT.get(fit)
    if made is None:
        made = _KEPT.put(fit, _forecast(fit))
    settings = {**made.settings, "draws": draws, "seed": seed}
    return made if settings == made.settings else replace(made, settings=settings)


class _Kept:
    """The last few forecasts by their fits, so that one fit is not solved for each question."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._made: OrderedDict[int, tuple[Fit, Forecast]] = OrderedDict()

    def get(self, fit: Fit) -> Forecast | None:
        # The fit is kept along with its forecast, so an id names the same object all along.
        kept = self._made.get(id(fit))
        if kept is None:
            return None
        self._made.move_to_end(id(fit))
        return kept[1]

    def put(self, fit: Fit, made: Forecast) -> Forecast:
        self._made[id(fit)] = (fit, made)
        while len(self._made) > self._most:
            self._made.popitem(last=False)
        return made


_KEPT = _Kept(2)


def _forecast(fit: Fit) -> Forecast:
    runs = _with_weight(fit)
    prior = default_prior() if fit.law.output == "loss" else None
    law = member_of_fit(fit, runs, prior)
    settings = {
        "asked": [fit.law.name],
        "laws": [fit.law.name],
        "prior": "weak" if prior is None else prior.digest,
        "response": PLAIN,
        "draws": DRAWS,
        "seed": 0,
    }
    ((laws, experts, trend),) = solve_laws([([law], runs)])
    return Forecast(runs, laws, experts, prior, PLAIN, settings, fit, trend)


def _with_weight(fit: Fit) -> Runs:
    """Return the fitted runs that have weight; raises DataError where there are too few."""
    used = fit.problem.used
    runs = fit.runs if used.all() else fit.runs.where(used)
    if runs.n_independent < LEAST_RUNS:
        raise DataError(
            f"{runs.n_independent} independent runs are too few for a discrepancy; it needs "
            f"{LEAST_RUNS}."
        )
    return runs
