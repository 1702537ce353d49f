"""Reports: what the page says, that it loads nothing, and that no text on it becomes markup."""

from __future__ import annotations

import copy
import importlib.resources
import importlib.util
import json
import pickle
import re
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.fitting.notes import Note
from jscale.reporting import explorer
from jscale.reporting.answer import Answer
from jscale.reporting.page import report
from jscale.simulation.worlds import CHINCHILLA, WORLDS, grid
from tests.reporting.pages import HOSTILE, Page, arguments_of, text_of

SURFACE = grid(np.geomspace(1e8, 1e10, 6), np.geomspace(2e9, 2e11, 7))


# ── What it says ─────────────────────────────────────────────────────────────────────────────


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


@pytest.mark.first_quick
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


@pytest.mark.full
def test_the_command_is_shown_where_it_is_given(fit, draws):
    page = report(fit, draws, again="jscale report 'a b.csv'")
    assert "jscale report 'a b.csv'" in text_of(page)


@pytest.mark.full
def test_a_comparison_is_shown(runs, fit, draws):
    with pytest.warns(js.ExtrapolationWarning, match="Intervals within a law"):
        compared = js.compare(["chinchilla", "power_const"], runs, resamples=40)
    page = report(fit, draws, comparison=compared)
    assert [row[0] for row in page.content["comparison"]["rows"]] == list(compared.table.index)
    parsed = Page(page.html)
    assert "Laws compared" in parsed.of("plots")
    assert all(" ".join(note.split()) in parsed.of("comparison") for note in compared.notes)
    code = page.content["again"]
    assert arguments_of(code)["comparison"] == "comparison"
    laws = ", ".join(map(repr, compared.table.index))
    assert f"# comparison: the result of js.compare for {laws}; objective=" in code


# ── Notes and verdicts ───────────────────────────────────────────────────────────────────────


def noted(draws: js.Draws, *notes: Note) -> js.Draws:
    return replace(draws, notes=notes)


DIVERGED = Note(
    "divergences", "warning", "23 transitions diverged.", "Tails may be missing.", "Tie."
)


@pytest.mark.full
def test_no_notes(fit, draws):
    quiet = replace(fit, notes=())
    page = Page(report(quiet, replace(draws, fit=quiet)).html)
    assert page.of("notes") == "Notes There are no notes."
    assert "warning" not in page.of("answer")


@pytest.mark.full
def test_a_posterior_that_failed_its_checks_is_never_shown_as_fine(fit, draws):
    page = report(fit, noted(draws, DIVERGED))
    answer = Page(page.html).of("answer")
    assert "Read this before relying on the answer There is one warning:" in answer
    assert "divergences : 23 transitions diverged. Tails may be missing." in answer
    assert "23 transitions diverged." in Page(page.html).of("notes")


@pytest.mark.full
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
    parsed = Page(page.html)
    assert "Groups of E" in parsed.of("plots")
    assert "E varies by family within one population." in parsed.of("checklist")
    assert {"script", "b2"}.isdisjoint(parsed.tags)


def test_without_a_run_to_spare_there_is_no_interval_to_report():
    table = pd.DataFrame({"C": [1e18, 1e19, 1e20], "loss": [3.0, 2.6, 2.4]})
    with pytest.warns(js.FitWarning, match="no-spare-runs"):
        fit = js.fit("power_const", table)
    with pytest.raises(js.FitError, match="no run is left to estimate errors"):
        report(fit)


@pytest.mark.full
def test_a_warning_of_the_fit_stands_next_to_the_answer(draws, fit):
    doubtful = replace(fit, notes=(replace(DIVERGED, code="not-converged"),))
    page = report(doubtful, replace(draws, fit=doubtful))
    assert "not-converged" in Page(page.html).of("answer")


@pytest.mark.full
def test_the_most_severe_note_comes_first_and_each_once(fit, draws):
    notes = [
        replace(DIVERGED, code=f"c{i}", severity=s)
        for i, s in enumerate(["info", "warning", "caution", "warning"])
    ]
    loud = replace(fit, notes=tuple(notes[:2]))
    page = report(loud, replace(noted(draws, *notes), fit=loud))
    assert [note["code"] for note in page.content["notes"]] == ["c1", "c3", "c2", "c0"]


@pytest.mark.full
def test_what_predicting_warns_of_is_a_note(fit, draws, monkeypatch):
    from jscale.reporting import page as pages

    def predicted(*_: Any) -> Any:
        warnings.warn("2 draws give no loss", js.FitWarning, stacklevel=2)
        return Answer(("An answer.",))

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
            frame,
            output=bad.output,
            group=column,
            run=f"run {nasty}",
            source=nasty,
            invalid="drop",
            **{bad.output: f"y {nasty}"},
        )
        return js.fit(bad, runs, per={"E": column}, starts=16)


