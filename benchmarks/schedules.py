"""Fits of whole loss curves: time, memory, and how well a held-out schedule is predicted.

1. The multi-power law on three simulated curves of 24,000 and of 100,000 steps, with the published
   constants of 25M and 0.1% noise: seconds of the first fit (including compilation) and of the
   next, and the peak memory of the process.
2. Our own runs: for each size and length, both laws are fitted to the constant rate and the cosine,
   and predict the warmup-stable-decay run: mean error along it, and error at its end.

Run: python -m benchmarks.schedules
"""

from __future__ import annotations

import resource
import time
import warnings

import numpy as np
import pandas as pd

import jscale as js
from benchmarks.machine import header
from jscale.laws.annealing import PUBLISHED

PEAK, ROWS = 3e-4, 150


def planted(steps: int) -> js.Curves:
    """Return three curves of ``steps`` steps: constant, cosine, and a sudden drop."""
    warmup = steps // 10
    schedules = {
        "constant": js.schedules.constant(steps, PEAK, warmup=warmup),
        "cosine": js.schedules.cosine(steps, PEAK, 0.1 * PEAK, warmup=warmup),
        "jump": js.schedules.multi_step(steps, PEAK, at=(0.4,), factor=0.3, warmup=warmup),
    }
    law, rng = js.multi_power(list(schedules.values()), nodes=512), np.random.default_rng(0)
    rows = []
    for code, (name, schedule) in enumerate(schedules.items()):
        step = np.unique(np.linspace(warmup, steps, ROWS).astype(int))
        exact = law(np.full(len(step), code), schedule.area(step), **next(iter(PUBLISHED.values())))
        noisy = exact * np.exp(0.001 * rng.standard_normal(len(step)))
        rows.append(pd.DataFrame({"run": name, "step": step, "loss": noisy}))
    return js.Curves.from_frame(pd.concat(rows, ignore_index=True), schedules=schedules)


def timed(steps: int) -> dict[str, object]:
    curves = planted(steps)
    law, runs = js.multi_power(curves.schedules), curves.runs()
    seconds = []
    for _ in range(2):
        began = time.perf_counter()
        js.fit(law, runs)
        seconds.append(time.perf_counter() - began)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return {
        "steps": steps,
        "rows": len(runs),
        "first (s)": seconds[0],
        "warm (s)": seconds[1],
        "most memory (GB)": most,
    }


def left_out(curves: js.Curves, size: str) -> list[dict[str, object]]:
    """Return the errors of both laws on a size's warmup-stable-decay run."""
    runs = curves.where([f"{size}-constant-s0", f"{size}-cosine-s0"]).runs()
    name = f"{size}-wsd-s0"
    held = curves.where([name]).frame
    rows = []
    for law in (js.laws.get("annealing"), js.multi_power(curves.schedules)):
        fit = js.fit(law, runs)
        said = js.predict_curve(
            fit, curves.schedule_of(name), steps=held["S"].to_numpy(), method=None
        ).frame["curve"]
        off = said.to_numpy() / held["loss"].to_numpy() - 1
        rows.append(
            {
                "runs": size,
                "law": law.name,
                "mean |error| (%)": 100 * np.abs(off).mean(),
                "at the end (%)": 100 * off[-1],
            }
        )
    return rows


def main() -> None:
    warnings.simplefilter("ignore", js.JscaleWarning)
    print(header())
    print("\nTHREE CURVES, MULTI-POWER LAW")
    print(
        pd.DataFrame([timed(steps) for steps in (24_000, 100_000)]).to_string(
            index=False, float_format=lambda v: f"{v:.3g}"
        )
    )
    curves = js.Curves.from_frame(js.datasets.load("stdlib_lm_curves"))
    sizes = list(dict.fromkeys(str(r).rsplit("-", 2)[0] for r in curves.frame["run"]))
    found = [row for size in sizes for row in left_out(curves, size)]
    print("\nOUR OWN RUNS: constant and cosine fitted, warmup-stable-decay predicted")
    print(pd.DataFrame(found).to_string(index=False, float_format=lambda v: f"{v:.3g}"))


if __name__ == "__main__":
    main()
