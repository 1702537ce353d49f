"""report: one page that says what matters, loads nothing, and takes no markup from anybody."""

from __future__ import annotations

import ast
import importlib.resources
import json
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.fitting.notes import Note
from jscale.reporting import explorer, pictures
from jscale.reporting.page import Report, report
from jscale.reporting.recipe import recipe
from jscale.simulation.worlds import CHINCHILLA, WORLDS, grid

SURFACE = grid(np.geomspace(1e8, 1e10, 6), np.geomspace(2e9, 2e11, 7))
VOID = {"meta", "br", "hr", "img", "link", "input"}
HOSTILE = [
    "<script>alert(1)</script> </text></svg><b2>",
    "\"><img src=x onerror=alert(1)> '><svg onload=alert(1)>",
    "$\\frac{1}{0}$ and $ {{ 7*7 }}{% raw %} &lt;b2&gt; ]]> -->",
]


class Page(HTMLParser):
    """A page taken apart: its elements, its attributes, its text, and what was left open."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
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

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def told(page: Report) -> str:
    """All words of a page."""
    return Page(page.html).text


@pytest.fixture(scope="module")
def runs() -> js.Runs:
    return js.simulate("chinchilla", CHINCHILLA, SURFACE, noise=0.005, seed=3)


@pytest.fixture(scope="module")
def fit(runs) -> js.Fit:
    return js.fit("chinchilla", runs.where(runs["C"] < np.quantile(runs["C"], 0.9)))


@pytest.fixture(scope="module")
def held_out(runs) -> js.Runs:
    return runs.where(runs["C"] >= np.quantile(runs["C"], 0.9))


@pytest.fixture(scope="module")
def draws(fit) -> js.Draws:
    return js.laplace(fit, 300)


@pytest.fixture(scope="module")
def page(fit, draws, held_out) -> Report:
    return report(fit, draws, held_out=held_out, about={"schedule": "cosine, 1 % warm-up"})


# ── What it says ─────────────────────────────────────────────────────────────────────────────


def test_the_answer_is_the_prediction_at_ten_times_the_compute(fit, draws, page):
    sentence, intervals, far = page.content["answer"]
    C = fit.largest * 10
    a, b = fit.params["alpha"], fit.params["beta"]
    G = (a * fit.params["A"] / (b * fit.params["B"])) ** (1 / (a + b))
    N = G * (C / 6) ** (b / (a + b))
    found = [float(x) for x in re.findall(r"[ND] = ([\d.]+)×10", sentence)]
    scale = [int(x.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789"))) for x in
             re.findall(r"[ND] = [\d.]+×10([⁰¹²³⁴⁵⁶⁷⁸⁹]+)", sentence)]  # fmt: skip
    assert [f * 10**s for f, s in zip(found, scale, strict=True)] == pytest.approx(
        [N, C / 6 / N], rel=1e-3
    )
    row = js.predict(draws, N=N, D=C / 6 / N).frame.iloc[0]
    assert float(re.search(r"a loss of ([\d.]+) nats", sentence)[1]) == pytest.approx(
        row["curve"], rel=1e-3
    )
    numbers = [float(x) for x in re.findall(r"\d\.\d+", intervals)]
    expected = row[["confidence_low", "confidence_high", "prediction_low", "prediction_high"]]
    assert numbers == pytest.approx(expected.tolist(), rel=2e-3)
    assert "90 % confidence interval of the curve" in intervals
    assert "90 % prediction interval" in intervals
    assert far.startswith("This is 10 times the largest compute fitted.")


def test_at_inputs_and_at_a_compute(fit, draws):
    at = report(fit, draws, at={"N": 1e9, "D": 2e10}, level=0.5)
    assert at.content["answer"][0].startswith("At N = 10⁹ and D = 2×10¹⁰ the fitted law chinchilla")
    assert "50 % prediction interval" in at.content["answer"][1]
    assert at.content["answer"][2] == "This lies within the fitted range of compute."
    assert at.content["answers"] is None
    several = report(fit, draws, at={"C": [1e21, 1e22]})
    assert several.content["answer"][0].startswith("At C = 10²¹ FLOPs, spent as the fit calls best")
    assert len(several.content["answers"]["rows"]) == 2


def test_a_law_without_compute_answers_with_its_exponents():
    planted, design = WORLDS["power_const"]
    table = js.simulate("power_const", planted, design, noise=0.01).frame.rename(columns={"C": "N"})
    fit = js.fit("power_const:N", table[["N", "loss"]])
    (sentence,) = report(fit, js.laplace(fit, 100)).content["answer"]
    assert sentence.startswith("For loss (nats), the fitted law power_const:N has the exponents ")
    value, low, high = map(float, re.search(r"alpha = (\S+) \((\S+) to (\S+)\)", sentence).groups())
    assert low < value < high
    assert value == pytest.approx(fit.params["alpha"], rel=1e-2)


def law_of_a_score() -> js.Fit:
    @js.law(output="score")
    def straight(x, *, a: js.Real, b: js.Real):
        return a + b * x

    frame = pd.DataFrame({"x": np.linspace(-1.0, 2.0, 12)})
    frame["score"] = 1.0 + 0.5 * frame["x"] + 0.01 * np.sin(7 * frame["x"])
    runs = js.Runs.from_frame(frame, output="score", x="x", loss_unit="other")
    return js.fit(straight, runs, objective=js.least_squares(space="linear"))


def per_group() -> js.Fit:
    runs = js.simulate("chinchilla", CHINCHILLA, SURFACE, noise=0.005, seed=3)
    frame = runs.frame.assign(family=np.where(np.arange(len(runs)) % 2 == 1, "gpt", "llama"))
    return js.fit("chinchilla", frame, per={"E": "family"})


def of_compute() -> js.Fit:
    planted, design = WORLDS["broken:1"]
    return js.fit("broken:1", js.simulate("broken:1", planted, design, noise=0.01), starts=16)


@pytest.mark.parametrize("make", [law_of_a_score, per_group, of_compute])
def test_other_laws_make_a_page_too(make: Callable[[], js.Fit]):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", js.errors.FitWarning)
        fit = make()
        page = report(fit, js.laplace(fit, 100))
    parsed = Page(page.html)
    assert parsed.open == []
    assert parsed.tags.count("svg") >= 2
    for name in fit.params.index:
        assert str(name) in parsed.text


def test_the_data_and_what_was_left_out():
    table = js.simulate("chinchilla", CHINCHILLA, SURFACE, noise=0.005, seed=3).frame
    table.loc[5, "loss"] = np.nan
    with pytest.warns(js.DataWarning, match="1 of 42 rows were left out"):
        runs = js.Runs.from_frame(table, invalid="drop", source="mine.csv", count="non_embedding")
    fit = js.fit("chinchilla", runs)
    page = report(fit, js.laplace(fit, 100))
    facts = dict(page.content["data"])
    assert facts["Source"] == "mine.csv"
    assert facts["Rows fitted"] == "41, of 41 independent runs"
    assert facts["Rows left out"] == "1"
    assert facts["Held-out rows"] == "none"
    assert facts["Range of N"] == "10⁸ to 10¹⁰ parameters"
    assert facts["Unit of the output"] == "nats"
    assert facts["Counting of parameters"] == "without embeddings"
    assert facts["Digest of the data"] == runs.digest
    assert page.content["dropped"]["rows"] == [["5", "loss: missing (NaN)"]]
    text = told(page)
    assert "loss: missing (NaN)" in text
    assert "No runs were held out: nothing here says how the law extrapolates." in text


def test_estimates_and_exact_parameters(fit, draws, page):
    exact = dict(page.content["exact"])
    assert {name: float(text) for name, text in exact.items()} == fit.params.to_dict()
    assert exact["E"] == f"{fit.params['E']:.17g}"
    row = dict(zip(page.content["estimates"]["headings"],
                   page.content["estimates"]["rows"][2], strict=True))  # fmt: skip
    assert row["parameter"] == "alpha"
    assert float(row["estimate"]) == pytest.approx(fit.params["alpha"], rel=5e-3)
    assert float(row["standard error"]) == pytest.approx(fit.stderr["alpha"], rel=5e-3)
    low, high = map(float, row["90 % interval"].split(" to "))
    assert [low, high] == pytest.approx(draws.interval(0.9).loc["alpha"].tolist(), rel=5e-3)
    made = dict(page.content["made"])
    assert made["Digest of the data"] == fit.runs.digest
    assert made["jax"] == fit.provenance["jax"]
    assert made["Seed of the starts"] == "0"
    assert "seed = 0" in made["Draws"]


def test_the_held_out_check_counts(fit, draws, held_out, page):
    frame = js.predict(draws, held_out.frame[["N", "D"]]).frame
    seen = held_out["loss"]
    inside = int(np.sum((frame["prediction_low"] <= seen) & (seen <= frame["prediction_high"])))
    assert (
        f"{inside} of {len(seen)} inside the 90 % prediction interval" in page.content["held_out"]
    )
    assert len(page.content["held_out_table"]["rows"]) == len(seen)
    assert [row[-1] for row in page.content["held_out_table"]["rows"]].count("inside") == inside


def test_held_out_runs_that_the_law_misses_are_a_warning_beside_the_answer(fit, draws, held_out):
    off = replace(held_out, frame=held_out.frame.assign(loss=held_out["loss"] * 1.1))
    page = report(fit, draws, held_out=off)
    (note,) = page.content["warnings"]
    assert note["code"] == "held-out-missed"
    assert f"0 of {len(off)} held-out runs lie inside" in note["seen"]


def test_the_code_makes_it_again(fit, draws, page, held_out, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = page.content["again"]
    assert "js.laplace(fit, draws=300, seed=0" in code
    assert f"# held_out: Runs of the {len(held_out)} rows held out" in code
    assert f"digest {held_out.digest}, in the unit of those fitted" in code
    found: dict[str, Any] = {"table": fit.runs.frame, "held_out": held_out}
    monkeypatch.setattr(js, "report", report, raising=False)
    exec(code, found)
    assert found["fit"].params.to_dict() == fit.params.to_dict()
    np.testing.assert_array_equal(found["draws"].values, draws.values)
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page.html


def arguments_of(code: str) -> dict[str, Any]:
    """What the code gives to report, by name: values, or the names of what is put there."""
    call = ast.parse(code).body[-1]
    assert isinstance(call, ast.Expr)
    assert isinstance(call.value, ast.Call)
    return {
        k.arg or "": k.value.id if isinstance(k.value, ast.Name) else ast.literal_eval(k.value)
        for k in call.value.keywords
    }


@pytest.mark.parametrize(
    "nasty", [*HOSTILE, '\'""" \\ </pre><b2> \n import os', "a\x00\u2028\ud800"]
)
def test_the_code_says_what_the_page_was_given(fit, draws, held_out, nasty):
    table = held_out.frame.assign(**{"other <b2>\n": 1})
    page = report(fit, draws, title=nasty, about={"data": nasty}, held_out=table, level=0.5)
    code = page.content["again"]
    assert arguments_of(code) == {
        "held_out": "held_out", "title": nasty, "about": {"data": nasty}, "level": 0.5,
        "path": "report.html",
    }  # fmt: skip
    assert f"a table of the {len(table)} rows held out, with the columns ['N', 'D', 'loss']" in code
    parsed = Page(page.html)
    assert " ".join(code.split()) in parsed.text
    assert "b2" not in parsed.tags


