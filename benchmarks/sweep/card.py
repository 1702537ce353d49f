"""The card of the table: what the numbers are, how they were made, what was left out and why."""

from __future__ import annotations

from typing import Any

from .corpus import HELD_OUT_PERCENT, LEFT_OUT_FOLDERS
from .grid import BATCH_RULE, LEARNING_RATE_RULE, SCHEDULE, WARM_UP_SHARE, Settings
from .model import MLP_RATIO, ROTARY_BASE
from .train import ADAM, CLIP_NORM

COLUMNS = {
    "run": "name of the run",
    "split": "'fit' or 'holdout' (larger C than any fit run)",
    "N": "parameters, all of them; the tied embedding counts once",
    "N_non_embedding": "parameters without the tied embedding",
    "D": "bytes trained on (prediction targets); every one seen exactly once",
    "unique_bytes": "bytes of the training corpus available",
    "C": "training FLOPs, 6 * N * D; products inside attention are not counted",
    "loss": "held-out cross-entropy at the end of the run, nats per byte",
    "seed": "seed of initial weights and of the order of the windows",
    "steps": "optimiser steps",
    "batch": "windows per step",
    "context": "bytes per window",
    "peak_lr": "peak learning rate of Adam",
    "schedule": "learning-rate schedule over the run's own steps",
    "layers": "transformer blocks",
    "width": "width of the residual stream",
    "heads": "attention heads",
    "epochs": "passes over unique_bytes, D / unique_bytes; below one, so nothing repeats",
    "corpus": "first 16 hex digits of the SHA-256 of the corpus (paths and bytes)",
    "jax": "version of JAX",
    "python": "version of Python, whose standard library is the corpus",
    "device": "JAX backend",
    "seconds": "wall-clock seconds on one core: compilation, training, evaluation",
}


def describe_table(
    records: list[dict[str, Any]], missing: list[str], csv_sha256: str, wall_seconds: float
) -> dict[str, Any]:
    """The card's content; `records` are the runs in the table, `missing` those not yet done."""
    first = records[0]
    return {
        "name": "stdlib_lm",
        "title": "Tiny byte-level language models trained on Python's standard library",
        "description": (
            f"{len(records)} training runs of decoder-only transformers: sizes N and bytes D "
            "cross widely, held-out runs have a C above every fit run. One seed per cell."
        ),
        "status": "preliminary" if missing else "complete",
        "missing_runs": missing,
        "license": "Apache-2.0",
        "usable_for": "first fits, L(N, D), held-out checks",
        "source": "own training runs, benchmarks/sweep of this repository",
        "csv_sha256": csv_sha256,
        "rows": len(records),
        "splits": count_by_split(records),
        "columns": COLUMNS,
        "architecture": architecture(first),
        "tokenisation": "bytes, vocabulary 256; files are joined by one NUL byte",
        "corpus": {
            "what": (
                f"the .py files of the standard library of CPython {first['python']}, without "
                f"folders named {', '.join(sorted(LEFT_OUT_FOLDERS))}"
            ),
            **first["corpus"],
            "held_out_rule": (
                "a file is held out if the first 8 bytes (big-endian) of the SHA-256 of its "
                f"relative POSIX path, modulo 100, are below {HELD_OUT_PERCENT}"
            ),
        },
        "training": training_rules(),
        "evaluation": (
            "mean over all full windows of all held-out files, the same for every run, every byte "
            "weighted alike; the first bytes of a window have little context"
        ),
        "versions": {"jax": first["jax"], "python": first["python"]},
        "device": f"{first['device']}, one core and one thread per run, float32",
        "core_seconds": round(sum(record["seconds"] for record in records), 1),
        "wall_seconds": round(wall_seconds, 1),
        "left_out": LEFT_OUT,
    }


LEFT_OUT = [
    "C leaves out the products inside attention (scores, weighted sums), which have no weights: "
    "over the full square of positions they would add 94 % at width 12 and 15 % at width 128.",
    "Repeats with other seeds are not in the table, so that every cell counts once; they are in "
    "benchmarks/sweep/repeats.csv and show the noise.",
    "Cells of the N-by-D grid with C above 1e12 FLOPs are left out of the fit split: the grid is a "
    "triangle, so that the held-out runs extrapolate in C.",
    "Repeated data (more than one epoch) is left out: no run sees more than 0.9 of the corpus.",
    "The corpus itself is not shipped: it comes with every Python; another Python version has "
    "other bytes and another digest.",
]


def count_by_split(records: list[dict[str, Any]]) -> dict[str, int]:
    """How many runs each split has."""
    splits = [record["settings"]["split"] for record in records]
    return {split: splits.count(split) for split in sorted(set(splits))}


def architecture(record: dict[str, Any]) -> dict[str, Any]:
    """The family of models in words and numbers."""
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
    """Optimiser, schedule and the two rules that set batch and learning rate."""
    return {
        "optimiser": f"Adam {ADAM}, no weight decay, gradients clipped to norm {CLIP_NORM:g}",
        "schedule": SCHEDULE,
        "warm_up_share": WARM_UP_SHARE,
        "learning_rate_rule": LEARNING_RATE_RULE,
        "batch_rule": BATCH_RULE,
        "data_order": "windows of the training bytes in a seeded shuffle, without replacement",
        "pilot": "benchmarks/sweep/pilot.csv",
    }
