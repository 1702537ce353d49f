"""Ties: two optima far apart that the runs cannot tell from each other."""

from __future__ import annotations

import warnings
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.fitting.notes import Note

W, NOISE = 0.9, 1e-3


@js.law(linear=("E",), start={"w": (0.1, 7.0)}, output="loss")
def wave(x: Any, *, E: js.Floor, w: js.Positive) -> Any:
    """A wave, whose length cannot be seen at evenly spaced places: w and 2π − w look alike."""
    return E + 0.1 * jnp.cos(w * x)


def fitted(jitter: float) -> js.Fit:
    """Fit the wave at whole numbers, moved a little or much."""
    rng = np.random.default_rng(0)
    x = np.arange(1.0, 41.0) + jitter * rng.standard_normal(40)
    loss = (2.0 + 0.1 * np.cos(W * x)) * np.exp(NOISE * rng.standard_normal(40))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", js.JscaleWarning)
        return js.fit(wave, pd.DataFrame({"x": x, "loss": loss}), starts=256)


def notes(fit: js.Fit) -> list[Note]:
    return [note for note in fit.notes if note.code == "unidentified"]


@pytest.mark.full
def test_an_optimum_as_good_elsewhere_is_told() -> None:
    (note,) = notes(fitted(2e-4))
    assert note.severity == "caution"
    assert note.seen.startswith("Another optimum fits the runs as well as the best one, with w")
    assert "from 0.9 to 5.38" in note.seen


def test_none_where_the_runs_tell_them_apart() -> None:
    fit = fitted(0.1)
    assert fit.params["w"] == pytest.approx(W, abs=0.01)
    assert not notes(fit)


@pytest.mark.full
def test_the_same_curve_written_otherwise_is_no_tie() -> None:
    """Two breaks may swap their names."""
    truth = {"a": 0.5, "b": 30.0, "c0": 0.1, "c1": 0.2, "d1": 1e4, "f1": 0.3,
             "c2": -0.15, "d2": 1e7, "f2": 0.3}  # fmt: skip
    law = js.laws.get("broken:2")
    runs = js.simulate(law, truth, {law.inputs[0]: np.geomspace(1e2, 1e10, 80)}, noise=0.001)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", js.JscaleWarning)
        fit = js.fit(law, runs)
    assert not [n for n in notes(fit) if "optim" in n.seen]