def test_what_code_cannot_state_has_a_name_and_a_comment(fit, draws):
    E, A, alpha = 1.7, 400.0, 0.3
    starts = [{"E": E, "A": A, "alpha": alpha, "B": A, "beta": alpha}] * 4
    given = replace(fit.settings, starts=tuple(starts), weights=np.ones(len(fit.runs)))
    law = replace(fit.law, name="mine\nimport os")
    own = replace(fit, settings=given, law=law)
    kept = replace(draws, fit=own, method="hand\n", settings={"values": np.eye(2)})
    at = pd.DataFrame({"N": [1e9], "D": [2e10]})
    code = report(own, kept, at=at).content["again"]
    compile(code, "recipe", "exec")
    assert "js.fit(law, runs, " in code
    assert "weights=weights, starts=starts, seed=0" in code
    assert arguments_of(code)["at"] == "at"
    said = dict(re.findall(r"^# (\w+): (.*)$", code, re.MULTILINE))
    assert list(said) == ["table", "law", "weights", "starts", "draws", "at"]
    assert said["law"].endswith(":chinchilla, 'mine\\nimport os'")
    assert said["weights"] == "the weights given to the fit, one for each of 37 rows"
    assert said["draws"] == "made by hand : values=array([[1., 0.], [0., 1.]])"
    assert said["at"] == "where to answer, a DataFrame as the report was given it"


