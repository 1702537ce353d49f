"""The compilation cache: programs compiled once are kept on disk for the next process."""

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path

from jscale.fitting.provenance import cpu_features

_LARGEST = 512 * 1024 * 1024

# Programs of one kind that are kept. Each takes some hundred memory maps, of which Linux allows a
# process 65530: beyond, it crashes. The programs of the laws that were used least recently go.
MOST_PROGRAMS = 48


def enable_compilation_cache(folder: str | Path | None = None) -> Path | None:
    """Keep compiled programs on disk, so that the first fit of a new process is quicker.

    ``folder`` defaults to the user's cache folder (or ``JSCALE_CACHE_DIR``), in a subfolder
    named by the version of jaxlib and the processor's features; it is capped at 512 MB. Call
    it before the first fit. Returns the folder, or None where it cannot be written.

    >>> import jscale as js, tempfile
    >>> js.enable_compilation_cache(tempfile.mkdtemp()) is not None
    True
    """
    import jax

    base = Path(folder) if folder is not None else _user_cache()
    place = base / "compiled" / f"jaxlib-{version('jaxlib')}-{cpu_features()}"
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    if not os.access(place, os.W_OK):
        return None
    jax.config.update("jax_compilation_cache_dir", str(place))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    jax.config.update("jax_compilation_cache_max_size", _LARGEST)
    return place


def _user_cache() -> Path:
    chosen = os.environ.get("JSCALE_CACHE_DIR", "").strip()
    if chosen:
        return Path(chosen).expanduser()
    import pooch

    return Path(pooch.os_cache("jscale"))
