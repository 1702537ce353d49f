"""Four-digit addition: one break extrapolates where a power with a floor cannot.

Data of arXiv:2210.14891; 14 points fitted, 3 predicted.
"""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from tests.conftest import data_folder


def rmsle(law: str) -> float:
    data_folder()
    table = js.datasets.load("bnsl_4digit_addition")
    table = table.rename(columns={"dataset_size": "D", "test_loss": "loss"})
    seen = table[table["split"] == "train"]
    rest = table[table["split"] != "train"]
    assert (len(seen), len(rest)) == (14, 3)
    fit = js.fit(law, seen, objective="least_squares", loss_unit="other")
    found = fit.law(rest["D"].to_numpy(), **fit.params)
    return float(np.sqrt(np.mean(np.square(np.log(found / rest["loss"].to_numpy())))))


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
def test_a_break_extrapolates() -> None:
    broken, plain = rmsle("broken:1:D"), rmsle("power_const:D")
    assert broken < 0.03
    assert plain == pytest.approx(0.805, abs=0.02)
