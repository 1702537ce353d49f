"""The recipe: code that makes fit, draws and page again, and names what code cannot state."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.reporting.page import report
from jscale.reporting.recipe import recipe
from jscale.reporting.request import Request
from tests.reporting.pages import HOSTILE, Page, arguments_of


@pytest.mark.full
def test_the_code_makes_it_again(fit, draws, page, held_out, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = page.content["again"]
    assert "js.laplace(fit, draws=300, seed=0" in code
    assert f"# held_out: Runs of the {len(held_out)} held-out rows" in code
    assert f"digest {held_out.digest}, in the unit of the fitted runs" in code
    names: dict[str, Any] = {"table": fit.runs.frame, "held_out": held_out}
    exec(code, names)
    assert names["fit"].params.to_dict() == fit.params.to_dict()
    np.testing.assert_array_equal(names["draws"].values, draws.values)
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page.html


@pytest.mark.first_quick
@pytest.mark.parametrize(
    "nasty", [*HOSTILE, '\'""" \\ </pre><b2> \n import os', "a\x00\u2028\ud800"]
)
def test_the_code_says_what_the_page_was_given(fit, draws, held_out, nasty):
    table = held_out.frame.assign(**{"other <b2>\n": 1})
    page = report(fit, draws, title=nasty, about={"data": nasty}, held_out=table, level=0.5)
    code = page.content["again"]
    assert arguments_of(code) == {
        "held_out": "held_out",
        "title": nasty,
        "about": {"data": nasty},
        "level": 0.5,
        "path": "report.html",
    }
    assert f"a table of the {len(table)} held-out rows, with the columns ['N', 'D', 'loss']" in code
    parsed = Page(page.html)
    assert " ".join(code.split()) in parsed.text
    assert "b2" not in parsed.tags


@pytest.mark.full
def test_what_code_cannot_state_has_a_name_and_a_comment(fit, draws):
    E, A, alpha = 1.7, 400.0, 0.3
    starts = [{"E": E, "A": A, "alpha": alpha, "B": A, "beta": alpha}] * 4
    given = replace(fit.settings, starts=tuple(starts), weights=np.ones(len(fit.runs)))
    law = replace(fit.law, name="mine\nimport os")
    own = replace(fit, settings=given, law=law)
    kept = replace(draws, fit=own, method="hand\n", settings={"values": np.eye(2)}, call=None)
    at = pd.DataFrame({"N": [1e9], "D": [2e10]})
    code = report(own, kept, at=at).content["again"]
    compile(code, "recipe", "exec")
    assert "js.fit(law, runs, " in code
    assert "weights=weights, starts=starts, seed=0" in code
    assert arguments_of(code)["at"] == "at"
    comments = dict(re.findall(r"^# (\w+): (.*)$", code, re.MULTILINE))
    assert list(comments) == ["table", "law", "weights", "starts", "draws", "at"]
    assert comments["law"].endswith(":chinchilla, 'mine\\nimport os'")
    assert comments["weights"] == "the weights of the fit, one for each of 37 rows"
    assert comments["draws"] == "made by hand : values=array([[1., 0.], [0., 1.]])"
    assert comments["at"] == "where to answer: the DataFrame given to the report"


def test_columns_that_are_no_names_in_code(fit, draws):
    odd = {"r b": 1.0, "class": 2.0, "width": 3.0}
    frame, inputs = fit.runs.frame.assign(**odd), (*fit.runs.inputs, *odd)
    other = replace(fit, runs=replace(fit.runs, frame=frame, inputs=inputs))
    code = recipe(other, draws).partition("\nfit =")[0]
    names: dict[str, Any] = {"table": frame}
    exec(code, names)
    assert set(names["runs"].inputs) == set(inputs)


def test_priors_that_only_their_own_code_can_state(fit):
    from numpyro.distributions import LogNormal

    priors = {"E": LogNormal(0.5, 0.1), "A": ("lognormal", 6.0, 0.5)}
    code = recipe(fit, js.prior(fit, priors=priors, draws=50))
    compile(code, "recipe", "exec")
    assert "draws = js.prior(fit, likelihood='student_t', draws=50, seed=0, priors=priors)" in code
    assert re.search(r"# priors: as given: {'E': 'LogNormal.*', 'A': \('lognormal'", code)


@pytest.mark.full
def test_the_code_names_every_choice(runs):
    frame = runs.frame.assign(family=np.where(np.arange(len(runs)) % 2 == 1, "a", "b"))
    made = js.Runs.from_frame(frame, group="family", count="total")
    objective = js.student_t(df=4.0)
    fit = js.fit(
        "chinchilla",
        made,
        objective=objective,
        fixed={"B": 410.7},
        per={"E": "family"},
        tie=("alpha", "beta"),
        starts=8,
        seed=5,
    )
    code = report(fit, js.laplace(fit, 50, seed=2), at={"N": 1e9, "D": 1e11, "family": "a"}).content
    for part in (
        "js.student_t(df=4.0, scale='auto', space='log')",
        "fixed={'B': 410.7}",
        "tie=('alpha', 'beta')",
        "per={'E': 'family'}",
        "starts=8",
        "seed=5",
        "group='family'",
        "count='total'",
        "draws=50, seed=2",
        "at={'N': 1000000000.0, 'D': 100000000000.0, 'family': 'a'}",
    ):
        assert part in code["again"]


def test_numbers_of_numpy_become_pythons_own(fit, draws) -> None:
    at = {"N": np.float64(1e9), "D": np.array([2e10, 3e10])}
    code = recipe(fit, draws, Request(at, about={"data": "x"}, title=""))
    assert arguments_of(code) == {
        "at": {"N": 1e9, "D": [2e10, 3e10]},
        "about": {"data": "x"},
        "level": 0.9,
        "path": "report.html",
    }


def test_long_calls_have_a_line_for_each_argument(fit, draws) -> None:
    short, long = (recipe(fit, draws, Request(about={"data": "x" * n})) for n in (1, 90))
    assert short.splitlines()[-1].startswith("js.report(fit, draws, about=")
    assert long.splitlines()[-1] == ")"
    assert "    level=0.9," in long.splitlines()
    assert max(map(len, short.splitlines()[-1:])) <= 100
