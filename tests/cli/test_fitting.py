"""jscale fit, show and predict: what they print, write, and refuse."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js
from tests.cli.running import FAST, PNG, told


@pytest.mark.full
def test_fit_prints_and_writes(jscale, runs_csv, table):
    code, out, err = jscale("fit", runs_csv, *FAST, "--level", "0.8")
    assert (code, err) == (0, "")
    assert "chinchilla: loss = E + A/N^alpha + B/D^beta" in out
    assert "8 of 8 starts agree" in out
    assert "chinchilla alone: mean absolute error" in out
    assert "Wrote fit.json and fit.png" in out
    assert sorted(os.listdir()) == ["fit.json", "fit.png", "runs.csv"]
    fit = js.load("fit.json")
    assert len(fit.runs) == (table["split"] == "fit").sum()
    assert fit.runs.source == "runs.csv"


@pytest.mark.full
def test_fit_without_held_out_runs(jscale, table):
    table.drop(columns="split").to_csv("runs.csv", index=False)
    code, out, _ = jscale("fit", "runs.csv", *FAST)
    assert code == 0
    assert "42 rows" in out
    assert "Held-out" not in out


@pytest.mark.full
def test_fit_passes_every_choice_on(jscale, runs_csv):
    code, _, _ = jscale(
        "fit",
        runs_csv,
        "--resamples",
        "40",
        "--starts",
        "4",
        "--seed",
        "3",
        "--fix",
        "B=410.7",
        "--tie",
        "alpha, beta",
        "--per",
        "E=family",
        "--group",
        "family",
        "--objective",
        "pseudo_huber",
        "-o",
        "mine.json",
        "--plot",
        "mine.pdf",
    )
    assert code == 0
    settings, runs = js.load("mine.json").settings, js.load("mine.json").runs
    assert (settings.starts, settings.seed) == (4, 3)
    assert dict(settings.fixed) == {"B": 410.7}
    assert settings.tie == ("alpha", "beta")
    assert dict(settings.per) == {"E": "family"}
    assert settings.objective == js.pseudo_huber()
    assert runs.group == "family"
    assert Path("mine.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.full
def test_a_label_in_brackets_is_shown(jscale, runs_csv):
    _, out, _ = jscale("fit", runs_csv, *FAST, "--per", "E=family")
    assert "E[gpt]" in out
    assert "E[7B]" in out


@pytest.mark.full
def test_a_doubt_that_only_the_fit_has_is_told_once(jscale, table):
    together = table.assign(D=20 * table["N"]).drop(columns=["C", "split"])
    together.assign(loss=np.linspace(3.0, 2.0, 42)).to_csv("runs.csv", index=False)
    _, out, err = jscale("fit", "runs.csv", *FAST)
    assert "inputs-move-together" in out
    assert "move together" not in err


@pytest.mark.full
@pytest.mark.parametrize("taken", ["fit.json", "fit.png"])
def test_outputs_that_exist_are_kept(jscale, runs_csv, taken):
    """Refused before any work: even a law that is not known goes unnoticed."""
    Path(taken).write_text("mine")
    code, _, err = jscale("fit", runs_csv, "--law", "nonsense", *FAST)
    assert code == 2
    assert f"'{taken}' exists already. Choose another name" in told(err)
    assert "--force on the command line" in told(err)
    assert sorted(os.listdir()) == sorted([taken, "runs.csv"])
    assert Path(taken).read_text() == "mine"
    assert jscale("fit", runs_csv, *FAST, "--force")[0] == 0
    assert Path("fit.png").read_bytes().startswith(PNG)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "none/fit.json"], "The folder 'none' does not exist; create it first"),
        (
            ["-o", "fit.png"],
            "The fit and the plot both go to 'fit.png'; name another file by --plot",
        ),
        (["--plot", "fit.xyz"], "'fit.xyz' has an unknown type '.xyz'; give --plot a name that"),
        (["--level", "90"], "level=90.0 must lie strictly between 0 and 1, such as 0.9"),
        (["--law", "chinchila"], "no law 'chinchila'. Did you mean 'chinchilla'?"),
        (
            ["-c", "N=siz"],
            "Its columns are: N, D, loss, C, split, family. Say which one it is: "
            "--column N=<column>.",
        ),
        (["-c", "n=N"], "--column n=N: chinchilla has no 'n'. Did you mean 'N'?"),
        (["-c", "N"], "--column 'N' must read NAME=VALUE, such as --column N=params"),
        (["--fix", "E"], "--fix 'E' must read NAME=VALUE, such as --fix E=1.69"),
        (["--fix", "E=low"], "'low' is not a number. Write it as 70e9 or 70B"),
        (["--per", "E=famly"], "Did you mean 'family'?"),
        (["--group", "famly"], "Did you mean 'family'?"),
        (["--tie", "alpha"], "names one parameter; name two or more"),
        (["--objective", "hubr"], "objective='hubr' is not known. Did you mean 'huber'?"),
        (["--loss-unit", "nat"], "loss_unit='nat' is not known. Did you mean 'nats'?"),
    ],
)
def test_fit_says_what_is_wrong(jscale, runs_csv, arguments, message):
    code, out, err = jscale("fit", runs_csv, *FAST, *arguments)
    assert (code, out) == (2, "")
    assert message in told(err)
    assert os.listdir() == ["runs.csv"]


def test_show(jscale, saved):
    code, out, err = jscale("show", saved["plain"])
    assert (code, err) == (0, "")
    assert "42 rows, 42 independent runs: N 1e+08 to 1e+10" in out
    lines = out.split("parameter ")[1].splitlines()
    assert [line.split()[0] for line in lines[1:6]] == ["E", "A", "alpha", "B", "beta"]


def test_show_as_json(jscale, saved):
    _, out, _ = jscale("show", saved["plain"], "--json")
    assert json.loads(out) == json.loads(Path(saved["plain"]).read_text())


def test_show_what_is_no_fit(jscale, runs_csv):
    code, _, err = jscale("show", runs_csv)
    assert code == 2
    assert "'runs.csv' is not JSON" in told(err)


@pytest.mark.full
def test_predict_at_points(jscale, saved):
    code, out, err = jscale(
        "predict", saved["plain"], "--at", "N=7B,D=140B", "--at", "N=1e9,D=20_000M"
    )
    assert (code, err) == (0, "")
    assert "chinchilla: loss, by chinchilla with its discrepancy" in out
    assert "90% new run" in out
    fit = js.load(saved["plain"])
    expected = js.predict(fit, N=[7e9, 1e9], D=[1.4e11, 2e10]).frame["curve"]
    assert [line.split()[2] for line in out.splitlines()[2:4]] == [f"{v:.4g}" for v in expected]


def test_predict_within_the_law_by_a_method_that_is_named(jscale, saved):
    code, out, err = jscale(
        *("predict", saved["plain"], "--at", "N=7B,D=140B", "--at", "N=1e9,D=20_000M"),
        *("--method", "laplace"),
    )
    assert (code, err) == (0, "")
    assert "chinchilla: loss, by laplace, within the law" in out
    fit = js.load(saved["plain"])
    expected = fit.law(np.array([7e9, 1e9]), np.array([1.4e11, 2e10]), **fit.params)
    assert [line.split()[2] for line in out.splitlines()[2:4]] == [f"{v:.4g}" for v in expected]


def predicted(jscale: Any, *arguments: str) -> list[dict[str, Any]]:
    code, out, _ = jscale("predict", *arguments, "--json")
    assert code == 0
    return json.loads(out)["predictions"]


def test_predict_as_json_is_exact(jscale, saved):
    (row,) = predicted(jscale, saved["plain"], "--at", "N=7B,D=140B", "--method", "laplace")
    frame = js.predict(js.load(saved["plain"]), N=7e9, D=1.4e11, method="laplace").frame
    assert row == frame.iloc[0].to_dict()


def test_predict_point_alone(jscale, saved):
    (row,) = predicted(jscale, saved["plain"], "--at", "N=7B,D=140B", "--method", "none")
    assert set(row) == {"N", "D", "curve", "extrapolation"}


def test_predict_a_table(jscale, saved, runs_csv, table):
    rows = predicted(jscale, saved["plain"], "--table", runs_csv, "--method", "none")
    assert [row["N"] for row in rows] == table["N"].tolist()


@pytest.mark.full
def test_predict_for_a_label_that_reads_like_a_number(jscale, saved):
    at = ["--at", "N=7B,D=140B,family=7B", "--at", "N=7B,D=140B,family=gpt"]
    rows = predicted(jscale, saved["families"], *at, "--method", "none")
    assert [row["family"] for row in rows] == ["7B", "gpt"]


@pytest.mark.full
def test_predict_far_out_warns(jscale, saved):
    code, _, err = jscale("predict", saved["plain"], "--at", "N=70B,D=14T", "--method", "laplace")
    assert code == 0
    assert told(err).startswith("warning: 1 of 1 predictions lie more than 10 times past")


@pytest.mark.full
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give the inputs to predict at by --at N=…,D=… or by --table FILE"),
        (
            ["--at", "N=1B,D=1B", "--table", "x.csv"],
            "Give the inputs to predict at by --at N=…,D=… or",
        ),
        (["--at", "N=7B"], "D is missing. Say --at N=…,D=…."),
        (["--at", "N=7B,D=1B,tokens=3"], "tokens is not one of them. Say --at N=…,D=…."),
        (["--at", "N=7B, D"], "--at ' D' must read NAME=VALUE, such as --at N=70B,D=1.4T"),
        (["--at", "N=big,D=1B"], "--at N=big: 'big' is not a number. Write it as 70e9 or 70B"),
        (["--at", "N=1B,D=1B", "--at", "D=1B"], "One --at names N, D, another D; name the same"),
        (["--at", "N=1B,D=0"], "D must be a positive, finite number; it is 0.0 in row 0"),
        (["--at", "N=1B,D=1B", "--method", "nuts"], "method='nuts' is not known"),
        (["--table", "none.csv"], "'none.csv' does not exist"),
    ],
)
def test_predict_says_what_is_wrong(jscale, saved, arguments, message):
    code, out, err = jscale("predict", saved["plain"], *arguments)
    assert (code, out) == (2, "")
    assert message in told(err)


@pytest.mark.full
def test_predict_for_an_unknown_label(jscale, saved):
    code, _, err = jscale("predict", saved["families"], "--at", "N=7B,D=140B,family=gtp")
    assert code == 2
    assert "family='gtp' was not among the fitted runs. Did you mean 'gpt'?" in told(err)


def test_held_out_runs_are_forecast_alongside_the_law(jscale):
    code, out, _ = jscale("fit", *FAST, "--json")
    assert code == 0
    printed = json.loads(out)
    forecast = printed["held_out"]
    assert len(forecast) == len(printed["law_alone"]) == 10
    alone = [abs(r["curve"] / r["measured"] - 1) for r in printed["law_alone"]]
    assert sum(alone) / 10 > 0.05
    inside = [r["prediction_low"] <= r["measured"] <= r["prediction_high"] for r in forecast]
    assert sum(inside) >= 9
    errors = [abs(r["curve"] / r["measured"] - 1) for r in forecast]
    assert sum(errors) / 10 < 0.015


@pytest.mark.full
def test_without_a_discrepancy_it_says_so(jscale):
    """Scores of either sign have no discrepancy: the law alone predicts, and the reason is told."""
    C = np.geomspace(1e17, 1e21, 14)
    table = pd.DataFrame({"C": C, "score": -1.0 + 0.3 * np.log10(C / 1e17)})
    table["split"] = np.where(C > 1e20, "holdout", "fit")
    table.to_csv("s.csv", index=False)
    code, out, _ = jscale(
        *("fit", "s.csv", "--law", "log_linear", "--objective", "least_squares"), *FAST
    )
    assert code == 0
    assert "within-the-law" in out
    assert "log_linear, within the law: mean absolute error" in told(out)
