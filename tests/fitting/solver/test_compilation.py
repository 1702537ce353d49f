"""The compilation cache: where it lies, that it is used, and that it never stands in the way."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import pandas as pd
import pytest

import jscale as js
from jscale.fitting.provenance import cpu_features
from jscale.fitting.solver import compilation
from tests.test_imports import modules

FIT = """
import jscale as js
assert js.enable_compilation_cache() is not None
runs = js.simulate("power", dict(A=9, alpha=.1), {"C": [1e3, 1e5, 1e7, 1e9, 1e10, 1e11, 1e12]})
js.fit("power", runs, starts=4)
"""


SETTINGS = (
    "jax_compilation_cache_dir",
    "jax_persistent_cache_min_compile_time_secs",
    "jax_persistent_cache_min_entry_size_bytes",
    "jax_compilation_cache_max_size",
)


@pytest.fixture(autouse=True)
def _settings_stay():
    """Put JAX's own settings back: a test's folder must not serve the tests after it."""
    before = {name: jax.config.values[name] for name in SETTINGS}
    yield
    for name, value in before.items():
        jax.config.update(name, value)


def test_the_folder_names_versions_and_processor(tmp_path):
    place = js.enable_compilation_cache(tmp_path)
    assert place is not None
    assert place.parent == tmp_path / "compiled"
    assert place.name == f"jaxlib-{version('jaxlib')}-{cpu_features()}"
    assert jax.config.values["jax_compilation_cache_dir"] == str(place)
    assert jax.config.values["jax_compilation_cache_max_size"] == 512 * 1024 * 1024


def test_the_environment_chooses_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("JSCALE_CACHE_DIR", str(tmp_path / "mine"))
    place = js.enable_compilation_cache()
    assert place is not None
    assert place.is_relative_to(tmp_path / "mine")


def test_an_empty_choice_is_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    monkeypatch.setenv("JSCALE_CACHE_DIR", "")
    place = js.enable_compilation_cache()
    assert place is not None
    assert place.is_absolute()
    assert not (tmp_path / "compiled").exists()


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path):
    (tmp_path / "file").touch()
    before = jax.config.values["jax_compilation_cache_dir"]
    assert js.enable_compilation_cache(tmp_path / "file") is None
    assert jax.config.values["jax_compilation_cache_dir"] == before


def programs(folder: Path) -> set[str]:
    return {p.name for p in folder.rglob("*-cache")}


@pytest.mark.full
def test_a_second_process_compiles_nothing_new(tmp_path, monkeypatch):
    monkeypatch.setenv("JSCALE_CACHE_DIR", str(tmp_path))
    subprocess.run([sys.executable, "-c", FIT], check=True, timeout=120)
    first = programs(tmp_path)
    assert first
    subprocess.run([sys.executable, "-c", FIT], check=True, timeout=120)
    assert programs(tmp_path) == first


def test_the_programs_of_old_laws_are_let_go():
    """Every cache of programs is bounded: a process has room for so many memory maps only."""
    sizes = {}
    for name in [name for name in modules() if not name.endswith("__main__")]:
        for key, value in vars(importlib.import_module(name)).items():
            returned = getattr(value, "__annotations__", {}).get("return", "")
            if hasattr(value, "cache_parameters") and str(returned).startswith("Callable"):
                sizes[f"{name}.{key}"] = value.cache_parameters()["maxsize"]
    assert len(sizes) >= 10
    assert set(sizes.values()) == {compilation._MOST_PROGRAMS}


@pytest.mark.full
def test_all_code_is_let_go_before_maps_run_out(monkeypatch):
    """A process that fits many laws would crash at Linux's limit; programs are made again."""
    calls = []

    @compilation.programs
    def doubled(number: int) -> Callable[..., Any]:
        calls.append(number)
        return jax.jit(lambda x: 2 * x + number)

    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("no list of memory maps here")
    kept = doubled(1)
    assert kept(3.0) == 7.0
    assert not compilation.spare_maps()
    js.fit("power", pd.DataFrame({"C": [1.0, 2.0, 4.0, 8.0], "loss": [4.0, 3.1, 2.4, 2.0]}))
    before = len(maps.read_text().splitlines())
    monkeypatch.setattr(compilation, "_MOST_MAPS", 0.0)
    assert compilation.spare_maps()
    assert len(maps.read_text().splitlines()) < before
    assert doubled(2)(3.0) == 8.0
    assert doubled(1) is kept
    assert kept(3.0) == 7.0
    assert calls == [1, 2]
