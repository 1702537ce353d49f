"""The commands of planning on the command line: usage errors, and help that starts nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli.running import refused


def test_usage_errors(jscale, saved):
    refused(jscale("required", saved["plain"]), "Missing argument 'variable'")
    refused(jscale("crossover", saved["plain"]), "Missing argument 'b'")
    refused(jscale("plan", saved["plain"], "--flop", "1e21", "--bounds", "x"), "No such option: --")


@pytest.mark.parametrize("command", ["plan", "required", "crossover"])
def test_help_fits_and_starts_nothing(command):
    look = (
        "import os, sys; os.environ['COLUMNS'] = '80'\n"
        "from jscale.cli.app import main\n"
        f"assert main(['{command}', '--help']) == 0 and main(['--help']) == 0\n"
        "assert 'jax' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"jscale {command} " in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
