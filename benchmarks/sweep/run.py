"""The sweep: all runs of the plan on a few worker processes, resumable run by run."""

from __future__ import annotations

import argparse
import json
import os
import queue
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from .corpus import load_corpus
from .grid import RunSpec, settle
from .plans import PARTS, added_run
from .store import add_wall_seconds, is_finished, locked
from .tables import card_digest, corpus_matches_card

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

    def __init__(self, out: Path, pending: list[RunSpec], bar: tqdm):
        self.out, self.bar = out, bar
        self.failed: list[str] = []
        self._waiting: queue.SimpleQueue[RunSpec] = queue.SimpleQueue()
        self._bar_lock = threading.Lock()
        self._processes: list[subprocess.Popen[str]] = []
        self._stopped = False
        for spec in pending:
            self._waiting.put(spec)

    def work(self, core: int) -> None:
        """Take runs until none is left."""
        while not self._stopped:
            try:
                spec = self._waiting.get_nowait()
            except queue.Empty:
                return
            try:
                self._run_one(spec, core)
            except OSError as error:  # the process could not be started
                self.failed.append(f"{spec.name}: {error}")

    def stop(self) -> None:
        """End the worker processes; finished runs are kept."""
        self._stopped = True
        for process in list(self._processes):
            process.terminate()

    def _run_one(self, spec: RunSpec, core: int) -> None:
        module = f"{__package__}.worker"
        command = [sys.executable, "-m", module, json.dumps(asdict(spec)), str(self.out), str(core)]
        done, said = 0.0, []
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,  # never written to: that it closes tells the worker to end
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,  # a full disk has no room for a message, a pipe has
            text=True,
            errors="replace",
            cwd=REPOSITORY,
            env=os.environ | WORKER_ENVIRONMENT,
        ) as process:
            self._processes.append(process)
            for line in process.stdout or ():
                share = share_in(line)
                if share is None:
                    said.append(line)
                else:
                    self._advance(spec, share - done)
                    done = share
        log = self.out / f"{spec.name}.log"
        if process.returncode == 0:
            self._advance(spec, 1 - done)
            log.unlink(missing_ok=True)
        elif not self._stopped:
            self.failed.append(f"{spec.name}: {last_line(said, process.returncode)}")
            with suppress(OSError):
                log.write_text("".join(said), encoding="utf-8")

    def _advance(self, spec: RunSpec, share: float) -> None:
        with self._bar_lock:
            self.bar.set_postfix_str(spec.name, refresh=False)
            # Rounding may lead past the end, which tqdm warns of.
            left = self.bar.total - self.bar.n
            self.bar.update(min(share * settle(spec).flops, left))


def share_in(line: str) -> float | None:
    """The share done that a worker's line tells; None for any other line."""
    try:
        return float(line)
    except ValueError:
        return None


def last_line(said: list[str], status: int) -> str:
    """The last line that a failed run wrote, which is its message."""
    lines = "".join(said).strip().splitlines()
    return lines[-1] if lines else f"ended with status {status} and no message"


def chosen_runs(parts: list[str] | None, only: list[str] | None, added: list[str]) -> list[RunSpec]:
    """The runs of the parts asked for (all of the plan by default), or those named."""
    if added:
        return without_repeats([added_run(text) for text in added])
    runs = without_repeats([spec for part in parts or PARTS for spec in PARTS[part]()])
    if only is None:
        return runs
    by_name = {spec.name: spec for spec in runs}
    if unknown := [name for name in only if name not in by_name]:
        names = "\n  ".join(by_name)
        raise SystemExit(f"there is no run {unknown[0]!r}; there are\n  {names}")
    return without_repeats([by_name[name] for name in only])


def without_repeats(runs: list[RunSpec]) -> list[RunSpec]:
    """Every run once: two workers on one run would write the same files."""
    return list(dict.fromkeys(runs))


def cores(workers: int) -> list[int]:
    """A core for every worker; more workers than cores share."""
    if hasattr(os, "sched_getaffinity"):
        available = sorted(os.sched_getaffinity(0))
    else:
        available = list(range(os.cpu_count() or 1))
    return [available[index % len(available)] for index in range(workers)]


def sweep(out: Path, workers: int, runs: list[RunSpec]) -> int:
    """Do what is not done yet; the exit status."""
    digest = load_corpus().digest
    if corpus_matches_card(digest) is False:
        tqdm.write(
            f"note: this corpus is {digest}, the card's is {card_digest()}: "
            "losses will differ from the table's (recorded with every run)"
        )
    pending = [one for one in runs if not is_finished(out, settle(one).as_dict(), digest)]
    tqdm.write(f"{len(runs) - len(pending)} of {len(runs)} runs are already done")
    started = time.perf_counter()
    failed = run_pending(out, workers, pending)
    for message in failed:
        tqdm.write(f"FAILED {message}")
    if pending:
        add_wall_seconds(out, time.perf_counter() - started)
    return 1 if failed else 0


def run_pending(out: Path, workers: int, pending: list[RunSpec]) -> list[str]:
    """Do all pending runs behind one progress bar; messages of those that failed."""
    total = sum(settle(one).flops for one in pending)
    with tqdm(total=total, unit="FLOP", unit_scale=True, smoothing=0.05) as bar:
        job = Sweep(out, pending, bar)
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
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--part", choices=PARTS, action="append", help="only this part (repeat)")
    choice.add_argument("--only", metavar="RUN", action="append", help="only this run (repeat)")
    choice.add_argument(
        "--add",
        metavar="WIDTH:BYTES[:SEED]",
        action="append",
        help="a run beyond the plan (repeat)",
    )
    parser.add_argument("--workers", type=int, default=2, help="worker processes, one core each")
    parser.add_argument("--out", type=Path, default=Path("sweep-results"))
    arguments = parser.parse_args()
    if arguments.workers < 1:
        parser.error("--workers: should be 1 or more")
    runs = chosen_runs(arguments.part, arguments.only, arguments.add or [])
    out = arguments.out.resolve()
    with locked(out):
        return sweep(out, arguments.workers, runs)
