"""The uncertainty methods that jscale has, registered under the names that ``method=`` takes."""

from __future__ import annotations

from functools import partial

from jscale.data.resampling import count_units
from jscale.fitting.draw_methods import register_method
from jscale.fitting.result import Fit
from jscale.fitting.t_draws import t_draws
from jscale.uncertainty.bootstrap import bootstrap
from jscale.uncertainty.draws import Draws
from jscale.uncertainty.jackknife import jackknife
from jscale.uncertainty.laplace import laplace


@register_method(
    "bayesian",
    words="refits of randomly weighted runs",
    resampled=True,
    weigh=partial(count_units, smooth=True),
)
def _bayesian(fit: Fit, draws: int, seed: int, progress: bool) -> Draws:
    return bootstrap(fit, draws, kind="bayesian", seed=seed, progress=progress)


@register_method("bootstrap", words="refits of resampled runs", resampled=True, weigh=count_units)
def _bootstrap(fit: Fit, draws: int, seed: int, progress: bool) -> Draws:
    return bootstrap(fit, draws, seed=seed, progress=progress)


@register_method("laplace", words="the normal approximation", approximate=t_draws)
def _laplace(fit: Fit, draws: int, seed: int, progress: bool) -> Draws:
    return laplace(fit, draws, seed=seed)


@register_method("jackknife", words="derivatives in place of refits")
def _jackknife(fit: Fit, draws: int, seed: int, progress: bool) -> Draws:
    return jackknife(fit, draws, seed=seed)
