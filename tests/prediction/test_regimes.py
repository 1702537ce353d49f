"""regime against exponents planted, and what it says of laws that it cannot take."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.errors import PredictionError
from jscale.prediction.regimes import regime

D = np.geomspace(1e3, 1e6, 24)


def fitted(alpha: float, noise: float = 0.01, law: str = "power:D") -> js.Fit:
    error = noise * np.random.default_rng(3).standard_normal(len(D))
    table = pd.DataFrame({"D": D, "loss": 50 * D**-alpha * np.exp(error)})
    return js.fit(law, table, loss_unit="other")


@pytest.mark.full
@pytest.mark.parametrize(
    ("alpha", "name"),
    [(1.0, "variance"), (0.5, "variance by width"), (0.2, "resolution"), (1.6, "steeper")],
)
def test_planted_exponents(alpha: float, name: str) -> None:
    found = regime(js.laplace(fitted(alpha), 500), level=0.99)
    assert found.name == name
    low, high = found.interval
    assert low < alpha < high
    assert found.dimension == pytest.approx(4 / found.exponent)
    assert found.dimension_interval == pytest.approx((4 / high, 4 / low))
    assert name in repr(found)


def test_tail_shares_are_small_away_from_the_value() -> None:
    shares = regime(js.laplace(fitted(1.0), 500)).tails
    assert shares[0.5] == 0.0
    assert shares[1.0] > 0.01


@pytest.mark.full
def test_what_it_cannot_take() -> None:
    with pytest.raises(
        PredictionError, match=r"regime takes a Fit, Draws, or .* a Forecast, not float"
    ):
        regime(0.5)  # type: ignore[arg-type]
    fit = fitted(0.5, law="variance_limited")
    with pytest.raises(PredictionError, match="one exponent; variance_limited has none"):
        regime(js.laplace(fit, 50))
