"""Whole curves of the multi-power law's own study: 25M and 100M parameters, nine schedules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.laws.annealing import PUBLISHED
from tests.conftest import data_folder

WARMUP, PEAK = 2160, 3e-4
FITTED = ["cosine_24000", "constant_24000", "wsdcon_9"]
pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")


def schedule(name: str) -> js.Schedule:
    """The study's schedules, by name: the logged rates agree to every digit (tested)."""
    kind, *numbers = name.split("_")
    if kind == "constant":
        return js.schedules.constant(int(numbers[0]), PEAK, warmup=WARMUP)
    if kind == "cosine":
        return js.schedules.cosine(int(numbers[0]), PEAK, 0.1 * PEAK, warmup=WARMUP)
    if kind == "wsdcon":
        factor = {"3": 0.1, "9": 0.3, "18": 0.6}[numbers[0]]
        return js.schedules.multi_step(16_000, PEAK, at=(7999,), factor=factor, warmup=WARMUP)
    shape = "linear" if kind == "wsdld" else "exponential"
    return js.schedules.wsd(24_000, PEAK, 0.1 * PEAK, warmup=WARMUP, decay=4000, shape=shape)


def study(size: int) -> tuple[pd.DataFrame, js.Curves]:
    frame = pd.read_csv(data_folder() / "mpl_curves.csv")
    frame = frame.loc[frame["model_M"] == size].rename(columns={"schedule": "run"})
    known = {name: schedule(name) for name in frame["run"].unique()}
    return frame, js.Curves.from_frame(frame, schedules=known)


def metrics(curves: js.Curves, law: js.Law, params: Any) -> np.ndarray:
    """R², MAE, RMSE, mean and worst relative error, each the mean over the six curves left out."""
    found = []
    for _, own in curves.frame.loc[~curves.frame["run"].isin(FITTED)].groupby("run"):
        y = own["loss"].to_numpy()
        e = law(*(own[x].to_numpy() for x in law.inputs), **params) - y
        r2 = 1 - np.sum(e**2) / np.sum((y - y.mean()) ** 2)
        rel = np.abs(e / y)
        found.append([r2, np.abs(e).mean(), np.sqrt(np.mean(e**2)), rel.mean(), rel.max()])
    return np.mean(found, axis=0)


PRINTED = {
    25: [0.9988, 0.00376, 0.00465, 0.00110, 0.00409],
    100: [0.9983, 0.00435, 0.00592, 0.00142, 0.00583],
}


def test_named_schedules_are_those_that_were_logged() -> None:
    frame, curves = study(25)
    for name, own in frame.groupby("run"):
        rates = curves.schedule_of(str(name)).rate(own["step"].to_numpy())
        np.testing.assert_allclose(rates, own["lr"], atol=1e-12)


@pytest.mark.full
@pytest.mark.parametrize("size", PRINTED)
def test_published_constants_give_the_published_metrics(size: int) -> None:
    """All five within 3%, L0 within its printed rounding of 0.0005.

    The errors are of 0.4% of a loss, so that half a digit of L0 moves them by a tenth.
    """
    _, curves = study(size)
    law = js.multi_power(curves.schedules, nodes=256)
    constants = next(dict(v) for k, v in PUBLISHED.items() if k.endswith(f" {size}M"))
    off = []
    for shift in np.linspace(-5e-4, 5e-4, 21):
        found = metrics(curves, law, {**constants, "L0": constants["L0"] + shift})
        off.append(np.abs(found / PRINTED[size] - 1).max())
    assert min(off) < 0.03, min(off)


@pytest.mark.full
@pytest.mark.parametrize("size", PRINTED)
def test_our_fit_of_three_curves(size: int) -> None:
    """The optimum of the source's own objective lies far below the published constants'.

    It predicts the curves left out about as well, and no better: the published one was
    stopped early, ours is what the objective asks for.
    """
    _, curves = study(size)
    runs = curves.where(FITTED).runs()
    law = js.multi_power(curves.schedules)
    fit = js.fit(law, runs)
    constants = next(dict(v) for k, v in PUBLISHED.items() if k.endswith(f" {size}M"))
    rows = [runs[x] for x in law.inputs]
    r = np.abs(np.log(law(*rows, **constants)) - np.log(runs["loss"]))
    published = np.where(r < 1e-3, 0.5 * r**2, 1e-3 * (r - 5e-4)).sum()
    assert fit.objective < 0.5 * published
    found = metrics(curves, law, dict(fit.params))
    assert found[0] > 0.997
    assert (found[1:] < 1.3 * np.array(PRINTED[size][1:])).all()


@pytest.mark.full
@pytest.mark.parametrize(
    ("size", "constants", "errors"),
    [
        (25, [3.164, 0.5094, 0.5237, 0.4062], {"wsd_20000_24000": 8.6e-4, "cosine_72000": 2.7e-3}),
        (100, [2.7897, 0.5916, 0.4558, 0.4802], {"wsd_20000_24000": 8.0e-4, "cosine_72000": 3.4e-3}),
    ],
)  # fmt: skip
def test_the_annealing_law(size: int, constants: list[float], errors: dict[str, float]) -> None:
    """Constants within 0.1% of an independent fit (the issue asks for 3), errors within 5%."""
    _, curves = study(size)
    fit = js.fit("annealing", curves.where(["cosine_24000", "constant_24000"]).runs())
    np.testing.assert_allclose(fit.params, constants, rtol=1e-3)
    for name, expected in errors.items():
        own = curves.frame.loc[curves.frame["run"] == name]
        found = js.predict_curve(fit, schedule(name), steps=own["S"].to_numpy(), method=None)
        error = np.abs(found.frame["curve"].to_numpy() / own["loss"].to_numpy() - 1).mean()
        assert error == pytest.approx(expected, rel=0.05)
