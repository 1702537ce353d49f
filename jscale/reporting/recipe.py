"""The recipe of a report: code that makes the same fit, draws and page again.

What code cannot state, such as a law of one's own or held-out runs, goes by a name in it, and a
comment says what to put there. Words that came from a user are quoted, or kept to one comment.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from keyword import iskeyword
from typing import Any

from jscale import laws
from jscale.data.columns import GLOSSARY
from jscale.data.runs import Runs
from jscale.fitting.result import Fit
from jscale.prediction.predictor import Predictor, parameter_draws, predictor_of
from jscale.reporting.request import Request
from jscale.uncertainty.draws import Call, Draws

_MOST_STARTS = 3
_LONGEST = 100


def recipe(fit: Fit, source: Draws | Predictor, request: Request | None = None) -> str:
    """Return Python code that reproduces a fit, its draws and the report from its table."""
    predictor = predictor_of(source, caller="report")
    request = Request() if request is None else request
    page: dict[str, Any] = {
        "held_out": request.held_out,
        "comparison": request.comparison,
        "at": request.at,
        "title": str(request.title) if request.title else None,
        "about": dict(request.about or {}) or None,
    }
    page = {name: value for name, value in page.items() if value is not None}
    source = f" of {fit.runs.source!r}" if fit.runs.source else ""
    named = {"table": f"the {len(fit.runs)} rows{source}, digest {fit.runs.digest}"}
    named |= {**_named_in_fit(fit), **_named_in_draws(predictor), **_named_on_page(fit, page)}
    arguments = ["fit", "draws", *(_argument(name, value) for name, value in page.items())]
    arguments += [f"level={float(request.level)!r}", 'path="report.html"']
    runs = f"js.Runs.from_frame({', '.join(['table', *_runs_choices(fit)])})"
    made = _draws_call(predictor)
    lines = [
        "import jscale as js",
        "",
        *(f"# {name}: {_one_line(what)}" for name, what in named.items()),
        f"runs = {runs}",
        f"fit = js.fit({', '.join([_law(fit), 'runs', *_fit_choices(fit)])})",
        *([] if made is None else [f"draws = {made}"]),
        _report_call(arguments),
    ]
    return "\n".join(lines)


def _report_call(arguments: list[str]) -> str:
    line = f"js.report({', '.join(arguments)})"
    if len(line) <= _LONGEST:
        return line
    return "\n".join(["js.report(", *(f"    {argument}," for argument in arguments), ")"])


# ── What code cannot state ───────────────────────────────────────────────────────────────────


def _named_in_fit(fit: Fit) -> dict[str, str]:
    """Return what the fit was given that has to be put into the code, by name."""
    law = fit.law
    named = {}
    if _law(fit) == "law":
        named["law"] = f"{law.function.__module__}:{law.function.__qualname__}, {law.name!r}"
    objective = fit.settings.objective
    if not objective.constructor:
        cls = type(objective)
        place = f"{cls.__module__}:{cls.__qualname__}"
        named[objective.kind] = f"the objective {place}, registered by @js.register_objective"
    if _has_weights(fit):
        named["weights"] = f"the weights given to the fit, one for each of {len(fit.runs)} rows"
    if _starts(fit) is None:
        named["starts"] = "the starts given to the fit, each a mapping of its parameters"
    return named


def _call(predictor: Predictor) -> Call | None:
    """Return the call that made a predictor's draws, None where no code can."""
    draws = parameter_draws(predictor)
    return None if draws is None else draws.call


def _named_in_draws(predictor: Predictor) -> dict[str, str]:
    """Return what the call that made draws needs besides the fit, by name."""
    call = _call(predictor)
    if call is None:
        return {"draws": f"made by {predictor.method}: {_plain_settings(predictor.settings)}"}
    unstated = {
        name: f"as they were given: {value!r}"
        for name, value in call.arguments.items()
        if _code(value) is None
    }
    return {**unstated, **call.named}


def _named_on_page(fit: Fit, page: Mapping[str, Any]) -> dict[str, str]:
    """Return what the report was given that has to be put into the code, by name."""
    what = {
        "held_out": lambda given: _held_out(fit, given),
        "comparison": _comparison,
        "at": lambda given: f"where to answer, a {type(given).__name__} as the report was given it",
    }
    return {name: what[name](value) for name, value in page.items() if _code(value) is None}


