"""What the options of planning say: costs, budgets, spans, limits and other inputs."""

from __future__ import annotations

from typing import Any

import pytest

import jscale as js
from jscale.cli.planning_values import (
    bounds,
    budgets,
    cost_of,
    number_of,
    others,
    others_along,
    positive,
    span,
)
from jscale.errors import DataError, PredictionError
from tests.cli.running import refused


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("6ND", js.costs.training()),
        ("6*N*D", js.costs.training()),
        ("training", js.costs.training()),
        ("attention:context=2048", js.costs.attention(2048)),
        ("attention:context=2K,aspect=64", js.costs.attention(2000, aspect=64.0)),
        ("embeddings", js.costs.embeddings()),
        ("embeddings:omega=1e4", js.costs.embeddings(1e4)),
        ("lifetime:tokens=1T", js.costs.lifetime(1e12)),
        ("dollars:price=2,flops=1e15", js.costs.dollars(2.0, flops=1e15)),
        (
            "dollars:price=2,flops=1e15,utilisation=0.5,of=attention:context=512,aspect=64",
            js.costs.dollars(
                2.0, flops=1e15, utilisation=0.5, of=js.costs.attention(512, aspect=64.0)
            ),
        ),
    ],
)
def test_a_cost_is_said_in_words(text, cost):
    at = {"N": 3e8, "D": 7e9}
    parsed = cost_of(text)
    assert (parsed.name, parsed.unit) == (cost.name, cost.unit)
    assert float(parsed(**at)) == float(cost(**at))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lifetim", "--cost 'lifetim' is not a cost. Did you mean 'lifetime'? Use one of 6ND, att"),
        ("6ND:tokens=1", "--cost '6ND:tokens=1' is not a cost. Use one of 6ND"),
        ("lifetime", "lifetime needs tokens, as in lifetime:tokens=1e12"),
        ("dollars:price=2", "dollars needs flops, as in dollars:price=2,flops=1e15"),
        ("lifetime:1e12", "'1e12' must read NAME=NUMBER, as in lifetime:tokens=1e12"),
        ("lifetime:token=1e12", "lifetime has no 'token'. Did you mean 'tokens'? It takes tokens"),
        ("lifetime:tokens=1e12,of=6ND", "lifetime has no 'of'. It takes tokens"),
        ("lifetime:tokens=-1", "'lifetime:tokens=-1': tokens=-1.0 must be a positive, finite"),
        ("dollars:price=2,flops=1e15,utilisation=40", "is a share of the peak, up to 1"),
        ("dollars:price=2,flops=1e15,of=dollars:price=2,flops=1", "is not a cost in FLOPs"),
        (
            "dollars:price=2,flops=1e15,of=lif",
            "--cost 'lif' is not a cost. Did you mean 'lifetime'?",
        ),
    ],
)
def test_a_wrong_cost_says_what_is_right(jscale, saved, text, message):
    refused(jscale("plan", saved["plain"], "--flops", "1e21", "--cost", text), message)
    with pytest.raises(PredictionError):
        cost_of(text)


def test_a_cost_of_what_is_no_number():
    with pytest.raises(DataError, match="--cost 'lifetime:tokens=many': 'many' is not a number"):
        cost_of("lifetime:tokens=many")


TRAINING, DOLLARS = js.costs.training(), js.costs.dollars(2.0, flops=1e15)


def test_budgets_are_in_the_unit_of_the_cost_and_each_counts_once() -> None:
    assert budgets(["1e21", "3e21", "1e21"], [], TRAINING) == [1e21, 3e21]
    assert budgets([], ["1M"], DOLLARS) == [1e6]
    with pytest.raises(PredictionError, match=r"Give the budget, such as --flops 1e24\."):
        budgets([], [], TRAINING)
    with pytest.raises(
        PredictionError, match=r"is in dollars: give the budget by --dollars, not by --f"
    ):
        budgets(["1e21"], ["1e6"], DOLLARS)
    with pytest.raises(PredictionError, match=r"A cost in dollars is --cost dollars:price=2"):
        budgets([], ["1e6"], TRAINING)


