"""The command line: what a new user types, sees, and is told when it goes wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import jscale as js
from tests.cli.running import FAST, PNG, process, told

# ── In a process of its own ──────────────────────────────────────────────────────────────────


@pytest.mark.full
def test_first_command_of_the_readme():
    """Without a file, fit takes our own runs and checks itself on the held-out ones."""
    done = process("fit", "--resamples", "100")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Runs: stdlib_lm (embedded)" in done.stdout
    assert "Held-out runs, not used in the fit" in done.stdout
    assert "inside the 90% prediction interval" in told(done.stdout)
    assert Path("fit.png").read_bytes().startswith(PNG)
    table = js.datasets.load("stdlib_lm")
    assert len(js.load("fit.json").runs) == (table["split"] == "fit").sum()
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.full
def test_json_is_all_there_is_on_standard_output(table):
    frame = table.assign(C=table["C"] / 3)
    frame.to_csv("runs.csv", index=False)
    done = process("fit", "runs.csv", "--json", *FAST)
    assert done.returncode == 0
    assert "warning: C is not near 6*N*D" in told(done.stderr)
    document = json.loads(done.stdout)
    assert document["files"] == {"fit": "fit.json", "plot": "fit.png"}
    assert document["fit"] == json.loads(Path("fit.json").read_text())
    held_out = frame[frame["split"] == "holdout"]
    assert [row["measured"] for row in document["held_out"]] == held_out["loss"].tolist()


def test_errors_are_told_without_a_traceback():
    done = process("fit", "none.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: 'none.csv' does not exist; give a file of runs")
    assert "Traceback" not in done.stderr
    assert os.listdir() == []


@pytest.mark.full
def test_a_terminal_without_unicode(monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = process("laws")
    assert (done.returncode, done.stderr) == (0, "")
    assert "A?C^(-alpha)" in done.stdout
    done = process("laws", "naïve")
    assert done.returncode == 2
    assert "There is no law 'na?ve'" in done.stderr


def test_debug_shows_the_traceback():
    done = process("fit", "none.csv", "--debug")
    assert done.returncode != 0
    assert "Traceback" in done.stderr
    assert "FileError: 'none.csv' does not exist" in done.stderr


# ── laws and data ────────────────────────────────────────────────────────────────────────────


def test_unknown_law_and_data_set(jscale):
    code, _, err = jscale("laws", "farser")
    assert code == 2
    assert "There is no law 'farser'. Did you mean 'farseer'?" in told(err)
    code, _, err = jscale("data", "stdlib")
    assert code == 2
    assert "No data set is called 'stdlib'. Did you mean 'stdlib_lm'?" in told(err)
    assert "`jscale data` says what each is for" in told(err)


# ── Usage ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fti"], "No such command 'fti'. Did you mean 'fit'?"),
        (["fit", "--lawe", "x"], "No such option: --lawe"),
        (["fit", "--resamples", "1"], "Invalid value for '--resamples'"),
        (["fit", "--seed", "-1"], "Invalid value for '--seed'"),
        (["show"], "Missing argument 'file'"),
    ],
)
def test_usage_errors(jscale, arguments, message):
    code, _, err = jscale(*arguments)
    assert code == 2
    assert message.lower() in told(err).lower()
    assert "--help" in err


def test_help(jscale):
    code, out, _ = jscale("--help")
    assert code == 0
    for command in ("fit", "show", "predict", "laws", "data"):
        assert command in out
        assert jscale(command, "--help")[0] == 0


def test_version(jscale):
    assert jscale("--version") == (0, f"jscale {js.__version__}\n", "")


def test_a_fault_of_ours_is_told_as_such(jscale, runs_csv, monkeypatch):
    """An error that is not jscale's own has another exit code and asks to be reported."""
    monkeypatch.setattr(js, "fit", None)
    code, _, err = jscale("fit", runs_csv, *FAST)
    assert code == 1
    assert "error: unexpected TypeError: 'NoneType' object is not callable" in told(err)
    assert "run again with --debug" in told(err)


@pytest.mark.full
def test_no_line_is_wider_than_the_terminal(jscale, saved, runs_csv):
    commands = [
        ["fit", runs_csv, *FAST, "--per", "E=family"],
        ["show", saved["plain"]],
        ["show", saved["families"]],
        ["predict", saved["families"], "--at", "N=7B,D=1400T,family=7B", "--method", "laplace"],
        ["predict", saved["families"]],
        ["laws"],
        ["data"],
        ["data", "stdlib_lm"],
        *(["laws", name] for name in js.laws.names()),
        *([command, "--help"] for command in ("fit", "show", "predict", "laws", "data")),
        ["fit", "none.csv"],
    ]
    for command in commands:
        _, out, err = jscale(*command)
        wide = [line for line in (out + err).splitlines() if len(line) > 80]
        assert wide == [], command
