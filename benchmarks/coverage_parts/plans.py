"""What is measured for each method: the scenarios, and the numbers of data sets and draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.coverage_parts.scenarios import COUNTS, Scenario

DEFAULT = "bayesian"
_MIDDLE = COUNTS[1]


@dataclass(frozen=True)
class Plan:
    """``worlds`` data sets of each scenario for which ``takes`` is true, with ``draws`` draws each.

    ``said`` describes the plan in words.
    """

    worlds: int
    draws: int
    takes: Callable[[Scenario], bool]
    said: str


def _all(scenario: Scenario) -> bool:
    return True


def _middle(scenario: Scenario) -> bool:
    """Whether a scenario has 60 runs, or is Chinchilla's of 20 or 240 with normal noise."""
    plain = scenario.law == "chinchilla" and scenario.noise_name == "normal"
    return scenario.count == _MIDDLE or plain


def _well_specified(scenario: Scenario) -> bool:
    return scenario.right and _middle(scenario)


def _few(scenario: Scenario) -> bool:
    """Whether a scenario has normal noise and 60 runs, or is Chinchilla's of 20 runs."""
    sizes = (20, _MIDDLE) if scenario.law == "chinchilla" else (_MIDDLE,)
    return scenario.right and scenario.noise_name == "normal" and scenario.count in sizes


def _normal(scenario: Scenario) -> bool:
    plain = scenario.noise_name == "normal" and scenario.count == _MIDDLE
    return scenario.right and plain


_SOME = "60 runs of each law and noise, checkpoints and wrong laws; chinchilla with 20 and 240"
# Slow ones, not measured again since: their ends are also of the nearest of 400 draws.
_BEFORE = f"{_SOME}. New runs: with an earlier noise model (a test decided whether noise grows)"
_RIGHT = "as jackknife, without the wrong laws"
PLANS = {
    "bayesian": Plan(2000, 200, _all, "all scenarios"),
    "bootstrap": Plan(500, 200, _all, "all scenarios"),
    "laplace": Plan(500, 200, _all, "all scenarios"),
    "jackknife": Plan(300, 400, _middle, _BEFORE),
    "residual": Plan(300, 400, _middle, _BEFORE),
    "wild": Plan(300, 400, _middle, _BEFORE),
    "bca": Plan(200, 400, _well_specified, _RIGHT + "; parameters only"),
    "profile": Plan(100, 0, _few, "normal noise, 60 runs of each law, and 20 of chinchilla"),
    "nuts": Plan(100, 4000, _normal, "normal noise, 60 runs of each law"),
}