def test_columns_that_are_no_names_in_code(fit, draws):
    odd = {"r b": 1.0, "class": 2.0, "width": 3.0}
    frame, inputs = fit.runs.frame.assign(**odd), (*fit.runs.inputs, *odd)
    other = replace(fit, runs=replace(fit.runs, frame=frame, inputs=inputs))
    code = recipe(other, draws).partition("\nfit =")[0]
    found: dict[str, Any] = {"table": frame}
    exec(code, found)
    assert set(found["runs"].inputs) == set(inputs)


def test_priors_that_only_their_own_code_can_state(fit, draws):
    settings = {"draws": 50, "priors": {"E": "Normal", "A": ("lognormal", 0.5, 0.5)}}
    code = report(fit, replace(draws, method="posterior", settings=settings)).content["again"]
    compile(code, "recipe", "exec")
    assert "draws = js.posterior(fit, draws=50, priors=priors)" in code
    assert "# priors: as they were given: {'E': 'Normal', 'A': ('lognormal', 0.5, 0.5)}" in code


def test_the_code_names_every_choice(runs):
    frame = runs.frame.assign(family=np.where(np.arange(len(runs)) % 2 == 1, "a", "b"))
    made = js.Runs.from_frame(frame, group="family", count="total")
    objective = js.student_t(df=4.0)
    fit = js.fit("chinchilla", made, objective=objective, fixed={"B": 410.7}, per={"E": "family"},
                 tie=("alpha", "beta"), starts=8, seed=5)  # fmt: skip
    code = report(fit, js.laplace(fit, 50, seed=2), at={"N": 1e9, "D": 1e11, "family": "a"}).content
    for part in ('js.student_t(df=4.0, scale="auto", space=\'log\')', "fixed={'B': 410.7}",
                 "tie=('alpha', 'beta')", "per={'E': 'family'}", "starts=8", "seed=5",
                 "group='family'", "count='total'", "draws=50, seed=2",
                 "at={'N': 1000000000.0, 'D': 100000000000.0, 'family': 'a'}"):  # fmt: skip
        assert part in code["again"]


