"""Notes: caveats to read before trusting a fit, each with a code and a remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from jscale.data.doubts import Doubt
from jscale.errors import listing
from jscale.fitting.diagnostics import Directions, Optimum, near_absolute, runs_inside
from jscale.fitting.problem import Problem
from jscale.fitting.solver.gauss_newton import Lanes, Status
from jscale.fitting.solver.step import plain_coordinates

SEVERITIES = ("info", "caution", "warning")

_ALIKE = 1e-8
_FEW_AGREE = 0.05
_ILL_CONDITIONED = 1e7
_WIDE = 3.0
_DEAD_SHARE = 1e-3
_MOVED = 2.0
_NO_CHANCE = 1e-3
_PATTERN_SHARE = 0.1


@dataclass(frozen=True)
class Note:
    """One coded remark on a fit: how severe, what was seen, what it means, what to do."""

    code: str
    severity: str
    seen: str
    means: str
    do: str

    def __str__(self) -> str:
        message = " ".join(text for text in (self.seen, self.means, self.do) if text)
        return f"[{self.severity}] {self.code}: {message}"


def agreement(lanes: Lanes, rounding: float) -> tuple[int, int]:
    """Return how many lanes ended at the best objective (to 1e-8), and how many ended at all.

    Lanes that a staged search dropped are not counted. ``rounding`` is the objective that rounding
    alone gives: all exact fits count as equally good.
    """
    best = lanes.objective[lanes.best]
    alike = lanes.objective <= best * (1 + _ALIKE) + rounding
    ended = lanes.status != Status.DROPPED
    return int(np.sum(alike & ended)), int(np.sum(ended))


def notes_on_search(lanes: Lanes, rounding: float) -> Iterable[Note]:
    """Notes on whether the starts agree and the best one converged."""
    agree, count = agreement(lanes, rounding)
    if count >= 8 and agree / count < _FEW_AGREE:
        yield Note(
            "starts-disagree",
            "caution",
            f"{agree} of {count} starts ended at the best objective.",
            "The objective has many local minima or a flat valley; a better one may exist.",
            f"Use more starts (starts={4 * count}), or a law with fewer parameters.",
        )
    status = Status(int(lanes.status[lanes.best]))
    if status is not Status.CONVERGED:
        yield Note(
            "not-converged",
            "warning",
            f"The best lane ended as {status.name.lower().replace('_', ' ')}.",
            "The objective may still fall, and errors may be off.",
            "Use more starts, fix or tie parameters that the notes name, or use a simpler law.",
        )


def notes_on_data(problem: Problem, doubts: Iterable[Doubt]) -> Iterable[Note]:
    """Notes carried over from the table, and on the number of independent runs."""
    for doubt in doubts:
        yield Note(doubt.code, "caution", doubt.seen, "", doubt.remedy)
    p = problem.layout.size
    n = problem.freedom + p
    if problem.freedom < 1:
        yield Note(
            "no-spare-runs",
            "warning",
            f"{n} independent runs for {p} parameters.",
            "The law passes through the runs: errors cannot be estimated and are infinite.",
            "Add runs, or fix or tie parameters.",
        )
    elif n < 3 * p:
        yield Note(
            "few-runs",
            "caution",
            f"{n} independent runs for {p} parameters.",
            "Errors from so few runs are themselves uncertain.",
            "Add runs, or fix or tie parameters.",
        )


def notes_on_optimum(
    problem: Problem, optimum: Optimum, errors: np.ndarray, conditioning: Directions
) -> Iterable[Note]:
    """Notes on what the data determine, and on the objective's shape at the optimum."""
    # An error of 3 is large for a logarithm, but means nothing for a plain number.
    plain = plain_coordinates(problem.layout)
    labels = zip(problem.layout.labels, errors, plain, strict=True)
    wide = [name for name, error, skip in labels if _WIDE < error < np.inf and not skip]
    if conditioning.condition > _ILL_CONDITIONED or wide:
        names = conditioning.names if conditioning.condition > _ILL_CONDITIONED else tuple(wide)
        names = names or problem.layout.labels  # a direction with small weights on many coordinates
        yield Note(
            "unidentified",
            "warning",
            f"The data do not determine {listing(names, 24)} "
            f"(condition {conditioning.condition:.1e}).",
            "Moving these together hardly changes any prediction at the runs.",
            "Read predictions, not these parameters; add runs that separate them, or fix one: "
            f"fixed={{{names[0].split('[')[0]!r}: …}}.",
        )
    inside, runs = runs_inside(problem, optimum.residual)
    if near_absolute(problem, inside, runs):
        yield Note(
            "near-l1",
            "info",
            f"The residuals of {inside} of {runs} runs lie inside "
            f"delta={problem.objective.width:g}.",
            "The objective acts like least absolute deviations; plain Hessian errors would be "
            "wrong, so those shown are smoothed.",
            "Prefer bootstrap errors: js.bootstrap(fit).",
        )


