"""Tables that the tests of this folder read."""

from __future__ import annotations

from typing import Any

import pandas as pd


def four_runs(**columns: Any) -> pd.DataFrame:
    """Four plausible runs, with labels out of order, some columns replaced or added."""
    given = {
        "N": [1e7, 2e7, 4e7, 8e7],
        "D": [1e9, 1e9, 3e9, 4e9],
        "loss": [3.9, 3.6, 3.2, 3.0],
    }
    return pd.DataFrame({**given, **columns}, index=["d", "a", "c", "b"])