def test_the_command_is_shown_where_it_is_given(fit, draws):
    page = report(fit, draws, again="jscale report 'a b.csv'")
    assert "jscale report 'a b.csv'" in told(page)


def test_a_comparison_is_shown(runs, fit, draws):
    found = js.compare(["chinchilla", "power_const"], runs, resamples=40)
    page = report(fit, draws, comparison=found)
    assert [row[0] for row in page.content["comparison"]["rows"]] == list(found.table.index)
    text = told(page)
    assert "Other laws on the same runs" in text
    assert "Laws compared" in text
    assert all(note in text for note in map(told_once, found.notes))
    code = page.content["again"]
    assert arguments_of(code)["comparison"] == "comparison"
    laws = ", ".join(map(repr, found.table.index))
    assert f"# comparison: what js.compare returned for {laws}; objective=" in code


def told_once(text: str) -> str:
    return " ".join(text.split())


# ── Notes and verdicts ───────────────────────────────────────────────────────────────────────


def noted(draws: js.Draws, *notes: Note) -> js.Draws:
    return replace(draws, notes=notes)


DIVERGED = Note(
    "divergences", "warning", "23 transitions diverged.", "Tails may be missing.", "Tie."
)


def test_no_remarks(fit, draws):
    quiet = replace(fit, notes=())
    text = told(report(quiet, replace(draws, fit=quiet)))
    assert "No remarks." in text
    assert "Do not rely on this before reading" not in text


