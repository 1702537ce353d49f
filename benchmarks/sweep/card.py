"""Cards of the tables: what the numbers mean, how they were produced, what was left out and why."""

from __future__ import annotations

from typing import Any

from .corpus import HELD_OUT_PERCENT, LEFT_OUT_FOLDERS
from .grid import (
    BATCH_RULE,
    COOL_DOWN_SHARE,
    LEARNING_RATE_RULE,
    SCHEDULES,
    WARM_UP_SHARE,
    Settings,
)
from .model import MLP_RATIO, ROTARY_BASE
from .plans import CURVE_BATCH
from .tables import PILOT, Table
from .train import ADAM, CLIP_NORM, CURVE_EVERY, CURVE_WINDOWS

COLUMNS = {
    "run": "name of the run",
    "split": "'fit' (C at most 1e12) or 'holdout' (C above every fit run)",
    "part": "why the run was made: grid, isoflop, holdout, seeds, repeated, pilot, added",
    "N": "all parameters; the tied embedding counts once",
    "N_non_embedding": "parameters without the tied embedding",
    "D": "bytes trained on (prediction targets), counted each time they were seen",
    "unique_bytes": ("distinct bytes available to the run; it saw min(D, unique_bytes) of them"),
    "C": "training FLOPs, 6 * N * D; products inside attention are not counted",
    "loss": "held-out cross-entropy at the end of the run, nats per byte",
    "seed": "seed of initial weights and of the order of the windows",
    "steps": "optimiser steps of the whole run",
    "batch": "windows per step",
    "context": "bytes per window",
    "peak_lr": "peak learning rate of Adam",
    "schedule": "learning-rate schedule over the run's own steps, see training",
    "layers": "transformer blocks",
    "width": "width of the residual stream",
    "heads": "attention heads",
    "epochs": "passes over the unique bytes, D / unique_bytes; up to 1, nothing repeats",
    "corpus": "first 16 hex digits of the SHA-256 of the corpus (paths and bytes)",
    "jax": "version of JAX",
    "python": "version of Python, whose standard library is the corpus",
    "device": "JAX backend",
    "seconds": (
        "wall-clock seconds on one core: compilation, training, evaluation; other work ran on the "
        "machine at times, so it is an upper bound"
    ),
}
CURVE_COLUMNS = COLUMNS | {
    "step": "optimiser steps so far",
    "D": "bytes trained on up to this step",
    "learning_rate": "learning rate of this step",
    "loss": (
        f"cross-entropy on {CURVE_WINDOWS} of the held-out windows, evenly spaced, the same for "
        "every run and step, nats per byte"
    ),
    "final_loss": "loss on all held-out windows at the end of the run, nats per byte",
}
LEFT_OUT = [
    "C omits the products inside attention (scores, weighted sums), which have no weights: "
    "over the full square of positions they would add 94 % at width 12 and 11 % at width 192.",
    "Fit runs stop at 1e12 FLOPs, so the grid is a triangle; the plan has no run between 1e12 and "
    "6e12: the held-out runs are meant to lie well beyond the fit.",
    "In stdlib_lm every run of the plan has seed 0: runs of one size start from the same weights, "
    "and all runs see the windows in the same order. Other seeds are in stdlib_lm_seeds, repeated "
    "data in stdlib_lm_repeated.",
    "The learning rate was tuned only up to width 160 and D = 2.4e6; beyond that, the rule is "
    "extrapolated. It was tuned on the same held-out files on which the losses are measured.",
    "The held-out files differ from the training files, but are not unlike them: some (the "
    "character tables of encodings) share many lines with training files.",
    "No run of stdlib_lm sees more than 0.9 of the corpus.",
    "No other depth, context or tokenisation was tried, and no GPU was available.",
    "97 of the 250 runs of the plan were trained before the format of the records changed, by the "
    "same training code and versions, 89 of them for an earlier, smaller table; runs trained again "
    "since then gave the same losses bit for bit. sweep_wall_seconds does not count them. Runs of "
    "the earlier table that are not in this plan, including four held-out ones, were dropped.",
    "Four runs were trained twice: two of the pilot and two cosine curves have the settings of a "
    "cell of the grid, and the same loss.",
    "The corpus itself is not shipped: it comes with every Python; another version, build or "
    "platform of Python may have different bytes and therefore another digest.",
]


