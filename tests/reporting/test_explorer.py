"""The section on budgets and its explorer: Python's own numbers, also in a real browser."""

from __future__ import annotations

import json
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.planning.plan import Plan
from jscale.plots import words
from jscale.reporting import allocation as section
from jscale.reporting import explorer
from jscale.reporting.page import Report, report
from tests.reporting import chromium
from tests.reporting.pages import HOSTILE, Page, surface

pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.ExtrapolationWarning")
I, J = 6, 5  # a point of the grid
RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")


@pytest.fixture(scope="module")
def draws(planned) -> js.Draws:
    return planned


@pytest.fixture(scope="module")
def page(planned_page) -> Report:
    return planned_page


@pytest.fixture(scope="module")
def grid(page) -> dict[str, Any]:
    return page.content["allocation"]["explorer"]


@pytest.fixture(scope="module")
def served(draws, grid) -> Plan:
    """Allocate's own plan for tokens served: at a budget of the grid, and between two."""
    cost = js.costs.lifetime(grid["served"][I][J])
    C = [grid["budgets"][I], 1.4 * grid["budgets"][I]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", js.errors.ExtrapolationWarning)
        return js.allocate(draws, C, cost=cost)


# ── What it says ─────────────────────────────────────────────────────────────────────────────


def test_without_serving_the_grid_is_allocates_own(draws, grid):
    assert grid["budgets"][::4] == [1e11, 1e12, 1e13, 1e14, 1e15]
    frame = js.allocate(draws, grid["budgets"]).frame
    assert grid["tokens"] == frame["D"].tolist()
    for name in ("N", "D", "D/N", "output"):
        column = "loss" if name == "output" else name
        for end, suffix in (("estimate", ""), ("low", "_low"), ("high", "_high")):
            values = np.array(grid["values"][name][end])
            assert values.shape == (17, len(explorer.SERVED))
            np.testing.assert_allclose(values[:, 0], frame[column + suffix], rtol=1e-10)


@pytest.mark.full
def test_with_serving_the_grid_is_allocates_own(grid, served):
    assert grid["served"][I][J] == 10 * grid["tokens"][I]
    row = served.frame.iloc[0]
    for name in ("N", "D", "D/N", "output"):
        column = "loss" if name == "output" else name
        for end, suffix in (("estimate", ""), ("low", "_low"), ("high", "_high")):
            assert grid["values"][name][end][I][J] == pytest.approx(row[column + suffix], rel=1e-9)
    assert grid["unsettled"] == 0.0
    assert np.max(grid["at_bound"]) == 0.0


def test_every_budget_is_spent_whole(grid):
    N, D = (np.array(grid["values"][name]["estimate"]) for name in "ND")
    spent = 6 * N * D + 2 * N * np.array(grid["served"])
    np.testing.assert_allclose(spent, np.repeat(np.array(grid["budgets"])[:, None], 13, 1))


@pytest.mark.full
def test_of_many_draws_some_are_taken_and_the_page_says_so(draws, monkeypatch):
    module = sys.modules["jscale.reporting.explorer"]
    monkeypatch.setattr(module, "_MOST_DRAWS", 50)
    thin = section.allocation(draws, 0.9)
    assert thin is not None
    grid = thin.content["explorer"]
    assert (grid["draws"], grid["of_draws"]) == (50, 200)
    assert "from 50 of 200 draws" in thin.content["about"]
    thinned = thin.plan.samples[::4, 0, 0]
    assert grid["values"]["N"]["low"][0][0] == pytest.approx(np.quantile(thinned, 0.05))


def test_searches_that_did_not_settle_are_counted_on_the_page(draws, monkeypatch):
    monkeypatch.setattr(sys.modules["jscale.reporting.explorer"], "_SETTLED", -1.0)
    loose = section.allocation(draws, 0.9)
    assert loose is not None
    assert loose.content["explorer"]["unsettled"] == 1.0
    assert "In 100% of the searches the optimum was not found" in loose.content["about"]


# ── One script, known by its digest, and no markup from anybody ──────────────────────────────


def scripts(html: str) -> list[str]:
    return re.findall(r"<script>(.*?)</script>", html, re.DOTALL)


def policy(html: str) -> str:
    return re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1]


