"""The tests' own machinery: shards are disjoint and complete, and a cache is shared."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import jax
import pytest

from tests.conftest import part_of, shard_of


def test_parts_depend_on_the_name_alone_and_are_of_like_size() -> None:
    assert [part_of(f"tests/test_a.py::test_{i}", 8) for i in range(8)] == [7, 1, 3, 5, 6, 0, 2, 4]
    names = [
        f"tests/laws/test_x.py::test_{i}[{world}]" for i in range(20) for world in "abcdefghij"
    ]
    counts = Counter(part_of(name, 8) for name in names)
    assert sorted(counts) == list(range(8))
    assert max(counts.values()) < 2 * min(counts.values())


@pytest.mark.parametrize("text", ["8/8", "3", "-1/8", "a/b", "1/"])
def test_a_shard_that_is_none_is_named(text: str) -> None:
    with pytest.raises(pytest.UsageError, match=f"--shard {text}: it must be I/N"):
        shard_of(text)


def test_subprocesses_inherit_the_cache_of_compiled_programs() -> None:
    assert jax.config.values["jax_compilation_cache_dir"] is not None
    code = "import jax; print(jax.config.values['jax_compilation_cache_dir'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == os.environ["JAX_COMPILATION_CACHE_DIR"]


@pytest.mark.first_quick
@pytest.mark.parametrize("case", [1, 2])
def test_only_the_first_case_is_quick(case: int, request: pytest.FixtureRequest) -> None:
    assert (request.node.get_closest_marker("full") is None) == (case == 1)
