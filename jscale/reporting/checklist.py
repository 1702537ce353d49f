"""The checklist of what a scaling-law study should state, filled in as far as the fit knows.

Its four parts follow the survey (Mis)Fitting (arXiv:2502.18969): hypothesis, training setup, data
collection, fitting; the wording is our own. What a fit cannot know, the author states by key
(``about={"architecture": "…"}``). Everything else is shown as not stated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jscale.errors import JscaleError, listing, nearest
from jscale.fitting.result import Fit
from jscale.plots.words import joined, number, with_unit
from jscale.prediction.components import draw_count
from jscale.prediction.predictor import Predictor
from jscale.prediction.sources import predictor_of
from jscale.reporting.held_out import HeldOut
from jscale.uncertainty.draws import Draws

NOT_STATED = "not stated"
# The part and the item, by key.
ITEMS: dict[str, tuple[str, str]] = {
    "form": ("Hypothesis", "Form of the law and its variables"),
    "parameters": ("Hypothesis", "Parameters to fit"),
    "principle": ("Hypothesis", "Principle or source of the law"),
    "assumptions": ("Hypothesis", "Assumptions: parameters fixed, tied, or shared by groups"),
    "models": ("Training setup", "Number of models, their sizes and amounts of data"),
    "data": ("Training setup", "Training data"),
    "repetition": ("Training setup", "Whether data are repeated"),
    "architecture": ("Training setup", "Architecture, and how its shape changes with size"),
    "counting": ("Training setup", "How parameters are counted (embeddings?)"),
    "compute": ("Training setup", "How compute is counted"),
    "hyperparameters": ("Training setup", "How hyper-parameters are chosen and scaled"),
    "schedule": ("Training setup", "Learning-rate schedule and warm-up"),
    "code": ("Training setup", "Availability of code and checkpoints"),
    "checkpoints": ("Data collection", "Checkpoints used per run"),
    "metric": ("Data collection", "Metric and its unit"),
    "evaluation": ("Data collection", "Evaluation data"),
    "processing": ("Data collection", "Smoothing, interpolation or other processing"),
    "values": ("Data collection", "Availability of the raw values"),
    "objective": ("Fitting", "Objective and its parameters"),
    "optimiser": ("Fitting", "Optimiser and stopping criterion"),
    "starts": ("Fitting", "Starts: number, origin, agreement"),
    "bounds": ("Fitting", "Bounds of parameters"),
    "dropped": ("Fitting", "Rows left out, and why"),
    "uncertainty": ("Fitting", "How intervals were computed"),
    "validation": ("Fitting", "Validation on held-out runs"),
    "seed": ("Fitting", "Seed"),
}


@dataclass(frozen=True)
class Item:
    """One item of the checklist.

    Attributes
    ----------
    key : str
        Its name in ``about``.
    part : str
        The part of the checklist.
    item : str
        What a study should state.
    statement : str
        What is stated.
    by : str
        Who states it: ``"fit"``, ``"author"`` or, if nobody does, ``""``.
    """

    key: str
    part: str
    item: str
    statement: str
    by: str


def checklist(
    fit: Fit,
    source: Draws | Predictor,
    held_out: HeldOut | None = None,
    about: Mapping[str, Any] | None = None,
) -> list[Item]:
    """Return the items in order, filled in from a fit and from the author's statements.

    Raises JscaleError for an unknown key or an empty text.
    """
    stated = check_about(about)
    predictor = predictor_of(source, caller="report")
    known = {**_hypothesis(fit, predictor), **_setup(fit), **_fitting(fit, predictor, held_out)}
    items = []
    for key, (part, item) in ITEMS.items():
        texts = [text for text in (known.get(key, ""), stated.get(key, "")) if text]
        by = "author" if key in stated else "fit" if texts else ""
        items.append(Item(key, part, item, " ".join(texts) or NOT_STATED, by))
    return items


def check_about(about: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the author's statements by key; raises JscaleError for an unknown key."""
    if about is None:
        return {}
    if not isinstance(about, Mapping):
        raise JscaleError(
            f"about={about!r} must map items of the checklist to texts: "
            'about={"architecture": "decoder-only transformer"}.'
        )
    for key, text in about.items():
        if key not in ITEMS:
            raise JscaleError(
                f"about has no item {key!r}.{nearest(str(key), ITEMS)} "
                f"Use {listing(list(ITEMS), 40)}."
            )
        if not (isinstance(text, str) and text.strip()):
            raise JscaleError(
                f"about[{key!r}]={text!r} must be a text; omit the key if there is nothing to "
                "state."
            )
    return {key: text.strip() for key, text in about.items()}


