"""How long the first fit of a new process takes: with an empty and with a warm cache.

Each repeat is a new process that imports jscale, fits `chinchilla` to the embedded runs from 64
automatic starts, and exits. Times are wall-clock seconds on an otherwise idle machine.

    python benchmarks/first_fit.py [--repeats 5]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from machine import header

CHILD = """
import time; start = time.perf_counter()
import sys, json, warnings
import jscale as js
imported = time.perf_counter()
if sys.argv[1]: js.enable_compilation_cache(sys.argv[1])
table = js.datasets.load("stdlib_lm")
table = table[table["split"] == "fit"]
read = time.perf_counter()
warnings.simplefilter("ignore")
fit = js.fit("chinchilla", table)
done = time.perf_counter()
again = js.fit("chinchilla", table)
print(json.dumps({"import": imported - start, "read": read - imported, "fit": done - read,
                  "total": done - start, "second fit": time.perf_counter() - done}))
"""


def one_process(cache: str) -> dict[str, float]:
    """Time a new process; an empty ``cache`` means none."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, cache], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def show(what: str, runs: list[dict[str, float]]) -> None:
    """Print the median and the minimum of each time."""
    cells = "  ".join(
        f"{name} {statistics.median(r[name] for r in runs):.2f} ({min(r[name] for r in runs):.2f})"
        for name in runs[0]
    )
    print(f"{what:12} {cells}")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    one_process("")  # file caches of the operating system and .pyc files are warm for all
    print(header())
    print("seconds, median (minimum)")
    show("no cache", [one_process("") for _ in range(repeats)])
    with tempfile.TemporaryDirectory() as folder:
        one_process(folder)
        size = sum(f.stat().st_size for f in Path(folder).rglob("*") if f.is_file())
        show("warm cache", [one_process(folder) for _ in range(repeats)])
        print(f"cache: {size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
