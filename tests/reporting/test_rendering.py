"""A page as HTML: what is escaped, what is not, and that nothing misspelt is left empty."""

from __future__ import annotations

import importlib.resources
from typing import Any

import pytest
from jinja2 import UndefinedError

import jscale as js
from jscale.prediction.sources import predictor_of
from jscale.reporting.answer import Answer
from jscale.reporting.content import content
from jscale.reporting.pictures import Picture
from jscale.reporting.rendering import rendered
from jscale.reporting.request import Findings, Request
from tests.reporting.pages import HOSTILE, Page


@pytest.fixture(scope="module")
def says(draws: js.Draws) -> dict[str, Any]:
    """What a page says whose answer is hostile text, without a plan."""
    findings = Findings(Answer(tuple(HOSTILE)), None, ())
    filled = content(draws.fit, predictor_of(draws, caller="report"), Request(), findings)
    return {**filled, "again": "js.report(fit)", "allocation": None}


def test_text_is_escaped_and_pictures_are_not(says: dict[str, Any]) -> None:
    picture = Picture("A <b2> plot", "<svg><circle/></svg>", "See <b2>.")
    html = rendered(says, [picture], None)
    parsed = Page(html)
    assert html.startswith("<!DOCTYPE html>")
    assert parsed.open == []
    assert parsed.tags.count("circle") == 1
    assert {"b2", "script", "img"}.isdisjoint(parsed.tags)
    assert "A <b2> plot" in parsed.of("plots")
    assert all(" ".join(text.split()) in parsed.of("answer") for text in HOSTILE)


@pytest.mark.parametrize("name", ["again", "estimates", "held_out", "title"])
def test_a_name_that_the_content_lacks_is_an_error(says: dict[str, Any], name: str) -> None:
    with pytest.raises(UndefinedError, match=name):
        rendered({k: v for k, v in says.items() if k != name}, [], None)


def test_scripts_are_forbidden_where_there_is_no_explorer(says: dict[str, Any]) -> None:
    html = rendered(says, [], None)
    assert "default-src 'none'" in html
    assert "script-src" not in html
    assert Page(html).of("allocation") == ""


def test_parts_of_the_checklist_come_in_their_order(says: dict[str, Any]) -> None:
    parts = list(dict.fromkeys(item.part for item in says["checklist"]))
    text = Page(rendered(says, [], None)).of("checklist")
    places = [text.index(part) for part in parts]
    assert len(parts) > 1
    assert places == sorted(places)


def test_the_templates_are_in_the_package():
    folder = importlib.resources.files("jscale") / "reporting" / "templates"
    names = sorted(file.name for file in folder.iterdir())
    assert names == ["explorer.js", "report.html.j2", "style.css"]
