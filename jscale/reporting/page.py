"""The report: one HTML page with a fit's predictions, their uncertainty, and how it was made.

The page is one file: plots are embedded, and nothing is loaded from elsewhere. All text that came
from a user is escaped by the template, and a policy in the head forbids scripts, except the budget
explorer's, which it allows by its digest.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jscale.arguments import check_level
from jscale.comparison.comparison import Comparison
from jscale.data.files import check_free, write_whole
from jscale.data.runs import Runs
from jscale.errors import ExtrapolationWarning, JscaleError, JscaleWarning
from jscale.fitting.notes import SEVERITIES, Note
from jscale.fitting.result import Fit
from jscale.prediction.predictor import Predictor, parameter_draws
from jscale.prediction.sources import predictor_of, reference_of
from jscale.reporting import checklist, pictures
from jscale.reporting.allocation import allocation
from jscale.reporting.alongside import alongside
from jscale.reporting.answer import answer
from jscale.reporting.content import content as content_of
from jscale.reporting.held_out import check_held_out
from jscale.reporting.recipe import recipe
from jscale.reporting.rendering import rendered
from jscale.reporting.request import Findings, Request
from jscale.uncertainty.automatic import draws as make_draws
from jscale.uncertainty.draws import Draws


@dataclass(frozen=True, eq=False)
class Report:
    """A report on a fit, made by :func:`jscale.report`.

    A notebook shows the page in a frame.

    Attributes
    ----------
    html : str
        The page.
    content : mapping
        What the page says, without the plots: text, tables as text, and the exact prediction.
    path : pathlib.Path or None
        Where the page was written, None if it was not.
    """

    html: str
    content: Mapping[str, Any]
    path: Path | None = None

    def to_json(self) -> str:
        """Return the content as JSON.

        Returns
        -------
        str
            Answer, prediction, facts, tables, notes, checklist and recipe.
        """
        return json.dumps(self.content, indent=1, ensure_ascii=False)

    def __repr__(self) -> str:
        written = f"\nWritten to {self.path}" if self.path is not None else ""
        return "\n".join([f"Report: {self.content['title']}", *self.content["answer"]]) + written

    def _repr_html_(self) -> str:
        # The sandbox keeps even the explorer's script from running inside a notebook.
        return (
            f'<iframe srcdoc="{escape(self.html)}" sandbox="" '
            'style="width:100%;height:40em;border:1px solid #8888"></iframe>'
        )


def report(
    fit: Fit | Draws | Predictor,
    draws: Draws | Predictor | None = None,
    *,
    path: str | Path | None = None,
    comparison: Comparison | None = None,
    held_out: Runs | pd.DataFrame | None = None,
    at: Any = None,
    level: float = 0.9,
    title: str | None = None,
    about: Mapping[str, str] | None = None,
    again: str | None = None,
    seed: int = 0,
    overwrite: bool = False,
) -> Report:
    """Make a report on a fit as one HTML page.

    The page answers first: a prediction with its confidence and prediction interval. It shows the
    data, the law and its estimates, plots, a plan of what to train for a budget (for laws of N and
    D), held-out runs, notes, a checklist for publication, and code that reproduces the page.

    Parameters
    ----------
    fit : Fit, Draws or Predictor
        The fit to report. Draws, or several laws such as a :class:`~jscale.Forecast`, may stand
        in its place: the page then shows the fit that they refer to.
    draws : Draws or Predictor, optional
        What predicts: draws of this fit, which give intervals within its law, or several laws
        fitted to the same runs. By default :func:`jscale.forecast` predicts, and the fitted law is
        shown alongside, with the 1000 draws that :func:`jscale.draws` makes.
    path : str or pathlib.Path, optional
        The HTML file to write; by default none is written.
    comparison : Comparison, optional
        The result of :func:`jscale.compare` for the same runs.
    held_out : Runs or pandas.DataFrame, optional
        Runs that were not fitted, to compare with their predictions. A table has the law's inputs
        and output under their own names, in the units of the fitted runs.
    at : mapping, pandas.DataFrame or Runs, optional
        Where to predict: inputs (``{"N": 70e9, "D": 1.4e12}``; arrays or a table for several
        rows), or for a law of N and D a compute in FLOPs (``{"C": 1e24}``), spent
        compute-optimally. By default ten times the largest fitted compute; a law without compute
        is answered by its exponents.
    level : float, default 0.9
        Level of all intervals, between 0 and 1.
    title : str, optional
        Title of the page.
    about : mapping of str to str, optional
        Statements that a fit cannot know, by item of the checklist, such as
        ``{"architecture": "decoder-only transformer"}``. An unknown item raises an error that
        lists the items.
    again : str, optional
        The command that reproduces the page; by default Python code.
    seed : int, default 0
        Seed of the draws, if none are given.
    overwrite : bool, default False
        Whether to replace a file at ``path``.

    Returns
    -------
    Report
        The page, its content, and where it was written.

    Raises
    ------
    JscaleError
        If the draws belong to another fit, to other runs or to a prior, ``about`` has an unknown
        item, or the level lies outside 0 to 1.
    PredictionError
        If ``fit`` or ``draws`` cannot predict, or the law cannot take the inputs ``at``.
    DataError
        If held-out runs are in another unit or lack the output.
    FileError
        If ``path`` exists and ``overwrite`` is False, or it cannot be written.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> page = js.report(fit, js.laplace(fit, 100), at={"C": 1e13})
    >>> page.content["answer"][0].startswith("At C = 10¹³ FLOPs, spent compute-optimally")
    True
    """
    check_level(level)
    if path is not None:
        check_free(path, overwrite)
    checklist.check_about(about)
    reported, predictor = _reported(fit, draws, seed)
    request = Request(at, level, title, about, held_out, comparison)
    findings = _findings(reported, predictor, request)
    planned = allocation(predictor, level)
    content = content_of(reported, predictor, request, findings)
    content["again"] = recipe(reported, predictor, request) if again is None else again
    content["allocation"] = None if planned is None else planned.content
    shown = list(pictures.pictures(predictor, findings.held_out, comparison, level))
    plan = None if planned is None or planned.plan is None else pictures.of_plan(planned.plan)
    html = rendered(content, shown, plan)
    if path is not None:
        data = html.encode(errors="replace")
        path = write_whole(path, lambda file: file.write(data), overwrite=overwrite)
    return Report(html, _plain(content), path)


def _findings(fit: Fit, predictor: Predictor, request: Request) -> Findings:
    """Compute the answer and the predictions of held-out runs; their warnings become notes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", JscaleWarning)
        # The answer and the tables state how far a prediction extrapolates.
        warnings.simplefilter("ignore", ExtrapolationWarning)
        first = answer(predictor, request.at, request.level)
        held_out = None
        if request.held_out is not None:
            held_out = check_held_out(predictor, request.held_out, request.level)
    notes = []
    for warning in caught:
        if issubclass(warning.category, JscaleWarning):
            notes.append(Note("while-predicting", "caution", str(warning.message), "", ""))
        else:
            # Other people's warnings were only held back.
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
    notes += [] if held_out is None else held_out.notes()
    return Findings(first, held_out, _sorted([*fit.notes, *predictor.notes, *notes]))


