"""The first line of every benchmark's output: the machine and the versions."""

from __future__ import annotations

import os
from pathlib import Path

from jscale.fitting.provenance import provenance


def header() -> str:
    """Return versions, processor and number of cores as one line."""
    known = provenance()
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), "")
    versions = ", ".join(f"{n} {known[n]}" for n in ("jscale", "jax", "numpy", "python"))
    return f"{versions}; {known['platform']} {model}, {os.cpu_count()} cores, {known['device']}"
