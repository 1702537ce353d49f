"""Links: numbers by hand, inverses, limits, and what each form promises at its edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js

# One point of each link, by hand: (law, parameters, input, output).
BY_HAND = [
    ("exponential_link", {"epsilon": 0.9, "k": 2.0, "gamma": np.log(2.0)}, 2.0, 0.9 - 2.0 / 4),
    ("sigmoid_link", {"floor": 0.25, "rise": 0.6, "k": 3.0, "L0": 2.5}, 2.5, 0.25 + 0.3),
    ("log_loss_to_accuracy", {"T": 3.0}, np.log(2.0), 1 / 8),
    ("loss_to_loss", {"E1": 0.5, "K": 2.0, "E0": 1.0, "kappa": 1.5}, 5.0, 0.5 + 2.0 * 8.0),
    ("bleu_log", {"A": np.exp(-16.0), "alpha": 1.0, "beta": 2.0}, np.exp(20.0), 16.0),
]


@pytest.mark.parametrize(("name", "constants", "x", "y"), BY_HAND)
def test_a_point_by_hand_and_back(
    name: str, constants: dict[str, float], x: float, y: float
) -> None:
    link = js.laws.get(name)
    assert link(x, **constants) == pytest.approx(y, rel=1e-13)
    assert link.invert(y, **constants) == pytest.approx(x, rel=1e-12)


@pytest.mark.parametrize(("name", "constants", "x", "y"), BY_HAND)
def test_inverses_undo_their_links(
    name: str, constants: dict[str, float], x: float, y: float
) -> None:
    link = js.laws.get(name)
    many = x * np.linspace(0.7, 1.4, 15)
    np.testing.assert_allclose(link.invert(link(many, **constants), **constants), many, rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "never"),
    [
        ("exponential_link", [0.9, 0.95]),  # at the error of chance, and above
        ("sigmoid_link", [0.25, 0.1, 0.85, 0.9]),  # chance, below, the top, above
        ("log_loss_to_accuracy", [0.0, -0.1, 1.1]),
        ("loss_to_loss", [0.4]),  # below the irreducible loss
        ("bleu_log", [-1.0]),
    ],
)
def test_no_input_gives_what_a_link_never_reaches(name: str, never: list[float]) -> None:
    constants = next(constants for n, constants, *_ in BY_HAND if n == name)
    assert np.isnan(js.laws.get(name).invert(np.array(never), **constants)).all()


def test_a_score_of_one_and_the_irreducible_loss_are_reached() -> None:
    assert js.laws.get("log_loss_to_accuracy").invert(1.0, T=3.0) == 0.0
    constants = {"E1": 0.5, "K": 2.0, "E0": 1.0, "kappa": 1.5}
    assert js.laws.get("loss_to_loss").invert(0.5, **constants) == 1.0
    assert js.laws.get("loss_to_loss")([0.2, 1.0], **constants).tolist() == [0.5, 0.5]


def test_inverses_take_draws() -> None:
    gamma = np.array([0.5, 1.0, 2.0])
    losses = js.laws.get("exponential_link").invert(0.5, epsilon=0.9, k=2.0, gamma=gamma)
    np.testing.assert_allclose(losses, np.log(2.0 / 0.4) / gamma, rtol=1e-14)


def test_where_the_exponential_link_ends() -> None:
    """Below ln(k/epsilon)/gamma it is negative: the inverse of an error of 0."""
    for constants in js.laws.get("exponential_link").published.values():
        end = np.log(constants["k"] / constants["epsilon"]) / constants["gamma"]
        link = js.laws.get("exponential_link")
        assert link.invert(0.0, **constants) == pytest.approx(end, rel=1e-13)
        assert (
            link(0.99 * end, **constants) < 0 < link(1.01 * end, **constants) < constants["epsilon"]
        )


def test_published_links() -> None:
    """Six sets of constants; by them one loss means a similar error whatever was trained on."""
    link = js.laws.get("exponential_link")
    assert len(link.published) == 6
    for tasks in (17, 46):
        fitted = [v for k, v in link.published.items() if k.endswith(f"{tasks} tasks")]
        errors = [float(link(3.0, **values)) for values in fitted]
        assert len(errors) == 3
        assert max(errors) - min(errors) < 0.04


def test_steepness_of_the_sigmoid() -> None:
    """k·rise/4 of score per unit of loss, half-way; floor and floor + rise at the ends."""
    constants = {"floor": 0.25, "rise": 0.6, "k": 3.0, "L0": 2.5}
    link, step = js.laws.get("sigmoid_link"), 1e-6
    slope = (link(2.5 + step, **constants) - link(2.5 - step, **constants)) / (2 * step)
    assert slope == pytest.approx(-3.0 * 0.6 / 4, rel=1e-9)
    assert link([-100.0, 200.0], **constants).tolist() == pytest.approx([0.85, 0.25], abs=1e-15)


def test_after_a_pure_power_it_is_the_task_law() -> None:
    """ln(−ln accuracy) is a straight line in ln N, of slope −alpha."""
    law = js.laws.get("power:N").then(js.laws.get("log_loss_to_accuracy"))
    N = np.geomspace(1e7, 1e10, 7)
    line = np.log(-np.log(law(N, A=20.0, alpha=0.2, T=4.0)))
    np.testing.assert_allclose(line, np.log(80.0) - 0.2 * np.log(N), rtol=1e-12)


@js.law(falling=("N",), powers=(("A", "N", "alpha"),))
def falls(N: Any, *, A: js.Scale, alpha: js.Exponent) -> Any:
    """A loss that falls with size."""
    return A * js.power(N, -alpha)


@pytest.mark.parametrize(
    ("name", "falling", "rising"),
    [
        ("exponential_link", ("N",), ()),
        ("loss_to_loss", ("N",), ()),
        ("sigmoid_link", (), ("N",)),
        ("log_loss_to_accuracy", (), ("N",)),
    ],
)
def test_directions_after_a_law_that_falls(
    name: str, falling: tuple[str, ...], rising: tuple[str, ...]
) -> None:
    both = falls.then(js.laws.get(name))
    assert (both.falling, both.rising) == (falling, rising)


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("exponential_link", "error"),
        ("sigmoid_link", "score"),
        ("log_loss_to_accuracy", "accuracy"),
    ],
)
def test_scores_are_shares(name: str, output: str) -> None:
    frame = pd.DataFrame({"loss": np.linspace(2, 3, 6), output: [0.1, 0.2, 0.3, 1.2, 0.4, -0.1]})
    says = rf"{name} holds for {output} between 0 and 1, but not in row 3 \(1\.2\), row 5 \(-0\.1\)"
    with pytest.raises(js.DataError, match=says):
        js.fit(name, frame)


@pytest.mark.full
def test_scores_may_be_zero() -> None:
    link = js.laws.get("sigmoid_link")
    frame = pd.DataFrame({"loss": np.linspace(1.0, 4.0, 25)})
    frame["score"] = link(frame["loss"], floor=1e-3, rise=0.9, k=4.0, L0=2.0)
    frame.loc[frame["loss"] > 3.5, "score"] = 0.0
    assert (js.fit(link, frame).fitted[-1], len(frame)) == (pytest.approx(0.001, abs=1e-3), 25)


def test_bleu_is_not_negative() -> None:
    frame = pd.DataFrame({"D": np.geomspace(1e8, 1e10, 6), "score": [3.0, 4, 5, 6, 7, -1]})
    with pytest.raises(js.DataError, match=r"bleu_log holds for score from 0 up, but not in row 5"):
        js.fit("bleu_log", frame)


def test_tokens_for_a_score_are_where_the_law_gives_it() -> None:
    from scipy.optimize import brentq

    constants = {"A": 1e-3, "alpha": 0.6, "beta": 1.6}
    law = js.laws.get("bleu_log")
    tokens = law.quantities["tokens_for_score"](constants, score=30.0)
    root: Any = brentq(
        lambda x: float(law(np.exp(x), **constants)) - 30.0, np.log(1e6), np.log(1e20)
    )
    assert tokens == pytest.approx(np.exp(root), rel=1e-9)
    assert np.isnan(law.quantities["tokens_for_score"](constants, score=-1.0))


def test_where_the_bleu_law_has_no_value_it_is_next_to_nothing() -> None:
    assert 0 <= js.laws.get("bleu_log")(10.0, A=1e-3, alpha=0.6, beta=1.6) < 1e-9
