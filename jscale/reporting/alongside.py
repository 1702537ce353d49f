"""Alongside: a forecast that predicts, with draws of the fitted law that is shown next to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jscale.errors import DataError, LawError
from jscale.fitting.notes import Note
from jscale.fitting.result import Fit
from jscale.prediction.components import Component
from jscale.prediction.fit_forecast import default_forecast
from jscale.prediction.forecast import Forecast
from jscale.prediction.newruns import NewRun
from jscale.prediction.one_law import OneLaw
from jscale.prediction.predictor import Predictor, Sampler
from jscale.prediction.sources import within_law_note
from jscale.uncertainty.draws import Draws

# How many functions the plans of a page draw.
_FUNCTIONS = 300


@dataclass(frozen=True, eq=False)
class Alongside:
    """A forecast as a predictor, with the draws of the fit that it refers to.

    Attributes
    ----------
    forecast : Forecast
        What predicts.
    draws : Draws
        Draws of the fitted law's parameters, for its estimates.
    """

    forecast: Forecast
    draws: Draws

    @property
    def reference(self) -> Fit:
        """The fit."""
        return self.forecast.reference

    @property
    def method(self) -> str:
        """That of the forecast."""
        return self.forecast.method

    @property
    def settings(self) -> Mapping[str, Any]:
        """Those of the forecast."""
        return self.forecast.settings

    @property
    def notes(self) -> tuple[Note, ...]:
        """Those of the forecast and of the draws."""
        return (*self.forecast.notes, *self.draws.notes)

    @property
    def resamples(self) -> None:
        """None: draws of a forecast are not refits."""
        return None

    @property
    def components(self) -> tuple[Component, ...]:
        """Those of the forecast."""
        return self.forecast.components

    def sampler(self, new_run: NewRun, seed: int) -> Sampler:
        """Return that of the forecast.

        Parameters
        ----------
        new_run : NewRun
            What is asked of new runs.
        seed : int
            Without effect.

        Returns
        -------
        Sampler
            What predicts the curve and new runs.
        """
        return self.forecast.sampler(new_run, seed)


def alongside(draws: Draws, seed: int = 0) -> Predictor:
    """Return the default forecast of a fit, with its draws alongside.

    Where the fit has no forecast, the draws alone predict.
    """
    try:
        return Alongside(default_forecast(draws.fit, draws=_FUNCTIONS, seed=seed), draws)
    except (DataError, LawError) as error:
        return OneLaw(draws, (within_law_note(error),))
