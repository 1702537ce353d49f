"""Observations: what is seen of a table of runs, as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, eq=False)
class Observations:
    """The n observations of a table: inputs in the law's order, outputs in the space, errors.

    ``run`` is the index of the run of each row, where a run has several rows; ``known``
    are known standard deviations in the space; ``relative`` are variances relative to the noise's.
    ``rows`` are the places of the rows in the table that they were thinned from.
    """

    inputs: tuple[np.ndarray, ...]
    target: np.ndarray
    codes: dict[str, np.ndarray] = field(default_factory=dict)
    run: np.ndarray | None = None
    known: np.ndarray | None = None
    relative: np.ndarray | None = None
    rows: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.target)
