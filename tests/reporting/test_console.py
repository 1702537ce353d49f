"""What the command line prints: whole at 80 columns, with no text read as markup."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import jscale as js
from jscale.reporting import console as show_in
from jscale.reporting.held_out import missed


def printed(what: object) -> str:
    screen = Console(width=80, highlight=False, emoji=False, record=True, quiet=False)
    with screen.capture() as capture:
        screen.print(what)
    return capture.get()


@pytest.mark.parametrize(
    ("value", "text"), [(1.23456e24, "1.235e+24"), (-0.012345, "-0.01235"), (7.0, "7")]
)
def test_number(value, text):
    assert show_in.number(value) == text


def test_table_shows_brackets_as_they_are():
    frame = pd.DataFrame({"[b]x": [1.0], "text": ["[red]"]}, index=["E[gpt]"])
    lines = printed(show_in.table_of(frame, index="parameter")).splitlines()
    assert lines[0].split() == ["parameter", "[b]x", "text"]
    assert lines[1].split() == ["E[gpt]", "1", "[red]"]


def test_row_labels_are_shown_only_when_named():
    assert "row" not in printed(show_in.table_of(pd.DataFrame({"x": [1]}, index=["row"])))


def test_numbers_are_never_folded():
    frame = pd.DataFrame([[1.234e-10] * 6 + ["a long text " * 8]], columns=list("abcdefg"))
    lines = printed(show_in.table_of(frame)).splitlines()
    assert lines[1].split()[:6] == ["1.234e-10"] * 6
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("width", [80, 40])
def test_intervals_break_between_numbers_only(width):
    frame = pd.DataFrame({"text": ["a long text " * 8], "90%": ["1.234e-10 to 1.235e-10"] * 1})
    frame = frame.assign(change="+12.34567%")
    screen = Console(width=width, highlight=False)
    with screen.capture() as capture:
        screen.print(show_in.table_of(frame))
    words = capture.get().split()
    assert {"1.234e-10", "to", "1.235e-10", "+12.34567%"} <= set(words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Use more starts (starts=256), or", "Use more starts (--starts 256), or"),
        ("fix one: fixed={'E': …}.", "fix one: --fix E=…."),
        ('fixed={"E": 1.0}', "--fix E=1.0"),
        ('per={"E": "<column>"}', "--per E=<column>"),
        ('tie=("alpha", "beta")', "--tie alpha,beta"),
        ("fixed={'E': …}, tie=(…), or", "--fix E=…, --tie …, or"),
        (
            "Prefer bootstrap errors: js.bootstrap(fit).",
            "Prefer bootstrap errors: those of `jscale predict --method bootstrap`.",
        ),
        (
            "compare the fit without them: runs.where(…).",
            "compare the fit without them: delete their rows from the table.",
        ),
        ("Leave those rows out: runs.where(runs['N'] > 0).", "Leave those rows out of the table."),
        ("rows out: runs.where(runs.frame['a'].notna()).", "rows out of the table."),
        ("rows out with runs.where(…), or", "rows out of the table, or"),
        ('Say so: loss_unit="perplexity" (or', "Say so: --loss-unit perplexity (or"),
        ("logged twice, use df.drop_duplicates(); if", "logged twice, delete all but one; if"),
        ('name it: run="<column>".', "name it: --run <column>."),
        ('df.drop(columns="flop").', "delete the column flop."),
        ("compute it from df.astype(float).", "compute it from floating-point numbers."),
        ("with reasons in runs.dropped.", "with reasons in the saved fit."),
        ("look at plots.residuals, try", "look at the residuals in the picture, try"),
        ("make one with js.save(fit, path).", "make one with `jscale fit`."),
        ('out with Runs.from_frame(..., invalid="drop").', "out with --drop-invalid."),
        ("column: Runs.from_frame(df, C='flops').", "column: --column C=flops."),
        ("Call predict(fit, N=…, D=…).", "Say --at N=…,D=…."),
    ],
)
def test_python_calls_become_options(text, words):
    assert show_in.in_cli_words(text) == words


def test_records_are_exact_and_standard():
    frame = pd.DataFrame(
        {"x": [1e-20, np.nan], "n": [2**60, 1], "t": ["a", None], "b": [True, False]}
    )
    first, second = json.loads(json.dumps(show_in.records(frame), allow_nan=False))
    assert first == {"x": 1e-20, "n": 2**60, "t": "a", "b": True}
    assert (second["x"], second["t"]) == (None, None)


@pytest.fixture(scope="module")
def prediction() -> js.Prediction:
    runs = js.simulate(
        "power_const",
        {"E": 1.7, "A": 900, "alpha": 0.15},
        {"C": np.geomspace(1e17, 1e22, 30)},
        noise=0.01,
    )
    draws = js.laplace(js.fit("power_const", runs, starts=16), 100)
    return js.predict(draws, C=[1e18, 2e22], level=0.8)


def test_prediction_table_writes_intervals(prediction):
    table = show_in.prediction_table(prediction)
    assert list(table) == ["C", "curve", "80% curve", "80% new run", "C/max C"]
    low, high = prediction.frame[["confidence_low", "confidence_high"]].iloc[0]
    assert table["80% curve"].iloc[0] == f"{low:.4g} to {high:.4g}"
    assert table["C/max C"].tolist() == ["0.0001×", "2×"]


def test_held_out_table_marks_what_lies_inside(prediction):
    curve = prediction.frame["curve"].to_numpy()
    measured = prediction.frame.assign(measured=curve * [1.001, 1.5])
    table = show_in.held_out_table(replace(prediction, frame=measured))
    assert list(table) == ["C", "measured", "predicted", "error", "80% interval", "inside"]
    assert table["inside"].tolist() == ["yes", "no"]
    assert table["error"].tolist() == ["-0.10%", "-33.33%"]
    alone = replace(prediction, frame=prediction.frame.assign(curve=measured["measured"]))
    both = show_in.held_out_table(replace(prediction, frame=measured), alone)
    assert both["law alone"].tolist() == ["+0.00%", "+0.00%"]


@pytest.mark.parametrize(("inside", "warned"), [(0, True), (1, True), (2, False), (4, False)])
def test_missed_held_out_runs_are_a_caution(inside: int, warned: bool) -> None:
    """Of 4 at 90%, at most 1 inside has probability 0.0037, at most 2 has 0.0523."""
    screen = Console(width=200)
    with screen.capture() as capture:
        miss = missed(np.arange(4) < inside, None, 0.9)
        show_in.print_missed(screen, js.laws.get("chinchilla"), miss, True)
    assert ("held-out-missed" in capture.get()) == warned
    assert ("--law farseer" in capture.get()) == warned


def test_a_forecast_that_misses_asks_what_changed() -> None:
    screen = Console(width=200)
    with screen.capture() as capture:
        miss = missed(np.zeros(4, dtype=bool), None, 0.9)
        show_in.print_missed(screen, js.laws.get("chinchilla"), miss, False)
    assert "Something changed on the way" in capture.get()
    assert "--law" not in capture.get()
