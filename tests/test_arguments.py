"""Checks of arguments: what passes comes back as it is used, what does not is named."""

from __future__ import annotations

import numpy as np
import pytest

from jscale.arguments import check_choice, check_count, check_level, check_seed
from jscale.errors import DataError, JscaleError, PredictionError

METHODS = ("auto", "bootstrap", "laplace")


def test_what_is_legal_comes_back() -> None:
    assert check_level(np.float32(0.5)) == 0.5
    assert check_count("draws", np.int64(2), "draws=100") == 2
    assert check_seed(0) == 0
    assert check_choice("method", "laplace", METHODS) == "laplace"
    assert check_choice("smoothed", True, ("auto", True, False)) is True
    assert check_choice("count", None, ("total", None)) is None


@pytest.mark.parametrize("level", [0, 1, -0.1, 95, np.nan, "0.9", None])
def test_a_level_outside_its_range(level: object) -> None:
    with pytest.raises(JscaleError, match=r"level=.* must lie strictly between 0 and 1, such as"):
        check_level(level)  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [1, 0, -3, 10.0, True, "10", None])
def test_a_count_of_less_than_two(count: object) -> None:
    with pytest.raises(JscaleError, match=r"draws=.* must be a whole number, at least 2: f\(100\)"):
        check_count("draws", count, "f(100)")


@pytest.mark.parametrize("seed", [-1, 1.5, True, "a", None])
def test_a_seed_that_is_no_whole_number(seed: object) -> None:
    with pytest.raises(JscaleError, match=r"seed=.* must be a whole number, 0 or more"):
        check_seed(seed)


def test_an_unknown_choice_names_the_nearest_legal_one() -> None:
    message = (
        r"^method='lapace' is not known\. Did you mean 'laplace'\? Use auto, bootstrap, laplace\.$"
    )
    with pytest.raises(JscaleError, match=message):
        check_choice("method", "lapace", METHODS)


def test_an_unknown_choice_that_resembles_none() -> None:
    with pytest.raises(
        JscaleError, match=r"^method='x' is not known\. Use auto, bootstrap, laplace"
    ):
        check_choice("method", "x", METHODS)


@pytest.mark.parametrize("error", [DataError, PredictionError])
def test_the_class_of_the_error_is_the_callers(error: type[JscaleError]) -> None:
    with pytest.raises(error, match="new='x' is not known"):
        check_choice("new", "x", ("run", "family"), error=error)


@pytest.mark.parametrize("value", [1, np.array(["a", "b"]), ["auto"], {}, None])
def test_a_value_of_another_type_is_no_choice(value: object) -> None:
    with pytest.raises(JscaleError, match=r"smoothed=.* is not known\..* Use auto, True, False"):
        check_choice("smoothed", value, ("auto", True, False))


def test_a_long_list_is_cut() -> None:
    with pytest.raises(JscaleError, match=r"Use a, b, … \(2 more\)\.$"):
        check_choice("letter", 7, "abcd", most=2)
