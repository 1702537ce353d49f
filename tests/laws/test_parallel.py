"""Parallel streams: what they are worth in parameters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from tests.laws.numeric import solve

LAW = js.laws.get("parallel")
PLANTED = {"E": 0.7, "A": 1.1e7, "alpha": 0.19, "k": 0.39}
Q = LAW.quantities


def test_one_stream_is_a_power_law() -> None:
    N = np.geomspace(1e8, 1e10, 5)
    alone = js.laws.get("power_const:N")
    amplitude = PLANTED["A"] ** PLANTED["alpha"]
    expected = alone(N, E=0.7, A=amplitude, alpha=0.19)
    np.testing.assert_allclose(LAW(N, 1, **PLANTED), expected, rtol=1e-12)


@pytest.mark.parametrize("P", [2.0, 8.0, 64.0])
def test_streams_are_worth_parameters(P: float) -> None:
    N = 1e9
    same = solve(lambda n: float(LAW(n, 1, **PLANTED) - LAW(N, P, **PLANTED)), 1e8, 1e13)
    assert Q["equivalent_size"](PLANTED, N=N, P=P) == pytest.approx(same, rel=1e-9)
    assert Q["size_multiplier"](PLANTED, P=P) == pytest.approx(same / N, rel=1e-9)
    assert Q["streams_for_size"](PLANTED, N=N, larger=same) == pytest.approx(P, rel=1e-8)


def test_streams_and_sizes_for_a_loss() -> None:
    loss = 1.09
    streams = solve(lambda P: float(LAW(1e9, P, **PLANTED) - loss), 1.0, 1e6)
    assert streams > 1.5
    assert Q["streams_for_loss"](PLANTED, loss=loss, N=1e9) == pytest.approx(streams, rel=1e-8)
    size = solve(lambda N: float(LAW(N, 4, **PLANTED) - loss), 1e6, 1e13)
    assert Q["size_for_loss"](PLANTED, loss=loss, P=4) == pytest.approx(size, rel=1e-9)


def test_what_cannot_be_is_not_a_number() -> None:
    assert np.isnan(Q["size_for_loss"](PLANTED, loss=0.7, P=4))
    assert np.isnan(Q["streams_for_loss"](PLANTED, loss=0.6, N=1e9))
    # One stream is already better than these.
    assert np.isnan(Q["streams_for_loss"](PLANTED, loss=3.0, N=1e9))
    assert np.isnan(Q["streams_for_size"](PLANTED, N=1e9, larger=5e8))


def test_less_than_one_stream_is_named() -> None:
    table = pd.DataFrame({"N": np.geomspace(1e8, 1e10, 12), "P": 2.0})
    table["loss"] = LAW(table["N"].to_numpy(), 2.0, **PLANTED)
    table.loc[7, "P"] = 0.5
    with pytest.raises(js.JscaleError, match=r"parallel holds for P from 1 up, but not in row 7"):
        js.fit(LAW, table)
