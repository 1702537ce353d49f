"""One run in a process of its own: `python -m benchmarks.sweep.worker PLAN RUN OUT CORE`.

The sweep starts this with `run.WORKER_ENVIRONMENT`; it prints the share done, line by line. The
process keeps to one core and one thread, so two runs do not disturb each other and a run's sums are
always in the same order.
"""

from __future__ import annotations

import math
import os
import platform
import sys
from pathlib import Path


def report(share: float) -> None:
    """Tell the sweep how far this run is; a loss that is no number ends the run."""
    if math.isnan(share):
        raise SystemExit("the training loss is not finite")
    print(share, flush=True)


def main(plan: str, run: str, out: str, core: str) -> None:
    """Train one run and write its record."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core)})
    # JAX counts the cores when it is imported: so only now.
    from .collect import corpus_matches_card
    from .corpus import load_corpus
    from .grid import settle
    from .plans import PLANS
    from .store import record_path, write_json
    from .train import run_training

    spec = next(spec for spec in PLANS[plan]() if spec.name == run)
    corpus = load_corpus()
    record = run_training(settle(spec), corpus, report)
    record["python"] = platform.python_version()
    record["corpus_matches_card"] = corpus_matches_card(corpus.digest)
    write_json(record_path(Path(out), run), record)


if __name__ == "__main__":
    main(*sys.argv[1:])
