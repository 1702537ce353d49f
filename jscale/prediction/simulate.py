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
from jscale.prediction.scatter import Noise


def simulate(
    law: Law | str,
    params: Mapping[str, float],
    design: pd.DataFrame | Mapping[str, Any],
    *,
    noise: float | Noise = 0.0,
    distribution: str = "normal",
    seed: int = 0,
) -> Runs:
    """Draw runs from a law: the law's output times exp(error), an error drawn per row.

    ``params`` are the law's parameters, ``design`` holds a column (n,) for each input (see
    :mod:`jscale.designs`). ``noise`` is the standard deviation of the log output ("normal"), or
    the scale of a Student-t with 3 degrees of freedom ("student_t"), or a
    :class:`~jscale.Noise` that says more. The same seed gives the same table.
    Raises LawError for missing parameters, DataError for missing inputs or a bad setting.

    >>> import jscale as js
    >>> js.simulate("power_const", dict(E=1.0, A=10.0, alpha=0.1), {"C": [1e9, 1e12]})["loss"]
    array([2.25892541, 1.63095734])
    """
    law = laws.get(law)
    frame = _table(design, law)
    missing = [name for name in law.inputs if name not in frame.columns]
    if missing:
        raise DataError(
            f"The design has no column {listing(missing)}; {law.name} needs "
            f"{listing(law.inputs)}: simulate(law, params, {{{law.inputs[0]!r}: [1e18, …], …}})."
        )
    if isinstance(noise, Noise):
        if distribution != "normal":
            raise DataError("Give the distribution to Noise(…), not to simulate as well.")
    else:
        noise = Noise(noise, distribution)
    absent = [name for name in law.names if name not in params]
    if absent:
        raise LawError(
            f"params misses {listing(absent, 20)}; {law.name} has {listing(law.names, 20)}: "
            f"params=dict({'=…, '.join(law.names)}=…)."
        )
    exact = [frame[name].to_numpy(dtype=np.float64) for name in law.inputs]
    output = np.broadcast_to(law(*exact, **params), (len(frame),))
    frame[law.output] = output * np.exp(noise.draw(frame, np.random.default_rng(seed)))
    extra = {name: name for name in law.inputs if name not in ("N", "D", "C", "U")}
    return Runs.from_frame(frame, output=law.output, source=f"simulated from {law.name}", **extra)


def _table(design: Any, law: Law) -> pd.DataFrame:
    try:
        return pd.DataFrame(design).reset_index(drop=True)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"The design is no table: {error}. Give columns of one length, "
            f"{{{law.inputs[0]!r}: [1e18, 1e19], …}}, or a DataFrame."
        ) from error
