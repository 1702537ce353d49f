"""simulate: tables of runs from a law, its parameters, a design and noise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from jscale import laws
from jscale.data.runs import Runs
from jscale.errors import DataError, LawError, listing
from jscale.model.law import Law

_DISTRIBUTIONS = ("normal", "student_t")
_STUDENT_T_FREEDOM = 3.0


def simulate(
    law: Law | str,
    params: Mapping[str, float],
    design: pd.DataFrame | Mapping[str, Any],
    *,
    noise: float = 0.0,
    distribution: str = "normal",
    seed: int = 0,
) -> Runs:
    """Draw runs from a law: the law's output times exp(noise·z), z drawn per row.

    ``params`` are the law's parameters, ``design`` holds a column (n,) for each input.
    ``noise`` is the standard deviation of the log output ("normal"), or the scale of a
    Student-t with 3 degrees of freedom ("student_t"). The same seed gives the same table.
    Raises LawError for missing parameters, DataError for missing inputs or a bad setting.

    >>> import jscale as js
    >>> js.simulate("power_const", dict(E=1.0, A=10.0, alpha=0.1), {"C": [1e9, 1e12]})["loss"]
    array([2.25892541, 1.63095734])
    """
    law = laws.get(law)
    frame = pd.DataFrame(design).reset_index(drop=True)
    missing = [name for name in law.inputs if name not in frame.columns]
    if missing:
        raise DataError(f"The design has no column {listing(missing)}; {law.name} needs it.")
    if distribution not in _DISTRIBUTIONS:
        raise DataError(f"distribution={distribution!r}: use one of {listing(_DISTRIBUTIONS)}.")
    if not (np.isfinite(noise) and noise >= 0):
        raise DataError(f"noise={noise!r} must be a finite number, zero or more.")
    absent = [name for name in law.names if name not in params]
    if absent:
        raise LawError(f"params misses {listing(absent)}; {law.name} has {listing(law.names)}.")
    exact = [frame[name].to_numpy(dtype=np.float64) for name in law.inputs]
    output = np.broadcast_to(law(*exact, **params), (len(frame),))
    rng = np.random.default_rng(seed)
    z = (
        rng.standard_normal(len(frame))
        if distribution == "normal"
        else rng.standard_t(_STUDENT_T_FREEDOM, len(frame))
    )
    frame[law.output] = output * np.exp(noise * z)
    extra = {name: name for name in law.inputs if name not in ("N", "D", "C", "U")}
    return Runs.from_frame(frame, output=law.output, source=f"simulated from {law.name}", **extra)
