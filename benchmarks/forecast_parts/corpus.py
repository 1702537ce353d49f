"""The corpus that forecasts are learnt from and judged on: public sweeps, and our own.

A data set is a mapping of its parts (corpora, settings, evaluations) to tables with the columns of
Runs. Points that one source shares with another are counted once: kyotakano's and ml_scalefit's
losses are the digitised points of the Chinchilla paper.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

import jscale as js

Sweeps = dict[str, dict[str, pd.DataFrame]]
_COLUMNS = ["N", "D", "loss"]
_MOST_POINTS = 90
OWN = "stdlib_lm"


def folder() -> Path | None:
    """Return the folder of public data sets, None where JSCALE_DATA_DIR is not set."""
    name = os.environ.get("JSCALE_DATA_DIR", "")
    return Path(name) if name else None


def surfaces() -> Sweeps:
    """Return sweeps over N and D, those at hand."""
    found: Sweeps = {}
    for make in (_chinchilla, _llama3, _gadre, _porian, _farseer, _datablations, _steplaw, _own):
        try:
            found |= make()
        except (js.DatasetError, FileNotFoundError) as error:
            print(f"left out: {make.__name__[1:]}: {str(error).partition('.')[0]}")
    return found


def _tidy(table: pd.DataFrame, loss: str = "loss") -> pd.DataFrame:
    tidy = table.rename(columns={"params": "N", "tokens": "D", loss: "loss"})[_COLUMNS].dropna()
    return tidy.assign(C=6.0 * tidy["N"] * tidy["D"]).reset_index(drop=True)


def _chinchilla() -> Sweeps:
    table = js.datasets.load("chinchilla_epoch")
    return {"chinchilla": {"epoch": _tidy(table[table["outlier_top5"] == 0])}}


def _llama3() -> Sweeps:
    table = js.datasets.load("isoflops_open_athena")
    table = table[~table["outlier"].astype(bool)]
    parts = table[table["experiment"].str.contains("llama_3")].groupby("experiment")
    return {"llama3": {str(name): _tidy(part) for name, part in parts}}


def _gadre() -> Sweeps:
    table = js.datasets.load("gadre_overtraining")
    losses = [c for c in table if str(c).startswith("loss")]
    parts = {
        f"{corpus} {loss}": _tidy(part.drop(columns=[x for x in losses if x != loss]), str(loss))
        for corpus, part in table.groupby("dataset")
        for loss in losses
    }
    return {"gadre": parts}


def _porian() -> Sweeps:
    table = js.datasets.load("porian_isoflop")
    keys = ["file", "hparams", "warmup", "decay", "param_count"]
    return {"porian": {" ".join(map(str, k)): _tidy(p) for k, p in table.groupby(keys)}}


def _farseer() -> Sweeps:
    return {"farseer": {"all": _tidy(csv("scalebench_farseer"))}}


def csv(name: str) -> pd.DataFrame:
    """Return a table of JSCALE_DATA_DIR; raises FileNotFoundError."""
    where = folder()
    if where is None:
        raise FileNotFoundError(f"{name}: JSCALE_DATA_DIR is not set")
    return pd.read_csv(where / f"{name}.csv")


def _datablations() -> Sweeps:
    table = js.datasets.load("datablations")
    return {"datablations": {"one epoch": _tidy(table[table["epochs"] <= 1.01])}}


def _steplaw() -> Sweeps:
    table = js.datasets.load("steplaw_dense")
    best = table.groupby(["N", "D"])["smooth_loss"].min().reset_index()
    return {"steplaw": {"best": _tidy(best, "smooth_loss")}}


def _own() -> Sweeps:
    return {OWN: {"own": _tidy(js.datasets.load("stdlib_lm"))}}


# Curves along one input, with their authors' split in the column ``held``


def curves() -> Sweeps:
    """Return curves along one input, by domain: image tasks by data set, and others."""
    return {name: dict(parts) for name, parts in _grouped(_curves())}


def _grouped(
    curves: Iterator[tuple[str, str, pd.DataFrame]],
) -> list[tuple[str, list[tuple[str, pd.DataFrame]]]]:
    groups: dict[str, list[tuple[str, pd.DataFrame]]] = {}
    for domain, name, table in curves:
        groups.setdefault(domain, []).append((name, table))
    return list(groups.items())


def _curves() -> Iterator[tuple[str, str, pd.DataFrame]]:
    try:
        table = js.datasets.load("revisiting_92tasks")
    except js.DatasetError as error:
        print(f"left out: image tasks: {str(error).partition('.')[0]}")
        table = None
    if table is not None:
        table = table[(table["domain"] == "IC") & (table["loss"] > 0)]
        for (task, model), part in table.groupby(["task", "model"]):
            yield (
                f"IC {str(task).split('_')[0]}",
                f"{task} {model}",
                curve(part["seen_examples"], part["loss"], part["training"]),
            )
    try:
        table = csv("extrapolation_curves")
    except FileNotFoundError as error:
        print(f"left out: {error}")
        return
    table = table[(table["y"] > 0) & (table["x"] > 0)]
    for (domain, task), part in table.groupby(["domain", "task"]):
        if (part["training"] == 1).sum() >= 4 and (part["training"] == 0).any():
            yield str(domain), str(task), curve(part["x"], part["y"], part["training"])


def curve(x: pd.Series, y: pd.Series, training: pd.Series) -> pd.DataFrame:
    """Return a curve as runs of an input D, the fitted part thinned evenly in ln x."""
    table = pd.DataFrame(
        {"D": x.astype(float), "loss": y.astype(float), "held": training == 0}
    ).sort_values("D", kind="stable")
    seen, held = table[~table["held"]], table[table["held"]]
    return pd.concat([thinned(seen), held]).reset_index(drop=True)


def thinned(table: pd.DataFrame) -> pd.DataFrame:
    """Return at most 90 rows, those nearest to points even in the logarithm of D."""
    if len(table) <= _MOST_POINTS:
        return table
    logs = np.log(table["D"].to_numpy())
    even = np.linspace(logs[0], logs[-1], _MOST_POINTS)
    near = np.unique(np.abs(logs[:, None] - even[None]).argmin(axis=0))
    rest = np.setdiff1d(np.arange(len(logs)), near)
    missing = _MOST_POINTS - len(near)
    more = rest[np.linspace(0, len(rest) - 1, missing).astype(int)] if missing else rest[:0]
    return table.iloc[np.sort(np.concatenate([near, more]))]
