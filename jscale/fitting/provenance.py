"""Provenance of a result: versions, device, precision, and the kind of processor."""

from __future__ import annotations

import hashlib
import platform
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("jscale", "jax", "jaxlib", "numpy", "pandas")


@lru_cache
def provenance() -> dict[str, str]:
    """Return versions, device, dtype and a digest of CPU features as text, by name."""
    import jax

    device = jax.devices()[0]
    return {
        "python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
        "platform": f"{platform.system()} {platform.machine()}",
        "device": f"{device.platform} ({device.device_kind})",
        "devices": str(jax.device_count()),
        "dtype": "float64",
        "cpu_features": cpu_features(),
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


@lru_cache
def cpu_features() -> str:
    """Return 12 hexadecimal digits that identify the processor's instruction sets."""
    text = platform.machine() + platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text(errors="ignore").splitlines()
        text += next((x for x in lines if x.startswith(("flags", "Features"))), "")
    return hashlib.sha256(text.encode()).hexdigest()[:12]
