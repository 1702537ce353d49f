"""Predictor: what `predict`, plans and reports ask of whatever can predict.

Draws of one law and a forecast of several both predict by the same two means: samples of
the curve and of new runs at given rows (a *sampler*, for predictions and scores), and joint draws
of whole functions (*components*, for plans). A class of one's own that has them goes wherever a
fit does; nothing has to be registered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import pandas as pd

from jscale.errors import PredictionError, listing
from jscale.fitting.notes import Note
from jscale.fitting.result import Fit
from jscale.prediction.components import Component
from jscale.prediction.mixture_predictive import MixturePredictive
from jscale.prediction.newruns import NewRun
from jscale.prediction.one_law import POINT_ALONE
from jscale.prediction.predictive import Predictive
from jscale.uncertainty.draws import Draws


class Sampler(Protocol):
    """Samples a predictor's curve and new runs of one kind, at rows of inputs."""

    @property
    def predictor(self) -> Predictor:
        """What predicts: the predictor that was asked, or its own for a new family of runs."""
        ...

    @property
    def notes(self) -> tuple[Note, ...]:
        """What to know of the draws and of the noise of new runs."""
        ...

    @property
    def rows_at_once(self) -> int | None:
        """How many rows :meth:`predictive` should be given at a time; None for all."""
        ...

    def table(self, where: Any, inputs: Mapping[str, Any]) -> pd.DataFrame:
        """Check inputs, given as a table or by name, and return one row for each point.

        Most call :func:`jscale.fitting.points.input_table`. Raises PredictionError.
        """
        ...

    def predictive(self, table: pd.DataFrame, seed: int) -> Predictive | MixturePredictive:
        """Return weighted samples of the curve and of new runs at a table's rows."""
        ...


class Predictor(Protocol):
    """Whatever can predict.

    Two more attributes are used where a predictor has them: ``draws``, the Draws of the parameters
    of its one law, of which reports show estimates; and ``with_law(law)``, which returns the
    predictor with a law of the same parameters in its law's place.
    """

    @property
    def reference(self) -> Fit:
        """The fit whose law takes all the inputs.

        It supplies the runs, the output and its unit, the space of errors and the labels of
        groups; distances beyond the data are measured from its runs.
        """
        ...

    @property
    def method(self) -> str:
        """Where the draws came from, in words."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """What is needed to make the draws again, as plain values."""
        ...

    @property
    def notes(self) -> tuple[Note, ...]:
        """What to know before trusting the predictions."""
        ...

    @property
    def resamples(self) -> str | None:
        """The kind of resampling whose refits the draws are; None where they are not refits.

        Two predictors of the same runs and the same kind are compared draw by draw, since their
        draws by one seed share the errors of the runs.
        """
        ...

    @property
    def components(self) -> tuple[Component, ...]:
        """Joint draws of the function, for plans: one component, or several with weights."""
        ...

    def sampler(self, new_run: NewRun, seed: int) -> Sampler:
        """Return what samples the curve and new runs of a kind; raises PredictionError."""
        ...


def is_within_law(predictor: Predictor) -> bool:
    """Whether a predictor's intervals only cover uncertainty within one law.

    A predictor of one's own says so by an attribute ``within_law``.
    """
    return bool(getattr(predictor, "within_law", False))


def label(predictor: Predictor) -> str:
    """Return where a predictor's intervals came from, in words."""
    within = is_within_law(predictor) and predictor.method != POINT_ALONE
    return f"{predictor.method}, within the law" if within else predictor.method


def parameter_draws(predictor: Predictor) -> Draws | None:
    """Return the draws of the parameters of a predictor's one law, None where it is more."""
    return getattr(predictor, "draws", None)


def only_law(predictor: Predictor, caller: str, instead: str) -> Component:
    """Return a predictor's one component, a law of its parameters alone.

    Raises PredictionError where it has several, or one that is more than a law; ``instead`` says
    what to do about it.
    """
    components = predictor.components
    if len(components) == 1 and components[0].function.law is not None:
        return components[0]
    names = listing([c.name for c in components], 6)
    what = f"{len(components)} laws ({names})" if len(components) > 1 else f"more than {names}"
    raise PredictionError(
        f"{caller} reads the parameters of one law, and this {type(predictor).__name__} has "
        f"{what}. {instead}"
    )
