"""@law: inputs and roles from the signature, and declarations that cannot be."""

from __future__ import annotations

from typing import Any

import pytest

import jscale as js
from jscale.errors import LawError
from jscale.model.declare import law
from jscale.model.law import Law
from jscale.model.roles import EXPONENT, SCALE, Exponent, Floor, Location, Real, Scale
from tests.model.made import simple


def test_positional_arguments_are_inputs_and_keywords_parameters() -> None:
    made = simple()
    assert (made.name, made.inputs, made.names) == ("simple", ("x",), ("A", "alpha"))
    assert (made.role("A"), made.role("alpha")) == (SCALE, EXPONENT)
    assert repr(made) == "Law(simple(x; A, alpha))"


def test_the_decorator_works_without_arguments() -> None:
    @law
    def mine(N: Any, *, E: Floor) -> Any:
        """Mine, all mine."""
        return E + 0 * N

    assert mine.doc == "Mine, all mine."
    assert mine(3.0, E=2.0) == 2.0


def test_postponed_annotations_find_roles_of_the_function_that_declares() -> None:
    Width = Scale  # a name that only this function has

    @law
    def local(N: Any, *, w: Width, a: js.Exponent) -> Any:  # pyright: ignore
        return w * N + a

    assert (local.role("w"), local.role("a")) == (SCALE, EXPONENT)


def test_a_role_need_not_be_imported() -> None:
    made = law(eval("lambda N, *, s: s * N"), parameters={"s": Scale}, name="made")
    assert made(2.0, s=3.0) == 6.0

    @law
    def fractional(N: Any, *, f: Fraction) -> Any:  # noqa: F821  # pyright: ignore
        return f * N

    assert fractional.role("f").support == "fraction"


@pytest.mark.parametrize("name", ["floor", "js.Floro"])
def test_an_unknown_annotation_suggests_a_role(name: str) -> None:
    scope: dict[str, Any] = {"law": law, "js": js}
    text = f"@law\ndef mine(N, *, E: {name}):\n    return E"
    with pytest.raises(
        LawError,
        match=rf"mine: the annotation '{name}' of 'E' is not known here \(.*\)\. Did you mean "
        r"'Floor'\? Roles are Exponent, Floor, .*: from jscale import Floor\.",
    ):
        exec(text, scope)


@pytest.mark.parametrize("annotation", ["", ": float", ": 'Any'"])
def test_a_parameter_without_a_role(annotation: str) -> None:
    scope: dict[str, Any] = {"law": law, "Any": Any}
    with pytest.raises(
        LawError,
        match=r"The parameter 'A' has no role\. Annotate it with one of Exponent, Floor, .*, "
        r"such as A: Scale\.",
    ):
        exec(f"@law\ndef mine(N, *, A{annotation}):\n    return A", scope)


@pytest.mark.parametrize("text", ["def mine(*, A: Scale):", "def mine(N):"])
def test_a_law_needs_inputs_and_parameters(text: str) -> None:
    with pytest.raises(
        LawError, match=r"mine has [01] inputs and [01] parameters\. Write inputs as positional"
    ):
        exec(f"@law\n{text}\n    return 1.0", {"law": law, "Scale": Scale})