def _sorted(notes: Iterable[Note]) -> list[Note]:
    """Return the notes, each once, the most severe first."""
    return sorted(dict.fromkeys(notes), key=lambda note: -SEVERITIES.index(note.severity))


def _reported(
    fit: Fit | Draws | Predictor, draws: Draws | Predictor | None, seed: int
) -> tuple[Fit, Predictor]:
    """Return the fit to report and what predicts for it, drawn from the fit if need be.

    Raises JscaleError for draws of another fit or of a prior.
    """
    source = fit if draws is None else draws
    reported = reference_of(fit, caller="report")
    if isinstance(source, Fit):
        predictor = alongside(make_draws(source, seed=seed), seed)
    else:
        predictor = predictor_of(source, seed=seed, caller="report")
    parameters = parameter_draws(predictor)
    if parameters is None:
        _check_runs(reported, predictor)
    else:
        _check_draws(reported, parameters)
    return reported, predictor


def _check_runs(fit: Fit, predictor: Predictor) -> None:
    """Raise JscaleError for a predictor of other runs than a fit's."""
    if predictor.reference.runs.digest != fit.runs.digest:
        raise JscaleError(
            f"The {type(predictor).__name__} belongs to other runs "
            f"({len(predictor.reference.runs)} rows) than the fit ({len(fit.runs)} rows). Give it "
            "alone: report(predictor)."
        )


def _check_draws(fit: Fit, draws: Draws) -> None:
    """Raise JscaleError for draws of another fit or of a prior."""
    if draws.from_prior:
        raise JscaleError(
            "These are draws from the prior, which have not seen the runs; the page would present "
            "them as results. Give draws from the fit: report(fit, js.draws(fit)), or "
            "report(fit, js.posterior(fit))."
        )
    # Pooled draws are described by a fit of their own; they remember the fit that they came from.
    source = getattr(getattr(draws, "sampled", None), "source", draws.fit)
    same_data = source.law == fit.law and source.runs.digest == fit.runs.digest
    same_optimum = "pool" in draws.settings or np.array_equal(source.theta, fit.theta)
    if source is not fit and not (same_data and same_optimum):
        raise JscaleError(
            f"The draws belong to another fit ({source.law.name}, {len(source.runs)} rows) than "
            f"the one given ({fit.law.name}, {len(fit.runs)} rows): report(draws.fit, draws)."
        )


def _plain(value: Any) -> Any:
    """Return a tree of dataclasses and tuples as plain dicts, lists and text."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return _plain(vars(value)) if hasattr(value, "__dict__") else value
