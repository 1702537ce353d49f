"""The tables that the sweep fills: which parts go where, and what each is for."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "jscale" / "data" / "tables"
MAIN = "stdlib_lm"
CURVES = "stdlib_lm_curves"
PILOT = "stdlib_lm_pilot"


@dataclass(frozen=True)
class Table:
    """One embedded table: its name, the parts of the plan in it, and its card's own words."""

    name: str
    parts: tuple[str, ...]
    description: str
    usable_for: str


TABLES = (
    Table(
        MAIN,
        ("grid", "isoflop", "holdout", "added"),
        "Loss by size N and bytes D: a wide grid, cuts at three equal budgets of compute, and "
        "held-out runs at 6 to 13 times the compute of any fit run. One run per cell of the plan.",
        "first fits, L(N, D), isoFLOP, compute-optimal frontier, held-out checks",
    ),
    Table(
        "stdlib_lm_seeds",
        ("grid", "seeds"),
        "Every fourth cell of the grid with three seeds: different initial weights and windows.",
        "run-to-run noise",
    ),
    Table(
        "stdlib_lm_repeated",
        ("repeated",),
        "Cells of the grid with few unique bytes, each seen 2 to 16 times; the same cell of "
        "stdlib_lm saw every byte once.",
        "data-constrained laws",
    ),
    Table(
        CURVES,
        ("curves",),
        "Whole loss curves of two sizes and two lengths under constant, cosine and "
        "warmup-stable-decay schedules, all with the same batch. Rows of one run belong together: "
        'pass run="run" to Runs.from_frame. Runs are equal until their schedules diverge.',
        "loss over training steps, learning-rate schedules",
    ),
    Table(
        PILOT,
        ("pilot",),
        "The runs behind the rules for batch and learning rate: several rates in each cell.",
        "optimal learning rate and batch",
    ),
)


def read_card(name: str) -> dict[str, Any] | None:
    """The card of an embedded table; None while there is none."""
    try:
        return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def read_rows(name: str) -> list[dict[str, str]]:
    """The lines of an embedded table as text; none while there is no table."""
    try:
        with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
            return list(csv.DictReader(handle))
    except FileNotFoundError:
        return []


def card_digest() -> str | None:
    """The corpus digest that the main table's card states; None while there is no card."""
    card = read_card(MAIN)
    return None if card is None else card["corpus"]["digest"]


def corpus_matches_card(digest: str) -> bool | None:
    """Whether this corpus is the one of the card; None while there is no card."""
    stated = card_digest()
    return None if stated is None else stated == digest
