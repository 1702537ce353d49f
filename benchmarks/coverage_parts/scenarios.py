"""What is simulated (laws, designs, noise), and which law is fitted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

import jscale as js

TRUTHS: dict[str, dict[str, Any]] = {
    "power_const": {"E": 1.7, "A": 30.0, "alpha": 0.1},
    "chinchilla_tied": {"E": 1.7, "A": 400.0, "B": 1000.0, "alpha": 0.32},
    "chinchilla": {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 410.0, "beta": 0.28},
}
NOISES = {
    "normal": js.Noise(0.01),
    "student-t": js.Noise(0.007, "student_t"),
    "growing": js.Noise(0.01, trend=0.1),
    "outliers": js.Noise(0.01, outliers=0.05),
}
COUNTS = (20, 60, 240)
SCALES = (1.0, 10.0, 100.0)
# Checkpoints of a run share most of its error.
_SHARED = js.Noise(0.004, shared={"run": 0.01})
_CHECKPOINTS = 6


@dataclass(frozen=True)
class Scenario:
    """A simulated world: ``truth`` generates the runs, ``law`` is fitted to them."""

    name: str
    truth: str
    params: dict[str, Any]
    law: str
    design: pd.DataFrame
    noise: js.Noise
    noise_name: str
    count: int

    @property
    def right(self) -> bool:
        """Whether the fitted law is the one that generated the runs."""
        return self.truth == self.law

    @property
    def clustered(self) -> bool:
        """Whether several rows share a run."""
        return "run" in self.design

    def runs(self, worlds: int, seed: int) -> js.Runs:
        """Simulate the runs of all worlds in one table."""
        made = js.simulate(
            self.truth, self.params, self.design, noise=self.noise, worlds=worlds, seed=seed
        )
        if not self.clustered:
            return made
        frame = made.frame.assign(run=made.frame["world"] * self.count + made.frame["run"])
        return js.Runs.from_frame(frame, run="run")

    def points(self) -> pd.DataFrame:
        """The inputs at 1, 10 and 100 times the largest compute, with N and D growing together."""
        compute = self.design["C"] if "C" in self.design else self.design["N"] * self.design["D"]
        top = self.design.iloc[[int(np.argmax(compute))] * len(SCALES)].reset_index(drop=True)
        power = 1.0 if self.inputs == ("C",) else 0.5
        return top.loc[:, list(self.inputs)].mul(np.power(SCALES, power), axis=0)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs of both laws."""
        return js.laws.get(self.truth).inputs

    def true_curve(self) -> np.ndarray:
        """The true curve at the points, (3,)."""
        points = self.points()
        columns = [points[x].to_numpy() for x in self.inputs]
        return np.asarray(js.laws.get(self.truth)(*columns, **self.params))

    def new_errors(self, worlds: int, rng: np.random.Generator) -> np.ndarray:
        """Return errors of a new run's last row at each point of each world, (worlds, 3)."""
        points = self.points()
        plain = replace(self.noise, trend=0.0, shared={})
        many = pd.concat([points] * worlds, ignore_index=True)
        growth = 1.0
        if self.noise.trend:
            centre = np.log(_compute(self.design)).mean()
            growth = np.exp(self.noise.trend * (np.log(_compute(many)) - centre))
        shared = np.sqrt(sum(sd**2 for sd in self.noise.shared.values()))
        errors = plain.draw(many, rng) * growth + shared * rng.standard_normal(len(many))
        return errors.reshape(worlds, len(points))


def _compute(frame: pd.DataFrame) -> np.ndarray:
    C = frame["C"] if "C" in frame else 6.0 * frame["N"] * frame["D"]
    return C.to_numpy(dtype=float)


def _design(law: str, count: int) -> pd.DataFrame:
    if js.laws.get(law).inputs == ("C",):
        return pd.DataFrame({"C": np.geomspace(1e17, 1e21, count)})
    return js.designs.random(count, (1e7, 1e9), (1e9, 1e11), seed=count)


def scenarios() -> Iterator[Scenario]:
    """Yield all scenarios: well-specified, checkpoints of runs, and wrong laws."""
    for law, params in TRUTHS.items():
        for name, noise in NOISES.items():
            for count in COUNTS:
                design = _design(law, count)
                title = f"{law}, {name}, {count} runs"
                yield Scenario(title, law, params, law, design, noise, name, count)
    for count in COUNTS:
        design = js.designs.checkpoints(_design("chinchilla", count), _CHECKPOINTS)
        yield Scenario(
            f"chinchilla, checkpoints, {count} runs",
            "chinchilla",
            TRUTHS["chinchilla"],
            "chinchilla",
            design,
            _SHARED,
            "checkpoints",
            count,
        )
    for truth, params, law in _wrong():
        title = f"{truth} fitted by {law}, normal, 60 runs"
        design = _design(law, 60)
        yield Scenario(title, truth, params, law, design, NOISES["normal"], "normal", 60)


def _wrong() -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield worlds that the fitted law cannot represent: published farseer, and a break."""
    (published,) = js.laws.get("farseer").published.values()
    yield "farseer", dict(published), "chinchilla"
    broken = {"a": 0.5, "b": 30.0, "c0": 0.08, "c1": 0.06, "d1": 1e19, "f1": 0.5}
    yield "broken:1", broken, "power_const"
