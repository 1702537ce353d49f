"""All that a page says, as text and tables; the template only lays it out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from jscale.data.columns import GLOSSARY
from jscale.data.runs import Runs
from jscale.fitting.provenance import provenance
from jscale.fitting.result import Fit
from jscale.model.docstring import read_docstring
from jscale.model.law import Law
from jscale.plots import words
from jscale.prediction.components import draw_count
from jscale.prediction.prediction import Prediction
from jscale.prediction.predictor import Predictor, is_within_law, parameter_draws
from jscale.reporting import checklist as checklists
from jscale.reporting import console
from jscale.reporting.held_out import HeldOut
from jscale.reporting.request import Findings, Request
from jscale.uncertainty.bayes import notes as posterior_notes
from jscale.uncertainty.draws import Draws, tails

_MOST_HELD_OUT, _MOST_DROPPED, _MOST_GROUPS = 60, 30, 20


def content(fit: Fit, predictor: Predictor, request: Request, findings: Findings) -> dict[str, Any]:
    """Return what the page says about a fit and its draws, apart from the section on budgets."""
    level = request.level
    draws = parameter_draws(predictor)
    default_title = f"{fit.law.name}: a scaling law of {words.joined(fit.law.inputs)}"
    return {
        "title": request.title or default_title,
        "level": words.percent(level),
        "answer": list(findings.answer.sentences),
        **_prediction(findings.answer.prediction),
        "notes": list(findings.notes),
        "warnings": [note for note in findings.notes if note.severity == "warning"],
        "cautions": [note for note in findings.notes if note.severity == "caution"],
        "data": _data(fit, findings.held_out),
        "dropped": _dropped(fit.runs),
        "law": _law(fit.law),
        "estimates": words.sheet(
            _standard_errors(fit) if draws is None else _estimates(draws, level),
            index="parameter",
        ),
        "derived": words.sheet(fit.derived, index="combination") if len(fit.derived) else None,
        "extras": None if draws is None else _extras(draws, level),
        "method": _how(predictor),
        "priors": None if draws is None else _priors(draws),
        **_held_out(findings.held_out),
        **_comparison(request),
        "checklist": checklists.checklist(fit, predictor, findings.held_out, request.about),
        "exact": _exact(fit),
        "centre": _centre(fit, predictor),
        "made": _made(fit, predictor),
    }


def _prediction(prediction: Prediction | None) -> dict[str, Any]:
    """Return the prediction as a table, if it has several rows, and as exact numbers."""
    if prediction is None:
        return {"answers": None, "prediction": None}
    table = words.sheet(console.prediction_table(prediction)) if len(prediction) > 1 else None
    rows = console.records(prediction.to_frame())
    exact = {"output": prediction.output, "level": prediction.level, "rows": rows}
    return {"answers": table, "prediction": exact}


def _data(fit: Fit, held_out: HeldOut | None) -> list[tuple[str, str]]:
    """Return facts about the fitted runs, by name."""
    runs = fit.runs
    unit = runs.loss_unit if runs.loss_unit != "other" else checklists.NOT_STATED
    counting = {"total": "all parameters", "non_embedding": "without embeddings"}
    return [
        ("Source", runs.source or checklists.NOT_STATED),
        ("Rows fitted", f"{len(runs)}, from {runs.n_independent} independent runs"),
        ("Rows left out", f"{len(runs.dropped)}"),
        ("Held-out rows", "none" if held_out is None else f"{len(held_out.frame)}"),
        *_ranges(fit),
        *_groups(fit),
        ("Unit of the output", unit),
        ("Parameter count", counting.get(str(runs.count), checklists.NOT_STATED)),
        ("Data digest", runs.digest),
    ]


def _ranges(fit: Fit) -> list[tuple[str, str]]:
    """Return the range of each input, of compute and of the output."""
    runs = fit.runs
    names = dict.fromkeys((*fit.law.inputs, *(("C",) if fit.largest else ()), runs.output))
    ranges = []
    for name in names:
        unit = words.unit_of(name) if name != runs.output else runs.loss_unit
        unit = "" if unit == "other" else unit
        low, high = words.number(runs[name].min()), words.number(runs[name].max())
        ranges.append((f"Range of {name}", f"{low} to {high} {unit}".strip()))
    return ranges


def _groups(fit: Fit) -> list[tuple[str, str]]:
    """Return the number of rows of each group, by column."""
    columns = dict.fromkeys((fit.runs.group, *fit.settings.per.values()))
    facts = []
    for column in columns:
        if column is None:
            continue
        counts = fit.runs.frame[column].astype(str).value_counts()
        shown = [f"{label} ({rows})" for label, rows in counts.iloc[:_MOST_GROUPS].items()]
        more = len(counts) - _MOST_GROUPS
        shown += [f"… ({more} more)"] if more > 0 else []
        facts.append((f"Rows by {column}", ", ".join(shown)))
    return facts


def _dropped(runs: Runs) -> words.Sheet | None:
    """Return the rows that were left out, each with its reason."""
    if not len(runs.dropped):
        return None
    reasons = runs.dropped["reason"].astype(str)
    return words.sheet(pd.DataFrame({"reason": reasons}), index="row", most=_MOST_DROPPED)


def _law(law: Law) -> dict[str, Any]:
    """Return the law's formula and source, its symbols, and the prose of its docstring."""
    doc = read_docstring(law.doc)
    symbols = [(x, doc.parameters.get(x) or _meaning(x)) for x in law.inputs]
    symbols += [
        (p.name, doc.parameters.get(p.name) or p.role.meaning or p.role.name)
        for p in law.parameters
    ]
    # The docstring's formula belongs to the text that follows it, such as "with D' = …".
    formula = doc.formula if doc.description or not law.formula else ""
    paragraphs = (doc.summary, formula, *doc.description, *doc.notes)
    return {
        "name": law.name,
        "formula": f"{law.output} = {law.formula or '(custom)'}",
        "source": law.reference or checklists.NOT_STATED,
        "symbols": symbols,
        "doc": [text.replace("`", "") for text in paragraphs if text],
    }


