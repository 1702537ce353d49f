"""What a page says: facts of the data, estimates, methods, the law, and exact numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import jscale as js
from jscale.prediction.sources import predictor_of
from jscale.reporting.answer import Answer
from jscale.reporting.content import content
from jscale.reporting.page import report
from jscale.reporting.request import Findings, Request
from jscale.simulation.worlds import CHINCHILLA, grid
from tests.reporting.pages import Page

SURFACE = grid(np.geomspace(1e8, 1e10, 6), np.geomspace(2e9, 2e11, 7))


def said(draws: js.Draws, prediction: Any = None, **request: Any) -> dict[str, Any]:
    """What a page of these draws would say, with an answer of one sentence."""
    findings = Findings(Answer(("It is so.",), prediction), None, ())
    return content(draws.fit, predictor_of(draws, caller="report"), Request(**request), findings)


def test_a_page_is_called_after_its_law_unless_it_has_a_title(draws: js.Draws) -> None:
    assert said(draws)["title"] == "chinchilla: a scaling law of N and D"
    assert said(draws, title="Ours")["title"] == "Ours"
    assert said(draws)["answer"] == ["It is so."]


def test_a_prediction_of_several_rows_is_a_table_too(draws: js.Draws) -> None:
    none = said(draws)
    assert none["answers"] is none["prediction"] is None
    one = said(draws, js.predict(draws, N=1e9, D=1e10))
    assert one["answers"] is None
    assert one["prediction"]["rows"][0]["N"] == 1e9
    two = said(draws, js.predict(draws, N=[1e9, 2e9], D=1e10, level=0.8))
    assert len(two["answers"].rows) == len(two["prediction"]["rows"]) == 2
    assert two["prediction"]["level"] == 0.8


def test_of_many_groups_the_largest_are_named(runs: js.Runs, draws: js.Draws) -> None:
    labels = [f"f{k}" for k in [*range(25), *[0] * 17]]
    grouped = js.Runs.from_frame(runs.frame.assign(family=labels), group="family")
    fit = replace(draws.fit, runs=grouped)
    facts = dict(said(replace(draws, fit=fit))["data"])
    shown = facts["Rows by family"].split(", ")
    assert shown[0] == "f0 (18)"
    assert len(shown) == 21
    assert shown[-1] == "… (5 more)"
    assert "Rows by family" not in dict(said(draws)["data"])


def test_draws_that_need_a_remark_have_one(draws: js.Draws) -> None:
    plain = said(draws)["method"]
    assert plain == "Intervals by laplace: 300 draws. Standard errors are those of the fit."
    odd = replace(draws, failed=3, switched=2)
    assert said(odd)["method"].startswith(
        "Intervals by laplace: 300 draws; 3 failed and were left out; "
        "2 ended in another basin than the fit."
    )


@pytest.mark.full
def test_what_was_drawn_besides_has_a_table(fit: js.Fit, draws: js.Draws) -> None:
    assert said(draws)["extras"] is said(draws)["priors"] is None
    post = js.posterior(fit, method="importance", draws=100, seed=1)
    found = said(post)
    assert [row[0] for row in found["extras"].rows] == ["noise_scale"]
    assert [row[0] for row in found["priors"].rows] == [*fit.params.index, "noise_scale"]
    assert "Checks: pareto_k" in found["method"]


def test_symbols_are_the_laws_own_words_or_the_glossarys(draws: js.Draws) -> None:
    @js.law
    def mine(N: Any, width: Any, *, E: js.Floor, a: js.Real) -> Any:
        """Say something.

        Parameters
        ----------
        a
            What `a` is.
        """
        return E + a * N * width

    frame = draws.fit.runs.frame.assign(width=1.0)
    runs = js.Runs.from_frame(frame, width="width")
    found = said(replace(draws, fit=replace(draws.fit, law=mine, runs=runs)))["law"]
    symbols = dict(found["symbols"])
    assert symbols["a"] == "What `a` is."
    assert symbols["width"] == "an input"
    assert "parameters" in symbols["N"]
    assert found["doc"][0] == "Say something."
    assert found["source"] == "not stated"


def test_a_loaded_fit_of_another_version_says_by_which_the_page_is_made(draws: js.Draws) -> None:
    assert "page made by jscale" not in dict(said(draws)["made"])
    old = replace(draws.fit, provenance={**draws.fit.provenance, "jscale": "0.0.1"})
    made = dict(said(replace(draws, fit=old))["made"])
    assert made["jscale"] == "0.0.1"
    assert made["page made by jscale"] == js.__version__


@pytest.mark.full
def test_the_data_and_what_was_left_out():
    table = js.simulate("chinchilla", CHINCHILLA, SURFACE, noise=0.005, seed=3).frame
    table.loc[5, "loss"] = np.nan
    with pytest.warns(js.DataWarning, match="1 of 42 rows were left out"):
        runs = js.Runs.from_frame(table, invalid="drop", source="mine.csv", count="non_embedding")
    fit = js.fit("chinchilla", runs)
    page = report(fit, js.laplace(fit, 100))
    facts = dict(page.content["data"])
    assert facts["Source"] == "mine.csv"
    assert facts["Rows fitted"] == "41, from 41 independent runs"
    assert facts["Rows left out"] == "1"
    assert facts["Held-out rows"] == "none"
    assert facts["Range of N"] == "10⁸ to 10¹⁰ parameters"
    assert facts["Unit of the output"] == "nats"
    assert facts["Parameter count"] == "without embeddings"
    assert facts["Data digest"] == runs.digest
    assert page.content["dropped"]["rows"] == [["5", "loss: missing (NaN)"]]
    assert "loss: missing (NaN)" in Page(page.html).of("data")
    assert "No runs were held out" in Page(page.html).of("held-out")


def test_estimates_and_exact_parameters(fit, draws, page):
    exact = dict(page.content["exact"])
    assert {name: float(text) for name, text in exact.items()} == fit.params.to_dict()
    assert exact["E"] == f"{fit.params['E']:.17g}"
    row = dict(
        zip(
            page.content["estimates"]["headings"], page.content["estimates"]["rows"][2], strict=True
        )
    )
    assert row["parameter"] == "alpha"
    assert float(row["estimate"]) == pytest.approx(fit.params["alpha"], rel=5e-3)
    assert float(row["standard error"]) == pytest.approx(fit.stderr["alpha"], rel=5e-3)
    low, high = map(float, row["90% interval"].split(" to "))
    assert [low, high] == pytest.approx(draws.interval(0.9).loc["alpha"].tolist(), rel=5e-3)
    made = dict(page.content["made"])
    assert made["Data digest"] == fit.runs.digest
    assert made["jax"] == fit.provenance["jax"]
    assert made["Seed of the starts"] == "0"
    assert "seed = 0" in made["Draws"]


def test_a_law_is_described_by_its_docstring(fit, page):
    law = page.content["law"]
    assert law["formula"] == f"loss = {fit.law.formula}"
    assert [name for name, _ in law["symbols"]] == [*fit.law.inputs, *fit.law.names]
    assert all(meaning for _, meaning in law["symbols"])
    assert law["doc"][0] == fit.law.doc.splitlines()[0]
    assert not any("`" in text or "---" in text for text in law["doc"])