def test_a_posterior_that_failed_its_checks_is_never_shown_as_fine(fit, draws):
    page = report(fit, noted(draws, DIVERGED))
    text = told(page)
    beside = text[: text.index("Data, and what was left out")]
    assert "Do not rely on this before reading" in beside
    assert "divergences : 23 transitions diverged. Tails may be missing." in beside
    assert "No remarks." not in text


def test_a_pooled_posterior():
    from jscale.uncertainty.bayes.posterior import posterior

    family = np.array(["gpt", "llama", "b <b2>"])[np.arange(30) % 3]
    planted, design = WORLDS["power_const"]
    table = js.simulate("power_const", planted, design, noise=0.01).frame.assign(family=family)
    fit = js.fit("power_const", table, starts=8)
    post = posterior(fit, pool={"E": "family"}, draws=50, warmup=100, chains=2)
    page = report(fit, post, at={"C": 1e21, "family": "gpt"})
    assert "family = gpt the fitted law" in page.content["answer"][0]
    assert dict(page.content["exact"]).keys() == set(fit.params.index)
    centre = {name: float(text) for name, text in page.content["centre"]}
    assert centre == post.fit.params.to_dict()
    extras = [row[0] for row in page.content["extras"]["rows"]]
    assert extras == ["E[mean]", "E[spread]", "noise_scale"]
    shown = {note["code"] for note in page.content["warnings"]}
    assert {note.code for note in post.notes if note.severity == "warning"} <= shown
    assert "pool={'E': 'family'}" in page.content["again"]
    text = told(page)
    assert "Groups of E" in text
    assert "E differs by family, drawn from one population." in text
    assert {"script", "b2"}.isdisjoint(Page(page.html).tags)


def test_without_a_run_to_spare_there_is_no_interval_to_report():
    table = pd.DataFrame({"C": [1e18, 1e19, 1e20], "loss": [3.0, 2.6, 2.4]})
    with pytest.warns(js.FitWarning, match="no-spare-runs"):
        fit = js.fit("power_const", table)
    with pytest.raises(js.FitError, match="no run is left to say how sure it is"):
        report(fit)


def test_a_warning_of_the_fit_stands_beside_the_answer(draws, fit):
    doubtful = replace(fit, notes=(replace(DIVERGED, code="not-converged"),))
    text = told(report(doubtful, replace(draws, fit=doubtful)))
    assert text.index("not-converged") < text.index("Data, and what was left out")


def test_the_most_severe_note_comes_first_and_each_once(fit, draws):
    notes = [replace(DIVERGED, code=f"c{i}", severity=s) for i, s in
             enumerate(["info", "warning", "caution", "warning"])]  # fmt: skip
    loud = replace(fit, notes=tuple(notes[:2]))
    page = report(loud, replace(noted(draws, *notes), fit=loud))
    assert [note["code"] for note in page.content["notes"]] == ["c1", "c3", "c2", "c0"]


def test_what_predicting_warns_of_is_a_note(fit, draws, monkeypatch):
    from jscale.reporting import page as pages

    def predicted(*_: Any) -> Any:
        warnings.warn("2 draws give no loss", js.FitWarning, stacklevel=2)
        return pages.Answer(("An answer.",))

    monkeypatch.setattr(pages, "answer", predicted)
    (note,) = [n for n in report(fit, draws).content["notes"] if n["code"] == "while-predicting"]
    assert note["seen"] == "2 draws give no loss"


# ── No markup from anybody, and nothing from elsewhere ───────────────────────────────────────


