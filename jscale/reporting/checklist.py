"""The checklist of what a scaling-law study should state, filled in as far as a fit knows.

In four parts, after the survey of (Mis)Fitting (arXiv:2502.18969): hypothesis, training setup,
data collection, fitting. The wording is ours. What a fit cannot know, the author states by key
(``about={"architecture": "…"}``); what nobody stated is shown as not stated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jscale.errors import JscaleError, listing, nearest
from jscale.fitting.result import Fit
from jscale.plots.words import joined, number, with_unit
from jscale.reporting.held_out import HeldOut
from jscale.uncertainty.draws import Draws

NOT_STATED = "not stated"
# By key: the part, and what the study should state.
ITEMS: dict[str, tuple[str, str]] = {
    "form": ("Hypothesis", "Form of the law and its variables"),
    "parameters": ("Hypothesis", "Parameters to fit"),
    "principle": ("Hypothesis", "Principle or source it derives from"),
    "assumptions": ("Hypothesis", "Assumptions: what is fixed, tied, or alike for all groups"),
    "models": ("Training setup", "Number of models, their sizes and data"),
    "data": ("Training setup", "Training data"),
    "repetition": ("Training setup", "Whether data are repeated"),
    "architecture": ("Training setup", "Architecture, and how its shape changes with size"),
    "counting": ("Training setup", "How parameters are counted (embeddings?)"),
    "compute": ("Training setup", "How compute is counted"),
    "hyperparameters": ("Training setup", "How hyper-parameters are chosen, and change with scale"),
    "schedule": ("Training setup", "Learning-rate schedule and warm-up"),
    "code": ("Training setup", "Whether code and checkpoints are open"),
    "checkpoints": ("Data collection", "Checkpoints per run: the last one, or others"),
    "metric": ("Data collection", "Metric and its unit"),
    "evaluation": ("Data collection", "Evaluation data"),
    "processing": ("Data collection", "Smoothing, interpolation, or other changes of values"),
    "values": ("Data collection", "Whether the raw values can be had"),
    "objective": ("Fitting", "Objective and its own numbers"),
    "optimiser": ("Fitting", "Optimiser, and when it stops"),
    "starts": ("Fitting", "Starts: how many, from where, how many agree"),
    "bounds": ("Fitting", "Bounds of parameters"),
    "dropped": ("Fitting", "Rows left out, and why"),
    "uncertainty": ("Fitting", "How intervals were made"),
    "validation": ("Fitting", "How the fit was judged on runs that it did not see"),
    "seed": ("Fitting", "Seed"),
}


@dataclass(frozen=True)
class Item:
    """One thing that a study should state: by whom it was stated, "fit", "author", or ""."""

    key: str
    part: str
    asks: str
    said: str
    by: str


def checklist(
    fit: Fit, draws: Draws, held_out: HeldOut | None = None, about: Mapping[str, Any] | None = None
) -> list[Item]:
    """Return the items in order, filled in from a fit and from what the author says.

    Raises JscaleError for a key that is no item's, or a text that is empty.
    """
    stated = check_about(about)
    known = {**_hypothesis(fit, draws), **_setup(fit), **_fitting(fit, draws, held_out)}
    items = []
    for key, (part, asks) in ITEMS.items():
        both = [text for text in (known.get(key, ""), stated.get(key, "")) if text]
        by = "author" if key in stated else "fit" if both else ""
        items.append(Item(key, part, asks, " ".join(both) or NOT_STATED, by))
    return items


def check_about(about: Mapping[str, Any] | None) -> dict[str, str]:
    """Return what the author states, by key; raises JscaleError for a key that is no item's."""
    if about is None:
        return {}
    if not isinstance(about, Mapping):
        raise JscaleError(
            f"about={about!r} must map items to what you state: "
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
                f"about[{key!r}]={text!r} must be a text; leave the key out where nothing is known."
            )
    return {key: text.strip() for key, text in about.items()}


