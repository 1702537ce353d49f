"""The section that plans: its tables are allocate's own numbers, or it says why there is none."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.errors import PredictionError
from jscale.plots import words
from jscale.reporting import allocation as section
from jscale.reporting.page import Report, report
from tests.reporting.pages import Page, surface

pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.ExtrapolationWarning")


@pytest.fixture(scope="module")
def draws(planned) -> js.Draws:
    return planned


@pytest.fixture(scope="module")
def page(planned_page) -> Report:
    return planned_page


def test_the_tables_say_the_same(draws, page):
    budgets = page.content["allocation"]
    frame = js.allocate(draws, [1e11, 1e12, 1e13, 1e14, 1e15]).frame
    rows = budgets["table"]["rows"]
    assert [row[0] for row in rows] == ["10¹¹", "10¹²", "10¹³ †", "10¹⁴ †", "10¹⁵ †"]
    assert rows[-1][-1] == "1020×"
    first = frame.iloc[0]
    middle, low, high = words.span(first["N"], first["N_low"], first["N_high"])
    assert rows[0][1] == f"{middle} ({low} to {high})"
    near = js.allocate(draws, 1e11).near_optimal().iloc[0]
    expected = [words.number(near[f"N_{end}"], 3) for end in ("from", "to")]
    assert rows[0][-2] == " to ".join(expected)
    exponent = js.allocate(draws, 1e15).exponents.iloc[0]
    assert f"N* grows as C^{words.number(exponent['exponent'], 3)} (" in budgets["sentences"][1]
    assert len(budgets["served"]["rows"]) == 15
    assert all(s in Page(page.html).of("allocation") for s in budgets["sentences"])
    assert json.loads(page.to_json())["allocation"]["explorer"]["budgets"][0] == 1e11


def of_size() -> js.Draws:
    frame = pd.DataFrame({"N": np.geomspace(1e6, 1e9, 12)})
    frame["loss"] = 1.5 + 80 * frame["N"] ** -0.3 * (1 + 0.01 * np.sin(frame.index**2))
    return js.laplace(js.fit("power_const:N", frame), 50)


def of_no_aim() -> js.Draws:
    @js.law(output="learning_rate")
    def rate(N, D, *, E: js.Floor, A: js.Scale, B: js.Scale):
        return E + A * js.power(N, -0.3) + B * js.power(D, -0.35)

    return surface(rate)


@pytest.mark.full
@pytest.mark.parametrize("make", [of_size, of_no_aim])
def test_other_laws_have_no_such_section(make):
    drawn = make()
    assert section.allocation(drawn, 0.9) is None
    made = report(drawn.fit, drawn)
    assert made.content["allocation"] is None
    assert "script" not in Page(made.html).tags
    assert "script-src" not in made.html
    assert Page(made.html).of("allocation") == ""


@pytest.mark.full
def test_a_law_without_an_optimum_has_a_note_and_no_explorer():
    @js.law
    def greedy(N, D, *, E: js.Floor, A: js.Scale, alpha: js.Exponent):
        return E + A * js.power(N, -alpha) + 0.0 * D

    drawn = surface(greedy)
    made = report(drawn.fit, drawn)
    budgets = made.content["allocation"]
    assert budgets["explorer"] is None
    (note,) = budgets["notes"]
    assert note["code"] == "no-interior-optimum"
    assert budgets["sentences"][-1].startswith("There is no budget explorer")
    assert " ".join(note["means"].split()) in Page(made.html).of("allocation")
    assert "script" not in Page(made.html).tags


@pytest.mark.full
def test_a_plan_that_cannot_be_made_says_why(draws, monkeypatch):
    def refused(*_: Any, **__: Any) -> Any:
        raise PredictionError("A budget of 1e+11 FLOPs is not met within the bounds.")

    monkeypatch.setattr(section, "allocate", refused)
    made = report(draws.fit, draws)
    assert "There is no plan: A budget of 1e+11 FLOPs is not met" in Page(made.html).of(
        "allocation"
    )
    assert "script" not in Page(made.html).tags