def _hypothesis(fit: Fit, predictor: Predictor) -> dict[str, str]:
    s, law = fit.settings, fit.law
    assumed = [f"{k} = {v:g} fixed" for k, v in s.fixed.items()]
    ties = _ties(tuple(s.tie))
    assumed += [f"{tie if isinstance(tie, str) else ' = '.join(tie)} tied" for tie in ties]
    assumed += [f"{k} has one value per {v}" for k, v in s.per.items()]
    pool = predictor.settings.get("pool") or {}
    assumed += [f"{k} varies by {v} within one population" for k, v in pool.items()]
    assumptions = "; ".join(assumed) or "Nothing fixed or tied; the same law for all runs"
    return {
        "form": f"{law.output} = {law.formula or '(custom)'}, a law of {joined(law.inputs)}.",
        "parameters": f"{joined(law.names)}; {len(fit.theta)} free values.",
        "principle": law.reference,
        "assumptions": f"{assumptions}.",
    }


def _ties(tie: tuple[Any, ...]) -> list[Any]:
    """Return a list of ties, given the names of one tie or several tuples of names."""
    return [tie] if tie and all(isinstance(t, str) for t in tie) else list(tie)


def _setup(fit: Fit) -> dict[str, str]:
    runs = fit.runs
    ranges = [
        f"{x} from {number(runs[x].min())} to {number(runs[x].max())}" for x in fit.law.inputs
    ]
    several = runs.run is not None and runs.n_independent < len(runs)
    unit = with_unit(runs.output, runs)
    counting = {"total": "All parameters.", "non_embedding": "Without embeddings.", None: ""}
    rows = f"{len(runs)} rows of {runs.n_independent} runs: several per run."
    statements = {
        "models": f"{runs.n_independent} independent runs: {joined(ranges)}.",
        "counting": counting[runs.count],
        "compute": _compute(fit),
        "checkpoints": rows if several else "",
        "metric": f"{unit}." if runs.loss_unit != "other" else "",
        "repetition": _repetition(fit),
    }
    return {key: text for key, text in statements.items() if text}


def _compute(fit: Fit) -> str:
    runs = fit.runs
    if not {"N", "D", "C"} <= set(runs.inputs):
        return ""
    ratio = runs["C"] / (6 * runs["N"] * runs["D"])
    if np.allclose(ratio, 1.0, rtol=1e-6):
        return "C = 6·N·D."
    return f"C is {number(ratio.min(), 3)} to {number(ratio.max(), 3)} times 6·N·D."


def _repetition(fit: Fit) -> str:
    runs = fit.runs
    if not {"D", "U"} <= set(runs.inputs):
        return ""
    epochs = float((runs["D"] / runs["U"]).max())
    if epochs <= 1:
        return "No data are repeated."
    return f"Up to {number(epochs, 3)} epochs over the same data."


def _fitting(fit: Fit, predictor: Predictor, held_out: HeldOut | None) -> dict[str, str]:
    s = fit.settings
    dropped = len(fit.runs.dropped)
    seed = predictor.settings.get("seed", NOT_STATED)
    left_out = f"{dropped} of {dropped + len(fit.runs)} rows were left out, as listed above."
    weighted = "" if s.weights is None else "weighted "
    return {
        "objective": f"{s.solved}, as a {weighted}sum over rows.",
        "optimiser": f"{s.solver.replace('_', '–').title()} in float64, until the step is below "
        "1e-8 standard deviations.",
        "starts": _starts(fit),
        "bounds": _bounds(fit),
        "dropped": left_out if dropped else "None.",
        "uncertainty": f"{predictor.method}, {draw_count(predictor.components)} draws.",
        "validation": "" if held_out is None else held_out.sentence,
        "seed": f"{s.seed} for the starts, {seed} for the draws.",
    }


def _starts(fit: Fit) -> str:
    starts, (agree, count) = fit.settings.starts, fit.agree
    objective = fit.search["objective"]
    close = float(np.mean(objective <= 1.01 * objective.min()))
    if isinstance(starts, int) or starts == "auto":
        origin = "drawn from the ranges of the parameters' roles"
    else:
        origin = starts if isinstance(starts, str) else "given by the author"
    return (
        f"{count} starts ({origin}); {agree} agree on the best objective to 1e-8, and "
        f"{100 * close:.0f}% of all come within 1% of it."
    )


def _bounds(fit: Fit) -> str:
    """Describe the supports that the roles of the parameters impose."""
    names: dict[str, list[str]] = {}
    for parameter in fit.law.parameters:
        names.setdefault(parameter.role.support, []).append(parameter.name)
    meanings = {"positive": "positive", "fraction": "between 0 and 1"}
    bounded = [f"{joined(names[s])} {text}" for s, text in meanings.items() if s in names]
    return f"Those of the parameters' roles: {'; '.join(bounded)}." if bounded else "None."
