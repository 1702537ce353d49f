"""Requests: options that travel together from a command to its work, as one object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunTable:
    """A table of runs and how to read it; without a ``file``, jscale's own runs.

    ``columns`` maps quantities to the columns named by options; ``invalid`` is "raise" or "drop".
    """

    file: Path | None
    columns: Mapping[str, str]
    loss_unit: str | None = None
    invalid: str = "raise"


@dataclass(frozen=True)
class Intervals:
    """The level of intervals, and how the draws behind them are made ("none" for no intervals)."""

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
    """How ``jscale posterior`` samples: its options, under their names in ``js.posterior``."""

    likelihood: str
    method: str
    pool: Mapping[str, str]
    trials: str | None
    draws: int
    warmup: int
    chains: int


@dataclass(frozen=True)
class Page:
    """What a report shows besides the fit: predictions, the checklist, and how it was made."""

    points: Sequence[dict[str, str]]
    about: Mapping[str, str]
    title: str | None
    command: str


@dataclass(frozen=True)
class HoldOut:
    """On which runs laws are compared: a share of the largest, or those after an origin."""

    share: float | None
    origins: int | None
    factor: float


@dataclass(frozen=True)
class Budgets:
    """The question to ``jscale plan``: budgets in FLOPs or dollars, limits, other choices."""

    flops: Sequence[str]
    dollars: Sequence[str]
    cost: str
    bounds: Mapping[str, str]
    choices: Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Target:
    """The question to ``jscale required``: how much of a variable reaches each target."""

    variable: str
    values: Sequence[str]
    cost: str | None


@dataclass(frozen=True)
class Span:
    """The input along which ``jscale crossover`` compares two fits, and its range."""

    along: str
    over: str | None
    equivalent: bool
