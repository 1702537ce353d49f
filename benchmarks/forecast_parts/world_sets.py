"""Simulated worlds for forecasts and plans: of the law of a forecast, and of laws it cannot be.

Worlds of the law of Hoffmann et al. differ in their parameters, so that no single one decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

import jscale as js
from jscale import Exponent, Floor, Location, Positive, Scale, Slope

SCALES = (1.0, 10.0, 100.0)
BOX = ((1e7, 1e9), (1e9, 1e11))
_BUDGETS = (1e17, 1e21)
# At the middle of the box, each term of the loss lies between these.
_TERMS = (0.4, 1.2)
_MIDDLE = {"N": 1e8, "D": 1e10}


@js.law(
    inputs=("N", "D"),
    parameters={
        "E": Floor, "A": Scale, "alpha": Exponent, "B": Scale, "beta": Exponent, "c": Slope,
        "d": Location, "f": Positive,
    },
    axes={"d": "D"},
)  # fmt: skip
def data_break(N, D, *, E, A, alpha, B, beta, c, d, f):
    """Hoffmann's law whose data term changes its exponent by c past d tokens."""
    return E + A * N**-alpha + B * D**-beta * (1.0 + (D / d) ** (1.0 / f)) ** (-c * f)


@dataclass(frozen=True)
class WorldSet:
    """Worlds of one law: ``params`` are numbers, or arrays with one for each world."""

    name: str
    truth: str | js.Law
    params: Mapping[str, Any]
    design: pd.DataFrame
    sd: float
    worlds: int

    @property
    def law(self) -> js.Law:
        """The law that makes the runs."""
        return js.laws.get(self.truth)

    def params_of(self, world: int) -> dict[str, float]:
        """Return the parameters of a world."""
        return {k: float(v if np.ndim(v) == 0 else v[world]) for k, v in self.params.items()}

    def runs(self, seed: int = 0) -> list[pd.DataFrame]:
        """Return each world's table of runs."""
        made = js.simulate(
            self.law, self.params, self.design, noise=self.sd, worlds=self.worlds, seed=seed
        )
        frame = made.frame[[*self.law.inputs, self.law.output]]
        n = len(self.design)
        return [frame.iloc[i * n : (i + 1) * n] for i in range(self.worlds)]

    @property
    def compute(self) -> np.ndarray:
        """The compute of the runs."""
        if "C" in self.design:
            return self.design["C"].to_numpy(dtype=np.float64)
        return 6.0 * (self.design["N"] * self.design["D"]).to_numpy(dtype=np.float64)

    def points(self) -> pd.DataFrame:
        """Return inputs at 1, 10 and 100 times the largest compute, N and D growing alike."""
        top = self.design.iloc[[int(np.argmax(self.compute))] * len(SCALES)]
        power = 1.0 if "C" in self.design else 0.5
        return top.reset_index(drop=True).mul(np.power(SCALES, power), axis=0)

    def curve(self, world: int, where: pd.DataFrame) -> np.ndarray:
        """Return the true outcome at points."""
        inputs = [where[name].to_numpy(dtype=np.float64) for name in self.law.inputs]
        return np.asarray(self.law(*inputs, **self.params_of(world)))

    def oracle(self, world: int, where: pd.DataFrame) -> np.ndarray:
        """Return the standard deviations of ln of the curve for one who knows law and noise.

        Those of maximum likelihood, linear in the logarithms of the parameters.
        """
        names = list(self.law.names)
        jacobian = [self._jacobian(world, part, names) for part in (self.design, where)]
        weight, vectors = np.linalg.eigh(jacobian[0].T @ jacobian[0] / self.sd**2)
        along = jacobian[1] @ vectors
        return np.sqrt((along**2 / np.maximum(weight, 1e-12)).sum(axis=1))

    def _jacobian(self, world: int, where: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
        """Return the derivatives of ln y in ln of each parameter (n, q), by central differences."""
        params, step, columns = self.params_of(world), 1e-5, []
        inputs = [where[name].to_numpy(dtype=np.float64) for name in self.law.inputs]
        for name in names:
            up, down = (
                np.log(self.law(*inputs, **{**params, name: params[name] * np.exp(s)}))
                for s in (step, -step)
            )
            columns.append((np.asarray(up) - np.asarray(down)) / (2.0 * step))
        return np.stack(columns, axis=1)


def chinchilla_worlds(count: int, sd: float, worlds: int) -> WorldSet:
    """Return worlds of the law of Hoffmann et al., their parameters drawn."""
    params = _hoffmann(worlds)
    design = js.designs.random(count, *BOX, seed=count)
    return WorldSet(
        f"chinchilla, {count} runs, noise {100 * sd:g} %", "chinchilla", params, design, sd, worlds
    )


def _hoffmann(worlds: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    alpha, beta = rng.uniform(0.28, 0.42, worlds), rng.uniform(0.26, 0.40, worlds)
    low, high = np.log(_TERMS)
    size, data = np.exp(rng.uniform(low, high, (2, worlds)))
    return {
        "E": rng.uniform(1.4, 2.1, worlds),
        "A": size * _MIDDLE["N"] ** alpha,
        "alpha": alpha,
        "B": data * _MIDDLE["D"] ** beta,
        "beta": beta,
    }


def wrong_surfaces(count: int, sd: float, worlds: int) -> Iterator[WorldSet]:
    """Yield worlds over N and D of laws that Hoffmann's cannot represent."""
    design = js.designs.random(count, *BOX, seed=count)
    (published,) = js.laws.get("farseer").published.values()
    kaplan = {"N_c": 8.8e13, "alpha_N": 0.076, "D_c": 5.4e13, "alpha_D": 0.095}
    rng = np.random.default_rng(8)
    breaks = {
        **_hoffmann(worlds),
        "c": rng.uniform(-0.12, 0.12, worlds),
        "d": np.exp(rng.uniform(np.log(3e9), np.log(3e10), worlds)),
        "f": np.full(worlds, 0.5),
    }
    for name, truth, params in (
        ("farseer", "farseer", dict(published)),
        ("kaplan", "kaplan", kaplan),
        ("chinchilla with a break in its data term", data_break, breaks),
    ):
        yield WorldSet(f"{name}, {count} runs", truth, params, design, sd, worlds)


def wrong_curves(count: int, sd: float, worlds: int) -> Iterator[WorldSet]:
    """Yield worlds along compute whose slope changes once or twice within the runs."""
    design = pd.DataFrame({"C": np.geomspace(*_BUDGETS, count)})
    # The scenario of benchmarks/coverage.py, then worlds that differ.
    one = {"a": 0.5, "b": 30.0, "c0": 0.08, "c1": 0.06, "d1": 1e19, "f1": 0.5}
    yield WorldSet(f"broken:1 at 1e19, {count} runs", "broken:1", one, design, sd, worlds)
    rng = np.random.default_rng(9)

    def place(low: float, high: float) -> np.ndarray:
        return np.exp(rng.uniform(np.log(low), np.log(high), worlds))

    varied = {
        **one, "c1": rng.uniform(-0.06, 0.1, worlds), "d1": place(1e18, 3e20),
        "f1": rng.uniform(0.1, 1.0, worlds),
    }  # fmt: skip
    yield WorldSet(f"broken:1 anywhere, {count} runs", "broken:1", varied, design, sd, worlds)
    two = {
        **varied, "d1": place(3e17, 1e19), "c2": rng.uniform(-0.06, 0.1, worlds),
        "d2": place(3e19, 3e20), "f2": rng.uniform(0.1, 1.0, worlds),
    }  # fmt: skip
    yield WorldSet(f"broken:2 anywhere, {count} runs", "broken:2", two, design, sd, worlds)
