"""Mixtures of data: what the laws say, what they refuse, and their closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.laws.mixtures import mixing, mixture_additive

THREE = {"c": 1.9, "k_web": 0.7, "k_code": 1.4, "k_books": 2.5}
SHARES = ["r_web", "r_code", "r_books"]


def mixtures(rows: int, seed: int = 0) -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(seed).dirichlet(np.ones(3), rows), columns=SHARES)


def test_names_or_a_number_of_domains() -> None:
    named = js.laws.get("mixing:web,code,books")
    assert named is js.laws.get("mixing:web,code,books") is mixing(("web", "code", "books"))
    assert (named.name, named.inputs) == ("mixing:web,code,books", tuple(SHARES))
    assert named.simplex == named.inputs
    assert js.laws.get("mixing:3").names == ("c", "k_1", "k_2", "k_3")
    assert js.laws.get("mixture_additive:web,code").inputs == ("N", "D", "r_web", "r_code")


def test_the_form_of_the_source_whatever_its_gauge() -> None:
    """c + k·exp(Σ t_j·r_j): k and a constant added to all t_j are one thing on the simplex."""
    law, r = js.laws.get("mixing:web,code,books"), mixtures(20)
    exact = law(*(r[x] for x in SHARES), **THREE)
    for k in (0.01, 1.0, 40.0):
        t = np.log([THREE[f"k_{name}"] / k for name in ("web", "code", "books")])
        np.testing.assert_allclose(1.9 + k * np.exp(r.to_numpy() @ t), exact, rtol=1e-12)
    corners = law(*np.eye(3), **THREE)
    np.testing.assert_allclose(corners, 1.9 + np.array([0.7, 1.4, 2.5]), rtol=1e-12)


@pytest.mark.full
def test_several_targets_in_one_batch_and_in_one_fit() -> None:
    law, r = js.laws.get("mixing:web,code,books"), mixtures(25)
    planted = {"prose": THREE, "programs": {**THREE, "k_web": 1.6, "k_code": 0.5}}
    table = pd.concat(
        [r.assign(target=t, loss=law(*(r[x] for x in SHARES), **p)) for t, p in planted.items()],
        ignore_index=True,
    )
    fits = js.fit_many(law, table, by="target")
    for target, truth in planted.items():
        assert fits.params.loc[target].to_dict() == pytest.approx(truth, rel=1e-6)
    fit = js.fit(law, table, per=dict.fromkeys(("k_web", "k_code"), "target"))
    assert fit.params["k_code[programs]"] == pytest.approx(0.5, rel=1e-6)
    assert fit.params["k_books"] == pytest.approx(2.5, rel=1e-6)


@pytest.mark.full
def test_mixtures_that_are_not_whole_are_named() -> None:
    law, r = js.laws.get("mixing:web,code,books"), mixtures(12)
    table = r.assign(loss=law(*(r[x] for x in SHARES), **THREE))
    short = table.copy()
    short.loc[3, "r_web"] -= 0.001
    with pytest.raises(js.DataError, match=r"r_web, r_code, r_books as shares .* row 3 \(0.999"):
        js.fit(law, short)
    fit = js.fit(law, table.round({"r_web": 7}))  # rounded within 1e-6
    with pytest.raises(js.PredictionError, match=r"do not add up to 1 in row 0 \(1.2"):
        js.predict(fit, r_web=0.5, r_code=0.5, r_books=0.2, method=None)
    with pytest.raises(js.PredictionError, match=r"r_books as a share .* negative in row 0 \(-0.2"):
        js.predict(fit, r_web=0.7, r_code=0.5, r_books=-0.2, method=None)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (1, r"mixing takes the names of 2 to 20 domains, or their number, not 1: mixing:web,code"),
        (21, r"not 21"),
        (True, r"not True"),
        (("a",), r"not \('a',\)"),
        (("a", "b c"), r"not \('a', 'b c'\)"),
        (("a", "b", "a"), r"mixing has the domain a more than once"),
    ],
)
def test_domains_that_cannot_be(given: Any, says: str) -> None:
    with pytest.raises(js.LawError, match=says):
        mixing(given)


def test_the_additive_law_by_hand() -> None:
    law = mixture_additive(2)
    constants = {
        "E": 1.4,
        "A": 500.0,
        "alpha": 0.36,
        "B": 900.0,
        "beta": 0.32,
        "C_1": 1.5,
        "C_2": 4.0,
        "g_1": 0.5,
        "g_2": 0.25,
    }
    by_hand = 1.4 + 1 / (1.5 * 0.3**0.5 + 4 * 0.7**0.25) + 500 / 1e9**0.36 + 900 / 2e10**0.32
    assert law(1e9, 2e10, 0.3, 0.7, **constants) == pytest.approx(by_hand, rel=1e-12)
    assert law(1e9, 2e10, 0.0, 1.0, **constants) == pytest.approx(
        by_hand - 1 / (1.5 * 0.3**0.5 + 4 * 0.7**0.25) + 0.25, rel=1e-12
    )