def hostile_fit(nasty: str) -> js.Fit:
    """A fit with hostile text wherever a user can write some."""

    @js.law(output=f"loss {nasty}", formula=f"E {nasty}", reference=nasty)
    def bad(N, *, E: js.Floor, A: js.Scale, alpha: js.Exponent):
        return E + A * js.power(N, -alpha)

    bad.function.__doc__ = f"A law. {nasty}\n\n{nasty}"
    column = f"family {nasty}"
    N = np.tile(np.geomspace(1e6, 1e9, 10), 2)
    label = np.repeat([f"a {nasty}", f"b {nasty}"], 10)
    loss = np.repeat([1.5, 1.8], 10) + 80 * N**-0.3
    loss *= 1 + 0.003 * np.sin(np.arange(20) ** 2)
    frame = pd.DataFrame({"N": N, f"y {nasty}": loss, column: label, f"run {nasty}": range(20)})
    frame.index = pd.Index([f"{nasty} {i}" for i in range(20)])
    frame.iloc[3, 1] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", js.JscaleWarning)
        runs = js.Runs.from_frame(
            frame, output=bad.output, group=column, run=f"run {nasty}", source=nasty,
            invalid="drop", **{bad.output: f"y {nasty}"},
        )  # fmt: skip
        return js.fit(bad, runs, per={"E": column}, starts=16)


@pytest.mark.parametrize("nasty", HOSTILE)
def test_hostile_text_cannot_become_markup(nasty):
    fit = hostile_fit(nasty)
    notes = (replace(DIVERGED, seen=nasty, means=nasty, do=nasty, code=nasty),)
    draws = noted(js.laplace(fit, 80), *notes)
    page = report(fit, draws, title=nasty, about={"data": nasty}, again=nasty,
                  held_out=fit.runs.where(np.arange(len(fit.runs)) < 3))  # fmt: skip
    parsed = Page(page.html)
    assert parsed.open == []
    assert not {"script", "img", "iframe", "b2", "object", "link"} & set(parsed.tags)
    assert not [name for name, _ in parsed.attributes if name.startswith("on")]
    assert parsed.text.count(" ".join(nasty.split())) >= 15
    assert "E[a " + " ".join(nasty.split()) + "]" in parsed.text  # a label, also inside pictures
    drawn = " ".join(re.findall(r"<svg.*?</svg>", page.html, re.DOTALL))
    assert " ".join(nasty.split()) in Page(drawn).text


def test_characters_that_no_picture_may_hold(fit, draws):
    @js.law(output="loss\x00\x1b")
    def odd(N, *, E: js.Floor, A: js.Scale, alpha: js.Exponent):
        return E + A * js.power(N, -alpha)

    frame = pd.DataFrame({"N": np.geomspace(1e6, 1e9, 12)})
    frame[odd.output] = 1.5 + 80 * frame["N"] ** -0.3 * (1 + 0.01 * np.sin(frame.index**2))
    found = js.fit(odd, js.Runs.from_frame(frame, output=odd.output))
    assert "loss�" in told(report(found, js.laplace(found, 50)))


def test_labels_of_groups_that_no_picture_may_hold(runs):
    label = np.array(["a\x00b\x0b", "$c\x1f", "d"])[np.arange(len(runs)) % 3]
    fit = js.fit("chinchilla", runs.frame.assign(family=label), per={"E": "family"}, starts=8)
    drawn = js.laplace(fit, 50)
    pooled = replace(drawn, settings={**drawn.settings, "pool": {"E": "family"}})
    (svg,) = [shown.svg for shown in pictures.pictures(pooled, None, None, 0.9)
              if shown.title == "Groups of E"]  # fmt: skip
    assert {"a�b�", "$c�", "d"} <= set(Page(svg).words)
    assert Page(report(fit, pooled).html).open == []


