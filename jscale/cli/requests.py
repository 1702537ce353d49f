"""Requests: options that travel together from the command line to the work, as one object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunTable:
    """A table of runs and how to read it; without a ``file``, jscale's own runs.

    ``columns`` are the names that options gave, by what they hold; ``invalid`` is "raise" or
    "drop".
    """

    file: Path | None
    columns: Mapping[str, str]
    loss_unit: str | None = None
    invalid: str = "raise"


@dataclass(frozen=True)
class Intervals:
    """The level of intervals, and the draws that they are made of ("none": no intervals)."""

    level: float
    seed: int
    method: str = "auto"
    resamples: int = 1000


@dataclass(frozen=True)
class Output:
    """Where results go: a file, and standard output as text or as JSON."""

    as_json: bool
    path: Path | None = None
    force: bool = False


@dataclass(frozen=True)
class Sampling:
    """How ``jscale posterior`` samples: its own options, by their names in ``js.posterior``."""

    likelihood: str
    method: str
    pool: Mapping[str, str]
    trials: str | None
    draws: int
    warmup: int
    chains: int


@dataclass(frozen=True)
class Page:
    """What a report says besides the fit: answers at points, the checklist, its own command."""

    points: Sequence[dict[str, str]]
    about: Mapping[str, str]
    title: str | None
    command: str


@dataclass(frozen=True)
class HoldOut:
    """Which runs laws are compared on: a share of the largest, or successive origins."""

    share: float | None
    origins: int | None
    factor: float


@dataclass(frozen=True)
class Budgets:
    """What ``jscale plan`` is asked: budgets in FLOPs or dollars, limits, other choices."""

    flops: Sequence[str]
    dollars: Sequence[str]
    cost: str
    bounds: Mapping[str, str]
    choices: Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Target:
    """What ``jscale required`` is asked: how much of a variable reaches each target."""

    variable: str
    values: Sequence[str]
    cost: str | None


@dataclass(frozen=True)
class Span:
    """Along which input ``jscale crossover`` compares two fits, and from where to where."""

    along: str
    over: str | None
    equivalent: bool
