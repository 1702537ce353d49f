"""The questions: which larger runs are to be predicted from which smaller ones.

Our own runs are embedded; the public tables are read by ``js.datasets`` (JSCALE_DATA_DIR, or
downloaded). A question whose table is not available is left out, with a message.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

import jscale as js
from jscale.data.published_splits import overtraining

COLUMNS = ["N", "D", "C", "loss"]
RENAMED = {"params": "N", "tokens": "D", "flops": "C", "budget": "C"}
CUTS = (1e11, 2.5e11, 6.3e11)


@dataclass(frozen=True)
class Question:
    """The task to predict ``large`` runs from ``small`` ones: tables with the columns of Runs."""

    name: str
    small: pd.DataFrame
    large: pd.DataFrame

    @property
    def whole(self) -> pd.DataFrame:
        """The two tables as one, with a column ``held``."""
        parts = [self.small.assign(held=False), self.large.assign(held=True)]
        return pd.concat(parts, ignore_index=True)

    @property
    def factor(self) -> float:
        """The largest compute (or number of examples) divided by the largest fitted one."""
        axis = "C" if "C" in self.small else "D"
        return float(self.large[axis].max() / self.small[axis].max())


def surfaces() -> Iterator[Question]:
    """Yield questions on runs of N and D."""
    yield from _own()
    for make in (_chinchilla, _kyotakano, _overtraining, _isoflops, _porian):
        try:
            yield from make()
        except js.DatasetError as error:
            print(f"left out: {make.__name__[1:]}: {str(error).partition('.')[0]}")


def tasks() -> pd.DataFrame | None:
    """Return the 24 image tasks; ``task`` names the curve, ``held`` is the authors' split."""
    try:
        table = js.datasets.load("revisiting_92tasks")
    except js.DatasetError as error:
        print(f"left out: image tasks: {str(error).partition('.')[0]}")
        return None
    table = table[table["domain"] == "IC"]
    return pd.DataFrame(
        {
            "task": table["task"] + " " + table["model"],
            "D": table["seen_examples"],
            "loss": table["loss"],
            "held": table["training"] == 0,
        }
    ).reset_index(drop=True)


def _own() -> Iterator[Question]:
    table = js.datasets.load("stdlib_lm")
    held = table["split"] == "holdout"
    yield Question("stdlib_lm, held-out runs", table[~held][COLUMNS], table[held][COLUMNS])
    for cut in CUTS:
        small, large = table[table["C"] <= cut], table[table["C"] >= 3 * cut]
        yield Question(f"stdlib_lm, C ≤ {cut:.2g} → ≥ 3×", small[COLUMNS], large[COLUMNS])


def _split(name: str, table: pd.DataFrame, fit: float, predict: float) -> Question:
    C = table["C"]
    return Question(name, table.loc[fit > C, COLUMNS], table.loc[predict <= C, COLUMNS])


def _chinchilla() -> Iterator[Question]:
    table = js.datasets.load("chinchilla_epoch")
    table = table[table["outlier_top5"] == 0].rename(columns=RENAMED)
    yield _split("Chinchilla, C < 1e20 → ≥ 3e20", table, 1e20, 3e20)


def _kyotakano() -> Iterator[Question]:
    table = js.datasets.load("kyotakano_llm").rename(columns=RENAMED)
    yield _split("kyotakano, C < 1e20 → ≥ 3e20", table, 1e20, 3e20)


def _overtraining() -> Iterator[Question]:
    for dataset, name in (("c4_original", "C4"), ("rw_original", "RefinedWeb")):
        five, small, large = overtraining(dataset)
        yield Question(f"over-training {name}, five runs → 1.4B, 6.9B", five, large)
        yield Question(f"over-training {name}, all small → 1.4B, 6.9B", small, large)


def _by_budget(name: str, table: pd.DataFrame) -> Question:
    """Yield questions in which the cheaper two thirds of the budgets predict much larger ones."""
    budgets = np.sort(table["C"].unique())
    cut = budgets[2 * len(budgets) // 3 - 1]
    return _split(name, table, cut * (1 + 1e-9), 2 * cut)


def _isoflops() -> Iterator[Question]:
    table = js.datasets.load("isoflops_open_athena").rename(columns=RENAMED)
    for name, part in table[~table["outlier"]].groupby("experiment"):
        yield _by_budget(f"isoFLOP {str(name).replace('__', ' ')}", part)


def _porian() -> Iterator[Question]:
    table = js.datasets.load("porian_isoflop").rename(columns=RENAMED)
    keys = ["file", "hparams", "warmup", "decay", "param_count"]
    for key, part in table.groupby(keys):
        name = f"{str(key[0]).removeprefix('summary_df').strip('_')} {' '.join(key[1:])}".strip()
        yield _by_budget(f"Porian {name}", part)
