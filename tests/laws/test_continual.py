"""Continual pre-training: a domain's data, tokens for a change, and the critical ratio."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jscale as js
from jscale.laws.continual import feasible_ratio


def test_a_domain_without_data() -> None:
    """At r = 0 only what the domain's lack costs is left, and at r = 1 the tokens count in full."""
    law = js.laws.get("domain_continual")
    constants = {
        "E": 1.2,
        "A": 400.0,
        "alpha": 0.35,
        "B": 900.0,
        "beta": 0.33,
        "eta": 0.5,
        "C": 0.15,
        "e": 0.1,
        "gamma": 0.6,
    }
    size = 1.2 + 400 / 1e9**0.35
    assert law(1e9, 2e10, 0.0, **constants) == pytest.approx(size + 0.15 / 0.1**0.6, rel=1e-12)
    whole = size + 900 / 2e10**0.33 + 0.15 / 1.1**0.6
    assert law(1e9, 2e10, 1.0, **constants) == pytest.approx(whole, rel=1e-12)


def test_tokens_for_a_change_and_for_a_ratio() -> None:
    change, ratio = js.laws.get("continual_change"), js.laws.get("critical_ratio")
    falling = {"b": -0.5, "a": 0.48, "s": -0.2}
    T = change.quantities["tokens_for_change"](falling, change=-0.2)
    assert change(T, **falling) == pytest.approx(-0.2, rel=1e-9)
    assert np.isnan(change.quantities["tokens_for_change"](falling, change=-0.6))
    rising = {"b": 0.6, "a": -0.5, "s": -0.3}
    T = ratio.quantities["tokens_for_ratio"](rising, R=0.4)
    assert ratio(T, **rising) == pytest.approx(0.4, rel=1e-9)


def test_the_general_loss_in_the_symbols_of_the_source() -> None:
    law = js.laws.get("continual_general")
    constants = {"b": 0.02, "rise": 0.15, "p": 1.5, "fall": 0.25, "q": 0.15}
    T = np.geomspace(1, 100, 30)
    written = -0.15 * T**-1.5 + 0.25 * T**-0.15 + (0.02 + 0.15 - 0.25)
    np.testing.assert_allclose(law(T, **constants), written, rtol=1e-12, atol=1e-15)
    assert law(1.0, **constants) == pytest.approx(0.02)
    assert 0 < np.argmax(written) < 29  # up, then down


RATIOS = [0.1, 0.2, 0.4, 0.8]


GENERAL = {
    "b": [0.0] * 4,
    "rise": [0.05, 0.1, 0.2, 0.4],
    "p": [2.0] * 4,
    "fall": [0.15] * 4,
    "q": [0.2] * 4,
}


DOMAIN = {"b": [-0.5] * 4, "a": [0.5] * 4, "s": [-0.1] * 4}


def test_the_critical_ratio_is_where_the_general_loss_comes_back() -> None:
    """rise grows as R/2 here, so the change at T is a line in R, which crosses 0.05 once."""
    T = 60.0
    back = 0.15 * (1 - T**-0.2)
    by_hand = 2 * (0.05 + back) / (1 - T**-2.0)
    ratio = feasible_ratio(RATIOS, GENERAL, DOMAIN, T=T)
    assert ratio == pytest.approx(by_hand, rel=1e-9)
    assert feasible_ratio(RATIOS, GENERAL, DOMAIN, T=6 * T) > ratio
    stricter = feasible_ratio(RATIOS, GENERAL, DOMAIN, T=T, tolerance=0.02)
    assert stricter == pytest.approx(2 * (0.02 + back) / (1 - T**-2.0), rel=1e-9)


def test_no_ratio_or_all_of_them() -> None:
    assert feasible_ratio(RATIOS, GENERAL, DOMAIN, T=60.0, tolerance=1.0) == 0.8
    assert np.isnan(feasible_ratio(RATIOS, GENERAL, DOMAIN, T=60.0, tolerance=-1.0))
    # At T = 1.01 every general loss is still on its way up: none has peaked.
    assert np.isnan(feasible_ratio(RATIOS, GENERAL, DOMAIN, T=1.01))
    rising = {**DOMAIN, "s": [0.1] * 4}
    assert np.isnan(feasible_ratio(RATIOS, GENERAL, rising, T=60.0))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"ratios": [0.4, 0.2, 0.1, 0.8]}, r"ratios must be rising numbers, not \[0.4"),
        ({"ratios": [0.1, 0.2, 0.4, 1.8]}, r"ratios must lie between 0 and 1"),
        ({"general": {"b": [0.0] * 4}}, r"general misses rise, p, fall, q; it needs b, rise"),
        ({"domain": {**DOMAIN, "s": [0.1]}}, r"domain\['s'\] has 1 numbers; there are 4 ratios"),
        ({"domain": {**DOMAIN, "b": [0.0, np.nan, 0.0, 0.0]}}, r"domain\['b'\] is not finite at"),
        ({"T": 0.5}, r"T=0.5 must be above first=1.0"),
    ],
)
def test_ratios_that_cannot_be(changed: Any, says: str) -> None:
    given = {"ratios": RATIOS, "general": GENERAL, "domain": DOMAIN, "T": 60.0, **changed}
    with pytest.raises(js.LawError, match=says):
        feasible_ratio(**given)