@pytest.mark.full
def test_the_policy_allows_the_one_script_by_its_digest(page):
    (script,) = scripts(page.html)
    assert script == explorer.script()
    allowed = re.findall(r"script-src ([^;]+)", policy(page.html))
    assert allowed == [f"'{explorer.digest(script)}'"]
    assert policy(page.html).startswith("default-src 'none'; ")
    assert Page(page.html).tags.count("script") == 2  # the script and its data


def test_the_script_is_small_and_neither_loads_nor_writes_markup():
    text = explorer.script()
    assert len(text) < 12_000
    for word in (
        "eval",
        "Function(",
        "fetch",
        "XMLHttp",
        "import",
        "innerHTML",
        "document.write",
        "</script",
        "<!--",
        "http",
    ):
        assert word not in text


def test_data_inside_a_page_end_no_script():
    nasty = "</script><!--<script>&\u2028"
    text = explorer.embedded({nasty: [1.5, None]})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {nasty: [1.5, None]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        explorer.embedded(float("nan"))


NASTY = " ".join(HOSTILE)


@pytest.fixture(scope="module")
def hostile() -> Report:
    """A page of a law of N and D with hostile text wherever a user can write some."""

    @js.law(output=f"loss {NASTY}", formula=NASTY, reference=NASTY)
    def bad(N, D, *, E: js.Floor, A: js.Scale, B: js.Scale):
        return E + A * js.power(N, -0.3) + B * js.power(D, -0.35)

    drawn = surface(bad)
    return report(drawn.fit, drawn, title=NASTY, about={"data": NASTY}, again=NASTY)


def test_hostile_text_stays_text(hostile):
    made, parsed = hostile, Page(hostile.html)
    assert parsed.open == []
    assert parsed.tags.count("script") == 2
    assert scripts(made.html) == [explorer.script()]
    assert not {"img", "iframe", "b2", "object", "link"} & set(parsed.tags)
    assert not [name for name, _ in parsed.attributes if name.startswith("on")]
    (data,) = re.findall(
        r'<script type="application/json" id="explorer-data">(.*?)</script>', made.html, re.DOTALL
    )
    assert json.loads(data) == made.content["allocation"]["explorer"]
    assert json.loads(data)["output"] == f"loss {NASTY}"


# ── In a browser ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def browser() -> Iterator[chromium.Tab]:
    program = chromium.program()
    if program is None:
        pytest.skip(f"no Chromium: set JSCALE_CHROMIUM, or have one of {chromium.NAMES} on PATH")
    with chromium.tab(program) as tab:
        yield tab


@pytest.fixture(scope="module")
def file(page, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page.html, encoding="utf-8")
    return path


@pytest.fixture
def tab(browser, file) -> chromium.Tab:
    """The page, open and untouched."""
    browser.go(file.as_uri())
    return browser


def at(tab: chromium.Tab, fragment: str = "", **setting: float) -> None:
    """Set the explorer by the page's fragment, and wait until it has heard of it."""
    fragment = fragment or "&".join(f"{name}={value!r}" for name, value in setting.items())
    tab.run(
        "new Promise(done => { addEventListener('hashchange', () => done(), {once: true}); "
        f"location.hash = '{fragment}'; }})"
    )


def shown(tab: chromium.Tab, name: str) -> str:
    return tab.run(f"document.getElementById('explorer-{name}').textContent")


def read(text: str) -> float:
    """Read a number back from words."""
    mantissa, _, power = (
        text.rpartition("10") if "10" in text and text[-1] in "⁰¹²³⁴⁵⁶⁷⁸⁹" else (text, "", "")
    )
    if not power:
        return float(text.translate(RAISED))
    return float(mantissa.rstrip("×").translate(RAISED) or 1) * 10.0 ** int(power.translate(RAISED))


def cards(tab: chromium.Tab) -> dict[str, tuple[str, str]]:
    return {
        name: (shown(tab, f"{name}-best"), shown(tab, f"{name}-interval"))
        for name in ("N", "D", "M", "output")
    }


def expected(row: pd.Series) -> dict[str, tuple[str, str]]:
    """What cards show of a row of allocate's plan."""
    names = {"N": "N", "D": "D", "M": "D/N", "output": "loss"}
    spans = {
        key: words.span(row[column], row[f"{column}_low"], row[f"{column}_high"])
        for key, column in names.items()
    }
    return {key: (best, f"{low} to {high}") for key, (best, low, high) in spans.items()}


@pytest.mark.parametrize("C", [1e11, 1e13, 10**12.25, 1e15])
def test_a_point_of_the_grid_shows_pythons_own_numbers(tab, draws, C):
    at(tab, C=C)
    assert cards(tab) == expected(js.allocate(draws, C).frame.iloc[0])


def test_so_does_a_point_with_tokens_served(tab, grid, served):
    at(tab, C=grid["budgets"][I], served=grid["served"][I][J], price=3.5)
    row = served.frame.iloc[0]
    assert cards(tab) == expected(row)
    price = js.costs.dollars(3.5, flops=1e15, utilisation=0.4, of=served.cost)
    money = words.number(float(price(N=row["N"], D=row["D"])), 3)
    assert shown(tab, "price-value") == f"$3.5 per hour, ${money} in total"
    serving = 2 * row["N"] * grid["served"][I][J] / grid["budgets"][I]
    assert f"of which serving takes {words.number(100 * serving, 2)}%" in shown(tab, "summary")


@pytest.mark.first_quick
@pytest.mark.parametrize("serve", [False, True])
def test_between_points_it_is_within_a_percent(tab, draws, grid, served, serve):
    C = 1.4 * grid["budgets"][I]
    if serve:
        row = served.frame.iloc[1]
        at(tab, C=C, served=grid["served"][I][J])
    else:
        row = js.allocate(draws, C).frame.iloc[0]
        at(tab, C=C)
    for name, (best, interval) in cards(tab).items():
        column = {"M": "D/N", "output": "loss"}.get(name, name)
        shown_values = [read(best), *map(read, interval.split(" to "))]
        exact = row[[column, f"{column}_low", f"{column}_high"]].tolist()
        # Three digits are rounded by up to a half of the last.
        assert shown_values == pytest.approx(exact, rel=0.01)


def test_it_loads_nothing_and_complains_of_nothing(browser, file):
    browser.go(file.as_uri() + "#C=2e12&served=1e7&price=5")
    assert "2×10¹² FLOPs" in shown(browser, "summary")
    assert browser.run("document.getElementById('explorer-form').hidden") is False
    browser.run("document.getElementById('explorer-served').dispatchEvent(new Event('input'))")
    assert browser.complaints() == []
    assert [url.partition("#")[0] for url in browser.requests()] == [file.as_uri()]


RIGHT, LEFT, TAB, SPACE, HOME = (
    ("ArrowRight", 39),
    ("ArrowLeft", 37),
    ("Tab", 9),
    (" ", 32),
    ("Home", 36),
)


def focus(tab: chromium.Tab, name: str) -> None:
    """Press Tab until a control has the focus."""
    for _ in range(60):
        if tab.run("document.activeElement.id") == f"explorer-{name}":
            return
        tab.press(*TAB)
    raise AssertionError(f"Tab never reaches explorer-{name}")


def test_it_works_by_keyboard(tab):
    before = cards(tab)
    focus(tab, "compute")
    assert shown(tab, "compute-value") == "10¹³ FLOPs"
    tab.press(*RIGHT)
    assert shown(tab, "compute-value") == "1.1×10¹³ FLOPs"
    assert tab.run("document.activeElement.getAttribute('aria-valuetext')") == "1.1×10¹³ FLOPs"
    assert "With 1.1×10¹³ FLOPs" in shown(tab, "summary")
    after = cards(tab)
    assert all(after[name][0] != before[name][0] for name in after)
    tab.press(*LEFT)
    assert cards(tab) == before
    focus(tab, "served")
    for _ in range(30):
        tab.press(*RIGHT)
    assert shown(tab, "served-value").endswith(" tokens")
    assert cards(tab)["N"] != before["N"]
    tab.press(*HOME)
    assert shown(tab, "served-value") == "none"
    assert cards(tab) == before


def test_a_price_may_move_the_compute(tab):
    focus(tab, "price")
    money = shown(tab, "price-value").split(", ")[1]
    tab.press(*RIGHT)
    assert shown(tab, "compute-value") == "10¹³ FLOPs"
    assert shown(tab, "price-value").split(", ")[1] != money
    focus(tab, "hold")
    tab.press(*SPACE)
    assert tab.run("document.getElementById('explorer-hold').checked") is True
    money = shown(tab, "price-value").split(", ")[1]
    at(tab, price=2.0)
    fixed = shown(tab, "price-value").split(", ")[1]
    tab.run("document.getElementById('explorer-price').focus()")
    tab.press(*RIGHT)
    assert shown(tab, "price-value").split(", ")[1] == fixed
    assert shown(tab, "compute-value") == "9.091×10¹² FLOPs"  # 2 / 2.2 of 10¹³


def test_labels_name_every_control_and_changes_are_announced(tab):
    count = tab.run("document.querySelectorAll('#explorer-form input').length")
    named = tab.run(
        "[...document.querySelectorAll('#explorer-form input')]"
        ".filter(x => x.labels.length === 1).length"
    )
    assert (count, named) == (4, 4)
    assert tab.run("document.getElementById('explorer-summary').ariaLive") == "polite"


def test_past_the_grid_there_is_no_number(tab, grid):
    at(tab, C=1e11, served=101 * grid["tokens"][0])
    assert cards(tab) == dict.fromkeys(("N", "D", "M", "output"), ("—", "not computed"))
    assert "Choose a larger budget, or serve fewer tokens." in shown(tab, "summary")
    at(tab, C=1e40, served=0.0)
    assert shown(tab, "compute-value") == "10¹⁵ FLOPs"
    assert "extrapolation" in shown(tab, "summary")
    at(tab, C=1e12)
    before = cards(tab)
    at(tab, "C=much&served=&price=NaN")
    assert cards(tab) == before


def test_draws_without_an_optimum_are_reported(tab, page, grid, tmp_path):
    at_bound = (np.array(grid["at_bound"]) + 0.25).tolist()
    data = explorer.embedded({**grid, "at_bound": at_bound})
    path = tmp_path / "report.html"
    path.write_text(page.html.replace(explorer.embedded(grid), data), encoding="utf-8")
    assert shown(tab, "doubt") == ""
    tab.go(path.as_uri())
    assert shown(tab, "doubt").startswith("In 25% of the draws the law has no interior optimum")


def test_a_link_leads_to_the_setting(tab, file):
    at(tab, C=3e12, served=5e7, price=4.0)
    assert shown(tab, "compute-value") == "3×10¹² FLOPs"
    link, before = tab.run("document.getElementById('explorer-link').href"), cards(tab)
    tab.go(link)
    assert link.startswith(file.as_uri())
    assert cards(tab) == before


def test_without_scripts_tables_stand_in(browser, page, file, tmp_path):
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.go(file.as_uri())
        text = browser.run("document.body.innerText")
        assert "Scripts are disabled" in text
        assert "Price of a device hour" not in text
        assert page.content["allocation"]["table"]["rows"][0][1] in text
    finally:
        browser.send("Emulation.setScriptExecutionDisabled", value=False)


def test_in_a_notebook_the_page_stays_without_scripts(browser, page, tmp_path):
    path = tmp_path / "notebook.html"
    path.write_text(f"<!DOCTYPE html><meta charset=utf-8>{page._repr_html_()}", encoding="utf-8")
    browser.go(path.as_uri())
    assert browser.run("document.querySelector('iframe').getAttribute('sandbox')") == ""
    assert browser.run_in_frame("document.getElementById('explorer-form').hidden") is True
    text = browser.run_in_frame("document.body.innerText")
    assert "Scripts are disabled" in text
    assert page.content["allocation"]["table"]["rows"][0][1] in text
    (refused,) = browser.complaints()
    assert "Blocked script execution" in refused


@pytest.mark.full
def test_hostile_text_does_nothing_in_a_browser(browser, tmp_path, hostile):
    path = tmp_path / "report.html"
    path.write_text(hostile.html, encoding="utf-8")
    browser.go(path.as_uri())
    assert browser.complaints() == []
    assert not [e for e in browser.events if e["method"] == "Page.javascriptDialogOpening"]
    assert browser.run("document.querySelectorAll('img, b2, iframe').length") == 0
    assert NASTY in shown(browser, "summary")


@pytest.mark.full
def test_no_other_script_runs(browser, page, tmp_path):
    path = tmp_path / "report.html"
    owned = "<script>document.title = 'owned'</script><b onclick=\"document.title = 'owned'\">x</b>"
    path.write_text(page.html.replace("<main>", f"<main>{owned}", 1), encoding="utf-8")
    browser.go(path.as_uri())
    browser.run("document.querySelector('b[onclick]').click()")
    assert browser.run("document.title") == page.content["title"]
    assert len([text for text in browser.complaints() if "Content Security Policy" in text]) == 2
    assert "10¹³ FLOPs" in shown(browser, "summary")