def notes_on_terms(problem: Problem, shares: dict[str, float]) -> Iterable[Note]:
    """Notes on terms that the optimum has switched off."""
    for label, share in shares.items():
        if share >= _DEAD_SHARE:
            continue
        name = label.split("[")[0]
        floor = problem.layout.law.role(name).name == "floor"
        yield Note(
            "at-edge" if floor else "dead-term",
            "caution",
            f"{label} makes at most {share:.1e} of any prediction.",
            "The data do not distinguish it from zero"
            + (": no irreducible loss is seen." if floor else ", and its exponent means nothing."),
            f"Fix it, fixed={{{name!r}: …}}, or use a law without the term.",
        )


def notes_on_floor(problem: Problem, optimum: Optimum, observed: np.ndarray) -> Iterable[Note]:
    """A note where the fitted irreducible loss lies above an observed one."""
    observed = observed[problem.used]
    flat = dict(zip(problem.layout.law.names, optimum.natural, strict=False))
    if problem.layout.per:
        return
    for parameter in problem.layout.law.parameters:
        value = flat[parameter.name]
        below = int(np.sum(observed < value))
        if parameter.role.name == "floor" and below and problem.model.space != "linear":
            yield Note(
                "floor-above-data",
                "caution",
                f"{parameter.name} = {value:.4g} lies above {below} observed values "
                f"(lowest {observed.min():.4g}).",
                "Runs below the irreducible loss contradict the law.",
                "Look at those runs, or use another law.",
            )


def notes_on_outliers(
    problem: Problem, moves: np.ndarray, rows: np.ndarray, labels: Iterable[object]
) -> Iterable[Note]:
    """A note where a few rows with large residuals move a parameter by over two errors."""
    moved = [
        f"{name} by {abs(m):.1f}"
        for name, m in zip(problem.layout.labels, moves, strict=True)
        if abs(m) > _MOVED
    ]
    if moved:
        labels = list(labels)
        yield Note(
            "outlier-driven",
            "caution",
            f"Without the {len(rows)} rows with the largest residuals (rows "
            f"{listing([labels[i] for i in rows])}) the estimates move, in standard errors: "
            f"{listing(moved)}.",
            "A few runs decide these parameters.",
            "Look at those runs; compare the fit without them: runs.where(…).",
        )


def notes_on_pattern(share: float, chance: float) -> Iterable[Note]:
    """A note where the residuals depend on the inputs: the law has the wrong curvature."""
    if chance < _NO_CHANCE and share >= _PATTERN_SHARE:
        yield Note(
            "residuals-patterned",
            "caution",
            f"A curve in the inputs explains {100 * share:.0f}% of the residuals' variance "
            f"(by chance: p = {chance:.1e}).",
            "The law has the wrong curvature, so it may miss larger runs by more than its "
            "intervals suggest.",
            "Hold out the largest runs, look at plots.residuals, try a more flexible law.",
        )