def _held_out(fit: Fit, held_out: Any) -> str:
    if isinstance(held_out, Runs):
        source = f" of {held_out.source!r}" if held_out.source else ""
        rows = f"Runs of the {len(held_out)} rows held out{source}, digest {held_out.digest}"
        return f"{rows}, in the unit of those fitted"
    columns = dict.fromkeys((*fit.law.inputs, *fit.settings.per.values(), fit.law.output))
    return f"a table of the {len(held_out)} rows held out, with the columns {list(columns)}"


def _comparison(found: Any) -> str:
    names = ", ".join(map(repr, found.table.index))
    return f"what js.compare returned for {names}; {_plain_settings(found.settings)}"


def _one_line(words: str) -> str:
    """Return words that a comment can hold: on one line, and nothing that code must not have."""
    return "".join(c if c.isprintable() else "�" for c in " ".join(words.split()))


def _plain_settings(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{k}={v!r}" for k, v in settings.items())


# ── What it can ──────────────────────────────────────────────────────────────────────────────


def _argument(name: str, value: Any) -> str:
    """Return a keyword argument: its value, or where code cannot hold that, its own name."""
    code = _code(value)
    return f"{name}={name if code is None else code}"


def _code(value: Any) -> str | None:
    """Return code for text, numbers, and lists and mappings of them; None for all else."""
    code = repr(_plain(value))
    try:
        ast.literal_eval(code)
    except (ValueError, SyntaxError, RecursionError):
        return None
    return code


def _plain(value: Any) -> Any:
    """Return numbers, arrays and mappings as Python's own."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        own = [_plain(v) for v in value]
        return tuple(own) if isinstance(value, tuple) else own
    return value.tolist() if hasattr(value, "tolist") else value


def _law(fit: Fit) -> str:
    return repr(fit.law.name) if fit.law.name.split(":")[0] in laws.names() else "law"


def _runs_choices(fit: Fit) -> list[str]:
    """Arguments of Runs.from_frame; columns go by standard names, as the table is kept."""
    runs = fit.runs
    own = [x for x in runs.inputs if x not in GLOSSARY or x in fit.law.inputs]
    words = [x for x in own if x.isidentifier() and not iskeyword(x)]
    others = {x: x for x in own if x not in words}
    chosen: dict[str, Any] = {x: x for x in words}
    chosen |= {"output": runs.output} if runs.output != "loss" else {}
    chosen |= {"loss_unit": runs.loss_unit, "count": runs.count}
    marks = {"run": runs.run, "group": runs.group, "weight": runs.weight}
    chosen |= {name: column for name, column in marks.items() if column is not None}
    chosen |= {"invalid": "drop"} if len(runs.dropped) else {}
    chosen |= {"source": runs.source} if runs.source else {}
    arguments = [_argument(name, value) for name, value in chosen.items()]
    return [*arguments, f"**{others!r}"] if others else arguments


def _fit_choices(fit: Fit) -> list[str]:
    s = fit.settings
    chosen = [f"objective={s.objective.code}"]
    for name, value in (("fixed", dict(s.fixed)), ("tie", s.tie), ("per", dict(s.per))):
        chosen += [_argument(name, value)] if value else []
    chosen += ["weights=weights"] if _has_weights(fit) else []
    chosen.append(f"starts={_starts(fit) or 'starts'}")
    if s.solver != "gauss_newton":
        chosen.append(f"solver={s.solver!r}")
    return [*chosen, f"seed={s.seed}"]


def _has_weights(fit: Fit) -> bool:
    """Whether the fit was given weights; those of a column of the runs come with them."""
    return fit.settings.weights is not None and fit.runs.weight is None


def _starts(fit: Fit) -> str | None:
    """Return the starts as code, None where they are too many."""
    starts = fit.settings.starts
    if isinstance(starts, tuple):
        return _code(list(starts)) if len(starts) <= _MOST_STARTS else None
    return _code(starts)


def _draws_call(predictor: Predictor) -> str | None:
    """Return the call that made draws, None where no code can."""
    call = _call(predictor)
    if call is None:
        return None
    arguments = ["fit"]
    for name, value in call.arguments.items():
        code = None if name in call.named else _code(value)
        arguments.append(f"{name}={name if code is None else code}")
    return f"{call.function}({', '.join(arguments)}){call.then}"
