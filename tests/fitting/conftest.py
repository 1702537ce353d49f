"""Families of different sizes, one too small, and their fits in one batch."""

from __future__ import annotations

import pandas as pd
import pytest

import jscale as js
from tests.fitting.families import family


@pytest.fixture(scope="session")
def ragged() -> pd.DataFrame:
    """Ragged families of 8 to 22 runs, shuffled; "tiny" has two runs."""
    sizes = {"a": 8, "b": 13, "c": 22, "d": 16, "e": 9}
    parts = [family(k, n, i, 1.5 + 0.1 * i) for i, (k, n) in enumerate(sizes.items())]
    whole = pd.concat([*parts, family("tiny", 2, 9)], ignore_index=True)
    return whole.sample(frac=1.0, random_state=0)


@pytest.fixture(scope="session")
def fits(ragged: pd.DataFrame) -> js.FitTable:
    with pytest.warns(js.FitWarning, match="1 of 6 families could not be fitted and 0 did not"):
        return js.fit_many("power_const:N", ragged, by="family", starts=16)