def test_nothing_is_loaded_from_elsewhere(page):
    parsed = Page(page.html)
    assert not {"link", "img", "iframe", "object", "embed", "base"} & set(parsed.tags)
    assert parsed.scripts[1:] == [explorer.script()]  # the first are its data, which do not run
    json.loads(parsed.scripts[0])
    loading = [(n, v) for n, v in parsed.attributes if n in ("src", "href", "xlink:href", "srcset")]
    assert all(v.startswith(("#", "data:image/png")) for _, v in loading)
    assert not re.search(r"@import|url\((?!#)", page.html)
    assert "default-src 'none'" in page.html
    declared = {v for n, v in parsed.attributes if v.startswith("http")}
    assert declared <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_ids_are_unique_and_references_lead_somewhere(page):
    parsed = Page(page.html)
    ids = [v for n, v in parsed.attributes if n == "id"]
    assert len(ids) == len(set(ids))
    asked = {v[1:] for n, v in parsed.attributes if n.endswith("href") and v.startswith("#")}
    asked |= set(re.findall(r"url\(#([^)]+)\)", page.html))
    assert asked <= set(ids)


def test_a_page_of_many_runs_stays_below_two_megabytes():
    rng = np.random.default_rng(0)
    design = pd.DataFrame(
        {"N": 10 ** rng.uniform(7, 10, 4000), "D": 10 ** rng.uniform(9, 12, 4000)}
    )
    runs = js.simulate("chinchilla", CHINCHILLA, design, noise=0.01)
    fit = js.fit("chinchilla", runs, starts=8)
    draws = js.laplace(fit, 4000)
    chains = replace(draws, values=draws.flat.reshape(4, 1000, -1))
    page = report(fit, chains, held_out=runs)
    assert len(page.html.encode()) < 2_000_000
    assert "… and 3940 more rows." in told(page)
    assert "Chains" in told(page)


def test_the_same_page_twice_whatever_the_users_own_style(fit, draws):
    import matplotlib as mpl

    plain = report(fit, draws).html
    assert "observed loss (nats)" in Page(plain).text
    with mpl.rc_context({"svg.fonttype": "path", "text.usetex": True}):
        assert report(fit, draws).html == plain


# ── What it refuses ──────────────────────────────────────────────────────────────────────────


def test_files_that_exist_are_kept_and_nothing_is_computed(fit, tmp_path):
    path = tmp_path / "report.html"
    path.write_text("mine")
    with pytest.raises(js.FileError, match=r"exists already.*overwrite=True"):
        report(fit, "no draws at all", path=path)
    assert path.read_text() == "mine"
    with pytest.raises(js.FileError, match="does not exist; create it first"):
        report(fit, path=tmp_path / "none" / "report.html")


