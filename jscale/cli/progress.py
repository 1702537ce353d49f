"""A spinner on standard error while a long task runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from jscale.cli.requests import Output
from jscale.reporting import console


@contextmanager
def working(what: str, output: Output) -> Iterator[None]:
    """Show a spinner, if standard error is a terminal and the output is text."""
    out = console.screen(stderr=True)
    if out.is_terminal and not output.as_json:
        with out.status(what):
            yield
    else:
        yield