def _hypothesis(fit: Fit, draws: Draws) -> dict[str, str]:
    s, law = fit.settings, fit.law
    named = [f"{k} = {v:g} fixed" for k, v in s.fixed.items()]
    named += [f"{tie if isinstance(tie, str) else ' = '.join(tie)} tied" for tie in _ties(s.tie)]
    named += [f"{k} has a value for each {v}" for k, v in s.per.items()]
    pool = draws.settings.get("pool") or {}
    named += [f"{k} differs by {v}, drawn from one population" for k, v in pool.items()]
    return {
        "form": f"{law.output} = {law.formula or '(custom)'}, of {joined(law.inputs)}.",
        "parameters": f"{joined(law.names)}; {len(fit.theta)} free numbers.",
        "principle": law.reference,
        "assumptions": "; ".join(named) + "." if named else
        "Nothing fixed or tied; one law for all runs.",
    }  # fmt: skip


def _ties(tie: tuple[Any, ...]) -> list[Any]:
    """Ties as given: names of one tie, or several tuples of names."""
    return [tie] if tie and all(isinstance(t, str) for t in tie) else list(tie)


def _setup(fit: Fit) -> dict[str, str]:
    runs = fit.runs
    ranges = [
        f"{x} from {number(runs[x].min())} to {number(runs[x].max())}" for x in fit.law.inputs
    ]
    several = runs.run is not None and runs.n_independent < len(runs)
    unit = with_unit(runs.output, runs)
    found = {
        "models": f"{runs.n_independent} independent runs: {joined(ranges)}.",
        "counting": {"total": "All parameters.", "non_embedding": "Without embeddings.",
                     None: ""}[runs.count],
        "compute": _compute(fit),
        "checkpoints": f"{len(runs)} rows of {runs.n_independent} runs: several per run."
        if several else "",
        "metric": f"{unit}." if runs.loss_unit != "other" else "",
        "repetition": _repetition(fit),
    }  # fmt: skip
    return {key: text for key, text in found.items() if text}


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
    most = float((runs["D"] / runs["U"]).max())
    if most <= 1:
        return "No data are seen twice."
    return f"Data are seen up to {number(most, 3)} times."


def _fitting(fit: Fit, draws: Draws, held_out: HeldOut | None) -> dict[str, str]:
    s = fit.settings
    agree, count = fit.agree
    close = float(np.mean(fit.search["objective"] <= 1.01 * fit.search["objective"].min()))
    supports = {p.name: p.role.support for p in fit.law.parameters}
    kinds = {"positive": "positive", "fraction": "between 0 and 1"}
    bounded = [
        f"{joined([n for n, kept in supports.items() if kept == support])} {words}"
        for support, words in kinds.items() if support in supports.values()
    ]  # fmt: skip
    dropped = len(fit.runs.dropped)
    return {
        "objective": f"{s.solved}, the sum over rows"
        + (", weighted." if s.weights is not None else "."),
        "optimiser": f"{s.solver.replace('_', '–').title()}, in float64, until a step is below "
        "1e-8 standard deviations.",
        "starts": f"{count} starts ({_starts(s.starts)}); {agree} agree on the best objective to "
        f"1e-8, {100 * close:.0f} % of all come within 1 % of it.",
        "bounds": f"By their roles only: {'; '.join(bounded)}." if bounded else "None.",
        "dropped": f"{dropped} of {dropped + len(fit.runs)} rows were left out, listed above."
        if dropped else "None.",
        "uncertainty": f"{draws.method}, {len(draws)} draws.",
        "validation": "" if held_out is None else held_out.sentence,
        "seed": f"{s.seed} for the starts, {draws.settings.get('seed', NOT_STATED)} for the draws.",
    }  # fmt: skip


def _starts(starts: Any) -> str:
    if isinstance(starts, str):
        return {"auto": "drawn from the roles' ranges"}.get(starts, starts)
    return "drawn from the roles' ranges" if isinstance(starts, int) else "given by the author"
