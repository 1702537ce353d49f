"""Compiled programs: how many a process keeps, and the cache on disk for the next process."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache, wraps
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar, cast

from jscale.fitting.provenance import cpu_features

_LARGEST = 512 * 1024 * 1024

# Programs of one kind that are kept; the least recently used are dropped.
_MOST_PROGRAMS = 48
# Each shape of a program takes up to a few hundred memory maps, and Linux allows a process 65530:
# beyond that it crashes. Past this share of the limit, all compiled code is dropped.
_MOST_MAPS = 0.6

Made = TypeVar("Made", bound=Callable[..., Any])


def programs(make: Made) -> Made:
    """Cache the last 48 programs that ``make`` compiles, by arguments, and spare memory maps."""

    @lru_cache(maxsize=_MOST_PROGRAMS)
    @wraps(make)
    def made(*key: Any, **named: Any) -> Any:
        spare_maps()
        return make(*key, **named)

    return cast(Made, made)


def spare_maps() -> bool:
    """Drop all compiled code if this process nears Linux's limit of memory maps; say if so.

    Programs are compiled again when they are next called.
    """
    try:
        limit = int(Path("/proc/sys/vm/max_map_count").read_text())
        used = Path("/proc/self/maps").read_bytes().count(b"\n")
    except (OSError, ValueError):  # not Linux
        return False
    if used < _MOST_MAPS * limit:
        return False
    import jax

    jax.clear_caches()
    return True


def enable_compilation_cache(folder: str | Path | None = None) -> Path | None:
    """Keep compiled programs on disk, so that the first fit of a new process is quicker.

    Call it before the first fit.

    Parameters
    ----------
    folder : str or Path, optional
        The folder; by default ``JSCALE_CACHE_DIR``, or the user's cache folder. Programs are kept
        in a
        subfolder named by the version of jaxlib and the processor's features, of at most 512 MB.

    Returns
    -------
    Path or None
        The folder, or None where it cannot be written.

    Examples
    --------
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