def describe_table(
    table: Table,
    records: list[dict[str, Any]],
    rows: list[dict[str, Any]],
    missing: list[str],
    csv_sha256: str,
) -> dict[str, Any]:
    """Return the content of a card: `records` are the runs in the table, `missing` those to do."""
    meanings = CURVE_COLUMNS if "step" in rows[0] else COLUMNS
    pythons = sorted({record["python"] for record in records})
    return {
        "name": table.name,
        "title": "Tiny byte-level language models trained on Python's standard library",
        "description": table.description,
        "status": "preliminary" if missing else "complete",
        "missing_runs": missing,
        "license": "Apache-2.0",
        "usable_for": table.usable_for,
        "source": "own training runs, benchmarks/sweep of this repository",
        "csv_sha256": csv_sha256,
        "rows": len(rows),
        "runs_by_part": runs_by_part(rows),
        "columns": {name: meanings[name] for name in rows[0]},
        "architecture": architecture(records[0]),
        "tokenisation": "bytes, vocabulary 256; files are joined by one NUL byte",
        "corpus": {
            "what": (
                f"the .py files of the standard library of CPython {', '.join(pythons)}, without "
                f"folders named {', '.join(sorted(LEFT_OUT_FOLDERS))}"
            ),
            **records[0]["corpus"],
            "held_out_rule": (
                "a file is held out if the first 8 bytes (big-endian) of the SHA-256 of its "
                f"relative POSIX path, modulo 100, are below {HELD_OUT_PERCENT}"
            ),
        },
        "training": training_rules(),
        "evaluation": (
            "mean over all full windows of all held-out files, the same for every run, with "
            "every byte weighted equally; the first bytes of a window have little context"
        ),
        "versions": {"jax": sorted({record["jax"] for record in records}), "python": pythons},
        "device": (
            f"{', '.join(sorted({record['device'] for record in records}))}, one core and one "
            "thread per run, float32"
        ),
        "core_seconds": round(sum(record["seconds"] for record in records), 1),
        "left_out": LEFT_OUT,
    }


def runs_by_part(rows: list[dict[str, Any]]) -> dict[str, int]:
    """Count the runs of each part of the table (a curve is one run)."""
    part_of = {row["run"]: row.get("part", "curves") for row in rows}
    parts = list(part_of.values())
    return {part: parts.count(part) for part in sorted(set(parts))}


def architecture(record: dict[str, Any]) -> dict[str, Any]:
    """Describe the family of models in words and numbers."""
    settings = Settings(**record["settings"])
    return {
        "kind": "decoder-only transformer, pre-norm, no biases, no dropout",
        "layers": settings.layers,
        "heads": settings.heads,
        "feed_forward": f"{MLP_RATIO} x width, squared ReLU",
        "norm": "RMSNorm without gain",
        "positions": f"rotary, base {ROTARY_BASE:g}",
        "embedding": "tied with the output head",
        "context": settings.context,
        "scaling": "only the width grows; N = 24 width^2 + 256 width, all of it matmul weights",
    }


def training_rules() -> dict[str, Any]:
    """Describe the optimiser, the schedules and the rules that set batch and learning rate."""
    return {
        "optimiser": f"Adam {ADAM}, no weight decay, gradients clipped to norm {CLIP_NORM:g}",
        "schedules": SCHEDULES,
        "warm_up_share": WARM_UP_SHARE,
        "cool_down_share_of_wsd": COOL_DOWN_SHARE,
        "learning_rate_rule": LEARNING_RATE_RULE,
        "batch_rule": BATCH_RULE,
        "data_order": (
            "windows of the training bytes in a seeded shuffle, without replacement; with few "
            "unique bytes a new shuffle of the same windows for every pass"
        ),
        "curves": f"every {CURVE_EVERY} steps and at the end, {CURVE_BATCH} windows per step",
        "pilot": PILOT,
    }
