"""A progress bar over lanes, shown once the work has taken two seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_DELAY_SECONDS = 2.0


@contextmanager
def lane_bar(total: int, what: str, shown: bool) -> Iterator[Callable[[int], object] | None]:
    """Give a function that advances a bar on standard error, or None where none is wanted."""
    if not shown:
        yield None
        return
    from tqdm.auto import tqdm

    with tqdm(total=total, desc=what, unit="lane", delay=_DELAY_SECONDS, leave=False) as bar:
        yield bar.update