@pytest.mark.full
@pytest.mark.parametrize("nasty", HOSTILE)
def test_hostile_text_cannot_become_markup(nasty):
    fit = hostile_fit(nasty)
    notes = (replace(DIVERGED, seen=nasty, means=nasty, do=nasty, code=nasty),)
    draws = noted(js.laplace(fit, 80), *notes)
    page = report(
        fit,
        draws,
        title=nasty,
        about={"data": nasty},
        again=nasty,
        held_out=fit.runs.where(np.arange(len(fit.runs)) < 3),
    )
    parsed = Page(page.html)
    assert parsed.open == []
    assert not {"script", "img", "iframe", "b2", "object", "link"} & set(parsed.tags)
    assert not [name for name, _ in parsed.attributes if name.startswith("on")]
    assert parsed.text.count(" ".join(nasty.split())) >= 15
    assert "E[a " + " ".join(nasty.split()) + "]" in parsed.text  # a label, also inside pictures
    drawn = " ".join(re.findall(r"<svg.*?</svg>", page.html, re.DOTALL))
    assert " ".join(nasty.split()) in Page(drawn).text


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
    targets = {v[1:] for n, v in parsed.attributes if n.endswith("href") and v.startswith("#")}
    targets |= set(re.findall(r"url\(#([^)]+)\)", page.html))
    assert targets <= set(ids)


@pytest.mark.full
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
    assert "… and 3940 more rows." in text_of(page)
    assert "Chains" in text_of(page)


@pytest.mark.full
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


@pytest.mark.full
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
        (
            {"about": {"architecure": "x"}},
            js.JscaleError,
            "no item 'architecure'. Did you mean 'arch",
        ),
        ({"at": {"N": 1e9}}, js.PredictionError, "D is missing"),
        ({"at": {"N": -1, "D": 1e9}}, js.PredictionError, "N must be a positive, finite number"),
        ({"at": {"C": -1}}, js.PredictionError, "C=-1 must be positive numbers of FLOPs"),
        ({"at": {"C": "much"}}, js.PredictionError, "C='much' must be positive numbers of FLOPs"),
        ({"at": 1e24}, js.PredictionError, "Inputs come as a table or by name, not as float"),
        ({"held_out": [1]}, js.DataError, "held_out must be Runs or a table of runs, not list"),
    ],
)
def test_it_says_what_is_wrong(fit, draws, arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        report(fit, draws, **arguments)


def test_what_is_no_fit_and_no_draws(fit, draws):
    for arguments in ((1000,), (fit, 1000), (1000, draws)):
        with pytest.raises(js.PredictionError, match=r"report takes a Fit, Draws, or .*, not int"):
            report(*arguments)


def test_draws_of_another_fit(fit, draws, runs):
    other = js.fit("chinchilla", runs)
    with pytest.raises(
        js.JscaleError,
        match=r"belong to another fit \(chinchilla, 37 rows\) than the one given "
        r"\(chinchilla, 42 rows\): report\(draws.fit, draws\)",
    ):
        report(other, draws)


def test_draws_from_a_prior(fit):
    with pytest.raises(
        js.JscaleError,
        match=r"draws from the prior, which have not seen the runs; .*: "
        r"report\(fit, js.draws\(fit\)\), or report\(fit, js.posterior",
    ):
        report(fit, js.prior(fit, draws=100))


@pytest.mark.full
def test_a_loaded_fit_takes_its_own_draws(fit, draws, tmp_path):
    again = js.load(js.save(fit, tmp_path / "fit.json"))
    assert report(again, draws).content["exact"] == report(fit, draws).content["exact"]


@pytest.mark.full
def test_a_fit_is_forecast_with_its_law_alongside(fit):
    page = report(fit, seed=3)
    made = dict(page.content["made"])["Draws"]
    assert made.startswith("chinchilla with its discrepancy: asked = auto")
    assert made.endswith("seed = 3")
    answer = page.content["answer"]
    assert "the forecast (chinchilla with its discrepancy) predicts" in answer[0]
    assert answer[2].startswith("The fitted law alone, chinchilla, puts the curve at ")
    assert page.content["method"].startswith("Predictions and plans by a forecast (chinchilla")
    assert page.content["again"].splitlines()[-1].startswith("js.report(fit, seed=3")


# ── As an object and a public name ──────────────────────────────────────────────────────────


def test_json_and_repr(page):
    assert json.loads(page.to_json()) == json.loads(json.dumps(page.content))
    assert repr(page).startswith("Report: chinchilla: a scaling law of N and D\nAt C = ")
    frame = Page(page._repr_html_())
    assert frame.tags == ["iframe"]
    assert dict(frame.attributes)["srcdoc"] == page.html


def test_report_is_a_function_and_hides_no_package():
    """No package has the function's name, so that ``js.report`` and imports always agree."""
    assert js.report is report
    assert pickle.loads(pickle.dumps(js.report)) is report
    assert importlib.util.find_spec("jscale.report") is None


def test_reports_can_be_copied_and_pickled(page):
    for other in (pickle.loads(pickle.dumps(page)), copy.deepcopy(page)):
        assert (other.html, other.content, other.path) == (page.html, page.content, page.path)