@pytest.mark.parametrize(
    "declared",
    [
        {"linear": ("A", "alfa")},
        {"powers": (("A", "x", "alfa"),)},
        {"inside": (("A", "x", "alfa"),)},
        {"offset_powers": (("A", "alfa", "x", "alpha"),)},
        {"start": {"alfa": (0.1, 1.0)}},
        {"prior": {"alfa": ("normal", 0.0, 1.0)}},
        {"axes": {"alfa": "x"}},
        {"published": {"somewhere": {"alfa": 0.1}}},
        {"powers": (("A", "alfa", "alpha"),)},
        {"axes": {"A": "alfa"}},
    ],
    ids=lambda declared: next(iter(declared)),
)
def test_a_declaration_that_names_no_parameter_or_input(declared: dict[str, Any]) -> None:
    with pytest.raises(
        LawError,
        match=r"simple has no parameter or input 'alfa'\. Did you mean 'alpha'\? "
        r"Its parameters are A, alpha; its inputs are x\.",
    ):
        simple(**declared)


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        (
            {"powers": ("A", "x", "alpha")},
            r"powers has the entry 'A'\. Declare A·N\^\(-alpha\) as powers=\(\(\"A\", \"N\"",
        ),
        ({"powers": (("A", "x"),)}, r"powers has the entry \('A', 'x'\)"),
        ({"inside": (("A", "x", "alpha", 1),)}, r"Declare \(N_c/N\)\^alpha as inside="),
        ({"offset_powers": (("A", "x", "alpha"),)}, r"Declare b \+ a·N\^alpha as offset_powers="),
    ],
)
def test_a_declared_term_of_the_wrong_form(declared: dict[str, Any], says: str) -> None:
    with pytest.raises(LawError, match=says):
        simple(**declared)


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        (
            {"offset_powers": (("A", "alpha", "x", "alpha"),)},
            r"simple: offset_powers takes A as a real number, but its role, scale, is positive\. "
            r"Change the role, or remove the entry\.",
        ),
        (
            {"inside": (("s", "x", "alpha"),), "parameters": {"s": Real, "alpha": Exponent}},
            r"inside takes s as a positive number, but its role, real, is real",
        ),
    ],
)
def test_centring_needs_the_right_support(declared: dict[str, Any], says: str) -> None:
    with pytest.raises(LawError, match=says):
        simple(**declared)


def test_a_location_says_along_which_input_it_lies() -> None:
    def make(**declared: Any) -> Law:
        @law(**declared)
        def bend(N: Any, D: Any, *, N_c: Location) -> Any:
            return N / N_c + D

        return bend

    with pytest.raises(
        LawError,
        match=r'bend: N_c is a location along one of N, D\. Declare which: axes=\{"N_c": "N"\}\.',
    ):
        make()
    assert make(axes={"N_c": "D"}).axes == {"N_c": "D"}


def test_declared_starts_and_priors() -> None:
    made = simple(start={"alpha": (0.3, 0.4)}, prior={"A": ("normal", 0.0, 2.0)})
    assert made.role("alpha").start == (0.3, 0.4)
    assert made.role("A").prior == ("normal", 0.0, 2.0)


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ({"simplex": ("r", "r")}, r"mix: simplex=\('r', 'r'\) must name two or more different"),
        ({"simplex": ("r",)}, r"mix: simplex=\('r',\) must name two or more different"),
        ({"simplex": ("r", "s"), "falling": ("s",)}, r"mix: s is a share of a whole and cannot"),
        ({"simplex": ("r", "s"), "rising": ("r",)}, r"mix: r is a share of a whole and cannot"),
        ({"space": "logarithm"}, r"mix: space='logarithm' is not known\."),
        ({"limits": {"R": (0.0, 1.0)}}, r"mix has no parameter or input 'R'"),
        ({"ordered": (("r", "R"),)}, r"mix has no parameter or input 'R'"),
    ],
)
def test_declarations_of_inputs_that_cannot_be(declared: dict[str, Any], says: str) -> None:
    with pytest.raises(LawError, match=says):

        @law(**declared)
        def mix(r: Any, s: Any, *, A: Scale) -> Any:
            return A * r + s


def test_a_factory_gives_inputs_and_roles_for_any_number_of_names() -> None:
    def weighted(*shares: Any, **slopes: Any) -> Any:
        return sum(slopes[f"k_{i}"] * share for i, share in enumerate(shares))

    made = law(
        weighted,
        name="weighted:3",
        inputs=("r_0", "r_1", "r_2"),
        parameters={f"k_{i}": Exponent if i else Real for i in range(3)},
        simplex=("r_0", "r_1", "r_2"),
    )
    assert (made.name, made.inputs, made.names) == (
        "weighted:3",
        ("r_0", "r_1", "r_2"),
        ("k_0", "k_1", "k_2"),
    )
    assert made(0.5, 0.25, 0.25, k_0=1.0, k_1=2.0, k_2=4.0) == 2.0
    assert made.role("k_0").support == "real"


def test_the_sign_of_a_declared_power_is_minus_unless_given() -> None:
    made = simple(powers=[("A", "x", "alpha")])
    signed = simple(powers=[["A", "x", "alpha", +1]])
    assert [(p.amplitude, p.input, p.exponent, p.sign) for p in made.powers] == [
        ("A", "x", "alpha", -1)
    ]
    assert signed.powers[0].sign == 1
