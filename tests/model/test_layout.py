"""Layout: the map from coordinates to parameters is exact, whatever is fixed, tied, per group."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jscale as js
from jscale import laws
from jscale._precision import float64_scope
from jscale.errors import LawError
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.law import Law
from jscale.model.layout import Layout
from jscale.model.roles import Exponent, Floor, Fraction, Location, LogScale, Real, Scale, Slope
from jscale.simulation.worlds import grid

TEXTS = [*laws.names(), "broken:2", "broken:3:N", "power_const:D"]
FAMILIES = {"family": ("a", "b", "c")}
CENTRES = {"N": np.log(3e8), "D": np.log(2e10), "C": np.log(4e19)}


@law(inside=(("N_c", "N", "alpha"), ("D_c", "D", "beta")), axes={"N_c": "N", "D_c": "D"})
def kaplan(N: Any, D: Any, *, N_c: Location, D_c: Location, alpha: Exponent, beta: Exponent) -> Any:
    return (power(N_c / N, alpha / beta) + D_c / D) ** beta


@law(powers=(("A", "N", "alpha", +1), ("A", "D", "beta")), linear=("E", "A"))
def joint(N: Any, D: Any, *, E: Floor, A: Scale, alpha: Exponent, beta: Exponent) -> Any:
    return E + A * power(N, alpha) * power(D, -beta)


@law(offset_powers=(("b", "a", "N", "gamma"),), linear=("b",))
def offset(N: Any, *, b: LogScale, a: Slope, gamma: Slope, f: Fraction) -> Any:
    return f * jnp.exp(b + a * power(N, gamma))


OWN = {"kaplan": kaplan, "joint": joint, "offset": offset}


def named(text: str) -> Law:
    return OWN[text] if text in OWN else laws.get(text)


def centre(made: Law) -> np.ndarray:
    return np.array([CENTRES.get(name, np.log(2.5)) for name in made.inputs])


def check_round_trip(layout: Layout, fixed: dict[str, Any] | None = None, seed: int = 0) -> None:
    """Coordinates → parameters → coordinates, and parameters in their supports."""
    theta = np.random.default_rng(seed).uniform(0.1, 1.0, layout.size)
    exact = {name: np.asarray(value) for name, value in (fixed or {}).items()}
    where = centre(layout.law)
    with float64_scope():
        values = layout.natural(jnp.asarray(theta), exact, where)
        values = {name: np.asarray(value) for name, value in values.items()}
    assert set(values) == set(layout.law.names)
    for slot in layout.slots:
        assert values[slot.name].shape == ((slot.size,) if slot.group else ())
        assert slot.role.support != "positive" or (values[slot.name] > 0).all()
    back = layout.coordinates(values, where)
    np.testing.assert_allclose(back, theta, rtol=1e-12, atol=1e-12)


# Round trips


@pytest.mark.parametrize("text", [*TEXTS, *OWN])
def test_coordinates_go_to_parameters_and_back(text: str) -> None:
    for seed in range(3):
        check_round_trip(Layout.make(named(text)), seed=seed)


@pytest.mark.parametrize("text", [*TEXTS, *OWN])
def test_every_single_parameter_may_be_fixed(text: str) -> None:
    made = named(text)
    for name in made.names if len(made.names) > 1 else ():
        check_round_trip(Layout.make(made, fixed=(name,)), {name: 0.3})


@pytest.mark.parametrize("text", [*TEXTS, *OWN])
def test_every_single_parameter_may_differ_by_group(text: str) -> None:
    made = named(text)
    for name in made.names:
        layout = Layout.make(made, per={name: "family"}, groups=FAMILIES)
        assert layout.size == len(made.names) + 2
        check_round_trip(layout)


@pytest.mark.parametrize(
    ("text", "tie"),
    [
        ("chinchilla", ("alpha", "beta")),
        ("chinchilla", ("A", "B")),
        ("chinchilla", [("alpha", "beta"), ("A", "B")]),
        ("farseer", ("alpha", "beta", "gamma")),
        ("farseer", ("b1", "b2")),
        ("kaplan", ("alpha", "beta")),
        ("kaplan", ("N_c", "D_c")),
        ("broken:2", [("f1", "f2"), ("c1", "c2")]),
    ],
)
def test_ties(text: str, tie: Any) -> None:
    layout = Layout.make(named(text), tie=tie)
    aliases = {alias for alias, _ in layout.ties}
    assert {slot.name for slot in layout.slots} == set(layout.law.names) - aliases
    check_round_trip(layout)


@pytest.mark.parametrize(
    "per",
    [
        ("E",),
        ("A", "alpha"),
        ("A", "B", "E"),
        ("alpha",),
        ("alpha", "beta"),
        ("A", "alpha", "B", "beta", "E"),
    ],
)
def test_combinations_of_groups(per: tuple[str, ...]) -> None:
    made = laws.get("chinchilla")
    check_round_trip(Layout.make(made, per=dict.fromkeys(per, "family"), groups=FAMILIES))


def test_two_columns_of_groups() -> None:
    groups = {**FAMILIES, "size": ("s", "l")}
    per = {"A": "family", "alpha": "size"}
    check_round_trip(Layout.make(laws.get("chinchilla"), per=per, groups=groups))


@pytest.mark.parametrize("extra", [(), ("A",), ("B",), ("A", "B")])
def test_a_tie_to_an_exponent_that_differs_by_group(extra: tuple[str, ...]) -> None:
    per = dict.fromkeys(("alpha", *extra), "family")
    layout = Layout.make(laws.get("chinchilla"), tie=("alpha", "beta"), per=per, groups=FAMILIES)
    check_round_trip(layout)


def test_a_tie_to_a_fixed_parameter() -> None:
    layout = Layout.make(laws.get("chinchilla"), fixed=("alpha",), tie=("alpha", "beta"))
    check_round_trip(layout, {"alpha": 0.4})


# What the coordinates mean


def test_an_amplitudes_coordinate_is_the_logarithm_of_its_term_at_the_centre() -> None:
    made = laws.get("chinchilla")
    values = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 410.0, "beta": 0.28}
    theta = Layout.make(made).coordinates(values, centre(made))
    at_centre = [400.0 * 3e8**-0.34, 410.0 * 2e10**-0.28]
    expected = np.log([1.7, at_centre[0], 0.34, at_centre[1], 0.28])
    np.testing.assert_allclose(theta, expected, rtol=1e-12)


def test_a_location_lies_at_zero_when_it_is_at_the_centre() -> None:
    made = laws.get("broken:1")
    values = {"a": 1.0, "b": 2.0, "c0": 0.1, "c1": -0.2, "d1": 4e19, "f1": 0.3}
    layout = Layout.make(made)
    theta = layout.coordinates(values, centre(made))
    assert abs(theta[layout.labels.index("d1")]) < 1e-12


def test_a_scale_inside_a_power_is_centred_by_its_exponent() -> None:
    values = {"N_c": 9e13, "D_c": 5e13, "alpha": 0.08, "beta": 0.1}
    theta = Layout.make(kaplan).coordinates(values, centre(kaplan))
    np.testing.assert_allclose(theta[0], 0.08 * np.log(9e13 / 3e8), rtol=1e-12)


def test_published_constants_survive_the_round_trip() -> None:
    for made in (laws.get("chinchilla"), laws.get("farseer")):
        for constants in made.published.values():
            layout = Layout.make(made)
            theta = layout.coordinates(constants, centre(made))
            with float64_scope():
                values = layout.natural(jnp.asarray(theta), {}, centre(made))
                back = {name: float(value) for name, value in values.items()}
            assert back == pytest.approx(dict(constants), rel=1e-12)


def test_natural_is_differentiable() -> None:
    made = laws.get("power_const")
    layout = Layout.make(made)
    slope = jax.grad(lambda theta: layout.natural(theta, {}, jnp.ones(1))["A"])(jnp.zeros(3))
    # A = exp(u + e^v·1) at u = v = 0
    np.testing.assert_allclose(slope, [0.0, np.e, np.e], rtol=1e-6)


def test_an_offset_power_whose_exponent_is_fixed_at_zero_is_not_centred() -> None:
    layout = Layout.make(offset, fixed=("gamma",))
    check_round_trip(layout, {"gamma": 0.0})
    with float64_scope():
        values = layout.natural(
            jnp.array([0.7, 0.2, 0.0]), {"gamma": np.asarray(0.0)}, centre(offset)
        )
    assert (float(values["b"]), float(values["a"])) == (0.7, 0.2)


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
def test_farseer_fits_with_an_exponent_fixed_at_zero() -> None:
    made = laws.get("farseer")
    (planted,) = made.published.values()
    design = grid(np.geomspace(2e8, 6e9, 8), np.geomspace(2e9, 2e11, 8))
    runs = js.simulate("farseer", {**planted, "gamma": 0.0}, design, noise=0.005)
    fit = js.fit("farseer", runs, fixed={"gamma": 0.0}, starts=16)
    assert fit.params["gamma"] == 0.0
    np.testing.assert_allclose(fit.fitted, runs["loss"], rtol=0.05)


# Slots, labels, linear amplitudes


def test_unflatten_gives_each_group_its_own_numbers() -> None:
    layout = Layout.make(
        laws.get("chinchilla"),
        fixed=("E",),
        tie=("alpha", "beta"),
        per={"alpha": "family"},
        groups=FAMILIES,
    )
    values = layout.unflatten(np.arange(9.0))
    assert {name: np.ravel(v).tolist() for name, v in values.items()} == {
        "E": [0.0],
        "A": [1.0],
        "alpha": [2.0, 3.0, 4.0],
        "B": [5.0],
        "beta": [6.0, 7.0, 8.0],
    }


def test_labels_and_slots_follow_the_laws_order() -> None:
    layout = Layout.make(
        laws.get("chinchilla"),
        fixed=("E",),
        tie=("alpha", "beta"),
        per={"A": "family"},
        groups=FAMILIES,
    )
    assert layout.labels == ("A[a]", "A[b]", "A[c]", "alpha", "B")
    assert [(slot.name, slot.where) for slot in layout.slots] == [
        ("A", slice(0, 3)),
        ("alpha", 3),
        ("B", 4),
    ]
    assert layout.slot("beta") is None
    assert layout.slot("E") is None


def test_linear_amplitudes_by_coordinate() -> None:
    chinchilla = Layout.make(laws.get("chinchilla"), fixed=("E",))
    assert chinchilla.linear == ((0, True), (2, True))
    farseer = Layout.make(laws.get("farseer"))
    assert {farseer.labels[i] for i, _ in farseer.linear} == {"b3", "b2"}


def test_pick_chooses_the_groups_value_also_for_a_tied_parameter() -> None:
    layout = Layout.make(
        laws.get("chinchilla"), tie=("alpha", "beta"), per={"alpha": "family"}, groups=FAMILIES
    )
    exponents = np.array([0.1, 0.2, 0.3])
    values = {"E": 1.0, "A": 2.0, "alpha": exponents, "B": 3.0, "beta": exponents}
    picked = layout.pick(values, {"family": 1})
    assert picked == {"E": 1.0, "A": 2.0, "alpha": 0.2, "B": 3.0, "beta": 0.2}


def test_layouts_are_equal_and_hash_alike_when_their_choices_are() -> None:
    def make(**choices: Any) -> Layout:
        return Layout.make(laws.get("chinchilla"), groups=FAMILIES, **choices)

    assert make(fixed=("E",)) == make(fixed=("E",))
    assert hash(make(per={"E": "family"})) == hash(make(per={"E": "family"}))
    different = [
        make(),
        make(fixed=("E",)),
        make(fixed=("A",)),
        make(tie=("alpha", "beta")),
        make(tie=("beta", "alpha")),
        make(per={"E": "family"}),
        make(per={"A": "family"}),
        Layout.make(laws.get("power_const")),
    ]
    assert len(set(different)) == len(different)


# Choices and values that cannot be used


@pytest.mark.parametrize(
    "choices",
    [{"fixed": ("alfa",)}, {"tie": ("alpha", "alfa")}, {"per": {"alfa": "family"}}],
    ids=str,
)
def test_unknown_names(choices: dict[str, Any]) -> None:
    with pytest.raises(LawError, match=r"no parameter or input 'alfa'\. Did you mean 'alpha'\?"):
        Layout.make(laws.get("chinchilla"), **choices, groups=FAMILIES)


@pytest.mark.parametrize(
    "choices",
    [
        {"fixed": ("beta",), "tie": ("alpha", "beta")},
        {"fixed": ("beta",), "per": {"beta": "family"}},
        {"tie": ("alpha", "beta"), "per": {"beta": "family"}},
        {"tie": [("alpha", "beta"), ("A", "beta")]},
    ],
    ids=str,
)
def test_one_choice_per_parameter(choices: dict[str, Any]) -> None:
    with pytest.raises(
        LawError, match=r"beta: fixed, tied or per group more than once; choose one of them\."
    ):
        Layout.make(laws.get("chinchilla"), **choices, groups=FAMILIES)


@pytest.mark.parametrize("tie", [[("A", "B"), ("B", "E")], ("B", "B")], ids=str)
def test_chains_of_ties(tie: Any) -> None:
    with pytest.raises(
        LawError,
        match=r'B is tied twice; name all equal parameters together, tie=\("alpha", "beta"',
    ):
        Layout.make(laws.get("chinchilla"), tie=tie)


def test_a_tie_of_one() -> None:
    with pytest.raises(LawError, match=r"tie=\('alpha',\) names one parameter; name two or more"):
        Layout.make(laws.get("chinchilla"), tie=("alpha",))


def test_nothing_to_fit() -> None:
    with pytest.raises(
        LawError, match=r"Every parameter of power is fixed: there is nothing to fit\."
    ):
        Layout.make(laws.get("power"), fixed=("A", "alpha"))


@law
def plain(x: Any, *, A: Scale, f: Fraction, r: Real) -> Any:
    return A * f * x + r


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"A": 0.0}, r"A is 0\.0; its role, scale, must be positive\."),
        ({"A": np.nan}, r"A is nan; its role, scale, must be positive\."),
        ({"A": np.inf}, r"A is inf; its role, scale, must be positive\."),
        ({"f": 1.5}, r"f is 1\.5; its role, fraction, must be between 0 and 1\."),
        ({"f": 0.0}, r"f is 0\.0; its role, fraction, must be between 0 and 1\."),
        ({"r": np.inf}, r"r is inf; its role, real, must be finite\."),
        ({"A": [1.0, 2.0]}, r"A has shape \(2,\); give one number\."),
        ({"r": [1.0, 2.0]}, r"r has shape \(2,\); give one number or 3, one per family\."),
    ],
    ids=str,
)
def test_values_outside_their_support(changes: dict[str, Any], says: str) -> None:
    layout = Layout.make(plain, per={"r": "family"}, groups=FAMILIES)
    values = {"A": 1.0, "f": 0.5, "r": 0.0, **changes}
    with pytest.raises(LawError, match=says):
        layout.coordinates(values, np.zeros(1))


@pytest.mark.parametrize("fixed", [(), ("f",)])
def test_missing_values(fixed: tuple[str, ...]) -> None:
    layout = Layout.make(plain, fixed=fixed)
    with pytest.raises(LawError, match=r"A value for f is missing; give A, f, r\."):
        layout.coordinates({"A": 1.0, "r": 0.0}, np.zeros(1))