def _meaning(name: str) -> str:
    if name not in GLOSSARY:
        return "an input"
    return f"{GLOSSARY[name].meaning}, in {GLOSSARY[name].unit}"


def _estimates(draws: Draws, level: float) -> pd.DataFrame:
    """Return a row per parameter: estimate, standard error, interval, median and sd of draws."""
    fit, bounds = draws.fit, draws.interval(level).to_numpy()
    medians, spreads = np.median(draws.flat, axis=0), draws.flat.std(axis=0, ddof=1)
    values, errors = fit.params.to_numpy(), fit.stderr.to_numpy()
    rows = {}
    for i, name in enumerate(draws.names):
        text, low, high = words.span(values[i], *bounds[i])
        rows[name] = {
            "estimate": text,
            "standard error": words.number(errors[i], 3),
            f"{words.percent(level)} interval": f"{low} to {high}",
            "median of draws": words.span(float(medians[i]), *bounds[i])[0],
            "sd of draws": words.number(float(spreads[i]), 3),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _standard_errors(fit: Fit) -> pd.DataFrame:
    """Return a row per parameter of the reference law: estimate and standard error."""
    columns = {
        "estimate": [words.number(value) for value in fit.params],
        "standard error": [words.number(error, 3) for error in fit.stderr],
    }
    return pd.DataFrame(columns, index=fit.params.index)


def _extras(draws: Draws, level: float) -> words.Sheet | None:
    """Return what was drawn in addition to the law's parameters, such as the scale of the noise."""
    rows = {}
    for name, values in getattr(draws, "extras", {}).items():
        quantiles = np.quantile(values, [tails(level)[0], 0.5, tails(level)[1]])
        low, median, high = (float(q) for q in quantiles)
        median_text, low_text, high_text = words.span(median, low, high)
        rows[name] = {
            "median of draws": median_text,
            f"{words.percent(level)} interval": f"{low_text} to {high_text}",
        }
    return words.sheet(pd.DataFrame.from_dict(rows, orient="index"), index="name") if rows else None


def _how(predictor: Predictor) -> str:
    """Describe how intervals of predictions and of parameters were computed."""
    draws = parameter_draws(predictor)
    if draws is None:
        return _pooled_method(predictor)
    if is_within_law(predictor):
        return _method(draws)
    return (
        f"Predictions and plans by a forecast ({predictor.method}), whose intervals include the "
        f"chance that the truth departs from the law. Parameters: {_method(draws)}"
    )


def _method(draws: Draws) -> str:
    """Describe how intervals were computed, and draws that need a remark."""
    parts = [f"Intervals by {draws.method}: {len(draws)} draws"]
    remarks = (
        (draws.failed, "failed and were left out"),
        (draws.unsettled, "did not converge and were kept"),
        (draws.switched, "ended in another basin than the fit"),
    )
    parts += [f"{count} {remark}" for count, remark in remarks if count]
    checks = getattr(draws, "checks", None)
    checked = f" Checks: {posterior_notes.checks_table(checks)}." if checks else ""
    # A pooled posterior is described by a centre of its own, not by the fit.
    errors = "" if "pool" in draws.settings else " Standard errors are those of the fit."
    return "; ".join(parts) + f".{checked}{errors}"


def _pooled_method(predictor: Predictor) -> str:
    """Describe how the intervals of a predictor that is more than one law were computed."""
    components, fit = predictor.components, predictor.reference
    return (
        f"Intervals by {predictor.method}: {draw_count(components)} draws of "
        f"{len(components)} weighted functions. Estimates and standard errors are those of "
        f"{fit.law.name} alone."
    )


def _centre(fit: Fit, predictor: Predictor) -> list[tuple[str, str]]:
    """Return the centre of a pooled posterior, which is described by a fit of its own."""
    centre = predictor.reference
    return _exact(centre) if centre is not fit and "pool" in predictor.settings else []


def _priors(draws: Draws) -> words.Sheet | None:
    """Return the priors of the draws, None if they had none."""
    table = getattr(draws, "prior", None)
    return None if table is None else words.sheet(table, index="parameter")


def _held_out(held_out: HeldOut | None) -> dict[str, Any]:
    if held_out is None:
        return {"held_out": None, "held_out_table": None}
    table = words.sheet(held_out.table(), most=_MOST_HELD_OUT)
    return {"held_out": held_out.sentence, "held_out_table": table}


def _comparison(request: Request) -> dict[str, Any]:
    comparison = request.comparison
    if comparison is None:
        return {"comparison": None, "comparison_notes": []}
    scores = console.scores_table(comparison.table, comparison.level)
    notes = list(comparison.notes)
    return {"comparison": words.sheet(scores, index="law"), "comparison_notes": notes}


def _exact(fit: Fit) -> list[tuple[str, str]]:
    """Return the parameters with all their digits."""
    return [(str(name), f"{value:.17g}") for name, value in fit.params.items()]


def _made(fit: Fit, predictor: Predictor) -> list[tuple[str, str]]:
    """Return seeds, settings, versions and digests, by name."""
    settings = ", ".join(f"{k} = {v}" for k, v in predictor.settings.items())
    saved: Mapping[str, Any] = fit.provenance
    facts = [
        ("Objective", f"{fit.settings.solved} = {fit.objective:.17g}"),
        ("Seed of the starts", str(fit.settings.seed)),
        ("Draws", f"{predictor.method}: {settings}"),
        ("Data digest", fit.runs.digest),
        ("Law digest", fit.law.digest),
    ]
    facts += [(k.replace("_", " "), str(v)) for k, v in saved.items() if k != "data_digest"]
    current = provenance()["jscale"]
    # A loaded fit may have been made by another version than the page.
    facts += [("page made by jscale", current)] if saved.get("jscale") != current else []
    return facts
