"""The recipe of a report: code that reproduces the fit, the draws and the page.

What code cannot state, such as the user's own law or held-out runs, is a name in the code, with a
comment that says what the name stands for. Text from a user is quoted, or kept on one comment line.
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
from jscale.prediction.predictor import Predictor, parameter_draws
from jscale.prediction.sources import predictor_of
from jscale.reporting.alongside import Alongside
from jscale.reporting.request import Request
from jscale.uncertainty.draws import Call, Draws

# Longer lists of starts are named in the code instead of written out.
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
    origin = f" of {fit.runs.source!r}" if fit.runs.source else ""
    named = {"table": f"the {len(fit.runs)} rows{origin}, digest {fit.runs.digest}"}
    default = isinstance(predictor, Alongside)
    drawn = {} if default else _named_in_draws(predictor)
    named |= {**_named_in_fit(fit), **drawn, **_named_on_page(fit, page)}
    arguments = ["fit"] if default else ["fit", "draws"]
    arguments += [_argument(name, value) for name, value in page.items()]
    arguments += [f"seed={predictor.settings['seed']}"] if default else []
    arguments += [f"level={float(request.level)!r}", 'path="report.html"']
    runs = f"js.Runs.from_frame({', '.join(['table', *_runs_choices(fit)])})"
    made = None if default else _draws_call(predictor)
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
    """Return descriptions of the fit's arguments that code cannot state, by name."""
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
        named["weights"] = f"the weights of the fit, one for each of {len(fit.runs)} rows"
    if _starts(fit) is None:
        named["starts"] = "the starts of the fit, each a mapping of its parameters"
    return named


def _call(predictor: Predictor) -> Call | None:
    """Return the call that made a predictor's draws, None if code cannot state it."""
    draws = parameter_draws(predictor)
    return None if draws is None else draws.call


def _named_in_draws(predictor: Predictor) -> dict[str, str]:
    """Return descriptions of the draws' arguments that code cannot state, by name."""
    call = _call(predictor)
    if call is None:
        return {"draws": f"made by {predictor.method}: {_plain_settings(predictor.settings)}"}
    unstated = {
        name: f"as given: {value!r}"
        for name, value in call.arguments.items()
        if _code(value) is None
    }
    return {**unstated, **call.named}


def _named_on_page(fit: Fit, page: Mapping[str, Any]) -> dict[str, str]:
    """Return descriptions of the report's arguments that code cannot state, by name."""
    describe = {
        "held_out": lambda value: _held_out(fit, value),
        "comparison": _comparison,
        "at": lambda value: f"where to answer: the {type(value).__name__} given to the report",
    }
    return {name: describe[name](value) for name, value in page.items() if _code(value) is None}


def _held_out(fit: Fit, held_out: Any) -> str:
    if isinstance(held_out, Runs):
        source = f" of {held_out.source!r}" if held_out.source else ""
        rows = f"Runs of the {len(held_out)} held-out rows{source}, digest {held_out.digest}"
        return f"{rows}, in the unit of the fitted runs"
    columns = dict.fromkeys((*fit.law.inputs, *fit.settings.per.values(), fit.law.output))
    return f"a table of the {len(held_out)} held-out rows, with the columns {list(columns)}"


def _comparison(comparison: Any) -> str:
    names = ", ".join(map(repr, comparison.table.index))
    return f"the result of js.compare for {names}; {_plain_settings(comparison.settings)}"


def _one_line(words: str) -> str:
    """Return text that a comment can hold: on one line, without unprintable characters."""
    return "".join(c if c.isprintable() else "�" for c in " ".join(words.split()))


def _plain_settings(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{k}={v!r}" for k, v in settings.items())


# ── What code can state ──────────────────────────────────────────────────────────────────────


def _argument(name: str, value: Any) -> str:
    """Return a keyword argument with its value or, if code cannot state that, its own name."""
    code = _code(value)
    return f"{name}={name if code is None else code}"


def _code(value: Any) -> str | None:
    """Return code for text, numbers, and lists and mappings of them; None for anything else."""
    code = repr(_plain(value))
    try:
        ast.literal_eval(code)
    except (ValueError, SyntaxError, RecursionError):
        return None
    return code


def _plain(value: Any) -> Any:
    """Return numbers, arrays and mappings as built-in types."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        items = [_plain(v) for v in value]
        return tuple(items) if isinstance(value, tuple) else items
    return value.tolist() if hasattr(value, "tolist") else value


def _law(fit: Fit) -> str:
    return repr(fit.law.name) if fit.law.name.split(":")[0] in laws.names() else "law"


def _runs_choices(fit: Fit) -> list[str]:
    """Return the arguments of Runs.from_frame; the stored table has standard column names."""
    runs = fit.runs
    columns = [x for x in runs.inputs if x not in GLOSSARY or x in fit.law.inputs]
    keywords = [x for x in columns if x.isidentifier() and not iskeyword(x)]
    others = {x: x for x in columns if x not in keywords}
    chosen: dict[str, Any] = {x: x for x in keywords}
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
    """Whether the fit has weights of its own; those of a column come with the runs."""
    return fit.settings.weights is not None


def _starts(fit: Fit) -> str | None:
    """Return the starts as code, None if there are too many."""
    starts = fit.settings.starts
    if isinstance(starts, tuple):
        return _code(list(starts)) if len(starts) <= _MOST_STARTS else None
    return _code(starts)


def _draws_call(predictor: Predictor) -> str | None:
    """Return the call that made the draws, None if code cannot state it."""
    call = _call(predictor)
    if call is None:
        return None
    arguments = ["fit"]
    for name, value in call.arguments.items():
        code = None if name in call.named else _code(value)
        arguments.append(f"{name}={name if code is None else code}")
    return f"{call.function}({', '.join(arguments)}){call.then}"
