"""The sweep: all runs of a plan on a few worker processes, resumable run by run."""

from __future__ import annotations

import argparse
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

from tqdm import tqdm

from .collect import card_digest, corpus_matches_card
from .corpus import load_corpus
from .grid import Settings, settle
from .plans import PLANS
from .store import add_wall_seconds, is_finished, locked

REPOSITORY = Path(__file__).resolve().parents[2]
WORKER_ENVIRONMENT = {
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "OMP_NUM_THREADS": "1",
    # glibc gives the large buffers of every step back to the kernel and asks for them again: a
    # third of the time went there. So it keeps them.
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "8000000000",
    "MALLOC_TOP_PAD_": "268435456",
}


class Sweep:
    """Runs waiting in a queue, one thread per core that feeds a worker process, one bar."""

    def __init__(self, plan: str, out: Path, pending: list[Settings], bar: tqdm):
        self.plan, self.out, self.bar = plan, out, bar
        self.failed: list[str] = []
        self._waiting: queue.SimpleQueue[Settings] = queue.SimpleQueue()
        self._bar_lock = threading.Lock()
        self._processes: dict[int, subprocess.Popen[str]] = {}
        self._stopped = False
        for settings in pending:
            self._waiting.put(settings)

    def work(self, core: int) -> None:
        """Take runs until none is left."""
        while not self._stopped:
            try:
                settings = self._waiting.get_nowait()
            except queue.Empty:
                return
            self._run_one(settings, core)

    def stop(self) -> None:
        """End the worker processes; finished runs are kept."""
        self._stopped = True
        for process in list(self._processes.values()):
            process.terminate()

    def _run_one(self, settings: Settings, core: int) -> None:
        module = f"{__package__}.worker"
        command = [sys.executable, "-m", module, self.plan, settings.run, str(self.out), str(core)]
        log = self.out / f"{settings.run}.log"
        with (
            log.open("w") as errors,
            subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=REPOSITORY,
                env=os.environ | WORKER_ENVIRONMENT,
            ) as process,
        ):
            self._processes[core] = process
            done = 0.0
            for line in process.stdout or ():
                self._advance(settings, float(line) - done)
                done = float(line)
        if process.returncode == 0:
            self._advance(settings, 1 - done)
            log.unlink()
        elif not self._stopped:
            self.failed.append(f"{settings.run}: {last_line(log)}")

    def _advance(self, settings: Settings, share: float) -> None:
        with self._bar_lock:
            self.bar.set_postfix_str(settings.run, refresh=False)
            self.bar.update(share * settings.flops / 1e9)


def last_line(log: Path) -> str:
    """The last line a failed run wrote, which is its message."""
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "ended without a message"


def chosen_settings(plan: str, only: str | None) -> list[Settings]:
    """The plan's runs with their rules applied, or the one named."""
    settings = [settle(spec) for spec in PLANS[plan]()]
    if only is None:
        return settings
    chosen = [one for one in settings if one.run == only]
    if not chosen:
        names = "\n  ".join(one.run for one in settings)
        raise SystemExit(f"plan {plan!r} has no run {only!r}; it has\n  {names}")
    return chosen


def cores(workers: int) -> list[int]:
    """A core for every worker; more workers than cores share."""
    if hasattr(os, "sched_getaffinity"):
        available = sorted(os.sched_getaffinity(0))
    else:
        available = list(range(os.cpu_count() or 1))
    return [available[index % len(available)] for index in range(workers)]


def sweep(plan: str, out: Path, workers: int, only: str | None) -> int:
    """Do what is not done yet; the exit status."""
    digest = load_corpus().digest
    if corpus_matches_card(digest) is False:
        tqdm.write(
            f"note: this corpus is {digest}, the card's is {card_digest()}: "
            "losses will differ from the table's (recorded with every run)"
        )
    settings = chosen_settings(plan, only)
    pending = [one for one in settings if not is_finished(out, one.as_dict(), digest)]
    tqdm.write(f"{len(settings) - len(pending)} of {len(settings)} runs are already done")
    started = time.perf_counter()
    failed = run_pending(plan, out, workers, pending)
    if pending:
        add_wall_seconds(out, time.perf_counter() - started)
    for message in failed:
        tqdm.write(f"FAILED {message}")
    return 1 if failed else 0


def run_pending(plan: str, out: Path, workers: int, pending: list[Settings]) -> list[str]:
    """Do all pending runs behind one progress bar; messages of those that failed."""
    with tqdm(total=sum(one.flops for one in pending) / 1e9, unit="GFLOP", smoothing=0.05) as bar:
        job = Sweep(plan, out, pending, bar)
        threads = [threading.Thread(target=job.work, args=(core,)) for core in cores(workers)]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        except KeyboardInterrupt:
            job.stop()
            raise SystemExit("stopped; start it again to go on") from None
    return job.failed


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep", description=__doc__)
    parser.add_argument("--plan", choices=sorted(PLANS), default="grid")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("sweep-results"))
    parser.add_argument("--only", metavar="RUN", help="only the run of this name")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    with locked(out):
        return sweep(arguments.plan, out, arguments.workers, arguments.only)
