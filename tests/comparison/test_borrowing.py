"""A family of few runs borrows exponents from another by ``per=``, and predicts further."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from tests.worlds import TRUTH

pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")


def families(seed: int) -> pd.DataFrame:
    """Forty runs of one family, and six small ones of another with a higher floor."""
    many = js.simulate(
        "chinchilla", TRUTH, js.designs.random(40, (1e7, 1e10), (1e9, 1e12), seed=seed),
        noise=0.005, seed=seed,
    ).frame  # fmt: skip
    few = js.simulate(
        "chinchilla", {**TRUTH, "E": 2.0}, js.designs.random(6, (1e7, 1e8), (1e9, 1e10), seed=seed),
        noise=0.005, seed=seed + 1,
    ).frame  # fmt: skip
    return pd.concat([many.assign(family="many"), few.assign(family="few")], ignore_index=True)


@pytest.mark.full
def test_a_family_of_six_runs_borrows_exponents() -> None:
    at = {"N": 1e10, "D": 1e12}
    truth = js.laws.get("chinchilla")(**at, **{**TRUTH, "E": 2.0})
    alone, borrowed = [], []
    for seed in range(6):
        table = families(seed)
        own = js.fit("chinchilla", table[table["family"] == "few"])
        both = js.fit("chinchilla", table, per={"E": "family"})
        point = js.predict(both, method=None, family="few", **at).frame["curve"][0]
        alone.append(abs(js.predict(own, method=None, **at).frame["curve"][0] / truth - 1))
        borrowed.append(abs(point / truth - 1))
    assert np.median(borrowed) < 0.01
    assert np.median(borrowed) < 0.3 * np.median(alone)
