"""Tables whose rows differ in the unit of loss, or in what counts as a parameter, are refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from jscale.data.conventions import refuse_mixed_conventions
from jscale.errors import DataError


@pytest.mark.parametrize(
    ("column", "values", "what"),
    [("loss_unit", ["nats", "bits"], "the unit of the loss: nats, bits"),
     ("count", ["total", "non_embedding"], "how parameters are counted: total, non_embedding")],
)  # fmt: skip
def test_mixed_conventions_are_refused(column: str, values: list[str], what: str) -> None:
    frame = pd.DataFrame({column: np.resize(values, 6)})
    with pytest.raises(
        DataError, match=f"The column {column!r} says that rows differ in {what}.*take each on"
    ):
        refuse_mixed_conventions(frame)


def test_one_convention_is_fine() -> None:
    refuse_mixed_conventions(pd.DataFrame({"loss_unit": ["nats"] * 3, "count": ["total"] * 3}))


def test_a_column_of_counts_is_no_convention() -> None:
    refuse_mixed_conventions(pd.DataFrame({"count": np.arange(4)}))
