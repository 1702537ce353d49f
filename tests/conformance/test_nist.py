"""NIST StRD nonlinear regression: certified values to six digits from both starts.

The models are written as published and fitted by least squares in linear space (Nelson: of
log y, as certified). Parameters are plain real numbers, but for MGH09, MGH10, MGH17 and Rat43,
where those that are positive are declared so: from the far start the solver needs to know.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale import Positive, Real
from tests.conftest import data_folder

_ROW = re.compile(r"^\s*b(\d)\s*=\s*(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s*$")


def read(name: str) -> tuple[pd.DataFrame, list[dict[str, float]], dict[str, float], float]:
    """Return the data (y, then x or x1, x2), both starts, certified values, sum of squares."""
    path = Path(data_folder()) / "nist" / f"{name}.dat"
    lines = path.read_text().splitlines()
    found = [m.groups() for m in map(_ROW.match, lines) if m]
    starts = [{f"b{r[0]}": float(r[k]) for r in found} for k in (1, 2)]
    certified = {f"b{r[0]}": float(r[3]) for r in found}
    squares = next(float(x.split(":")[1]) for x in lines if x.startswith("Residual Sum of Squares"))
    first = next(i for i, x in enumerate(lines) if re.match(r"^Data:\s+y", x)) + 1
    rows = np.array([[float(v) for v in x.split()] for x in lines[first:] if x.strip()])
    names = ["y", "x"] if rows.shape[1] == 2 else ["y", "x1", "x2"]
    return pd.DataFrame(rows, columns=names), starts, certified, squares


def exp(x: Any) -> Any:
    import jax.numpy as jnp

    return jnp.exp(x)


def cubics(x: Any, b1: Any, b2: Any, b3: Any, b4: Any, b5: Any, b6: Any, b7: Any) -> Any:
    return (b1 + b2 * x + b3 * x**2 + b4 * x**3) / (1 + b5 * x + b6 * x**2 + b7 * x**3)


def roszman(x: Any, b1: Any, b2: Any, b3: Any, b4: Any) -> Any:
    import jax.numpy as jnp

    return b1 - b2 * x - jnp.arctan(b3 / (x - b4)) / np.pi


MODELS = {
    "Bennett5": lambda x, b1, b2, b3: b1 * js.power(b2 + x, -1 / b3),
    "BoxBOD": lambda x, b1, b2: b1 * (1 - exp(-b2 * x)),
    "Chwirut1": lambda x, b1, b2, b3: exp(-b1 * x) / (b2 + b3 * x),
    "DanWood": lambda x, b1, b2: b1 * js.power(x, b2),
    "Eckerle4": lambda x, b1, b2, b3: b1 / b2 * exp(-0.5 * ((x - b3) / b2) ** 2),
    "Hahn1": cubics,
    "Kirby2": lambda x, b1, b2, b3, b4, b5: (b1 + b2 * x + b3 * x**2) / (1 + b4 * x + b5 * x**2),
    "MGH09": lambda x, b1, b2, b3, b4: b1 * (x**2 + x * b2) / (x**2 + x * b3 + b4),
    "MGH10": lambda x, b1, b2, b3: b1 * exp(b2 / (x + b3)),
    "MGH17": lambda x, b1, b2, b3, b4, b5: b1 + b2 * exp(-x * b4) + b3 * exp(-x * b5),
    "Misra1a": lambda x, b1, b2: b1 * (1 - exp(-b2 * x)),
    "Misra1b": lambda x, b1, b2: b1 * (1 - (1 + b2 * x / 2) ** -2),
    "Misra1c": lambda x, b1, b2: b1 * (1 - js.power(1 + 2 * b2 * x, -0.5)),
    "Misra1d": lambda x, b1, b2: b1 * b2 * x / (1 + b2 * x),
    "Nelson": lambda x1, x2, b1, b2, b3: b1 - b2 * x1 * exp(-b3 * x2),
    "Rat42": lambda x, b1, b2, b3: b1 / (1 + exp(b2 - b3 * x)),
    "Rat43": lambda x, b1, b2, b3, b4: b1 * js.power(1 + exp(b2 - b3 * x), -1 / b4),
    "Roszman1": roszman,
    "Thurber": cubics,
}


# Rates and amplitudes that are positive by nature, declared so, as a user would.
POSITIVE = {
    "MGH09": ("b1", "b2", "b3", "b4"),
    "MGH10": ("b1", "b2", "b3"),
    "MGH17": ("b2", "b4", "b5"),
    "Rat43": ("b1", "b3", "b4"),
}


# One of each level of difficulty runs with every change, all by `pytest -m full`.
QUICK = ("Misra1a", "MGH17", "Thurber")


def law_of(name: str, inputs: list[str], parameters: list[str]) -> js.Law:
    def function(*x: Any, **b: Any) -> Any:
        return MODELS[name](*x, **b)

    return js.law(
        function, name=name, inputs=tuple(inputs), parameters={p: Positive if p in POSITIVE.get(name, ()) else Real for p in parameters},
        output="y",
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.full) for name in MODELS],
)
def test_certified_values_from_both_starts(name: str) -> None:
    table, starts, certified, squares = read(name)
    if name == "Nelson":
        table = table.assign(y=np.log(table["y"]))
    law = law_of(name, [c for c in table if c != "y"], list(certified))
    runs = js.Runs.from_frame(table, output="y", loss_unit="other", **{n: n for n in law.inputs})
    for k, start in enumerate(starts):
        fit = js.fit(law, runs, objective=js.least_squares(space="linear"), starts=[start])
        assert 2 * fit.objective == pytest.approx(squares, rel=1e-8), f"start {k + 1}"
        for b, value in certified.items():
            assert fit.params[b] == pytest.approx(value, rel=1e-6), f"start {k + 1}: {b}"
