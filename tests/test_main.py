"""python -m jscale: the command line, and its exit code."""

from __future__ import annotations

import subprocess
import sys

import pytest

from jscale.__main__ import main


@pytest.mark.parametrize(("arguments", "code"), [(["laws", "chinchilla"], 0), (["lawz"], 2)])
def test_it_leaves_with_the_exit_code_of_the_command(
    arguments: list[str], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(sys, "argv", ["jscale", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    assert (left.value.code or 0) == code
    shown = capsys.readouterr()
    assert ("E + A/N^alpha + B/D^beta" in shown.out) == (code == 0)
    assert ("lawz" in shown.err) == (code == 2)


def test_python_runs_it_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "jscale", "--version"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert done.stderr == ""
