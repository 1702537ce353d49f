"""Options of planning as Python values: costs, budgets, ranges, other inputs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jscale.data.units import parse_number
from jscale.errors import DataError, PredictionError, listing, nearest
from jscale.fitting.result import Fit
from jscale.planning import costs

_TRAINING = ("6ND", "6*N*D", "6·N·D", "training")
_MADE: dict[str, Callable[..., costs.Cost]] = {
    "attention": costs.attention,
    "embeddings": costs.embeddings,
    "lifetime": costs.lifetime,
    "dollars": costs.dollars,
}
_FORMS = (
    "6ND",
    "attention:context=2048",
    "embeddings",
    "lifetime:tokens=1e12",
    "dollars:price=2,flops=1e15",
)
# The open end of a range lies this many times beyond the runs.
_OPEN = 1e12


def cost_of(text: str) -> costs.Cost:
    """Return the cost written by a text such as "lifetime:tokens=1e12".

    Settings have the names of the arguments in ``js.costs``; ``of=`` comes last and names the
    cost in FLOPs to which a price in dollars applies. Raises PredictionError for any other text.

    >>> cost_of("dollars:price=2,flops=1e15,of=lifetime:tokens=1e12")
    Cost(dollars of 6·N·D + 2·N·1e+12, in dollars)
    """
    name, mark, rest = text.strip().partition(":")
    if name in _TRAINING and not rest:
        return costs.training()
    if name not in _MADE:
        known = nearest(name, ("training", *_MADE)) if name not in _TRAINING else ""
        raise PredictionError(
            f"--cost {text!r} is not a cost.{known} Use one of {listing(_FORMS)}."
        )
    # With a comma in front, ",of=" is also found where it is the only setting.
    listed, _, within = f",{rest}".partition(",of=")
    settings: dict[str, Any] = _settings(text, name, listed[1:] if mark else "")
    if within:
        settings["of"] = cost_of(within)
    _check_settings(text, name, settings)
    try:
        return _MADE[name](**settings)
    except PredictionError as error:
        raise PredictionError(f"--cost {text!r}: {error}") from error


def _settings(text: str, name: str, listed: str) -> dict[str, float]:
    settings = {}
    for part in filter(None, listed.split(",")):
        key, mark, value = part.partition("=")
        if not (key and mark and value):
            raise PredictionError(
                f"--cost {text!r}: {part!r} must read NAME=NUMBER, as in {_form(name)}."
            )
        settings[key.strip()] = number_of(value, f"--cost {text!r}")
    return settings


def _form(name: str) -> str:
    return next(form for form in _FORMS if form.startswith(name))


def _check_settings(text: str, name: str, settings: Mapping[str, Any]) -> None:
    """Raise PredictionError for settings that a cost does not have, or that it lacks."""
    known = inspect.signature(_MADE[name]).parameters
    unknown = [key for key in settings if key not in known]
    if unknown:
        raise PredictionError(
            f"--cost {text!r}: {name} has no {unknown[0]!r}.{nearest(unknown[0], known)} It takes "
            f"{listing(list(known))}."
        )
    needed = [key for key, p in known.items() if p.default is p.empty and key not in settings]
    if needed:
        raise PredictionError(
            f"--cost {text!r}: {name} needs {listing(needed)}, as in {_form(name)}."
        )


def number_of(text: str, where: str) -> float:
    """Return the number written by a text; raises DataError, naming the option, for any other."""
    try:
        return parse_number(text)
    except DataError as error:
        raise DataError(f"{where}: {error}") from error


def positive(texts: Sequence[str], where: str) -> list[float]:
    """Return positive numbers without repeats; raises DataError or PredictionError for others.

    ``where`` is what precedes each on the command line: "--flops ", "--choose N=".
    """
    numbers = [number_of(text, f"{where}{text}") for text in texts]
    wrong = [text for text, value in zip(texts, numbers, strict=True) if not value > 0]
    if wrong:
        raise PredictionError(f"{where}{wrong[0]} must be a positive number.")
    return list(dict.fromkeys(numbers))


def budgets(flops: Sequence[str], dollars: Sequence[str], cost: costs.Cost) -> list[float]:
    """Return the budgets in the unit of the cost; raises PredictionError if there are none."""
    given = {"--flops": flops, "--dollars": dollars}
    option = "--dollars" if cost.unit == "dollars" else "--flops"
    other = "--flops" if option == "--dollars" else "--dollars"
    if given[other]:
        also = f" A cost in dollars is --cost {_form('dollars')}." if other == "--dollars" else ""
        raise PredictionError(
            f"The cost {cost.name} is in {cost.unit}: give the budget by {option}, not by "
            f"{other}.{also}"
        )
    if not given[option]:
        example = {"--flops": "1e24", "--dollars": "1e6"}[option]
        raise PredictionError(f"Give the budget, such as {option} {example}.")
    return positive(given[option], f"{option} ")


def span(text: str, where: str, open_ends: bool = False) -> tuple[float | None, float | None]:
    """Return the ends of a range LOW..HIGH, with None for an end left open, if it may be.

    ``where`` is what precedes it on the command line: "--over ", "--bound D=". Raises
    PredictionError for any other text, and for ends that do not rise or are not positive.

    >>> span("1e9..2e12", "--over ")
    (1000000000.0, 2000000000000.0)
    """
    low, mark, high = (part.strip() for part in text.partition(".."))
    # One end is enough where the other may stay open.
    whole = bool(low and high) if not open_ends else bool(low or high)
    if not (mark and whole):
        or_open = ", or ..2e12" if open_ends else ""
        raise PredictionError(f"{where}{text} must read LOW..HIGH, such as 1e9..2e12{or_open}.")
    first, last = (number_of(part, f"{where}{text}") if part else None for part in (low, high))
    known = [end for end in (first, last) if end is not None]
    if min(known) <= 0 or known != sorted(known):
        raise PredictionError(f"{where}{text} must rise from one positive number to another.")
    return first, last


def bounds(fit: Fit, texts: Mapping[str, str]) -> dict[str, tuple[float, float]]:
    """Return limits of N, D or D/N by name; raises PredictionError for any other name."""
    limits: dict[str, tuple[float, float]] = {}
    for name, text in texts.items():
        if name == "D/N":
            ends = text.split("..")
            low, high = (number_of(end, f"--bound D/N={text}") for end in (ends[0], ends[-1]))
            limits[name] = (low, high)
            continue
        if name not in ("N", "D"):
            raise PredictionError(
                f"--bound {name}={text}: limits apply to what is chosen, N and D, or to D/N."
            )
        low, high = span(text, f"--bound {name}=", open_ends=True)
        seen = fit.runs[name]
        limits[name] = (
            float(seen.min()) / _OPEN if low is None else low,
            float(seen.max()) * _OPEN if high is None else high,
        )
    return limits


def others(fits: Sequence[Fit], free: Sequence[str], given: Mapping[str, str]) -> dict[str, Any]:
    """Return the inputs and labels that laws need besides those that are ``free``.

    Raises PredictionError for names that are free, unknown or missing, and DataError for an
    input that is not a number.
    """
    inputs = dict.fromkeys(x for fit in fits for x in fit.law.inputs)
    labels = dict.fromkeys(c for fit in fits for c, _ in fit.problem.layout.groups)
    needed = [name for name in (inputs | labels) if name not in free]
    laws = listing(list(dict.fromkeys(fit.law.name for fit in fits)))
    for name, text in given.items():
        if name in free and name in inputs:
            raise PredictionError(f"--set {name}={text}: {name} is the unknown; leave it out.")
        if name not in needed:
            takes = f"takes {listing(needed, 12)}" if needed else "takes no more"
            raise PredictionError(
                f"--set {name}={text}: {laws} {takes} here.{nearest(name, needed)}"
            )
    missing = [name for name in needed if name not in given]
    if missing:
        options = " ".join(f"--set {name}=…" for name in missing)
        raise PredictionError(f"{laws}: {listing(missing, 12)} is missing. Add {options}.")
    return {
        name: number_of(text, f"--set {name}={text}") if name in inputs else text
        for name, text in given.items()
    }


def others_along(fits: Sequence[Fit], along: str, given: Mapping[str, str]) -> dict[str, Any]:
    """Return what laws need besides the input along which they are compared (see ``others``).

    Empty if they cannot be compared along it: js.crossover then raises the error.
    """
    direct = [along in fit.law.inputs for fit in fits]
    spent = [along == "C" and {"N", "D"} <= set(fit.law.inputs) for fit in fits]
    if not all(has or best for has, best in zip(direct, spent, strict=True)):
        return {}
    return others(fits, (along,) if all(direct) else (along, "N", "D"), given)
