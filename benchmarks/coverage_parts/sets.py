"""Worlds: the simulated data sets of a scenario, and the fit of each, computed on demand."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

import jscale as js
from benchmarks.coverage_parts.scenarios import Scenario
from jscale.fitting.result import Fit


@dataclass(frozen=True, eq=False)
class Worlds:
    """``count`` data sets of a scenario."""

    scenario: Scenario
    count: int
    seed: int = 0
    _fits: dict[int, Fit] = field(default_factory=dict)

    @cached_property
    def runs(self) -> js.Runs:
        """The runs of all worlds in one table."""
        return self.scenario.runs(self.count, self.seed)

    @cached_property
    def rows(self) -> list[np.ndarray]:
        """The row numbers of each world."""
        return np.split(np.arange(len(self.runs)), self.count)

    def own(self, world: int) -> js.Runs:
        """The runs of one world."""
        mask = np.zeros(len(self.runs), dtype=bool)
        mask[self.rows[world]] = True
        return self.runs.where(mask)

    def fit(self, world: int) -> Fit:
        """The fit of one world, cached for other methods."""
        if world not in self._fits:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._fits[world] = js.fit(self.scenario.law, self.own(world))
        return self._fits[world]
