"""Every planted fault still applies to the code, and the committed result says all were caught."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.mutants import MUTANTS, RESULT, ROOT, Mutant, killer_of


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_a_fault_can_be_planted(mutant: Mutant) -> None:
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    ast.parse(mutant.planted(text))
    assert mutant.planted(text) != text


def test_a_fault_that_no_longer_applies_is_an_error() -> None:
    stale = Mutant("stale", "x.py", "old", "new", "nothing", ())
    with pytest.raises(ValueError, match="mutant stale: 'old' occurs 0 times"):
        stale.planted("gone")
    with pytest.raises(ValueError, match="occurs 2 times"):
        stale.planted("old old")


def test_the_committed_result_is_of_these_faults_and_all_were_caught() -> None:
    lines = [line.split("\t") for line in RESULT.read_text(encoding="utf-8").splitlines()]
    assert len(lines) >= 20
    assert [line[0] for line in lines] == [m.name for m in MUTANTS]
    for _, _, fault, caught in lines:
        assert caught.startswith("caught by "), fault
        place = caught.removeprefix("caught by ").partition("::")[0]
        assert Path(ROOT / place).exists(), place


def test_a_failure_is_read_off_what_pytest_printed() -> None:
    assert (
        killer_of(1, "F\nFAILED tests/test_a.py::test_b - assert 1 == 2\n")
        == "tests/test_a.py::test_b"
    )
    assert killer_of(0, "2 passed") is None
    for printed in ("no module", "ERROR tests/test_a.py - no module"):
        with pytest.raises(RuntimeError, match="no module"):
            killer_of(2, printed)
