"""How the tests of this folder read what a command printed."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

PNG = b"\x89PNG\r\n\x1a\n"
# Options of commands that fit, so that they are quick.
FAST = ["--resamples", "40", "--starts", "8"]
# Planted power laws of compute that cross.
SLOW, STEEP = {"E": 1.5, "A": 20.0, "alpha": 0.1}, {"E": 1.5, "A": 200.0, "alpha": 0.2}


def told(text: str) -> str:
    """A message with its line breaks taken out."""
    return " ".join(text.split())


def process(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "jscale", *arguments], capture_output=True, text=True, timeout=300
    )


def read(answer: tuple[int, str, str]) -> dict[str, Any]:
    code, out, _ = answer
    assert code == 0
    return json.loads(out)


def refused(answer: tuple[int, str, str], message: str) -> None:
    code, out, err = answer
    assert (code, out) == (2, "")
    assert message in told(err)
