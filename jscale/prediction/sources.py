"""Sources: what predicts for a fit, for draws, or for another predictor."""

from __future__ import annotations

from inspect import getattr_static
from typing import Any

from jscale.errors import DataError, LawError, PredictionError, listing
from jscale.fitting import draw_methods as methods
from jscale.fitting.notes import Note
from jscale.fitting.result import Fit
from jscale.prediction.fit_forecast import forecast_fit
from jscale.prediction.one_law import OneLaw, PointAlone
from jscale.prediction.predictor import Predictor
from jscale.uncertainty.automatic import draws as make_draws
from jscale.uncertainty.draws import Draws

_PARTS = ("reference", "method", "settings", "notes", "resamples", "components", "sampler")


def predictor_of(
    source: Any,
    method: str | None = "auto",
    seed: int = 0,
    *,
    caller: str,
    point: bool = False,
    also: str = "",
    discrepancy: bool = False,
) -> Predictor:
    """Return what predicts for a source: the one place where a Fit becomes a predictor.

    Parameters
    ----------
    source : Fit, Draws or Predictor
        A Fit becomes the forecast of its law, or draws of its parameters by :func:`jscale.draws`.
    method : str or None
        How a Fit's parameters are drawn. A method that is named leaves the discrepancy out; None,
        where ``point`` allows it, takes the point estimate alone.
    seed : int
        The seed of draws.
    caller : str
        The function that was called, for messages.
    point : bool
        Whether the caller can do without draws.
    also : str
        What else the caller accepts, for messages, such as "a FitTable, ".
    discrepancy : bool
        Whether a Fit is forecast with its law's discrepancy. Where it cannot be, draws of the
        parameters take its place, with a note of the reason.

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
        elif discrepancy:
            return _of_fit(source, seed)
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
        f"{caller} takes {also}a Fit, Draws, or another predictor such as a Forecast, not "
        f"{type(source).__name__}.{lacks}"
    )


def _of_fit(fit: Fit, seed: int) -> Predictor:
    try:
        return forecast_fit(fit, seed=seed)
    except (DataError, LawError) as error:
        return OneLaw(make_draws(fit, seed=seed), (within_law_note(error),))


def within_law_note(reason: Exception) -> Note:
    """Return the note on intervals without a discrepancy, and why there is none."""
    return Note(
        "within-the-law",
        "caution",
        f"No discrepancy is allowed for: {reason}",
        "Intervals only cover uncertainty within the law, and are too narrow if it is wrong.",
        "Hold out your largest runs to check them.",
    )


def reference_of(source: Any, *, caller: str) -> Fit:
    """Return the fit whose law takes all of a source's inputs, without drawing a Fit.

    So that arguments are checked before draws are made, which may take long. Raises
    PredictionError for anything that is not a source.
    """
    return source if isinstance(source, Fit) else predictor_of(source, caller=caller).reference


def _has(source: Any, part: str) -> bool:
    """Whether an object has an attribute; properties are not computed."""
    missing = object()
    return getattr_static(source, part, missing) is not missing
