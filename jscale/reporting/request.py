"""What a report is asked for, and what was found for it before the page is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from jscale.comparison.comparison import Comparison
from jscale.data.runs import Runs
from jscale.fitting.notes import Note
from jscale.reporting.answer import Answer
from jscale.reporting.held_out import HeldOut


@dataclass(frozen=True, eq=False)
class Request:
    """What a report is asked for: the arguments of :func:`jscale.report` that shape its content.

    Attributes
    ----------
    at : mapping, pandas.DataFrame, Runs or None
        Where to answer.
    level : float
        Level of the intervals.
    title : str or None
        The title of the page.
    about : mapping of str to str or None
        The author's statements, by item of the checklist.
    held_out : Runs, pandas.DataFrame or None
        Runs that were not fitted.
    comparison : Comparison or None
        The comparison to show.
    """

    at: Any = None
    level: float = 0.9
    title: str | None = None
    about: Mapping[str, str] | None = None
    held_out: Runs | pd.DataFrame | None = None
    comparison: Comparison | None = None


@dataclass(frozen=True, eq=False)
class Findings:
    """What was computed for a page.

    Attributes
    ----------
    answer : Answer
        The answer at the top.
    held_out : HeldOut or None
        The predictions of held-out runs.
    notes : sequence of Note
        All notes, the most severe first.
    """

    answer: Answer
    held_out: HeldOut | None
    notes: Sequence[Note]
