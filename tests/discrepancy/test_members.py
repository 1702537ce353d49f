"""Members: priors in coordinates, relative to the output's level."""

from __future__ import annotations

import numpy as np
import pytest

from jscale import laws
from jscale.discrepancy.families import weak_prior
from jscale.discrepancy.members import BY_ROLE, make_member, single_floor
from jscale.discrepancy.prior import ForecastPrior
from jscale.model.layout import Layout

LAYOUT = Layout.make(laws.get("chinchilla"))


def test_floors_and_amplitudes_are_relative_to_the_level(prior: ForecastPrior) -> None:
    family = prior.families["loss_surface"]
    one, ten = (make_member("c", LAYOUT, "log", family, level) for level in (1.0, 10.0))
    shift = one.mean[0] - ten.mean[0]
    expected = [-np.log(10), -np.log(10), 0.0, -np.log(10), 0.0]
    np.testing.assert_allclose(shift, expected, atol=1e-12)


def test_parameters_that_no_corpus_tells_have_their_roles_prior() -> None:
    layout = Layout.make(laws.get("farseer"))
    member = make_member("farseer", layout, "log", weak_prior(), 1.0)
    slopes = [s.first for s in layout.slots if s.role.name == "slope"]
    assert slopes
    assert (member.sd[0, slopes] == BY_ROLE["slope"][1]).all()


ROLES = sorted(
    {
        p.role.name
        for name in ("chinchilla", "farseer", "broken:1")
        for p in laws.get(name).parameters
    }
)


@pytest.mark.parametrize("role", ROLES)
def test_every_role_has_a_prior(role: str) -> None:
    assert BY_ROLE[role][1] > 0


def test_members_of_one_layout_share_a_program(prior: ForecastPrior) -> None:
    family = prior.families["loss_surface"]
    one, ten = (make_member("c", LAYOUT, "log", family, level) for level in (1.0, 10.0))
    assert one.program_key == ten.program_key


def test_a_floor_is_read_where_there_is_one() -> None:
    floor = single_floor(LAYOUT)
    assert floor is not None
    assert floor({"E": 1.7}) == 1.7
    assert single_floor(Layout.make(laws.get("power"))) is None
