"""Language families: the share for a loss, and the best shares of several families."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize

import jscale as js
from jscale.laws.languages import best_language_shares
from tests.laws.numeric import solve

FAMILY = {"E": 1.4, "A": 400.0, "alpha": 0.35, "B": 900.0, "beta": 0.33, "gamma": 0.09}


def test_a_family_with_all_tokens_is_chinchilla_s() -> None:
    law, alone = js.laws.get("multilingual"), {k: v for k, v in FAMILY.items() if k != "gamma"}
    loss = js.laws.get("chinchilla")(1e9, 2e10, **alone)
    assert law(1e9, 2e10, 1.0, **FAMILY) == pytest.approx(loss, rel=1e-12)
    assert law.quantities["monolingual_loss"](FAMILY, N=1e9, D=2e10) == pytest.approx(loss)


def test_the_share_for_a_loss() -> None:
    law = js.laws.get("multilingual")
    share = law.quantities["share_for_loss"](FAMILY, loss=3.0, N=1e9, D=2e10)
    numeric = solve(lambda p: float(law(1e9, 2e10, p, **FAMILY)) - 3.0, 1e-6, 1.0)
    assert share == pytest.approx(numeric, rel=1e-9)
    assert np.isnan(law.quantities["share_for_loss"](FAMILY, loss=1.4, N=1e9, D=2e10))


@pytest.mark.parametrize("share", [0.0, 1.1])
def test_shares_of_a_family_outside_their_range(share: float) -> None:
    table = js.designs.grid(np.geomspace(1e8, 1e9, 4), np.geomspace(1e9, 1e11, 4)).assign(p=0.5)
    table["loss"] = js.laws.get("multilingual")(table["N"], table["D"], 0.5, **FAMILY)
    table.loc[7, "p"] = share
    with pytest.raises(js.DataError, match=r" p.* row 7"):
        js.fit("multilingual", table)


@pytest.mark.parametrize("weights", [None, [1.0, 3.0, 0.5], [1.0, 0.0, 2.0]])
def test_best_shares_of_languages(weights: Any) -> None:
    losses, gammas = np.array([2.0, 2.6, 3.1]), np.array([0.05, 0.1, 0.2])
    shares = best_language_shares(losses.tolist(), gammas.tolist(), weights)
    weight = np.ones(3) if weights is None else np.array(weights)
    assert shares.sum() == pytest.approx(1, abs=1e-12)
    assert ((shares == 0) == (weight == 0)).all()

    def total(logits: np.ndarray) -> float:
        p = np.exp(logits - np.logaddexp.reduce(logits))
        return float(np.sum(weight * losses * p**-gammas))

    numeric = minimize(total, np.zeros(3), tol=1e-12)
    lowest = float(
        np.sum(np.where(weight > 0, weight * losses * np.maximum(shares, 1e-300) ** -gammas, 0.0))
    )
    assert lowest == pytest.approx(float(numeric.fun), rel=1e-7)
    if weights is None or min(weights) > 0:
        p = np.exp(numeric.x - np.logaddexp.reduce(numeric.x))
        np.testing.assert_allclose(shares, p, rtol=1e-3)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (([2.0], [0.1, 0.2]), r"equally long lists, but have shapes \(1,\), \(2,\)"),
        (([2.0, -1.0], [0.1, 0.2]), r"losses must be positive and finite, not -1.0"),
        (([2.0, 1.0], [0.1, 0.0]), r"gammas must be positive and finite, not 0.0"),
        (([2.0, 1.0], [0.1, 0.1], [0.0, 0.0]), r"weights must be 0 or more, at least one above 0"),
    ],
)
def test_languages_that_cannot_be(given: Any, says: str) -> None:
    with pytest.raises(js.LawError, match=says):
        best_language_shares(*given)
