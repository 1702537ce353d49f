"""Plan: ranges near the best, what other choices cost, exponents, and what it says."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js

pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")


BUDGETS = np.array([1e11, 1e12, 1e13])


def test_near_optimal_and_excess(chinchilla: js.Draws) -> None:
    plan = js.allocate(chinchilla, BUDGETS)
    near = plan.near_optimal()
    law, params = chinchilla.fit.law, chinchilla.fit.params
    for row, best in zip(near.to_dict("records"), plan.frame["loss"], strict=True):
        for edge in ("N_from", "N_to"):
            there = float(law(row[edge], row["C"] / 6 / row[edge], **params))
            assert there / best == pytest.approx(1.001, abs=1e-5)
    off = plan.excess(N=3 * plan.frame["N"].to_numpy())
    assert (off["excess"] > 0).all()
    again = js.allocate(chinchilla, (off["C"] * off["worth"]).to_numpy())
    np.testing.assert_allclose(again.frame["loss"], off["loss"], rtol=1e-4)


def test_a_limit_of_data_holds_for_other_choices_too(chinchilla: js.Draws) -> None:
    most = 5e6
    plan = js.allocate(chinchilla, 1e13, bounds={"D": (1e5, most)})
    best = plan.frame["N"].item()
    assert plan.near_optimal()["N_from"].item() == pytest.approx(best, rel=1e-6)
    smaller = plan.excess(N=best / 2)  # would need twice the data
    assert smaller[["loss", "excess", "worth"]].isna().all(axis=None)
    larger = plan.excess(N=best * 2)
    assert larger["excess"].item() > 0
    assert "is a real limit" in plan.notes[0].do


def test_exponents_at_the_edge_of_what_bounds_allow(chinchilla: js.Draws) -> None:
    """At N as large as may be, all that is added goes into data."""
    plan = js.allocate(chinchilla, 5.9e12, bounds={"N": (1e3, 1e5), "D": (1e5, 1e7)})
    slopes = plan.exponents.set_index("input")["exponent"]
    assert slopes["N"] + slopes["D"] == pytest.approx(1.0, abs=1e-6)
    assert slopes["D"] == pytest.approx(0.0, abs=1e-6) or slopes["N"] == pytest.approx(0, abs=1e-6)


def test_what_it_says(chinchilla: js.Draws) -> None:
    plan = js.allocate(chinchilla, 1e12)
    assert "N* grows as C^" in repr(plan)
    assert "<table" in plan._repr_html_()
    assert len(plan) == 1
    with pytest.warns(js.ExtrapolationWarning, match="1 of 1 budgets lie more than 10 times past"):
        js.allocate(chinchilla, 1e20)


def test_intervals_of_another_level_come_from_the_same_draws(chinchilla: js.Draws) -> None:
    plan = js.allocate(chinchilla, BUDGETS, level=0.8)
    same, wide = plan.interval(0.8), plan.interval(0.99)
    for column in ("N_low", "N_high", "D_low", "D_high", "loss_low", "loss_high"):
        np.testing.assert_allclose(same[column], plan.frame[column], rtol=1e-12)
    assert (wide["N_low"] < same["N_low"]).all()
    assert (wide["loss_high"] > same["loss_high"]).all()
    with pytest.raises(js.JscaleError, match="level=1 must lie strictly between 0 and 1"):
        plan.interval(1)


def test_a_choice_at_the_best_costs_nothing_and_one_that_is_worthless_has_no_worth(
    chinchilla: js.Draws,
) -> None:
    plan = js.allocate(chinchilla, 1e13)
    best = plan.frame["N"].item()
    at_best = plan.excess(N=best).iloc[0]
    assert at_best["excess"] == pytest.approx(0.0, abs=1e-12)
    assert at_best["worth"] == pytest.approx(1.0, rel=1e-3)
    # Nearly all of the budget in size: a millionth of it would do as well.
    assert np.isnan(plan.excess(N=best * 1e6)["worth"].item())


def test_choices_that_cannot_be_asked_for(chinchilla: js.Draws) -> None:
    plan = js.allocate(chinchilla, 1e12)
    for choice in ({"D": 1e7}, {"N": 1e5, "D": 1e7}, {}):
        with pytest.raises(
            js.PredictionError, match=r"first of two inputs is: plan\.excess\(N=…\)"
        ):
            plan.excess(**choice)
    with pytest.raises(js.PredictionError, match=r"N=-1.0 must be positive, finite numbers"):
        plan.excess(N=-1.0)
    with pytest.raises(js.PredictionError, match=r"within=0 must be a positive share"):
        plan.near_optimal(0)


def test_tables_are_copies(chinchilla: js.Draws) -> None:
    plan = js.allocate(chinchilla, 1e12)
    copy = plan.to_frame()
    copy["N"] = 0.0
    assert plan.frame["N"].item() > 0
