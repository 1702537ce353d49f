"""The recipe of a report: code that makes the same fit, draws and page again."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from jscale import laws
from jscale.data.columns import GLOSSARY
from jscale.fitting.objective import AUTO, Objective
from jscale.fitting.result import Fit
from jscale.uncertainty.draws import Draws

_DELTA = {"huber": "delta", "pseudo_huber": "delta", "asymmetric": "delta", "student_t": "scale"}
_SHAPE = {"student_t": "df", "asymmetric": "ratio"}
_MOST_STARTS = 3


def recipe(fit: Fit, draws: Draws, at: Any = None, level: float = 0.9) -> str:
    """Return Python code that makes a fit, its draws and the report again from its table."""
    call = [f"js.fit({_law(fit)}, runs", *_fit_choices(fit)]
    source = f" of {fit.runs.source!r}" if fit.runs.source else ""
    lines = [
        "import jscale as js",
        "",
        f"# table: the {len(fit.runs)} rows{source}, digest {fit.runs.digest}",
        f"runs = js.Runs.from_frame(table, {', '.join(_runs_choices(fit))})",
        f"fit = {', '.join(call)})",
        f"draws = {_draws_call(draws)}",
        f'js.report(fit, draws{_asked(at)}, level={level!r}, path="report.html")',
    ]
    return "\n".join(lines)


def _law(fit: Fit) -> str:
    if fit.law.name.split(":")[0] in laws.names():
        return repr(fit.law.name)
    function = fit.law.function
    return f"law  # {function.__module__}:{function.__qualname__}, {fit.law.name!r}\n    "


def _runs_choices(fit: Fit) -> list[str]:
    """Arguments of Runs.from_frame; columns go by standard names, as the table is kept."""
    runs = fit.runs
    own = [x for x in runs.inputs if x not in GLOSSARY or x in fit.law.inputs]
    chosen: dict[str, Any] = {x: x for x in own if x.isidentifier()}
    chosen |= {"output": runs.output} if runs.output != "loss" else {}
    chosen |= {"loss_unit": runs.loss_unit, "count": runs.count}
    marks = {"run": runs.run, "group": runs.group, "weight": runs.weight}
    chosen |= {name: column for name, column in marks.items() if column is not None}
    chosen |= {"invalid": "drop"} if len(runs.dropped) else {}
    return [f"{name}={value!r}" for name, value in chosen.items()]


def _fit_choices(fit: Fit) -> list[str]:
    s = fit.settings
    starts = s.starts
    if isinstance(starts, tuple) and len(starts) > _MOST_STARTS:
        given = "…"
    else:
        given = repr(list(starts) if isinstance(starts, tuple) else starts)
    chosen = [f"objective={_objective(s.objective)}"]
    for name, value in (("fixed", dict(s.fixed)), ("tie", s.tie), ("per", dict(s.per))):
        chosen += [f"{name}={value!r}"] if value else []
    # Weights of a column of the runs come with them.
    if s.weights is not None and fit.runs.weight is None:
        chosen.append("weights=…")
    chosen.append(f"starts={given}")
    if s.solver != "gauss_newton":
        chosen.append(f"solver={s.solver!r}")
    return [*chosen, f"seed={s.seed}"]


def _objective(objective: Objective) -> str:
    kind = objective.kind
    parts = []
    if kind in _SHAPE:
        parts.append(f"{_SHAPE[kind]}={objective.shape!r}")
    if kind in _DELTA:
        scale = f'"{AUTO}"' if objective.auto else repr(objective.delta)
        parts.append(f"{_DELTA[kind]}={scale}")
    return f"js.{kind}({', '.join([*parts, f'space={objective.space!r}'])})"


def _draws_call(draws: Draws) -> str:
    """Return the call that made draws: of a function of that name, with settings it takes."""
    name = draws.method.split(" ")[0].split("-")[0].split(",")[0]
    function = _function(name)
    if function is None:
        return f"…  # {draws.method}: {_plain(draws.settings)}"
    known = inspect.signature(function).parameters
    settings = {k: v for k, v in draws.settings.items() if k in known}
    call = f"js.{name}({', '.join(['fit', *(_argument(k, v) for k, v in settings.items())])})"
    group = draws.settings.get("new_group_seed")
    return call if group is None else f"{call}.for_new_group({group!r})"


def _argument(name: str, value: Any) -> str:
    """Return a setting as an argument; a prior that only its own code can state is left open."""
    if name == "priors" and any(isinstance(own, str) for own in value.values()):
        return "priors=…"
    return f"{name}={value!r}"


def _function(name: str) -> Callable[..., Any] | None:
    if not name.isidentifier():
        return None
    try:
        return getattr(import_module(f"jscale.uncertainty.{name}"), name, None)
    except ImportError:
        return None


def _plain(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{k}={v!r}" for k, v in settings.items())


def _asked(at: Any) -> str:
    """Return the argument ``at`` as it was given, where code can hold it."""
    if at is None:
        return ""
    if isinstance(at, Mapping):
        named = {str(k): v.tolist() if hasattr(v, "tolist") else v for k, v in at.items()}
        return f", at={named!r}"
    return ", at=…"
