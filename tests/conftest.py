"""What all tests share: compiled programs, the tiers and their shards, real data, golden tables."""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import jax
import pandas as pd
import pooch
import pytest

import jscale as js

os.environ.setdefault("MPLBACKEND", "Agg")

# Entries of the tests' compilation cache that are older are of code that has changed since.
_OLDEST_DAYS = 14


def _share_compiled_programs() -> dict[str, object]:
    """Let workers, subprocesses and later sessions share compiled programs; return JAX's settings.

    A developer's own JAX_COMPILATION_CACHE_DIR is used as it is. JAX has read the environment by
    now (pytest imports jscale for its filter of warnings), so its configuration is set as well.
    """
    chosen = os.environ.get("JAX_COMPILATION_CACHE_DIR")
    base = Path(os.environ.get("JSCALE_CACHE_DIR") or pooch.os_cache("jscale")) / "tests"
    folder = Path(chosen) if chosen else js.enable_compilation_cache(base)
    settings = {
        "jax_compilation_cache_dir": str(folder) if folder else None,
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
        # With a limit every entry written looks at all others: old ones go below instead.
        "jax_compilation_cache_max_size": -1,
    }
    for name, value in settings.items():
        jax.config.update(name, value)
        if value is not None:
            os.environ[name.upper()] = str(value)
    if folder and not chosen and "PYTEST_XDIST_WORKER" not in os.environ:
        oldest = time.time() - _OLDEST_DAYS * 86400
        for entry in folder.glob("*-cache"):
            if entry.stat().st_mtime < oldest:
                entry.unlink(missing_ok=True)
    return settings


_CACHE_SETTINGS = _share_compiled_programs()


@pytest.fixture(autouse=True)
def _compiled_programs_stay_shared() -> Iterator[None]:
    """Put JAX's settings back: the folder of one test's cache must not serve the tests after it."""
    yield
    for name, value in _CACHE_SETTINGS.items():
        if jax.config.values[name] != value:
            jax.config.update(name, value)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--shard", metavar="I/N", help="run the I-th of N parts of the selected tests, I from 0"
    )


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """A few files run in this process: starting workers would take longer than it saves."""
    places = [place.partition("::")[0] for place in config.args]
    return 0 if len(places) <= 3 and all(p.endswith(".py") for p in places) else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Group tests for --dist loadgroup, and keep those of the shard.

    A worker takes a whole file, or all of a law's conformance tests: what they compile they then
    compile once, and the longest file does not keep all others waiting.
    """
    _keep_first_cases(items)
    for item in items:
        world = getattr(item, "callspec", None) and item.callspec.params.get("world")  # type: ignore[attr-defined]
        shared = isinstance(world, str) and "conformance" in item.path.parts
        item.add_marker(pytest.mark.xdist_group(f"law {world}" if shared else str(item.path)))
    shard = config.getoption("--shard")
    if shard:
        part, parts = shard_of(shard)
        config.hook.pytest_deselected(
            items=[item for item in items if part_of(item.nodeid, parts) != part]
        )
        items[:] = [item for item in items if part_of(item.nodeid, parts) == part]


def _keep_first_cases(items: list[pytest.Item]) -> None:
    """Of a test marked ``first_quick`` move all cases but the first to the full tier."""
    seen = set()
    for item in items:
        if item.get_closest_marker("first_quick"):
            name = item.nodeid.partition("[")[0]
            if name in seen:
                item.add_marker(pytest.mark.full)
            seen.add(name)


def part_of(name: str, parts: int) -> int:
    """The part that a test belongs to, by its name alone: the same on every machine."""
    return zlib.crc32(name.encode()) % parts


def shard_of(text: str) -> tuple[int, int]:
    """Read ``I/N``: which part, of how many."""
    part, slash, parts = text.partition("/")
    if not (slash and part.isdecimal() and parts.isdecimal() and int(part) < int(parts)):
        raise pytest.UsageError(f"--shard {text}: it must be I/N with I from 0 to N - 1, as in 3/8")
    return int(part), int(parts)


def data_folder() -> Path:
    """Return JSCALE_DATA_DIR, or skip the test where it is not set."""
    folder = os.environ.get("JSCALE_DATA_DIR")
    if not folder:
        pytest.skip("JSCALE_DATA_DIR is not set: the public data sets are not at hand")
    return Path(folder)


@pytest.fixture(scope="session")
def chinchilla_245() -> pd.DataFrame:
    """The 245 points of the Chinchilla replication (N, D, C, loss, outlier_top5)."""
    data_folder()
    return js.datasets.load("chinchilla_epoch")


@pytest.fixture(scope="session")
def chinchilla_240(chinchilla_245: pd.DataFrame) -> pd.DataFrame:
    """The same without the five highest losses."""
    return chinchilla_245[chinchilla_245["outlier_top5"] == 0]
