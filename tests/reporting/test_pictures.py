"""Pictures of a page: SVG that can stand inside HTML, with plain words and ids of its own."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import jscale as js
from jscale.reporting import pictures
from jscale.reporting.page import report
from tests.reporting.pages import HOSTILE, Page, text_of


@pytest.mark.full
def test_characters_that_svg_cannot_hold():
    @js.law(output="loss\x00\x1b")
    def odd(N, *, E: js.Floor, A: js.Scale, alpha: js.Exponent):
        return E + A * js.power(N, -alpha)

    frame = pd.DataFrame({"N": np.geomspace(1e6, 1e9, 12)})
    frame[odd.output] = 1.5 + 80 * frame["N"] ** -0.3 * (1 + 0.01 * np.sin(frame.index**2))
    fit = js.fit(odd, js.Runs.from_frame(frame, output=odd.output))
    assert "loss�" in text_of(report(fit, js.laplace(fit, 50)))


@pytest.mark.full
def test_group_labels_that_svg_cannot_hold(runs):
    label = np.array(["a\x00b\x0b", "$c\x1f", "d"])[np.arange(len(runs)) % 3]
    fit = js.fit("chinchilla", runs.frame.assign(family=label), per={"E": "family"}, starts=8)
    drawn = js.laplace(fit, 50)
    pooled = replace(drawn, settings={**drawn.settings, "pool": {"E": "family"}})
    (svg,) = [
        shown.svg
        for shown in pictures.pictures(pooled, None, None, 0.9)
        if shown.title == "Groups of E"
    ]
    assert {"a�b�", "$c�", "d"} <= set(Page(svg).words)
    assert Page(report(fit, pooled).html).open == []


def drawn(title: str, label: str = "loss", points: int = 3) -> Figure:
    figure = Figure(figsize=(2, 2))
    ax = figure.add_subplot()
    ax.scatter(np.arange(points), np.arange(points), label=label)
    ax.set(title=title, xlabel=label, ylabel=label)
    ax.legend()
    return figure


def as_text(figure: Figure) -> str:
    """The SVG with its words as text, as the pictures of a page are written."""
    with mpl.rc_context({"svg.fonttype": "none"}):
        return pictures.to_svg(figure, "one")


@pytest.mark.parametrize("nasty", HOSTILE)
def test_words_of_a_picture_stay_words(nasty: str) -> None:
    svg = as_text(drawn(nasty, nasty))
    root = ET.fromstring(svg)
    texts = [
        "".join(element.itertext()) for element in root.iter() if element.tag.endswith("}text")
    ]
    shown = [" ".join(text.split()) for text in texts]
    assert shown.count(" ".join(nasty.split())) == 4  # title, two labels, legend
    assert {"script", "img", "b2"}.isdisjoint(Page(svg).tags)


def test_a_picture_scales_with_its_page_and_says_what_it_is() -> None:
    root = ET.fromstring(pictures.to_svg(drawn("a title"), "loss-over-compute"))
    assert "width" not in root.attrib
    assert "height" not in root.attrib
    assert root.get("viewBox")
    assert (root.get("role"), root.get("aria-label")) == ("img", "loss over compute")
    assert not [e for e in root.iter() if e.tag.endswith(("}metadata", "}style"))]


def test_two_pictures_share_no_id_and_each_finds_its_own() -> None:
    both = [pictures.to_svg(drawn("a title"), name) for name in ("one", "two")]
    ids = [set(re.findall(r' id="([^"]+)"', svg)) for svg in both]
    assert ids[0]
    assert not ids[0] & ids[1]
    for svg, known in zip(both, ids, strict=True):
        used = set(re.findall(r'(?:url\(|href=")#([\w-]+)', svg))
        assert used
        assert used <= known


def test_many_points_become_an_image() -> None:
    few, many = (pictures.to_svg(drawn("a", points=n), "p") for n in (600, 601))
    assert "data:image/png" not in few
    assert "data:image/png" in many
    assert len(many) < len(few)


def test_ticks_with_odd_characters_are_set_again_in_place() -> None:
    figure = drawn("a")
    figure.axes[0].set_xticks([0, 1], ["a\x00", "b"])
    svg = as_text(figure)
    assert "a�" in svg
    assert "\x00" not in svg
