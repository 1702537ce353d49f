"""What a forecast costs: the first of a new process, later ones, and memory.

Each measurement is a new process that imports jscale, forecasts the embedded runs (103 of them) and
predicts, without a compilation cache, or with one that an earlier process filled. Wall-clock time
suffers from other work on the machine; processor time, which adds up all threads, hardly does.
Many families are timed by benchmarks/forecast_many.py.

    python -m benchmarks.forecast_time [--repeats 5]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

from benchmarks.machine import header

_CHILD = """
import json, resource, sys, time, warnings
warnings.simplefilter("ignore")
class Clock:
    def __init__(self): self.wall, self.cpu = time.perf_counter(), time.process_time()
    def __call__(self): return time.perf_counter() - self.wall, time.process_time() - self.cpu
found, clock = {}, Clock()
import jscale as js
import numpy as np
if sys.argv[1]: js.enable_compilation_cache(sys.argv[1])
found["import"] = clock()
table = js.datasets.load("stdlib_lm")
small = table[table["split"] == "fit"]
def forecast(table):
    made = js.forecast(table)
    js.predict(made, N=3e5, D=5e6)
clock = Clock(); forecast(small); found["first forecast"] = clock()
found["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
laps = []
for _ in range(10):
    clock = Clock(); forecast(small); laps.append(clock())
found["warm forecast"] = tuple(np.median(laps, axis=0))
print(json.dumps(found))
"""
_CACHES = ("JAX_COMPILATION_CACHE_DIR", "JSCALE_CACHE_DIR")


def one_process(cache: str) -> dict[str, object]:
    """Time a new process; an empty ``cache`` means none."""
    environment = {name: value for name, value in os.environ.items() if name not in _CACHES}
    command = [sys.executable, "-c", _CHILD, cache]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return json.loads(done.stdout)


def show(title: str, runs: list[dict[str, object]]) -> None:
    """Print the median of each time over processes, and the least in parentheses."""
    print(f"\n{title}")
    for name, first in runs[0].items():
        if isinstance(first, list):
            wall, cpu = ([run[name][k] for run in runs] for k in (0, 1))  # type: ignore[index]
            print(
                f"  {name:32} {statistics.median(wall):6.2f} s wall ({min(wall):.2f}), "
                f"{statistics.median(cpu):6.2f} s of processors ({min(cpu):.2f})"
            )
        else:
            print(f"  {name:32} {max(run[name] for run in runs):6.0f} MB at most")  # type: ignore[type-var]


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    print(header())
    load = os.getloadavg()[0]
    print(f"load of the machine from other work at the start: {load:.1f}; medians (least)")
    show("no compilation cache", [one_process("") for _ in range(repeats)])
    with tempfile.TemporaryDirectory() as folder:
        one_process(folder)
        show("a filled compilation cache", [one_process(folder) for _ in range(repeats)])


if __name__ == "__main__":
    main()
