"""Laws: plain calls in float64, starts, then, along, equality."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jscale as js
from jscale.errors import LawError
from jscale.model.declare import law
from jscale.model.law import Law
from jscale.model.roles import Real, Scale
from tests.model.made import simple

POINT = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 410.0, "beta": 0.28}


def chinchilla() -> Law:
    return js.laws.get("chinchilla")


# Starts


def test_with_starts_changes_the_range_and_nothing_else() -> None:
    made = chinchilla().with_starts({"alpha": (0.2, 0.5)})
    assert made.role("alpha").start == (0.2, 0.5)
    assert made.role("beta") == chinchilla().role("beta")
    assert made.names == chinchilla().names
    assert made != chinchilla()


def test_starts_of_an_amplitude_become_plain_numbers_and_those_of_a_location_stay_shares() -> None:
    made = js.laws.get("broken:1").with_starts({"b": (1.0, 2.0), "d1": (0.4, 0.6)})
    assert made.role("b").unit == "plain"
    assert made.role("d1").unit == "range"


@pytest.mark.parametrize("bad", [0.3, (0.3,), ("a", "b"), (0.5, 0.2), (-1.0, 1.0), (0.1, np.inf)])
def test_a_range_for_starts_that_cannot_be_used(bad: Any) -> None:
    with pytest.raises(
        LawError,
        match=r"start\['alpha'\] is .*; it must be two numbers, low and high, within "
        r'\(0, inf\): start=\{"alpha": \(0\.1, 0\.9\)\}\.',
    ):
        chinchilla().with_starts({"alpha": bad})


def test_with_starts_of_an_unknown_parameter() -> None:
    with pytest.raises(LawError, match=r"no parameter or input 'gama'"):
        chinchilla().with_starts({"gama": (0.1, 1.0)})


# Calling


def test_a_plain_call_is_in_float64_and_gives_numpy() -> None:
    value = chinchilla()(7e10, 1.4e12, **POINT)
    assert isinstance(value, np.float64)
    expected = 1.7 + 400.0 * 7e10**-0.34 + 410.0 * 1.4e12**-0.28
    np.testing.assert_allclose(value, expected, rtol=1e-14)


def test_integers_do_not_overflow_in_a_plain_call() -> None:
    @law
    def compute(N: Any, D: Any, *, k: Scale) -> Any:
        return k * 6 * N * D

    N, D = np.array([70_000_000_000]), 1_400_000_000_000
    np.testing.assert_allclose(compute(N, D, k=1), 5.88e23, rtol=1e-15)


def test_arrays_broadcast_and_names_may_be_used() -> None:
    surface = chinchilla()(np.array([1e9, 1e10])[:, None], D=[1e10, 1e11, 1e12], **POINT)
    assert surface.shape == (2, 3)
    np.testing.assert_allclose(surface[1, 2], chinchilla()(N=1e10, D=1e12, **POINT), rtol=1e-15)


def test_a_call_inside_transformations() -> None:
    def loss(logN: Any) -> Any:
        return chinchilla()(jnp.exp(logN), 10**12, **POINT)

    value, slope = jax.jit(jax.value_and_grad(loss))(np.log(1e9))
    np.testing.assert_allclose(value, chinchilla()(1e9, 1e12, **POINT), rtol=1e-5)
    np.testing.assert_allclose(slope, -0.34 * 400.0 * 1e9**-0.34, rtol=1e-4)


def test_evaluate_takes_everything_by_name() -> None:
    named = {"N": jnp.float32(1e9), "D": jnp.float32(1e11), **POINT}
    expected = chinchilla()(1e9, 1e11, **POINT)
    np.testing.assert_allclose(jax.jit(chinchilla().evaluate)(named), expected, rtol=1e-5)


CALL = r"Call it as simple\(x, A=…, alpha=…\)\."


@pytest.mark.parametrize(
    ("inputs", "values", "says"),
    [
        ((), {"A": 1.0}, rf"simple misses x, alpha\. {CALL}"),
        (
            (1.0, 2.0),
            {"A": 1.0, "alpha": 1.0},
            rf"simple takes 1 inputs by position, not 2\. {CALL}",
        ),
        (
            (1.0,),
            {"x": 1.0, "A": 1.0, "alpha": 1.0},
            rf"simple got x by position and by name\. {CALL}",
        ),
        (
            (1.0,),
            {"A": 1.0, "alfa": 1.0},
            r"simple has no parameter or input 'alfa'\. Did you mean",
        ),
        (
            ("7B",),
            {"A": 1.0, "alpha": 1.0},
            r"x must be a number or an array of numbers, not '7B'\.",
        ),
    ],
)
def test_calls_that_cannot_be_made(inputs: Any, values: dict[str, Any], says: str) -> None:
    with pytest.raises(LawError, match=says):
        simple()(*inputs, **values)


def test_the_role_of_an_unknown_parameter() -> None:
    with pytest.raises(LawError, match=r"chinchilla has no parameter or input 'Alpha'"):
        chinchilla().role("Alpha")


# along and then


def test_along_moves_every_declaration() -> None:
    made = js.laws.get("broken:1").along("D")
    assert (made.name, made.inputs) == ("broken:1:D", ("D",))
    assert {entry.input for entry in made.powers} == {"D"}
    assert set(made.axes.values()) == {"D"}
    values = {"a": 1.0, "b": 2.0, "c0": 0.1, "c1": 0.1, "d1": 1e9, "f1": 0.3}
    assert made(D=1e8, **values) == js.laws.get("broken:1")(1e8, **values)
    assert made != js.laws.get("broken:1")


def test_along_moves_terms_inside_and_offsets() -> None:
    made = simple(inside=(("A", "x", "alpha"),)).along("N")
    assert made.inside == (("A", "N", "alpha"),)
    real = simple(
        parameters={"A": Real, "alpha": Real}, offset_powers=(("A", "alpha", "x", "alpha"),)
    )
    assert real.along("N").offset_powers == (("A", "alpha", "N", "alpha"),)


def test_along_is_for_laws_of_one_input() -> None:
    with pytest.raises(LawError, match=r"chinchilla has 2 inputs: N, D\. Only a law of one input"):
        chinchilla().along("C")


def test_inputs_that_must_be_positive() -> None:
    assert js.laws.get("chinchilla").positive_inputs == ("N", "D")
    assert js.laws.get("broken:1:N").positive_inputs == ("N",)
    assert js.laws.get("sigmoid_link").positive_inputs == ()


# Equality


def shifted(shift: float) -> Law:
    @law
    def moved(x: Any, *, A: Scale) -> Any:
        return A * x + shift

    return moved


def test_the_same_text_gives_equal_laws() -> None:
    assert simple() is not simple()
    assert simple() == simple()
    assert hash(simple()) == hash(simple())
    assert simple() != "simple"


def test_a_changed_constant_gives_another_law() -> None:
    assert shifted(1.0) == shifted(1.0)
    assert shifted(1.0) != shifted(2.0)


def test_a_changed_law_inside_gives_another_law() -> None:
    link = js.laws.get("sigmoid_link")
    assert shifted(1.0).then(link) == shifted(1.0).then(link)
    assert shifted(1.0).then(link) != shifted(2.0).then(link)


@pytest.mark.parametrize(
    "declared",
    [
        {"linear": ("A",)},
        {"powers": (("A", "x", "alpha"),)},
        {"powers": (("A", "x", "alpha", +1),)},
        {"inside": (("A", "x", "alpha"),)},
        {"axes": {"A": "x"}},
        {"output": "score"},
        {"start": {"A": (1.0, 2.0)}},
        {"prior": {"A": ("normal", 0.0, 2.0)}},
    ],
    ids=str,
)
def test_every_declaration_counts(declared: dict[str, Any]) -> None:
    assert simple(**declared) == simple(**declared)
    assert simple(**declared) != simple()
