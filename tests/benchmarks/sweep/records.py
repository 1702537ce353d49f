"""Records of runs that nobody trained, and the sweep as a process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sweep.grid import RunSpec, Settings, settle
from benchmarks.sweep.run import REPOSITORY
from benchmarks.sweep.store import record_path, write_json
from benchmarks.sweep.train import CURVE_EVERY, learning_rates

DIGEST = "0123456789abcdef"
SEED_NOISE = 0.01


def loss_of(settings: Settings) -> float:
    """A loss that falls in N and D and differs from seed to seed."""
    unique = settings.trained_bytes
    if settings.unique_windows is not None:
        unique = settings.unique_windows * settings.context
    law = 0.8 + 60 * settings.shape.n_total**-0.5 + 40 * unique**-0.3
    return law * float(np.exp(SEED_NOISE * settings.seed))


def curve_of(settings: Settings) -> list[list[float]]:
    """Steps, learning rates and losses as a run's record has them."""
    rate = learning_rates(settings)
    steps = sorted({*range(CURVE_EVERY, settings.steps + 1, CURVE_EVERY), settings.steps})
    end = loss_of(settings)
    return [[step, float(rate(step - 1)), end * (1 + 5 / step)] for step in steps]


def make_record(spec: RunSpec, **changes: Any) -> dict[str, Any]:
    """What a worker would write for this run."""
    settings = settle(spec)
    record = {
        "settings": settings.as_dict(),
        "corpus": {
            "digest": DIGEST,
            "train_bytes": 11_485_514,
            "held_out_bytes": 633_861,
            "train_files": 699,
            "held_out_files": 35,
        },
        "loss": loss_of(settings),
        "seconds": 1.5,
        "device": "cpu",
        "jax": "0.10.2",
        "python": "3.11.7",
        "corpus_matches_card": True,
    }
    return record | ({"curve": curve_of(settings)} if settings.curve else {}) | changes


def put_record(out: Path, spec: RunSpec, **changes: Any) -> None:
    """Write such a record into an out folder."""
    write_json(record_path(out, spec.name), make_record(spec, **changes))


def start_sweep(out: Path, *arguments: str, **changes: Any) -> subprocess.Popen[str]:
    """The sweep as a process of its own; its bar goes to stderr."""
    command = [sys.executable, "-m", "benchmarks.sweep", "--out", str(out), *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=REPOSITORY, **pipes, **changes)
