"""Where a chosen input may lie: limits of the law, and inputs that bound each other."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale.planning.domain import domain_of, stand_ins

pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")


@pytest.mark.full
def test_a_law_s_own_domain_bounds_the_choice(repeated: js.Draws) -> None:
    """Tokens seen are at least the unique ones, however small the budget."""
    runs = repeated.fit.runs
    U, C = float(runs["U"].max()), float(runs["C"].min())
    plan = js.allocate(repeated, [C, 1e3 * C], cost=js.costs.training(), U=U)
    assert (plan.frame["D"] >= U * (1 - 1e-9)).all()
    first = plan.frame.iloc[0]
    assert first["D"] == pytest.approx(U)
    assert first["at_bound"] > 0.9
    found = js.required(repeated, "D", loss=[2.6, 50.0], N=float(runs["N"].max()), U=U)
    assert (found.frame["estimate"] >= U * (1 - 1e-9)).all()


def test_inputs_bound_each_other_in_the_order_of_the_law() -> None:
    """U is at most D: a D that is given bounds U from above, and the other way round."""
    law = js.laws.get("data_constrained")
    assert domain_of(law, "D", {}) == (0.0, np.inf)
    assert domain_of(law, "D", {"N": 1e9, "U": 3e9}) == (3e9, np.inf)
    assert domain_of(law, "U", {"D": 3e9}) == (0.0, 3e9)
    assert domain_of(law, "N", {"D": 3e9, "U": 1e9}) == (0.0, np.inf)


def test_of_many_rows_the_tightest_holds() -> None:
    law = js.laws.get("data_constrained")
    assert domain_of(law, "D", {"U": np.array([1e9, 5e9])}) == (5e9, np.inf)
    assert domain_of(law, "U", {"D": np.array([2e9, 5e9])}) == (0.0, 2e9)


def test_limits_of_the_law_are_its_domain() -> None:
    assert domain_of(js.laws.get("parallel"), "P", {}) == (1.0, np.inf)
    assert domain_of(js.laws.get("pruned"), "sparsity", {"N": 1e9}) == (0.0, 0.999999)


@pytest.mark.full
def test_stand_ins_are_far_out_yet_within_the_law(repeated: js.Draws) -> None:
    """Far beyond the runs, so that no input that is given can lie past one that is chosen."""
    fit = repeated.fit
    values = stand_ins(fit, ["D", "N"])
    assert values == {"D": 1e9 * fit.runs["D"].max(), "N": 1e9 * fit.runs["N"].max()}
    assert stand_ins(fit, []) == {}
