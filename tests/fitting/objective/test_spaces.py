"""Spaces of residuals: maps and their inverses, and the rounding that is left in each."""

from __future__ import annotations

import numpy as np
import pytest

from jscale._precision import float64_scope
from jscale.fitting.objective import from_space, rounding_error, to_space


@pytest.mark.parametrize("space", ["log", "linear", "logit"])
def test_spaces_invert(space: str) -> None:
    y = np.array([0.1, 0.5, 0.9])
    np.testing.assert_allclose(from_space(np.asarray(to_space(y, space)), space), y, rtol=1e-6)


def test_known_values() -> None:
    with float64_scope():
        np.testing.assert_allclose(to_space(np.array([1.0, np.e]), "log"), [0.0, 1.0], atol=1e-15)
        np.testing.assert_allclose(to_space(np.array([0.75]), "logit"), [np.log(3)], rtol=1e-15)
    values = np.array([-1.0, 5.0])
    assert to_space(values, "linear") is values
    assert from_space(values, "linear") is values


def test_rounding_is_absolute_in_a_logarithm_and_relative_in_linear_space() -> None:
    eps, weights = np.finfo(float).eps, np.ones(3)
    target = np.array([-2.0, 0.0, 1.0])
    np.testing.assert_allclose(
        rounding_error(target, "log", weights), 4 * eps * np.array([3.0, 1.0, 2.0])
    )
    for unit in (1e-14, 1.0, 1e14):
        np.testing.assert_allclose(
            rounding_error(unit * target, "linear", weights),
            4 * eps * unit * (1.0 + np.abs(target)),
        )


def test_rows_without_weight_do_not_count_for_rounding() -> None:
    target = np.array([1.0, 1.0, 1e9])
    error = rounding_error(target, "linear", np.array([1.0, 2.0, 0.0]))
    np.testing.assert_allclose(error[:2], 8 * np.finfo(float).eps)
    assert np.isfinite(rounding_error(target, "linear", np.zeros(3))).all()


@pytest.mark.parametrize("space", ["log", "linear"])
def test_rounding_is_that_of_the_precision_of_the_target(space: str) -> None:
    target, weights = np.array([1.0, 2.0]), np.ones(2)
    single = rounding_error(target.astype(np.float32), space, weights)
    ratio = single / rounding_error(target, space, weights)
    np.testing.assert_allclose(ratio, np.finfo(np.float32).eps / np.finfo(float).eps, rtol=1e-6)
