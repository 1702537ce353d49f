"""Simulated runs: tables drawn from a law, its parameters, a design and noise.

An oracle knows all of these: its intervals are the standard that estimates from runs are measured
against.
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
    """Draw runs from a law: output = law(inputs, params)·exp(error), one error per row.

    Parameters
    ----------
    law : Law or str
        The law.
    params : mapping of str to float
        Its parameters. With ``worlds``, a parameter may be an array of shape (worlds,).
    design : pandas.DataFrame or mapping of str to array_like
        A column of shape (n,) for each input (see :mod:`jscale.designs`).
    noise : float, Noise or NoiseModel
        Scale of the errors of the log output, or a :class:`~jscale.Noise` with more detail, or
        the noise that ``noise_model(fit)`` learnt from runs.
    distribution : {"normal", "student_t"}
        Distribution of the errors where ``noise`` is a number: its standard deviation is
        ``noise``, or its scale with 3 degrees of freedom.
    worlds : int, optional
        Number of repetitions of the whole design, each with its own errors, numbered from 0 in
        the column ``world``.
    seed : int
        Seed of the errors. The same seed gives the same table, and a world has the same runs
        however many worlds there are.

    Returns
    -------
    Runs
        The simulated runs (n, or n per world).

    Raises
    ------
    LawError
        If a parameter is missing or has the wrong shape.
    DataError
        If the design lacks an input, or a setting is invalid.

    Notes
    -----
    Learnt noise is added in the space of its fit's objective instead of the logarithm, and its
    slope on compute is drawn once per table (or world). Worlds are fitted all at once with
    ``fit_many(law, runs, by="world")``, and scored with ``compare(…, by="world")``.

    Examples
    --------
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
    if learnt is None:
        frame[law.output] = curve * np.exp(error)
    else:
        frame[law.output] = _with_errors(curve, error, learnt)
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
    """Return the curve and the prediction intervals of one who knows the law and its noise.

    Parameters
    ----------
    law : Law or str
        The law.
    params : mapping of str to float
        Its parameters; one may be an array with a value per row.
    design : Runs, pandas.DataFrame or mapping of str to array_like
        A column of shape (n,) for each input. Pass the whole design: noise that changes with
        compute depends on the mean over all rows.
    noise : float, Noise or NoiseModel
        Noise of the runs, as in :func:`simulate`.
    distribution : {"normal", "student_t"}
        Distribution of the errors where ``noise`` is a number.
    level : float
        Probability of the intervals, in (0, 1).

    Returns
    -------
    pandas.DataFrame
        Columns ``curve``, ``prediction_low`` and ``prediction_high`` (equal-tailed), one row per
        row of the design; a table keeps its row labels.

    Raises
    ------
    LawError
        If a parameter is missing.
    DataError
        If the design lacks an input, or a setting is invalid.

    Notes
    -----
    Quantiles of the noise are those of 200000 draws with a fixed seed (20000 where it changes
    with compute, or was learnt by ``noise_model(fit)``).

    Examples
    --------
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
        low, high = (_with_errors(curve, error, noise) for error in ends)
    else:
        low, high = curve * np.exp(scatter.quantiles(frame, tails(level)))
    return pd.DataFrame(
        {"curve": curve, "prediction_low": low, "prediction_high": high},
        index=given.index if isinstance(given, pd.DataFrame) else None,
    )


def _checked(
    law: Law | str, params: Mapping[str, Any], design: Any, noise: Any, distribution: str
) -> tuple[Law, pd.DataFrame, Noise]:
    """Return the law, the design and the noise; raises LawError or DataError for invalid ones."""
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
            "Give the distribution to Noise(…), not to simulate as well; noise learnt by "
            "noise_model(fit) has its own."
        )
    if not isinstance(noise, Noise):
        noise = Noise(0.0 if isinstance(noise, NoiseModel) else noise, distribution)
    absent = [name for name in law.names if name not in params]
    if absent:
        raise LawError(
            f"params lacks {listing(absent, 20)}; {law.name} has {listing(law.names, 20)}: "
            f"params=dict({'=…, '.join(law.names)}=…)."
        )
    return law, frame, noise


def _runs(law: Law, frame: pd.DataFrame) -> Runs:
    """Make Runs of a simulated table, in which equal rows are not one run logged twice."""
    extra = {name: name for name in law.inputs if name not in ("N", "D", "C", "U")}
    source = f"simulated from {law.name}"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "[0-9]+ rows repeat another one", DataWarning)
        runs = Runs.from_frame(frame, output=law.output, source=source, **extra)
    # Without noise, equal designs give equal rows: that is no reason for doubt.
    doubts = tuple(doubt for doubt in runs.doubts if doubt.code != "duplicate-runs")
    return replace(runs, doubts=doubts)


def _with_errors(curve: np.ndarray, error: np.ndarray, noise: NoiseModel) -> np.ndarray:
    """Add errors (n,) to outputs (n,) in the space in which the noise was learnt."""
    with float64_scope():
        return np.asarray(from_space(np.asarray(to_space(curve, noise.space)) + error, noise.space))


def _with_compute(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the design with its compute, on which learnt noise may depend."""
    if "C" in frame or not {"N", "D"} <= set(frame):
        return frame
    N, D = (frame[x].to_numpy(dtype=np.float64) for x in ("N", "D"))
    return frame.assign(C=training_flops(N, D))


def _many(worlds: Any, frame: pd.DataFrame) -> int:
    """Return the number of worlds, 1 by default."""
    if worlds is None:
        return 1
    if isinstance(worlds, bool) or not isinstance(worlds, Integral) or worlds < 1:
        raise DataError(f"worlds={worlds!r} must be a whole number, 1 or more: 100.")
    if "world" in frame:
        raise DataError(
            "The design already has a column 'world'; rename it, or omit worlds= and give each "
            "row its world."
        )
    return int(worlds)


def _keys(seed: int, worlds: int | None) -> list[Any]:
    """Return the seed of the errors of each world."""
    # Keyed by its number, a world has the same runs however many worlds there are.
    return [seed] if worlds is None else [(seed, world) for world in range(worlds)]


def _by_world(name: str, value: Any, worlds: int | None, n: int) -> Any:
    """Return a parameter as a number, or one for each row where each world has its own."""
    if np.ndim(value) == 0:
        return value
    values = np.asarray(value, dtype=np.float64)
    if worlds is None or values.shape != (worlds,):
        raise LawError(
            f"{name} has shape {values.shape}; a parameter is a number, or with worlds={worlds} "
            "an array with one value per world."
        )
    return np.repeat(values, n)


def _curve(law: Law, frame: pd.DataFrame, params: Mapping[str, Any]) -> np.ndarray:
    """Return the law's output without noise for each row (n,)."""
    inputs = [frame[name].to_numpy(dtype=np.float64) for name in law.inputs]
    return np.broadcast_to(law(*inputs, **params), (len(frame),))


def _table(design: Any, law: Law) -> pd.DataFrame:
    """Return a design as a table with rows numbered; raises DataError if it is not one."""
    design = design.frame if isinstance(design, Runs) else design
    try:
        return pd.DataFrame(design).reset_index(drop=True)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"The design is not a table: {error}. Give columns of equal length, "
            f"{{{law.inputs[0]!r}: [1e18, 1e19], …}}, or a DataFrame."
        ) from error