def test_it_is_written_whole(fit, draws, tmp_path):
    path = tmp_path / "report.html"
    page = report(fit, draws, path=path, title="One \ud800")
    assert (page.path, path.read_text(encoding="utf-8")) == (path, page.html.replace("\ud800", "?"))
    assert report(fit, draws, path=path, overwrite=True, title="Two").path == path
    assert "<title>Two</title>" in path.read_text(encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"level": 90}, js.JscaleError, "level=90 must lie strictly between 0 and 1"),
        ({"about": {"architecure": "x"}}, js.JscaleError, "no item 'architecure'. Did you mean 'arch"),
        ({"at": {"N": 1e9}}, js.PredictionError, "D is missing"),
        ({"at": {"N": -1, "D": 1e9}}, js.PredictionError, "N must be a positive, finite number"),
        ({"at": {"C": -1}}, js.PredictionError, "C=-1 must be positive numbers of FLOPs"),
        ({"at": {"C": "much"}}, js.PredictionError, "C='much' must be positive numbers of FLOPs"),
        ({"at": 1e24}, js.PredictionError, "Inputs come as a table or by name, not as float"),
        ({"held_out": [1]}, js.DataError, "held_out must be Runs or a table of them, not list"),
    ],
)  # fmt: skip
def test_it_says_what_is_wrong(fit, draws, arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        report(fit, draws, **arguments)


def test_what_is_no_fit_and_no_draws(fit, draws):
    with pytest.raises(
        js.JscaleError, match=r"report takes a Fit, not Draws: report\(fit, draws\)"
    ):
        report(draws)
    with pytest.raises(js.JscaleError, match="draws must be Draws, not int"):
        report(fit, 1000)


def test_draws_of_another_fit(fit, draws, runs):
    other = js.fit("chinchilla", runs)
    with pytest.raises(js.JscaleError, match=r"another fit \(chinchilla, 37 rows\) than the one given "
                       r"\(chinchilla, 42 rows\): report\(draws.fit, draws\)"):  # fmt: skip
        report(other, draws)


def test_draws_from_a_prior(fit):
    with pytest.raises(js.JscaleError, match=r"draws from the prior, before any run is seen; .*: "
                       r"report\(fit, js.draws\(fit\)\), or report\(fit, js.posterior"):  # fmt: skip
        report(fit, js.prior(fit, draws=100))


def test_a_loaded_fit_takes_its_own_draws(fit, draws, tmp_path):
    again = js.load(js.save(fit, tmp_path / "fit.json"))
    assert report(again, draws).content["exact"] == report(fit, draws).content["exact"]


def test_draws_are_made_where_none_are_given(fit):
    page = report(fit, seed=3)
    expected = js.predict(fit, N=1e9, D=1e11, seed=3)
    made = dict(page.content["made"])["Draws"]
    assert made.startswith(f"{expected.method}: resamples = 1000, seed = 3")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="loss"), "has no column 'loss', what the law predicts"),
        (lambda t: t.iloc[:0], "The held-out table has no rows; leave held_out out"),
        (lambda t: t.assign(loss="low"), "The held-out loss is not a finite number in row 34"),
    ],
)
def test_held_out_tables_that_cannot_be_used(fit, draws, held_out, change, message):
    table = held_out.frame.set_axis(range(34, 34 + len(held_out)))
    with pytest.raises(js.DataError, match=message):
        report(fit, draws, held_out=change(table))


def test_held_out_runs_in_another_unit(fit, draws, held_out):
    with pytest.raises(js.DataError, match=r"held-out runs are in bits \(count=None\), the fitted ones "
                       "in nats"):  # fmt: skip
        report(fit, draws, held_out=replace(held_out, loss_unit="bits"))


# ── As an object, a package, and a public name ───────────────────────────────────────────────


def test_json_and_repr(page):
    assert json.loads(page.to_json()) == json.loads(json.dumps(page.content))
    assert repr(page).startswith("Report: chinchilla: a scaling law of N and D\nAt C = ")
    frame = Page(page._repr_html_())
    assert frame.tags == ["iframe"]
    assert dict(frame.attributes)["srcdoc"] == page.html


def test_the_templates_are_in_the_package():
    folder = importlib.resources.files("jscale") / "report" / "templates"
    names = sorted(file.name for file in folder.iterdir())
    assert names == ["explorer.js", "report.html.j2", "style.css"]


FORMS = """
import jscale as js
from jscale.reporting.page import report
if not callable(js.report):
    js.report = report  # what "from jscale.reporting.page import Report, report" in __init__ does
import importlib, pkgutil, sys
package = sys.modules["jscale.report"]
from jscale.report import plots
import jscale.plots.fits as p
import jscale.plots.draws
from jscale.plots.fits import bands
import jscale
assert callable(js.report) and js.report is report, js.report
assert plots is p is sys.modules["jscale.plots.fits"]
assert jscale.plots.fits is p and p.bands is bands
assert importlib.import_module("jscale.report") is package
import pickle
assert pickle.loads(pickle.dumps(js.report)) is report
for found in pkgutil.iter_modules(package.__path__):
    exec(f"import jscale.report.{found.name} as one; from jscale.report import {found.name} as two")
    assert one is two is sys.modules[f"jscale.report.{found.name}"]
print("fine")
"""


def test_a_function_and_a_package_of_one_name():
    done = subprocess.run(
        [sys.executable, "-c", FORMS], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("fine\n", "")
