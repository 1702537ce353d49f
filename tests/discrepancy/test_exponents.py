"""Exponents of priors: how far sweeps move them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from jscale.discrepancy.experts import Solved
from jscale.discrepancy.exponents import STRENGTH, Told, learn_exponents, told_by
from jscale.discrepancy.prior import ForecastPrior


def told(data_set: str, off: float, share: float = 1.0) -> Told:
    return Told(data_set, "alpha", off, 0.01, share)


def moved(prior: ForecastPrior, each: list[Told]) -> tuple[float, float]:
    return learn_exponents(prior.families["loss_surface"], each).variants[0].parameters["alpha"]


def test_sweeps_and_the_start_are_averaged(prior: ForecastPrior) -> None:
    middle, _ = moved(prior, [])
    found, _ = moved(prior, [told(str(i), 0.5) for i in range(4)])
    # Offsets are from the broad prior's mean, which for alpha is that of the tight one.
    assert found == pytest.approx(middle + 0.5 * 4 / (4 + STRENGTH))


def test_parts_of_one_data_set_count_once(prior: ForecastPrior) -> None:
    one, many = moved(prior, [told("a", 0.5)]), moved(prior, [told("a", 0.5)] * 5)
    assert one == pytest.approx(many)


def test_sweeps_that_decide_nothing_move_nothing(prior: ForecastPrior) -> None:
    assert moved(prior, [told("a", 0.5, 0.0)]) == pytest.approx(moved(prior, []))


def test_sweeps_that_agree_narrow_and_others_widen(prior: ForecastPrior) -> None:
    start = moved(prior, [])[1]
    assert moved(prior, [told(str(i), 0.0) for i in range(20)])[1] < start
    apart = [told(str(i), (-1) ** i * 0.6) for i in range(20)]
    assert moved(prior, apart)[1] > 1.5 * start
    same = [Told(str(i), "alpha", 0.0, 0.0, 1.0) for i in range(1000)]
    assert moved(prior, same)[1] == pytest.approx(0.4 * start)


def test_only_tight_variants_move(prior: ForecastPrior) -> None:
    family = prior.families["loss_surface"]
    found = learn_exponents(family, [told("a", 0.5)])
    assert found.variants[1] == family.variants[1]
    assert found.variants[0].parameters["beta"] == pytest.approx(
        family.variants[0].parameters["beta"]
    )
    named = replace(family, variants=(replace(family.variants[0], name="mine"),))
    assert learn_exponents(named, [told("a", 0.5)]) is named


def test_a_table_tells_what_its_runs_decide(solved: Solved) -> None:
    each = {t.name: t for t in told_by(solved, "a")}
    assert set(each) == {"alpha", "beta"}
    assert all(0 <= t.share <= 1 for t in each.values())
    assert each["alpha"].share > 0.5
    # The planted exponent, 0.34.
    broad = solved.member.prior.variants[1].parameters["alpha"][0]
    assert broad + each["alpha"].off == pytest.approx(np.log(0.34), abs=0.4)
