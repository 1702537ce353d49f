"""Roles: starts within the support, priors of the support, and ranges in plain numbers."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

import jscale as js
from jscale.errors import LawError
from jscale.model.roles import (
    FLOOR,
    FRACTION_ROLE,
    LOCATION,
    REAL_ROLE,
    ROLE_ALIASES,
    SCALE,
    Role,
    with_start,
)

ROLES = {
    name: next(r for r in get_args(a) if isinstance(r, Role)) for name, a in ROLE_ALIASES.items()
}


@pytest.mark.parametrize("name", ROLES)
def test_every_role_is_exported_and_starts_within_its_support(name: str) -> None:
    role = ROLES[name]
    assert getattr(js, name) == ROLE_ALIASES[name]
    low, high = role.start
    assert low < high
    if role.support == "positive" and role.unit != "log-typical":
        assert low > 0
    if role.support == "fraction":
        assert 0 < low < high < 1
    # Only positive numbers can be drawn evenly in their logarithm.
    assert role.support == "positive" or not role.log


@pytest.mark.parametrize("name", ROLES)
def test_priors_live_on_their_support(name: str) -> None:
    """A fraction's prior is that of its logit, so that it is normal there."""
    role = ROLES[name]
    distribution, _, width = role.prior
    assert distribution == ("lognormal" if role.support == "positive" else "normal")
    assert width > 0


def test_names_of_roles_are_told_apart() -> None:
    assert len({role.name for role in ROLES.values()}) == len(ROLES)
    assert all(role.meaning for role in ROLES.values())


def test_another_start_is_in_plain_numbers_and_leaves_the_rest() -> None:
    role = with_start("A", SCALE, [1, 5])
    assert (role.start, role.unit) == ((1.0, 5.0), "plain")
    assert (role.support, role.log, role.prior) == (SCALE.support, SCALE.log, SCALE.prior)
    assert with_start("E", FLOOR, np.array([1.5, 1.5])).start == (1.5, 1.5)


def test_the_start_of_a_location_stays_a_share_of_the_range() -> None:
    """It may lie outside the runs: below 0 or above 1."""
    role = with_start("N_c", LOCATION, (-0.5, 1.5))
    assert (role.start, role.unit) == ((-0.5, 1.5), "range")


@pytest.mark.parametrize(
    ("role", "given", "within"),
    [
        (SCALE, (0.0, 1.0), r"\(0, inf\)"),
        (FRACTION_ROLE, (0.1, 1.0), r"\(0, 1\)"),
        (REAL_ROLE, (2.0, 1.0), r"\(-inf, inf\)"),
        (REAL_ROLE, (np.nan, 1.0), r"\(-inf, inf\)"),
        (REAL_ROLE, (1.0, 2.0, 3.0), r"\(-inf, inf\)"),
    ],
)
def test_starts_outside_the_support(role: Role, given: Any, within: str) -> None:
    with pytest.raises(
        LawError, match=rf"start\['x'\] is .*two numbers, low and high, within {within}"
    ):
        with_start("x", role, given)
