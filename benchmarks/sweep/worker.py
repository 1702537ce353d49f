"""One run in a process of its own: `python -m benchmarks.sweep.worker SPEC OUT CORE`.

The sweep starts this with `run.WORKER_ENVIRONMENT`; it prints the share done, line by line. The
process keeps to one core and one thread, so two runs do not disturb each other and a run's sums are
always in the same order. It ends when its standard input closes: the sweep holds the other end, so
a sweep that was killed leaves no worker behind.
"""

from __future__ import annotations

import json
import math
import os
import platform
import sys
import threading
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("numpy", "optax", "jaxlib")


def report(share: float) -> None:
    """Tell the sweep how far this run is; a loss that is no number ends the run."""
    if math.isnan(share):
        raise SystemExit("the training loss is not finite")
    print(share, flush=True)


def end_with_the_sweep() -> None:
    """Wait for the end of standard input, then end this process at once."""
    # os.read, because a thread inside sys.stdin would hold its lock while the interpreter ends.
    os.read(0, 1)
    os._exit(1)


def processor() -> str:
    """The processor's model name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def main(spec: str, out: str, core: str) -> None:
    """Train one run, given as a RunSpec in JSON, and write its record."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core)})
    # JAX counts the cores when it is imported: so only now.
    from .corpus import load_corpus
    from .grid import RunSpec, settle
    from .store import record_path, write_json
    from .tables import corpus_matches_card
    from .train import run_training

    settings = settle(RunSpec(**json.loads(spec)))
    corpus = load_corpus()
    record = run_training(settings, corpus, report)
    record["python"] = platform.python_version()
    record["libraries"] = {name: version(name) for name in LIBRARIES}
    record["cpu"] = processor()
    record["corpus_matches_card"] = corpus_matches_card(corpus.digest)
    write_json(record_path(Path(out), settings.run), record)


if __name__ == "__main__":
    threading.Thread(target=end_with_the_sweep, daemon=True).start()
    main(*sys.argv[1:])
