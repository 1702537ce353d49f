"""The checklist of a study: filled in from a fit, stated by its author, or missing."""

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


def items_of(draws: js.Draws, **more: object) -> dict[str, Item]:
    return {item.key: item for item in checklist(draws.fit, draws, **more)}


def test_the_four_parts_in_order(draws):
    items = checklist(draws.fit, draws)
    assert [item.key for item in items] == list(ITEMS)
    parts = list(dict.fromkeys(item.part for item in items))
    assert parts == ["Hypothesis", "Training setup", "Data collection", "Fitting"]


def test_what_a_fit_knows(draws):
    items = items_of(draws)
    expected = {
        "form": "loss = E + A/N^alpha + B/D^beta, a law of N and D.",
        "parameters": "E, A, alpha, B and beta; 5 free values.",
        "principle": "arXiv:2203.15556",
        "assumptions": "Nothing fixed or tied; the same law for all runs.",
        "models": "42 independent runs: N from 10⁸ to 10¹⁰ and D from 2×10⁹ to 2×10¹¹.",
        "compute": "C = 6·N·D.",
        "metric": "loss (nats).",
        "objective": "huber(delta=0.001, space='log'), as a sum over rows.",
        "bounds": "Those of the parameters' roles: E, A, alpha, B and beta positive.",
        "dropped": "None.",
        "uncertainty": "laplace, 100 draws.",
        "seed": "7 for the starts, 5 for the draws.",
    }
    assert {key: items[key].statement for key in expected} == expected
    assert {items[key].by for key in expected} == {"fit"}
    agree, count = draws.fit.agree
    assert items["starts"].statement.startswith(
        f"{count} starts (drawn from the ranges of the parameters' roles); {agree} agree"
    )


@pytest.mark.parametrize(
    "key",
    [
        "data",
        "architecture",
        "hyperparameters",
        "schedule",
        "code",
        "evaluation",
        "processing",
        "values",
        "counting",
        "repetition",
        "checkpoints",
        "validation",
    ],
)
def test_what_nobody_stated(draws, key):
    item = items_of(draws)[key]
    assert (item.statement, item.by) == (NOT_STATED, "")


def test_what_the_author_states(draws):
    items = items_of(
        draws, about={"architecture": " decoder-only ", "models": "All of one recipe."}
    )
    assert (items["architecture"].statement, items["architecture"].by) == ("decoder-only", "author")
    assert items["models"].statement.startswith("42 independent runs")
    assert items["models"].statement.endswith("All of one recipe.")


def test_what_is_fixed_tied_and_per_group(table):
    fit = js.fit(
        "chinchilla",
        table,
        fixed={"B": 410.7},
        tie=("alpha", "beta"),
        starts=8,
        per={"E": "family"},
    )
    text = items_of(js.laplace(fit, 50))["assumptions"].statement
    assert text == "B = 410.7 fixed; alpha = beta tied; E has one value per family."


def test_the_convention_of_counting_compute_and_repetition(table):
    table = table.assign(U=1e10, C=table["C"] * 0.9)
    fit = js.fit("chinchilla", js.Runs.from_frame(table, count="non_embedding"), starts=8)
    items = items_of(js.laplace(fit, 50))
    assert items["counting"].statement == "Without embeddings."
    assert items["compute"].statement == "C is 0.9 to 0.9 times 6·N·D."
    assert items["repetition"].statement == "Up to 20 epochs over the same data."
    once = js.fit("chinchilla", js.Runs.from_frame(table.assign(U=1e12)), starts=8)
    assert items_of(js.laplace(once, 50))["repetition"].statement == "No data are repeated."


def test_several_rows_per_run_rows_left_out_and_held_out_runs(table):
    table = table.assign(name=np.arange(42) // 2)
    table.loc[3, "loss"] = np.nan
    with pytest.warns(js.DataWarning, match="left out"):
        runs = js.Runs.from_frame(table, run="name", invalid="drop")
    draws = js.laplace(js.fit("chinchilla", runs, starts=8), 50)
    held = check_held_out(draws, table.iloc[-4:], 0.9)
    items = items_of(draws, held_out=held)
    assert items["checkpoints"].statement == "41 rows of 21 runs: several per run."
    assert items["dropped"].statement == "1 of 42 rows were left out, as listed above."
    assert items["validation"].statement.startswith("4 rows of 2 held-out runs")


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"shedule": "cosine"}, r"no item 'shedule'\. Did you mean 'schedule'\? Use form, param"),
        ({"data": ""}, r"about\['data'\]='' must be a text; omit the key"),
        ({"data": 3}, r"about\['data'\]=3 must be a text"),
        ("cosine", "about='cosine' must map items of the checklist to texts"),
    ],
)
def test_statements_that_cannot_be_taken(draws, about, message):
    with pytest.raises(js.JscaleError, match=message):
        checklist(draws.fit, draws, about=about)
