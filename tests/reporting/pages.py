"""A parsed page, text that tries to be markup, and a surface to plan with."""

from __future__ import annotations

import ast
import warnings
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd

import jscale as js
from jscale.reporting.page import Report

VOID = {"meta", "br", "hr", "img", "link", "input"}


HOSTILE = [
    "<script>alert(1)</script> </text></svg><b2>",
    "\"><img src=x onerror=alert(1)> '><svg onload=alert(1)>",
    "$\\frac{1}{0}$ and $ {{ 7*7 }}{% raw %} &lt;b2&gt; ]]> -->",
]


class Page(HTMLParser):
    """A parsed page: its elements, attributes, text, the text of each section, and open elements."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self.open: list[str] = []
        self.sections: dict[str, list[str]] = {}
        self.section = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag == "section":
            self.section = dict(attrs).get("id") or ""
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        (self.scripts if self.open[-1:] == ["script"] else self.words).append(data)
        if "section" in self.open and self.open[-1] != "script":
            self.sections.setdefault(self.section, []).append(data)

    def of(self, section: str) -> str:
        """The text of a section, by its id; empty if there is none."""
        return " ".join(" ".join(self.sections.get(section, [])).split())

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def text_of(page: Report) -> str:
    """All text of a page."""
    return Page(page.html).text


def surface(law: Any) -> js.Draws:
    """Draws of a fitted law of N and D."""
    N, D = (x.ravel() for x in np.meshgrid(np.geomspace(1e6, 1e8, 5), np.geomspace(1e8, 1e10, 6)))
    noise = 1 + 0.003 * np.sin(np.arange(30) ** 2)
    frame = pd.DataFrame({"N": N, "D": D, "y": (1.5 + 80 * N**-0.3 + 300 * D**-0.35) * noise})
    runs = js.Runs.from_frame(frame, output=law.output, **{law.output: "y"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", js.JscaleWarning)
        return js.laplace(js.fit(law, runs, starts=8), 50)


def arguments_of(code: str) -> dict[str, Any]:
    """What the code gives to report, by name: values, or the names of what is put there."""
    call = ast.parse(code).body[-1]
    assert isinstance(call, ast.Expr)
    assert isinstance(call.value, ast.Call)
    return {
        k.arg or "": k.value.id if isinstance(k.value, ast.Name) else ast.literal_eval(k.value)
        for k in call.value.keywords
    }
