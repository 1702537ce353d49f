"""A sign of life while something takes long: on a terminal, and never next to JSON."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from jscale.cli import progress
from jscale.cli.requests import Output


@pytest.mark.parametrize(
    ("terminal", "as_json", "shown"),
    [(True, False, True), (True, True, False), (False, False, False)],
)
def test_a_spinner_shows_on_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, as_json: bool, shown: bool
) -> None:
    file = StringIO()
    screen = Console(file=file, force_terminal=terminal, width=80)
    monkeypatch.setattr(progress.console, "screen", lambda stderr: screen)
    with progress.working("Fitting …", Output(as_json)):
        pass
    assert ("Fitting …" in file.getvalue()) == shown
