"""Methods that handle one fit at a time: jackknife, bootstraps, BCa, profiles, NUTS."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import jscale as js
from benchmarks.coverage_parts.answers import LEVELS, WARNINGS, Answers, from_draws
from benchmarks.coverage_parts.scenarios import SCALES
from benchmarks.coverage_parts.sets import Worlds
from jscale.errors import JscaleError
from jscale.fitting.result import Fit
from jscale.uncertainty.draws import Draws

_CHAINS = 4
_DRAWN: dict[str, Callable[[Fit, int], Draws]] = {
    "jackknife": js.jackknife,
    "residual": lambda fit, draws: js.bootstrap(fit, draws, kind="residual"),
    "wild": lambda fit, draws: js.bootstrap(fit, draws, kind="wild"),
    "nuts": lambda fit, draws: js.posterior(
        fit, method="nuts", draws=draws // _CHAINS, chains=_CHAINS
    ),
}
METHODS = (*_DRAWN, "bca", "profile")


def answer(worlds: Worlds, method: str, draws: int) -> Answers:
    """Fit each world separately, and return the intervals of a method."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if method in _DRAWN:
            return _drawn(worlds, method, draws)
        each = {"bca": _bca, "profile": _profiles}[method]
        found = [each(worlds, world, draws) for world in range(worlds.count)]
    ends = {name: np.stack([own[name] for own in found], axis=-1) for name in found[0]}
    warned = [bool(_codes(worlds.fit(world)) & WARNINGS) for world in range(worlds.count)]
    return Answers(ends, _estimates(worlds), float(np.mean(warned)))


def _drawn(worlds: Worlds, method: str, draws: int) -> Answers:
    fits = [worlds.fit(world) for world in range(worlds.count)]
    each = [_asked(method, fit, draws) for fit in fits]
    noises = [
        d.noise if d is not None and d.noise is not None else js.noise_model(fit)
        for fit, d in zip(fits, each, strict=True)
    ]
    # Draws that a method left out are made up for by its first ones.
    shape = (draws, len(fits[0].params))
    values = np.stack(
        [np.full(shape, np.nan) if d is None else np.resize(d.flat, shape) for d in each]
    )
    estimates = np.median(values, axis=1) if method == "nuts" else _estimates(worlds)
    warned = [
        bool(_codes(fit) & WARNINGS) or d is None or any(x.severity == "warning" for x in d.notes)
        for fit, d in zip(fits, each, strict=True)
    ]
    return from_draws(worlds.scenario, values, estimates, noises, float(np.mean(warned)))


def _asked(method: str, fit: Fit, draws: int) -> Draws | None:
    """Return the draws of a method, None if it refuses (a jackknife at a vertex)."""
    try:
        return _DRAWN[method](fit, draws)
    except JscaleError:
        return None


def _codes(fit: Fit) -> set[str]:
    return {note.code for note in fit.notes}


def _estimates(worlds: Worlds) -> np.ndarray:
    return np.stack([worlds.fit(world).params.to_numpy() for world in range(worlds.count)])


def _bca(worlds: Worlds, world: int, draws: int) -> dict[str, np.ndarray]:
    """Return BCa intervals of the parameters, (levels, 2), from resampled pairs."""
    sampled = js.bootstrap(worlds.fit(world), draws)
    names = [f"parameter {name}" for name in sampled.names]
    try:
        found = np.stack([sampled.interval(level, kind="bca").to_numpy() for level in LEVELS])
    except JscaleError:
        found = np.full((len(LEVELS), len(names), 2), np.nan)
    return {name: found[:, k] for k, name in enumerate(names)}


def _profiles(worlds: Worlds, world: int, draws: int) -> dict[str, np.ndarray]:
    """Return profile intervals (levels, 2) of the parameters and of the logarithm of the curve."""
    fit, points = worlds.fit(world), worlds.scenario.points()
    asked: dict[str, Any] = {f"parameter {name}": name for name in fit.params.index}
    found = {name: _profile(fit, what) for name, what in asked.items()}
    for k, scale in enumerate(SCALES):
        found[f"curve {scale:g}x"] = np.log(_profile(fit, points.iloc[k].to_dict()))
    return found


def _profile(fit: Fit, what: Any) -> np.ndarray:
    try:
        profile = js.profile(fit, what, level=max(LEVELS))
    except JscaleError:
        return np.full((len(LEVELS), 2), np.nan)
    with np.errstate(divide="ignore"):
        return np.array([profile.interval(level) for level in LEVELS])
