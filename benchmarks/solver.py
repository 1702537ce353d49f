"""The solver compared with other tools on the same tasks and objective, and how its cost grows.

Every line is a separate process pinned to the named cores. CPU and wall-clock seconds are warm
(compilation is listed separately). "expected" is the CPU time after which the optimum has been
found with probability 99%, given the share of starts that reach it.

    pip install ".[bench]"; python -m benchmarks.solver [--only contest growth …] [--out FILE]

W1 and W2 need the public data (JSCALE_DATA_DIR, or a network).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.machine import header
from benchmarks.solver_parts import growth, hard_laws, peers

CORES = sorted(os.sched_getaffinity(0))
_SEEDS = 200
Results = dict[str, dict[str, Any]]


def run(task: str, *numbers: int, cores: list[int] | None = None, **env: str) -> dict[str, Any]:
    """Run a task in a separate process on some cores."""
    command = [sys.executable, "-m", "benchmarks.solver_parts.one", task, *map(str, numbers)]
    chosen = CORES if cores is None else cores
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **env},
        preexec_fn=lambda: os.sched_setaffinity(0, chosen),
    )
    if done.returncode:
        return {"missing": (done.stderr.strip().splitlines() or ["no message"])[-1][:90]}
    return json.loads(done.stdout.splitlines()[-1])


def _line(name: str, found: dict[str, Any]) -> None:
    if "missing" in found:
        print(f"{name:24} not measured: {found['missing']}")
        return
    share = found.get("share", float("nan"))
    each = found["cpu"] / max(found.get("starts", 1), 1)
    tries = np.log(0.01) / np.log1p(-min(share, 0.99)) if share > 0 else np.inf
    print(
        f"{name:24} {found['cpu']:9.3f} {found['wall']:9.3f} {found.get('compile', 0.0):8.1f} "
        f"{found['rss']:7.0f} {found.get('excess', np.nan):10.1e} {100 * share:7.1f} "
        f"{each * max(tries, 1.0):10.2e} {found.get('ran', 'all')!s:>6}",
        flush=True,
    )


def contest(results: Results) -> None:
    """Print W1, W2 and W3 for every tool: jscale on all cores and on one, loops on one."""
    heads = "CPU s      wall s  compile  RSS MB     excess share % expected s    ran"
    ours = {
        "W1": ("w1_staged", "w1_exhaustive", "w1_automatic", "w1_answer", "w1_many"),
        "W2": ("w2",),
        "W3": ("w3",),
    }
    others = {"W1": peers.W1, "W2": peers.W2, "W3": peers.W3}
    for title in ours:
        print(f"\n{title:24}     {heads}")
        for task in ours[title]:
            results[task] = run(task)
            _line(f"jscale {task}", results[task])
            results[f"{task} 1"] = run(task, cores=CORES[:1])
            _line("  on one core", results[f"{task} 1"])
        for function in others[title]:
            name = function.__name__
            results[name] = run(name, cores=CORES[:1])
            _line(name, results[name])


def small(results: Results) -> None:
    """Print the time of the influence of all points, and of the first fit of a new process."""
    results["influence"] = run("influence")
    found = results["influence"]
    print(f"\ninfluence of 240 points: {1e3 * found.get('wall', np.nan):.2f} ms")
    command = [sys.executable, str(Path(__file__).with_name("first_fit.py")), "--repeats", "3"]
    print("first fit of a process, on 103 runs:", flush=True)
    done = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for line in done.splitlines()[2:]:
        print(f"  {line}")
        if "total" in line:
            seconds = float(line.split("total")[1].split()[0])
            results["cold" if line.startswith("no cache") else "warm"] = {"wall": seconds}


def grown(results: Results) -> None:
    """Print cost against size; the slope of log time over log size is of the last two sizes."""
    for task, sizes in growth.SIZES.items():
        also = "   ns per row and step" if task == "grow_parameters" else ""
        print(f"\n{growth.UNITS[task]:>12}     wall s      CPU s  compile  RSS MB{also}")
        walls = []
        for size in sizes:
            found = run(task, size)
            if "missing" in found:
                print(f"{size:>12} not measured: {found['missing']}")
                continue
            walls.append((size, found["wall"]))
            each = f" {found['each']:10.1f}" if "each" in found else ""
            print(
                f"{size:>12} {found['wall']:10.4f} {found['cpu']:10.4f} {found['compile']:8.1f} "
                f"{found['rss']:7.0f}{each}",
                flush=True,
            )
        (a, x), (b, y) = walls[-2:]
        print(f"       slope {np.log(y / x) / np.log(b / a):10.2f}")


def hard(results: Results) -> None:
    """Print results on hard laws over fixed seeds, distributed over one process per core."""
    from concurrent.futures import ThreadPoolExecutor

    print(f"\nplanted optimum (or a better one) found, of {_SEEDS} seeds")
    cuts = np.linspace(0, _SEEDS, len(CORES) + 1).astype(int)
    for which, name in enumerate(hard_laws.NAMES):
        with ThreadPoolExecutor(len(CORES)) as pool:
            parts = list(
                pool.map(
                    lambda k, which=which: run(
                        "hard", which, cuts[k], cuts[k + 1], cores=[CORES[k]]
                    ),
                    range(len(CORES)),
                )
            )
        if any("missing" in p for p in parts):
            print(f"{name:12} not measured: {parts}")
            continue
        missed = [m for p in parts for m in p["missed"]]
        results[f"hard {name}"] = {"found": _SEEDS - len(missed)}
        wall = np.median([p["wall"] for p in parts])
        shown = [(seed, float(f"{excess:.1e}")) for seed, excess in missed]
        found = f"{_SEEDS - len(missed)} of {_SEEDS}, {parts[0]['starts']} starts"
        print(f"{name:12} {found}, {wall:.2f} s per search on one core")
        print(f"{'':12} missed (seed, relative excess): {shown}", flush=True)


def devices(results: Results) -> None:
    """Print times on one core and on all, with one host device and with one per core."""
    print("\nwall s                 one core  all cores   ratio   host devices   ratio")
    for task in ("w1_exhaustive", "w2", "w3"):
        one = results.get(f"{task} 1") or run(task, cores=CORES[:1])
        two = results.get(task) or run(task)
        host = run(task, JAX_NUM_CPU_DEVICES=str(len(CORES)))
        results[f"{task} ratio"] = {"ratio": one["wall"] / two["wall"]}
        print(
            f"{task:20} {one['wall']:10.3f} {two['wall']:10.3f} {one['wall'] / two['wall']:7.2f} "
            f"{host['wall']:14.3f} {one['wall'] / host['wall']:7.2f}",
            flush=True,
        )


def gpu(results: Results) -> None:
    """Print W1 and W2 with 100 times the lanes, if there is a GPU."""
    import jax

    try:
        found = jax.devices("gpu")
    except RuntimeError:
        print("\nGPU: not measured")
        return
    print(f"\nGPU: {found[0].device_kind}, jax {jax.__version__}")
    for task in ("w1_lanes", "w2_lanes"):
        _line(task, run(task))


def targets(results: Results) -> None:
    """Print targets alongside measurements; SciPy's loops run on one core."""

    def of(task: str, key: str, scale: float = 1.0) -> float:
        return scale * results.get(task, {}).get(key, float("nan"))

    def times(ours: str, theirs: str) -> float:
        """Return their wall-clock time on one core divided by ours."""
        return of(theirs, "wall") / of(ours, "wall")

    nan = float("nan")
    cost = of("w2 1", "cpu") / (of("w2 1", "steps") * 240) * 1e9
    rows: list[tuple[str, float, float, float, bool]] = [
        ("W1 staged, wall s", of("w1_staged", "wall"), 0.5, 0.25, False),
        ("W1 staged, excess", abs(of("w1_staged", "excess")), 1e-12, 1e-12, False),
        ("W1 answer, 64 starts, ms", of("w1_automatic", "wall", 1e3), 30, 10, False),
        ("W1 answer, 16 starts, ms", of("w1_answer", "wall", 1e3), 30, 10, False),
        ("automatic starts at the optimum, %", of("w1_many", "share", 100), 97, 99.5, True),
        ("W2, wall s", of("w2", "wall"), 0.35, 0.22, False),
        ("W2, worst excess", of("w2", "excess"), 1e-10, 1e-10, False),
        ("W2, times SciPy BFGS at its best", times("w2", "w2_scipy_bfgs_best"), 64, 64, True),
        ("  with ours on one core as well", times("w2 1", "w2_scipy_bfgs_best"), nan, nan, True),
        ("  and theirs without centring", times("w2 1", "w2_scipy_bfgs_raw"), nan, nan, True),
        ("W3, wall s", of("w3", "wall"), 1.5, 0.7, False),
        ("W3, families at best, %", of("w3", "share", 100), 100, 100, True),
        ("W3, times SciPy L-BFGS-B", times("w3", "w3_scipy_lbfgsb_best"), 120, 120, True),
        ("  with ours on one core as well", times("w3 1", "w3_scipy_lbfgsb_best"), nan, nan, True),
        ("ns per point and step, one core", cost, 45, 30, False),
        ("memory W1, MB", of("w1_staged", "rss"), 500, 400, False),
        ("memory W2, MB", of("w2", "rss"), 500, 400, False),
        ("memory W3, MB", of("w3", "rss"), 750, 400, False),
        ("cold first fit, s", of("cold", "wall"), 4.0, 3.2, False),
        ("first fit, warm cache, s", of("warm", "wall"), 2.2, 1.6, False),
        ("influence, ms", of("influence", "wall", 1e3), 2.0, 0.5, False),
        *((f"{n}, seeds found", of(f"hard {n}", "found"), 196, 200, True) for n in hard_laws.NAMES),
        *(
            (f"{t}, one core over all", of(f"{t} ratio", "ratio"), 1.5, 1.5, True)
            for t in ("w1_exhaustive", "w2", "w3")
        ),
    ]
    print(f"\n{'':42} measured     target    stretch")
    for name, value, target, stretch, more in rows:
        met = (value >= target if more else value <= target) if np.isfinite(value) else None
        said = {True: "met", False: "NOT MET", None: "not measured"}[met]
        said = said if np.isfinite(target) else ""
        print(f"{name:40} {value:10.3g} {target:10.3g} {stretch:10.3g}  {said}")


SECTIONS: dict[str, Callable[[Results], None]] = {
    "contest": contest,
    "small": small,
    "growth": grown,
    "hard": hard,
    "devices": devices,
    "gpu": gpu,
    "targets": targets,
}


@contextlib.contextmanager
def _also_to(path: Path | None) -> Iterator[None]:
    """Also write what is printed to a file."""
    if path is None:
        yield
        return

    class Tee:
        def write(self, text: str) -> None:
            sys.__stdout__.write(text)
            file.write(text)

        def flush(self) -> None:
            sys.__stdout__.flush()
            file.flush()

    with path.open("w") as file, contextlib.redirect_stdout(Tee()):  # type: ignore[type-var]
        yield


def main() -> None:
    """Run the selected sections."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), default=list(SECTIONS))
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    with _also_to(chosen.out):
        print(header())
        results: Results = {}
        for name in SECTIONS:
            if name in chosen.only:
                SECTIONS[name](results)


if __name__ == "__main__":
    main()
