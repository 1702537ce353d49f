"""Predictor: what `predict`, plans and reports ask of whatever can predict.

Draws of one law, an ensemble of laws and a forecast all predict by the same two means: samples of
the curve and of new runs at given rows (a *sampler*, for predictions and scores), and joint draws
of whole functions (*components*, for plans). A class of one's own that has them goes wherever a
fit does; nothing has to be registered.
"""

from __future__ import annotations

from collections.abc import Mapping
from inspect import getattr_static
from typing import Any, Protocol

import pandas as pd

from jscale.errors import PredictionError, listing
from jscale.fitting import draw_methods as methods
from jscale.fitting.notes import Note
from jscale.fitting.result import Fit
from jscale.prediction.components import Component
from jscale.prediction.mixture_predictive import MixturePredictive
from jscale.prediction.newruns import NewRun
from jscale.prediction.one_law import OneLaw, PointAlone
from jscale.prediction.predictive import Predictive
from jscale.uncertainty.automatic import draws as make_draws
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


_PARTS = ("reference", "method", "settings", "notes", "resamples", "components", "sampler")


def predictor_of(
    source: Any,
    method: str | None = "auto",
    seed: int = 0,
    *,
    caller: str,
    point: bool = False,
    also: str = "",
) -> Predictor:
    """Return what predicts for a source: the one place where a fit is drawn by its method.

    Parameters
    ----------
    source : Fit, Draws or Predictor
        A Fit is drawn by :func:`jscale.draws`.
    method : str or None
        How a Fit is drawn; None, where ``point`` allows it, takes its point estimate alone.
    seed : int
        The seed of those draws.
    caller : str
        The function that was called, for messages.
    point : bool
        Whether the caller can do without draws.
    also : str
        What else the caller accepts, for messages, such as "a FitTable, ".

    Returns
    -------
    Predictor

    Raises
    ------
    PredictionError
        For any other source, an unknown method, or a method for a predictor that has its draws.
    """
    if isinstance(source, Fit):
        if method is None and point:
            return PointAlone(source)
        if method != methods.AUTO:
            methods.get(method, error=PredictionError, others=(methods.AUTO,))
        return OneLaw(make_draws(source, str(method), seed=seed))
    if isinstance(source, Draws):
        return OneLaw(source)
    missing = [part for part in _PARTS if not _has(source, part)]
    if not missing:
        if method != "auto":
            raise PredictionError(
                f"method={method!r} is for a Fit: this {type(source).__name__} has its draws. "
                "Leave it out."
            )
        return source
    # The author of a predictor needs to know what it lacks; others, what is accepted.
    lacks = "" if len(missing) == len(_PARTS) else f" It lacks {listing(missing)}."
    raise PredictionError(
        f"{caller} takes {also}a Fit, Draws, or another predictor such as an Ensemble, not "
        f"{type(source).__name__}.{lacks}"
    )


def reference_of(source: Any, *, caller: str) -> Fit:
    """Return the fit whose law takes all of a source's inputs, without drawing a Fit.

    So that arguments are checked before draws are made, which may take long. Raises
    PredictionError for anything that is not a source.
    """
    return source if isinstance(source, Fit) else predictor_of(source, caller=caller).reference


def parameter_draws(predictor: Predictor) -> Draws | None:
    """Return the draws of the parameters of a predictor's one law, None where it is more."""
    return getattr(predictor, "draws", None)


def _has(source: Any, part: str) -> bool:
    """Whether an object has an attribute; properties are not computed."""
    missing = object()
    return getattr_static(source, part, missing) is not missing


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
