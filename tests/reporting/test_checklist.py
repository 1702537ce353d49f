"""checklist: what a study should state, filled in from a fit, stated by its author, or missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.reporting.checklist import ITEMS, NOT_STATED, Item, checklist
from jscale.reporting.held_out import check_held_out
from jscale.simulation.worlds import CHINCHILLA, grid

SURFACE = grid(np.geomspace(1e8, 1e10, 6), np.geomspace(2e9, 2e11, 7))


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    frame = js.simulate("chinchilla", CHINCHILLA, SURFACE, noise=0.005, seed=3).frame
    return frame.assign(family=np.where(np.arange(len(frame)) % 2 == 1, "gpt", "llama"))


@pytest.fixture(scope="module")
def draws(table) -> js.Draws:
    return js.laplace(js.fit("chinchilla", table, seed=7), 100, seed=5)


def said(draws: js.Draws, **more: object) -> dict[str, Item]:
    return {item.key: item for item in checklist(draws.fit, draws, **more)}


def test_the_four_parts_in_order(draws):
    items = checklist(draws.fit, draws)
    assert [item.key for item in items] == list(ITEMS)
    parts = list(dict.fromkeys(item.part for item in items))
    assert parts == ["Hypothesis", "Training setup", "Data collection", "Fitting"]


def test_what_a_fit_knows(draws):
    items = said(draws)
    expected = {
        "form": "loss = E + A/N^alpha + B/D^beta, of N and D.",
        "parameters": "E, A, alpha, B and beta; 5 free numbers.",
        "principle": "arXiv:2203.15556",
        "assumptions": "Nothing fixed or tied; one law for all runs.",
        "models": "42 independent runs: N from 10⁸ to 10¹⁰ and D from 2×10⁹ to 2×10¹¹.",
        "compute": "C = 6·N·D.",
        "metric": "loss (nats).",
        "objective": "huber(delta=0.001, space='log'), the sum over rows.",
        "bounds": "By their roles only: E, A, alpha, B and beta positive.",
        "dropped": "None.",
        "uncertainty": "laplace, 100 draws.",
        "seed": "7 for the starts, 5 for the draws.",
    }
    assert {key: items[key].said for key in expected} == expected
    assert {items[key].by for key in expected} == {"fit"}
    agree, count = draws.fit.agree
    assert items["starts"].said.startswith(
        f"{count} starts (drawn from the roles' ranges); {agree} agree"
    )


@pytest.mark.parametrize(
    "key", ["data", "architecture", "hyperparameters", "schedule", "code", "evaluation",
            "processing", "values", "counting", "repetition", "checkpoints", "validation"],
)  # fmt: skip
def test_what_nobody_stated(draws, key):
    item = said(draws)[key]
    assert (item.said, item.by) == (NOT_STATED, "")


def test_what_the_author_states(draws):
    items = said(draws, about={"architecture": " decoder-only ", "models": "All of one recipe."})
    assert (items["architecture"].said, items["architecture"].by) == ("decoder-only", "author")
    assert items["models"].said.startswith("42 independent runs")
    assert items["models"].said.endswith("All of one recipe.")


def test_what_is_fixed_tied_and_per_group(table):
    fit = js.fit("chinchilla", table, fixed={"B": 410.7}, tie=("alpha", "beta"), starts=8,
                 per={"E": "family"})  # fmt: skip
    text = said(js.laplace(fit, 50))["assumptions"].said
    assert text == "B = 410.7 fixed; alpha = beta tied; E has a value for each family."


def test_the_convention_of_counting_compute_and_repetition(table):
    table = table.assign(U=1e10, C=table["C"] * 0.9)
    fit = js.fit("chinchilla", js.Runs.from_frame(table, count="non_embedding"), starts=8)
    items = said(js.laplace(fit, 50))
    assert items["counting"].said == "Without embeddings."
    assert items["compute"].said == "C is 0.9 to 0.9 times 6·N·D."
    assert items["repetition"].said == "Data are seen up to 20 times."
    once = js.fit("chinchilla", js.Runs.from_frame(table.assign(U=1e12)), starts=8)
    assert said(js.laplace(once, 50))["repetition"].said == "No data are seen twice."


def test_several_rows_per_run_rows_left_out_and_held_out_runs(table):
    table = table.assign(name=np.arange(42) // 2)
    table.loc[3, "loss"] = np.nan
    with pytest.warns(js.DataWarning, match="left out"):
        runs = js.Runs.from_frame(table, run="name", invalid="drop")
    draws = js.laplace(js.fit("chinchilla", runs, starts=8), 50)
    held = check_held_out(draws, table.iloc[-4:], 0.9)
    items = said(draws, held_out=held)
    assert items["checkpoints"].said == "41 rows of 21 runs: several per run."
    assert items["dropped"].said == "1 of 42 rows were left out, listed above."
    assert items["validation"].said.startswith("4 rows of 2 runs that the fit did not see")


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"shedule": "cosine"}, r"no item 'shedule'\. Did you mean 'schedule'\? Use form, param"),
        ({"data": ""}, r"about\['data'\]='' must be a text; leave the key out"),
        ({"data": 3}, r"about\['data'\]=3 must be a text"),
        ("cosine", "about='cosine' must map items to what you state"),
    ],
)
def test_statements_that_cannot_be_taken(draws, about, message):
    with pytest.raises(js.JscaleError, match=message):
        checklist(draws.fit, draws, about=about)
