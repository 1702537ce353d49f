"""Our own held-out runs by law and method: how many lie inside their intervals, and the widths.

Laws are fitted to the embedded fitting runs; the held-out runs reach 13 times their compute. Ten
runs of one sweep are few, and share one fit: the table shows what a wrong law does to the intervals
of any method; coverage is measured by benchmarks/coverage.py.

Run: python -m benchmarks.held_out_methods
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

import jscale as js
from benchmarks.forecast_parts.rolling_ensemble import ensemble
from benchmarks.machine import header

LEVELS = (0.5, 0.8, 0.9, 0.95)
METHODS: dict[str, Callable[[js.Fit], Any]] = {
    "bayesian (default)": lambda fit: js.bootstrap(fit, 1000, kind="bayesian"),
    "pairs": lambda fit: js.bootstrap(fit, 1000),
    "residual": lambda fit: js.bootstrap(fit, 1000, kind="residual"),
    "laplace": js.laplace,
    "jackknife": js.jackknife,
    "posterior": js.posterior,
}


def row(law: str, method: str, source: Any, held: pd.DataFrame) -> dict[str, object]:
    """Return how many held-out runs lie inside at each level, and the mean width at 90%."""
    found: dict[str, object] = {"law": law, "method": method}
    observed = held["loss"].to_numpy()
    for level in LEVELS:
        frame = js.predict(source, held, level=level).frame
        low, high = (frame[f"prediction_{end}"].to_numpy() for end in ("low", "high"))
        found[f"in {100 * level:g} %"] = int(np.sum((low <= observed) & (observed <= high)))
        if level == 0.9:
            found["width, 90 %"] = float(np.mean((high - low) / frame["curve"]))
    return found


def main() -> None:
    warnings.simplefilter("ignore", js.JscaleWarning)
    table = js.datasets.load("stdlib_lm")
    fitting, held = (table[table["split"] == split] for split in ("fit", "holdout"))
    rows = []
    for law in ("chinchilla", "chinchilla_tied", "farseer"):
        fit = js.fit(law, fitting)
        rows += [row(law, method, draw(fit), held) for method, draw in METHODS.items()]
    rows.append(row("all", "rolling ensemble", ensemble(fitting), held))
    rows.append(row("auto", "forecast", js.forecast(fitting), held))
    print(header())
    print(f"{len(fitting)} fitting runs, {len(held)} held-out runs; of these inside:")
    print(pd.DataFrame(rows).to_string(index=False, float_format=lambda v: f"{v:.3f}"))


if __name__ == "__main__":
    main()