def test_positive_numbers_keep_their_order() -> None:
    assert positive(["7B", "1e9", "7e9"], "--choose N=") == [7e9, 1e9]
    with pytest.raises(PredictionError, match=r"--choose N=-1 must be a positive number"):
        positive(["1", "-1"], "--choose N=")
    with pytest.raises(DataError, match=r"--loss low: 'low' is not a number"):
        number_of("low", "--loss low")


@pytest.mark.parametrize(
    ("text", "open_ends", "ends"),
    [
        ("1e9..2e12", False, (1e9, 2e12)),
        (" 1B .. 2T ", True, (1e9, 2e12)),
        ("..2e12", True, (None, 2e12)),
        ("1e9..", True, (1e9, None)),
        ("5..5", False, (5.0, 5.0)),
    ],
)
def test_spans(text: str, open_ends: bool, ends: Any) -> None:
    assert span(text, "--over ", open_ends) == ends


@pytest.mark.parametrize(
    ("text", "open_ends", "message"),
    [
        ("1e9", False, r"--over 1e9 must read LOW\.\.HIGH, such as 1e9\.\.2e12\.$"),
        ("..2e12", False, r"must read LOW\.\.HIGH, such as 1e9\.\.2e12\.$"),
        ("..", True, r"must read LOW\.\.HIGH, such as 1e9\.\.2e12, or \.\.2e12\.$"),
        ("2..1", False, r"must rise from one positive number to another"),
        ("0..1", False, r"must rise from one positive number to another"),
        ("..-1", True, r"must rise from one positive number to another"),
    ],
)
def test_spans_that_are_none(text: str, open_ends: bool, message: str) -> None:
    with pytest.raises(PredictionError, match=message):
        span(text, "--over ", open_ends)


def test_limits_of_what_is_chosen(saved: dict[str, str]) -> None:
    """An open end lies so far past the runs that it holds nothing."""
    fit = js.load(saved["plain"])
    limits = bounds(fit, {"N": "1B..7B", "D": "..2T", "D/N": "20"})
    assert limits["N"] == (1e9, 7e9)
    assert limits["D"] == (fit.runs["D"].min() / 1e12, 2e12)
    assert limits["D/N"] == (20.0, 20.0)
    assert bounds(fit, {"D/N": "20..200"}) == {"D/N": (20.0, 200.0)}
    assert bounds(fit, {"N": "1e3.."})["N"] == (1e3, fit.runs["N"].max() * 1e12)
    with pytest.raises(PredictionError, match=r"--bound U=1\.\.2: limits apply to what is chosen"):
        bounds(fit, {"U": "1..2"})


def test_other_inputs_are_numbers_and_labels_text(saved: dict[str, str]) -> None:
    fits = [js.load(saved["plain"]), js.load(saved["families"])]
    given = {"N": "7B", "family": "7B"}
    assert others(fits, ("D",), given) == {"N": 7e9, "family": "7B"}
    assert others(fits[:1], ("N", "D"), {}) == {}
    with pytest.raises(
        PredictionError, match=r"chinchilla: N, family is missing\. Add --set N=… --s"
    ):
        others(fits, ("D",), {})
    with pytest.raises(PredictionError, match=r"--set D=1: D is the unknown; leave it out"):
        others(fits, ("D",), {**given, "D": "1"})
    with pytest.raises(PredictionError, match=r"--set famly=x: chinchilla takes .*'family'\?"):
        others(fits, ("D",), {"famly": "x"})
    with pytest.raises(DataError, match=r"--set N=big: 'big' is not a number"):
        others(fits[:1], ("D",), {"N": "big"})


@pytest.mark.full
def test_along_compute_laws_of_size_and_data_need_neither(saved: dict[str, str]) -> None:
    surface, families, line = (js.load(saved[name]) for name in ("plain", "families", "slow"))
    assert others_along([surface, line], "C", {}) == {}
    assert others_along([surface, families], "C", {"family": "gpt"}) == {"family": "gpt"}
    assert others_along([surface, surface], "D", {"N": "1B"}) == {"N": 1e9}
    # A law of compute has no D: js.crossover says so, whatever else was given.
    assert others_along([surface, line], "D", {"M": "x"}) == {}
