"""Requests: what shapes a page's content are arguments of report, and its code repeats them."""

from __future__ import annotations

from dataclasses import fields
from inspect import signature

import jscale as js
from jscale.reporting.page import report
from jscale.reporting.recipe import recipe
from jscale.reporting.request import Request
from tests.reporting.pages import arguments_of


def test_a_request_holds_arguments_of_report_with_their_defaults() -> None:
    arguments = signature(report).parameters
    for field in fields(Request):
        assert getattr(Request(), field.name) == arguments[field.name].default, field.name


def test_whatever_was_asked_for_is_asked_for_again(draws: js.Draws, held_out: js.Runs) -> None:
    asked = Request({"N": 1e9, "D": 2e10}, 0.8, "Ours", {"data": "a & b"}, held_out)
    again = arguments_of(recipe(draws.fit, draws, asked))
    assert again["at"] == {"N": 1e9, "D": 2e10}
    assert again["level"] == 0.8
    assert again["title"] == "Ours"
    assert again["about"] == {"data": "a & b"}
    assert "held_out" in again
    plain = arguments_of(recipe(draws.fit, draws, Request()))
    assert {field.name for field in fields(Request)} & set(plain) == {"level"}
    assert plain["level"] == 0.9
