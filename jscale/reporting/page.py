"""report: one page of HTML that says what a fit found, how sure it is, and how it was made.

The page is one file: pictures are inside it, and nothing is loaded from elsewhere. All text that
came from a user is escaped by the template, and a policy in its head forbids scripts, but for the
one of the budget explorer, which it knows by its digest.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jscale.arguments import check_level
from jscale.comparison.comparison import Comparison
from jscale.data.columns import GLOSSARY
from jscale.data.files import check_free, write_whole
from jscale.data.runs import Runs
from jscale.errors import ExtrapolationWarning, JscaleError, JscaleWarning
from jscale.fitting.notes import SEVERITIES, Note
from jscale.fitting.provenance import provenance
from jscale.fitting.result import Fit
from jscale.model.docstring import read_docstring
from jscale.plots import words
from jscale.reporting import checklist as checklists
from jscale.reporting import console, explorer, pictures
from jscale.reporting.allocation import allocation
from jscale.reporting.answer import Answer, answer
from jscale.reporting.held_out import HeldOut, check_held_out
from jscale.reporting.recipe import recipe
from jscale.uncertainty import automatic
from jscale.uncertainty.bayes import notes as verdicts
from jscale.uncertainty.draws import Draws, tails

_MOST_HELD_OUT, _MOST_DROPPED = 60, 30


@dataclass(frozen=True, eq=False)
class Report:
    """A report: the page as ``html``, its ``content`` without pictures, and where it was written.

    ``path`` is None where it was not written. In a notebook it shows the page in a frame.
    """

    html: str
    content: Mapping[str, Any]
    path: Path | None = None

    def to_json(self) -> str:
        """Return the content as JSON: answer, facts, tables as text, notes, checklist, recipe."""
        return json.dumps(self.content, indent=1, ensure_ascii=False)

    def __repr__(self) -> str:
        where = f"\nWritten to {self.path}" if self.path is not None else ""
        return "\n".join([f"Report: {self.content['title']}", *self.content["answer"]]) + where

    def _repr_html_(self) -> str:
        from html import escape

        return (
            f'<iframe srcdoc="{escape(self.html)}" sandbox="" '
            'style="width:100%;height:40em;border:1px solid #8888"></iframe>'
        )


def report(
    fit: Fit,
    draws: Draws | None = None,
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
    """Make a one-page report of a fit, and write it to ``path`` where one is given.

    ``draws`` are of this fit (default: the 1000 that :func:`predict` takes, with ``seed``).
    ``at`` is where to answer: inputs (``{"N": 70e9, "D": 1.4e12}``, several as arrays or a
    table), or a compute (``{"C": 1e24}``, spent as the fit calls best); by default ten times the
    largest compute fitted, or the exponents of a law without compute. ``held_out`` are runs that
    the fit did not see, ``comparison`` is that of :func:`compare`. ``about`` states what a fit
    cannot know, by item of :mod:`jscale.reporting.checklist`; ``again`` is the command that makes
    the page again (default: Python code).

    Raises JscaleError for draws of another fit or of a prior, an unknown item or a level outside
    (0, 1), PredictionError for inputs that the law cannot take, DataError for held-out runs in
    another unit, FileError if ``path`` exists and ``overwrite`` is False, or cannot be written.

    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> page = report(fit, js.bootstrap(fit, 64), at={"C": 1e13})
    >>> page.content["answer"][0].startswith("At C = 10¹³ FLOPs, spent as the fit calls best")
    True
    """
    check_level(level)
    if path is not None:
        check_free(path, overwrite)
    checklists.check_about(about)
    draws = _draws_of(fit, draws, seed)
    heard: list[Note] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", JscaleWarning)
        # How far a prediction lies is said beside it.
        warnings.simplefilter("ignore", ExtrapolationWarning)
        found = answer(draws, at, level)
        held = None if held_out is None else check_held_out(draws, held_out, level)
    for warning in caught:
        if issubclass(warning.category, JscaleWarning):
            heard.append(Note("while-predicting", "caution", str(warning.message), "", ""))
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
    notes = _notes(fit, draws, [*heard, *([] if held is None else held.notes())])
    content = _content(fit, draws, found, held, comparison, notes, level, title, about)
    content["again"] = again if again is not None else recipe(
        fit, draws, at, level, title=title, about=about, held_out=held_out, comparison=comparison
    )  # fmt: skip
    planned = allocation(draws, level)
    content["allocation"] = None if planned is None else planned.content
    shown = list(pictures.pictures(draws, held, comparison, level))
    plan = None if planned is None or planned.plan is None else pictures.of_plan(planned.plan)
    html = _rendered({**content, "pictures": shown, "plan_picture": plan})
    if path is not None:
        path = write_whole(
            path, lambda file: file.write(html.encode(errors="replace")), overwrite=overwrite
        )
    return Report(html, _plain(content), path)


def _draws_of(fit: Fit, draws: Draws | None, seed: int) -> Draws:
    """Return the draws, or make them; raises JscaleError for another fit's, or a prior's."""
    if not isinstance(fit, Fit):
        raise JscaleError(f"report takes a Fit, not {type(fit).__name__}: report(fit, draws).")
    if draws is None:
        return automatic.draws(fit, seed=seed)
    if not isinstance(draws, Draws):
        raise JscaleError(
            f"draws must be Draws, not {type(draws).__name__}: report(fit, js.bootstrap(fit))."
        )
    if draws.method == "prior":
        raise JscaleError(
            "These are draws from the prior, before any run is seen; a page would show them as "
            "what the runs say. Give draws that have seen them: report(fit, js.draws(fit)), or "
            "report(fit, js.posterior(fit))."
        )
    # Pooled draws have a fit of their own, which describes them; they remember their source.
    own = getattr(getattr(draws, "sampled", None), "source", draws.fit)
    same = own is fit or (
        own.law == fit.law and own.runs.digest == fit.runs.digest
        and ("pool" in draws.settings or np.array_equal(own.theta, fit.theta))
    )  # fmt: skip
    if not same:
        raise JscaleError(
            f"The draws are of another fit ({own.law.name}, {len(own.runs)} rows) than the one "
            f"given ({fit.law.name}, {len(fit.runs)} rows): report(draws.fit, draws)."
        )
    return draws


def _notes(fit: Fit, draws: Draws, others: list[Note]) -> list[Note]:
    """Return all notes, each once, the most severe first."""
    every = dict.fromkeys([*fit.notes, *draws.notes, *others])
    return sorted(every, key=lambda note: -SEVERITIES.index(note.severity))


def _content(
    fit: Fit, draws: Draws, found: Answer, held: HeldOut | None, comparison: Comparison | None,
    notes: list[Note], level: float, title: str | None, about: Mapping[str, str] | None,
) -> dict[str, Any]:  # fmt: skip
    """Return all that the page says, as text and tables."""
    several = found.prediction is not None and len(found.prediction) > 1
    return {
        "title": title or f"{fit.law.name}: a scaling law of {words.joined(fit.law.inputs)}",
        "level": words.percent(level),
        "answer": list(found.sentences),
        "answers": words.sheet(console.prediction_table(found.prediction))
        if several and found.prediction is not None else None,
        "notes": notes,
        "warnings": [note for note in notes if note.severity == "warning"],
        "cautions": [note for note in notes if note.severity == "caution"],
        "data": _data(fit, held),
        "dropped": _dropped(fit.runs),
        "law": _law(fit),
        "estimates": words.sheet(_estimates(draws, level), index="parameter"),
        "derived": words.sheet(fit.derived, index="combination") if len(fit.derived) else None,
        "extras": _extras(draws, level),
        "method": _method(draws),
        "held_out": None if held is None else held.sentence,
        "held_out_table": None if held is None else words.sheet(held.table(), most=_MOST_HELD_OUT),
        "comparison": None if comparison is None else words.sheet(
            console.scores_table(comparison.table, comparison.level), index="law"),
        "comparison_notes": [] if comparison is None else list(comparison.notes),
        "checklist": checklists.checklist(fit, draws, held, about),
        "exact": _exact(fit),
        "centre": _exact(draws.fit) if draws.fit is not fit and "pool" in draws.settings else [],
        "priors": _priors(draws),
        "made": _made(fit, draws),
    }  # fmt: skip


def _data(fit: Fit, held: HeldOut | None) -> list[tuple[str, str]]:
    """Return the facts about the fitted runs, by name."""
    runs = fit.runs
    names = list(dict.fromkeys((*fit.law.inputs, *(("C",) if fit.largest else ()))))
    facts = [
        ("Source", runs.source or checklists.NOT_STATED),
        ("Rows fitted", f"{len(runs)}, of {runs.n_independent} independent runs"),
        ("Rows left out", f"{len(runs.dropped)}"),
        ("Held-out rows", "none" if held is None else f"{len(held.frame)}"),
    ]
    for name in (*names, runs.output):
        unit = words.unit_of(name) if name != runs.output else runs.loss_unit
        unit = "" if unit == "other" else unit
        low, high = words.number(runs[name].min()), words.number(runs[name].max())
        facts.append((f"Range of {name}", f"{low} to {high} {unit}".strip()))
    count = {"total": "all parameters", "non_embedding": "without embeddings"}
    groups = [c for c in dict.fromkeys((runs.group, *fit.settings.per.values())) if c is not None]
    for column in groups:
        labels = runs.frame[column].astype(str).value_counts()
        said = ", ".join(f"{label} ({rows})" for label, rows in labels.iloc[:20].items())
        more = f", … ({len(labels) - 20} more)" if len(labels) > 20 else ""
        facts.append((f"Rows by {column}", said + more))
    unit = runs.loss_unit if runs.loss_unit != "other" else checklists.NOT_STATED
    return [
        *facts,
        ("Unit of the output", unit),
        ("Counting of parameters", count.get(str(runs.count), checklists.NOT_STATED)),
        ("Digest of the data", runs.digest),
    ]


def _dropped(runs: Runs) -> words.Sheet | None:
    """Return the rows that were left out, each with its reason."""
    if not len(runs.dropped):
        return None
    reasons = runs.dropped["reason"].astype(str)
    return words.sheet(pd.DataFrame({"reason": reasons}), index="row", most=_MOST_DROPPED)


def _law(fit: Fit) -> dict[str, Any]:
    """Return the law's formula, the meaning of its symbols, and the prose of its docstring."""
    law = fit.law
    doc = read_docstring(law.doc)
    symbols = [
        (x, f"{GLOSSARY[x].meaning}, in {GLOSSARY[x].unit}" if x in GLOSSARY else "an input")
        for x in law.inputs
    ]
    symbols += [(p.name, p.role.meaning or p.role.name) for p in law.parameters]
    prose = [doc.summary, *([doc.formula] if doc.description else []), *doc.description, *doc.notes]
    return {
        "name": law.name,
        "formula": f"{law.output} = {law.formula or '(custom)'}",
        "source": law.reference or checklists.NOT_STATED,
        "symbols": [(name, doc.parameters.get(name, meaning)) for name, meaning in symbols],
        "doc": [paragraph.replace("`", "") for paragraph in prose if paragraph],
    }


