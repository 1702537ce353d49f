"""Responses: outcomes between 0 and 1 are described by odds."""

from __future__ import annotations

import numpy as np
import pytest

from jscale.discrepancy.response import (
    RESPONSES,
    falls,
    from_response,
    response_of,
    to_response,
)

SHARES = np.array([0.02, 0.4, 0.97])


@pytest.mark.parametrize("response", RESPONSES)
def test_a_response_is_undone(response: str) -> None:
    np.testing.assert_allclose(from_response(to_response(SHARES, response), response), SHARES)


def test_odds_of_failure_fall_where_the_outcome_rises() -> None:
    assert (np.diff(to_response(SHARES, "odds of failure")) < 0).all()
    assert falls("odds of failure")
    assert not falls("odds")


@pytest.mark.parametrize(
    ("y", "output", "expected"),
    [
        (SHARES, "loss", "plain"),
        (SHARES, "score", "odds of failure"),
        (SHARES[::-1], "error", "odds"),
        (SHARES * 100, "score", "plain"),
        (np.array([0.0, 0.5, 1.0]), "score", "plain"),
    ],
)
def test_the_response_follows_the_outcome(y: np.ndarray, output: str, expected: str) -> None:
    assert response_of(y, output, np.array([1.0, 2.0, 3.0])) == expected
