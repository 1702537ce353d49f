"""The broken law: its slopes on either side of a break, and its roles."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale.laws.broken import broken

ONE = {"a": 0.5, "b": 3.0, "c0": 0.1, "c1": 0.3, "d1": 1e6, "f1": 0.2}


def slope(law: js.Law, C: float, p: dict[str, float]) -> float:
    """The log-log slope of the loss above its limit."""
    above = law(C * np.array([0.999, 1.001]), **p) - p["a"]
    return float(np.diff(np.log(above))[0] / np.log(1.001 / 0.999))


@pytest.mark.parametrize(("C", "expected"), [(1e2, -0.1), (1e6, -0.25), (1e10, -0.4)])
def test_the_slope_changes_by_c_at_a_break(C: float, expected: float) -> None:
    assert slope(broken(1), C, ONE) == pytest.approx(expected, abs=1e-6)


def test_the_form_as_it_is_written() -> None:
    p = {**ONE, "c2": -0.25, "d2": 1e9, "f2": 0.5}
    C = np.geomspace(1e3, 1e12, 7)
    written = p["b"] * C ** -p["c0"]
    for i in (1, 2):
        c, d, f = (p[f"{name}{i}"] for name in "cdf")
        written = written * (1 + (C / d) ** (1 / f)) ** (-c * f)
    np.testing.assert_allclose(broken(2)(C, **p), p["a"] + written, rtol=1e-12)


def test_a_sharp_break_where_its_power_overflows() -> None:
    """(C/d)^(1/f) is 1e600 here, yet the law is two powers that meet."""
    p = {**ONE, "f1": 0.01}
    expected = 0.5 + 3.0 * 1e12**-0.1 * 1e6**-0.3
    assert broken(1)(1e12, **p) == pytest.approx(expected, rel=1e-12)


def test_no_change_at_a_break_is_a_power_with_a_limit() -> None:
    C = np.geomspace(1e3, 1e9, 5)
    plain = js.laws.get("power_const")(C, E=0.5, A=3.0, alpha=0.1)
    np.testing.assert_allclose(broken(1)(C, **{**ONE, "c1": 0.0}), plain, rtol=1e-12)


def test_breaks_have_their_roles_and_ask_for_more_starts() -> None:
    law = broken(3)
    assert law is broken(3)
    assert [law.role(f"d{i}").name for i in (1, 2, 3)] == ["location"] * 3
    assert law.role("c2").support == "real"
    assert (broken(1).starts, law.starts) == (64, 192)


@pytest.mark.parametrize("breaks", [0, 7, 1.5])
def test_numbers_of_breaks_that_cannot_be(breaks) -> None:
    with pytest.raises(js.LawError, match=f"broken takes 1 to 6 breaks, not {breaks}"):
        broken(breaks)
