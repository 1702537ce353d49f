"""Curves along one input of domains that the prior of forecasts was not learnt from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.forecast_parts.corpus import Sweeps, csv, curve

# Fitted are the runs below this share of the range in ln x; all others are held out.
_SHARE = 0.6
_LEAST_FITTED = 7


def more_curves() -> Sweeps:
    """Return curves of other domains, those at hand."""
    found: Sweeps = {}
    for name, make in _DOMAINS.items():
        try:
            found[name] = make()
        except FileNotFoundError as error:
            print(f"left out: {name}: {error}")
    return found


def _fine_tuning() -> dict[str, pd.DataFrame]:
    """Return losses of fine-tuned models against the examples seen, a curve for each model."""
    table = csv("rectified_sft")
    table = table[table["sft_size"] > 0]
    return {
        f"{data_set} {model}": _cut(part["sft_size"], part["loss"])
        for (data_set, model), part in table.groupby(["dataset", "model"])
    }


def _tokens() -> dict[str, pd.DataFrame]:
    """Return final losses against tokens, a curve for each size of model."""
    table = csv("scalebench_farseer")
    found = {}
    for size, part in table.groupby(table["N"].round(-5)):
        if len(part) >= 10:
            found[f"N {size:.3g}"] = _cut(part["D"], part["loss"])
    return found


def _steps() -> dict[str, pd.DataFrame]:
    """Return losses along training at a constant learning rate."""
    table = csv("mpl_curves")
    table = table[table["schedule"].str.startswith("constant")]
    return {
        f"{model} {schedule}": _cut(part["step"], part["loss"])
        for (model, schedule), part in table.groupby(["model_M", "schedule"])
    }


def _addition() -> dict[str, pd.DataFrame]:
    table = csv("bnsl_4digit_addition")
    training = (table["split"] == "train").astype(int)
    return {"4 digits": curve(table["dataset_size"], table["test_loss"], training)}


def _cut(x: pd.Series, y: pd.Series) -> pd.DataFrame:
    logs = np.log(x.astype(float))
    seen = logs <= logs.min() + _SHARE * np.ptp(logs)
    # A short curve keeps enough runs to fit a law with a break to.
    seen |= logs.rank(method="first") <= _LEAST_FITTED
    return curve(x, y, seen.astype(int))


_DOMAINS: dict[str, Callable[[], dict[str, pd.DataFrame]]] = {
    "loss along tokens": _tokens,
    "loss along steps": _steps,
    "fine-tuning": _fine_tuning,
    "addition": _addition,
}