def _estimates(draws: Draws, level: float) -> pd.DataFrame:
    """Return a row per parameter: estimate, standard error, spread and interval of the draws."""
    fit, bounds = draws.fit, draws.interval(level).to_numpy()
    middle, spread = np.median(draws.flat, axis=0), draws.flat.std(axis=0, ddof=1)
    values, errors = fit.params.to_numpy(), fit.stderr.to_numpy()
    rows = {}
    for i, name in enumerate(draws.names):
        text, low, high = words.span(values[i], *bounds[i])
        rows[name] = {
            "estimate": text,
            "standard error": words.number(errors[i], 3),
            f"{words.percent(level)} interval": f"{low} to {high}",
            "median of draws": words.span(float(middle[i]), *bounds[i])[0],
            "sd of draws": words.number(float(spread[i]), 3),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _extras(draws: Draws, level: float) -> words.Sheet | None:
    """Return what was drawn beside the law's parameters: the noise's scale, a population's mean."""
    rows = {}
    for name, values in getattr(draws, "extras", {}).items():
        low, middle, high = np.quantile(values, [tails(level)[0], 0.5, tails(level)[1]])
        text, low, high = words.span(float(middle), float(low), float(high))
        rows[name] = {
            "median of draws": text,
            f"{words.percent(level)} interval": f"{low} to {high}",
        }
    return words.sheet(pd.DataFrame.from_dict(rows, orient="index"), index="name") if rows else None


def _method(draws: Draws) -> str:
    said = [f"Intervals by {draws.method}: {len(draws)} draws"]
    for count, what in ((draws.failed, "failed and were left out"),
                        (draws.unsettled, "did not converge and were kept"),
                        (draws.switched, "ended in another basin than the fit")):  # fmt: skip
        said += [f"{count} {what}"] if count else []
    checks = getattr(draws, "checks", None)
    tested = f" Checks: {verdicts.checks_table(checks)}." if checks else ""
    errors = "" if "pool" in draws.settings else " Standard errors are those of the fit."
    return "; ".join(said) + f".{tested}{errors}"


def _exact(fit: Fit) -> list[tuple[str, str]]:
    return [(str(name), f"{value:.17g}") for name, value in fit.params.items()]


def _priors(draws: Draws) -> words.Sheet | None:
    """Return the priors that draws were made with, None where there were none."""
    table = getattr(draws, "prior", None)
    return None if table is None else words.sheet(table, index="parameter")


def _made(fit: Fit, draws: Draws) -> list[tuple[str, str]]:
    """Return seeds, settings, versions and digests, by name."""
    settings = ", ".join(f"{k} = {v}" for k, v in draws.settings.items())
    here = provenance()
    return [
        ("Objective", f"{fit.settings.solved} = {fit.objective:.17g}"),
        ("Seed of the starts", str(fit.settings.seed)),
        ("Draws", f"{draws.method}: {settings}"),
        ("Digest of the data", fit.runs.digest),
        ("Digest of the law", fit.law.digest),
        *[(name.replace("_", " "), str(value)) for name, value in fit.provenance.items()
          if name != "data_digest"],
        *([] if dict(fit.provenance).get("jscale") == here["jscale"] else
          [("page made by jscale", here["jscale"])]),
    ]  # fmt: skip


def _rendered(content: Mapping[str, Any]) -> str:
    """Fill in the template; every value is escaped but the pictures, which are ours."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("jscale.reporting", "templates"), autoescape=True,
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    drawings = [(shown, Markup(shown.svg)) for shown in content["pictures"]]
    plan = content["plan_picture"]
    drawn = None if plan is None else (plan, Markup(plan.svg))
    parts = list(dict.fromkeys(item.part for item in content["checklist"]))
    template = environment.get_template("report.html.j2")
    filled = {"pictures": drawings, "plan_picture": drawn, "parts": parts, **_scripted(content)}
    return template.render({**content, **filled}).lstrip()


def _scripted(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the explorer's script, its digest and its data, as they stand in the page."""
    from markupsafe import Markup

    grid = (content["allocation"] or {}).get("explorer")
    if grid is None:
        return {"script": None, "script_digest": "", "script_data": ""}
    script = explorer.script()
    return {
        "script": Markup(script), "script_digest": explorer.digest(script),
        "script_data": Markup(explorer.embedded(grid)),
    }  # fmt: skip


def _plain(value: Any) -> Any:
    """Return a tree of dataclasses and tuples as plain dicts, lists and text."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return _plain(vars(value)) if hasattr(value, "__dict__") else value
