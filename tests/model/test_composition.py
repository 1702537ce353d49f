"""A link after a law: names, roles, limits, directions and the docstring of both."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jscale as js
from jscale.errors import LawError
from jscale.model.composition import (
    composed_docstring,
    directions,
    limits_of_both,
    unobserved,
    without_axis,
)
from jscale.model.declare import law
from jscale.model.docstring import read_docstring
from jscale.model.law import Law
from jscale.model.roles import EXPONENT, FLOOR, LOCATION, LOG_SCALE, SCALE, Positive, Scale
from tests.model.made import simple

POINT = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 410.0, "beta": 0.28}


def chinchilla() -> Law:
    return js.laws.get("chinchilla")


def test_then_feeds_one_law_to_the_other() -> None:
    link = js.laws.get("sigmoid_link")
    both = chinchilla().then(link)
    values = {"floor": 0.25, "rise": 0.6, "k": 4.0, "L0": 2.5}
    assert both.inputs == ("N", "D")
    assert both.names == (*chinchilla().names, *link.names)
    assert (both.output, both.name) == ("score", "chinchilla.then(sigmoid_link)")
    inner = chinchilla()(1e9, 1e11, **POINT)
    np.testing.assert_allclose(both(1e9, 1e11, **POINT, **values), link(inner, **values))


def test_then_puts_the_links_name_before_a_name_of_both() -> None:
    both = simple().then(js.laws.get("power_const:loss"))
    assert both.names == ("A", "alpha", "E", "power_const:loss_A", "power_const:loss_alpha")
    assert both.linear == ("E", "power_const:loss_A")


def test_then_starts_amplitudes_at_order_one_and_leaves_locations() -> None:
    both = js.laws.get("broken:1").then(js.laws.get("sigmoid_link"))
    assert (both.role("b").unit, both.role("b").start) == ("plain", (0.3, 3.0))
    assert both.role("d1") == js.laws.get("broken:1").role("d1")
    assert both.role("c0") == js.laws.get("broken:1").role("c0")


def test_then_describes_what_comes_out() -> None:
    link = js.laws.get("sigmoid_link")
    both = chinchilla().then(link)
    assert both.unit == link.unit
    assert both.doc.startswith(link.doc.splitlines()[0])
    assert "After chinchilla: " in both.doc


def test_then_has_no_floor_of_what_is_observed() -> None:
    both = js.laws.get("power_const").then(js.laws.get("sigmoid_link"))
    role = both.role("E")
    assert (role.name, role.meaning) == ("positive", "irreducible loss of the inner law")
    assert (role.unit, role.start, role.support) == ("plain", (0.3, 3.0), "positive")
    given = js.laws.get("power_const").with_starts({"E": (1.0, 2.0)})
    role = given.then(js.laws.get("sigmoid_link")).role("E")
    assert (role.name, role.start) == ("positive", (1.0, 2.0))


def test_then_starts_a_links_location_at_order_one() -> None:
    both = simple().then(js.laws.get("broken:1"))
    role = both.role("d1")
    assert (role.name, role.unit, role.start, role.log) == ("location", "plain", (0.3, 3.0), True)


def test_then_takes_a_link_of_one_input() -> None:
    with pytest.raises(
        LawError,
        match=r"chinchilla has 2 inputs \(N, D\); a link has exactly one, the output of the law",
    ):
        simple().then(chinchilla())


def test_then_refuses_a_parameter_named_as_an_input() -> None:
    @law
    def link(loss: Any, *, x: Scale) -> Any:
        return x * loss

    with pytest.raises(
        LawError, match=r"simple and link both use x; rename the parameters of link\."
    ):
        simple().then(link)


@pytest.mark.parametrize(
    ("role", "start"), [(FLOOR, (0.3, 3.0)), (SCALE, (0.3, 3.0)), (LOG_SCALE, (-1.0, 1.0))]
)
def test_starts_relative_to_an_output_that_is_not_observed_become_plain(role, start) -> None:
    made = unobserved(role)
    assert (made.unit, made.start, made.support, made.prior) == (
        "plain",
        start,
        role.support,
        role.prior,
    )
    assert (made.name == "positive") == (role is FLOOR)


def test_roles_that_do_not_look_at_the_output_stay() -> None:
    assert unobserved(EXPONENT) is EXPONENT
    assert unobserved(LOCATION) is LOCATION
    assert without_axis(EXPONENT) is EXPONENT


def test_directions_of_a_composition() -> None:
    """A link that falls turns the directions of the law around; one without leaves none."""
    inner = simple(falling=("x",))

    def link(**declared: Any) -> Law:
        @law(output="score", **declared)
        def score(loss: Any, *, k: Positive) -> Any:
            return k * loss

        return score

    assert directions(inner, link(rising=("loss",))) == {"falling": ("x",), "rising": ()}
    assert directions(inner, link(falling=("loss",))) == {"falling": (), "rising": ("x",)}
    assert directions(inner, link()) == {"falling": (), "rising": ()}


def test_limits_are_those_of_the_inputs_and_of_what_comes_out() -> None:
    inner = simple(limits={"x": (1.0, 9.0), "loss": (0.0, 5.0)})

    @law(output="score", limits={"loss": (0.0, 5.0), "score": (0.0, 1.0)})
    def link(loss: Any, *, k: Positive) -> Any:
        return k * loss

    assert limits_of_both(inner, link) == {"x": (1.0, 9.0), "score": (0.0, 1.0)}
    assert dict(inner.then(link).limits) == {"x": (1.0, 9.0), "score": (0.0, 1.0)}


INNER = """Loss by size.

Parameters
----------
N
    Parameters of the model.
k
    A scale of the law.
"""
LINK = """Score by loss.

Parameters
----------
loss
    The loss.
k
    A slope of the link.

Returns
-------
score
    A share.
"""


def test_the_docstring_of_both_describes_renamed_parameters() -> None:
    text = composed_docstring(
        read_docstring(INNER), read_docstring(LINK), name="size", renamed={"k": "link_k", "z": "z"}
    )
    doc = read_docstring(text)
    assert doc.summary == "Score by loss."
    assert doc.description == ("After size: Loss by size.",)
    assert doc.parameters == {
        "N": "Parameters of the model.",
        "k": "A scale of the law.",
        "link_k": "A slope of the link.",
    }
    assert doc.returns == {"score": "A share."}


def test_docstrings_without_sections_make_one_without() -> None:
    text = composed_docstring(read_docstring("One."), read_docstring("Two."), name="a", renamed={})
    assert text == "Two.\n\nAfter a: One."
