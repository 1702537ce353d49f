"""simulate: tables of runs from a law, its parameters, a design and noise.

An oracle knows all of these: its intervals are what an estimate from runs is measured by.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from jscale import laws
from jscale._precision import float64_scope
from jscale.data.flops import training_flops
from jscale.data.runs import Runs
from jscale.errors import DataError, DataWarning, LawError, listing
from jscale.fitting.objective import from_space, to_space
from jscale.model.law import Law
from jscale.simulation.noise import Noise
from jscale.uncertainty.draws import tails
from jscale.uncertainty.noise.model import NoiseModel


def simulate(
    law: Law | str,
    params: Mapping[str, Any],
    design: pd.DataFrame | Mapping[str, Any],
    *,
    noise: float | Noise | NoiseModel = 0.0,
    distribution: str = "normal",
    worlds: int | None = None,
    seed: int = 0,
) -> Runs:
    """Draw runs from a law: the law's output times exp(error), an error drawn per row.

    ``params`` are the law's parameters, ``design`` holds a column (n,) for each input (see
    :mod:`jscale.designs`). ``noise`` is the standard deviation of the log output ("normal"), or
    the scale of a Student-t with 3 degrees of freedom ("student_t"), or a
    :class:`~jscale.Noise` that says more, or what ``noise_model(fit)`` learnt from runs: then the
    errors are added in that fit's objective's space, instead of the logarithm, and their slope on
    compute is drawn once for a table (or a world). ``worlds``
    repeats the whole design so many times, each with noise of its own, in a column ``world``
    from 0: fit them all at once with ``fit_many(law, runs, by="world")``, or score them with
    ``compare(…, by="world")``. A parameter may then be an array (worlds,). The same seed gives
    the same table, and a world the same runs however many there are.
    Raises LawError for missing parameters, DataError for missing inputs or a bad setting.

    >>> import jscale as js
    >>> js.simulate("power_const", dict(E=1.0, A=10.0, alpha=0.1), {"C": [1e9, 1e12]})["loss"]
    array([2.25892541, 1.63095734])
    """
    learnt = noise if isinstance(noise, NoiseModel) else None
    law, frame, scatter = _checked(law, params, design, noise, distribution)
    many = _many(worlds, frame)
    n = len(frame)
    keys = _keys(seed, worlds)
    if learnt is None:
        errors = [scatter.draw(frame, np.random.default_rng(key)) for key in keys]
    else:
        table = _with_compute(frame)
        errors = [learnt.draw(np.zeros((1, n)), table, key)[0] for key in keys]
    values = {name: _by_world(name, params[name], worlds, n) for name in law.names}
    if worlds is not None:
        frame = pd.concat([frame] * many, ignore_index=True)
        frame["world"] = np.repeat(np.arange(many), n)
    curve, error = _curve(law, frame, {**params, **values}), np.concatenate(errors)
    frame[law.output] = curve * np.exp(error) if learnt is None else _moved(curve, error, learnt)
    return _runs(law, frame)


def oracle(
    law: Law | str,
    params: Mapping[str, Any],
    design: Runs | pd.DataFrame | Mapping[str, Any],
    *,
    noise: float | Noise | NoiseModel = 0.0,
    distribution: str = "normal",
    level: float = 0.9,
) -> pd.DataFrame:
    """Return the curve, and the interval of new runs of one who knows the law and its noise.

    Arguments are those of :func:`simulate` (a parameter may be an array, one per row; the design
    may be Runs, and a table keeps its row labels); give the
    whole design, since noise that changes with compute is set by the mean of all rows. Columns
    ``curve``, ``prediction_low`` and ``prediction_high``, equal-tailed at ``level``; the noise's
    quantiles are those of 200000 draws of it (20000 where it changes with compute, or was learnt
    by ``noise_model(fit)``), made with a fixed seed.

    >>> import jscale as js
    >>> law = dict(E=1.0, A=10.0, alpha=0.1)
    >>> js.oracle("power_const", law, {"C": [1e9]}, noise=0.01)["prediction_low"].round(2).tolist()
    [2.22]
    """
    law, frame, scatter = _checked(law, params, design, noise, distribution)
    given = design.frame if isinstance(design, Runs) else design
    curve = _curve(law, frame, params)
    if isinstance(noise, NoiseModel):
        ends = noise.quantiles(_with_compute(frame), tails(level))
        low, high = (_moved(curve, error, noise) for error in ends)
    else:
        low, high = curve * np.exp(scatter.quantiles(frame, tails(level)))
    return pd.DataFrame(
        {"curve": curve, "prediction_low": low, "prediction_high": high},
        index=given.index if isinstance(given, pd.DataFrame) else None,
    )


def _checked(
    law: Law | str, params: Mapping[str, Any], design: Any, noise: Any, distribution: str
) -> tuple[Law, pd.DataFrame, Noise]:
    """Check what a table is simulated from, and return the law, the design and the noise."""
    law = laws.get(law)
    frame = _table(design, law)
    missing = [name for name in law.inputs if name not in frame.columns]
    if missing:
        raise DataError(
            f"The design has no column {listing(missing)}; {law.name} needs "
            f"{listing(law.inputs)}: simulate(law, params, {{{law.inputs[0]!r}: [1e18, …], …}})."
        )
    if isinstance(noise, Noise | NoiseModel) and distribution != "normal":
        raise DataError(
            "Give the distribution to Noise(…), not to simulate as well; what noise_model(fit) "
            "learnt has its own."
        )
    if not isinstance(noise, Noise):
        noise = Noise(0.0 if isinstance(noise, NoiseModel) else noise, distribution)
    absent = [name for name in law.names if name not in params]
    if absent:
        raise LawError(
            f"params misses {listing(absent, 20)}; {law.name} has {listing(law.names, 20)}: "
            f"params=dict({'=…, '.join(law.names)}=…)."
        )
    return law, frame, noise


def _runs(law: Law, frame: pd.DataFrame) -> Runs:
    """Make Runs of a simulated table, whose rows that are alike are no run logged twice."""
    extra = {name: name for name in law.inputs if name not in ("N", "D", "C", "U")}
    source = f"simulated from {law.name}"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "[0-9]+ rows repeat another one", DataWarning)
        runs = Runs.from_frame(frame, output=law.output, source=source, **extra)
    doubts = tuple(doubt for doubt in runs.doubts if doubt.code != "duplicate-runs")
    return replace(runs, doubts=doubts)


def _moved(curve: np.ndarray, error: np.ndarray, noise: NoiseModel) -> np.ndarray:
    """Add errors (n,) to outputs (n,) in the space that the noise was learnt in."""
    with float64_scope():
        return np.asarray(from_space(np.asarray(to_space(curve, noise.space)) + error, noise.space))


def _with_compute(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the design with its compute, which a noise may grow with."""
    if "C" in frame or not {"N", "D"} <= set(frame):
        return frame
    N, D = (frame[x].to_numpy(dtype=np.float64) for x in ("N", "D"))
    return frame.assign(C=training_flops(N, D))


def _many(worlds: Any, frame: pd.DataFrame) -> int:
    """Return the number of worlds, one where none is asked for."""
    if worlds is None:
        return 1
    if isinstance(worlds, bool) or not isinstance(worlds, Integral) or worlds < 1:
        raise DataError(f"worlds={worlds!r} must be a whole number, 1 or more: 100.")
    if "world" in frame:
        raise DataError(
            "The design has a column 'world' already; rename it, or leave worlds= out and give "
            "each row its world."
        )
    return int(worlds)


def _keys(seed: int, worlds: int | None) -> list[Any]:
    return [seed] if worlds is None else [(seed, world) for world in range(worlds)]


def _by_world(name: str, value: Any, worlds: int | None, n: int) -> Any:
    """Return a parameter as a number, or one for each row where each world has its own."""
    if np.ndim(value) == 0:
        return value
    exact = np.asarray(value, dtype=np.float64)
    if worlds is None or exact.shape != (worlds,):
        raise LawError(
            f"{name} has shape {exact.shape}; a parameter is a number, or with worlds={worlds} "
            "an array of one for each world."
        )
    return np.repeat(exact, n)


def _curve(law: Law, frame: pd.DataFrame, params: Mapping[str, Any]) -> np.ndarray:
    exact = [frame[name].to_numpy(dtype=np.float64) for name in law.inputs]
    return np.broadcast_to(law(*exact, **params), (len(frame),))


def _table(design: Any, law: Law) -> pd.DataFrame:
    design = design.frame if isinstance(design, Runs) else design
    try:
        return pd.DataFrame(design).reset_index(drop=True)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"The design is no table: {error}. Give columns of one length, "
            f"{{{law.inputs[0]!r}: [1e18, 1e19], …}}, or a DataFrame."
        ) from error
