"""Requests: what the options of a command become before its work starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jscale.cli import fitting, report, run_planning, uncertainty
from jscale.cli.app import main
from jscale.cli.requests import Intervals, Output, RunTable, Sampling


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[Any, ...]]:
    """What each command's work is given, instead of being done."""
    given: dict[str, tuple[Any, ...]] = {}
    work = [
        (fitting, "fit_and_report"),
        (report, "write_report"),
        (uncertainty, "bootstrap"),
        (uncertainty, "posterior"),
        (run_planning, "plan"),
    ]
    for module, name in work:
        monkeypatch.setattr(module, name, lambda *given_, name=name: given.update({name: given_}))
    return given


def test_fit_hands_its_options_on_as_objects(handed: dict[str, tuple[Any, ...]]) -> None:
    arguments = ["-c", "N=params", "--run", "id", "--drop-invalid", "--level", "0.8", "--json"]
    assert main(["fit", "runs.csv", *arguments, "--resamples", "50", "-o", "a.json"]) == 0
    law, table, choices, intervals, output, plot = handed["fit_and_report"]
    assert law == "chinchilla"
    columns = {"N": "params", "run": "id"}
    assert table == RunTable(Path("runs.csv"), columns, None, "drop")
    assert (choices["seed"], choices["starts"]) == (0, "auto")
    assert intervals == Intervals(0.8, 0, resamples=50)
    assert (output, plot) == (Output(True, Path("a.json")), Path("a.png"))


def test_a_report_repeats_its_command(handed: dict[str, tuple[Any, ...]]) -> None:
    assert main(["report", "--at", "N=70B,D=1.4T", "--at", "C=1e24", "--title", "A b"]) == 0
    page = handed["write_report"][3]
    assert page.points == [{"N": "70B", "D": "1.4T"}, {"C": "1e24"}]
    assert page.command == "jscale report --at N=70B,D=1.4T --at C=1e24 --title 'A b'"


def test_draws_go_where_they_are_told(handed: dict[str, tuple[Any, ...]]) -> None:
    assert main(["posterior", "fit.json", "--pool", "E=family", "-o", "d.nc", "--force"]) == 0
    file, sampling, intervals, output = handed["posterior"]
    pool = {"E": "family"}
    assert sampling == Sampling("student_t", "auto", pool, None, 1000, 1000, 4)
    assert (file, intervals) == (Path("fit.json"), Intervals(0.9, 0))
    assert output == Output(False, Path("d.nc"), force=True)


def test_a_plan_has_its_limits_and_budgets(handed: dict[str, tuple[Any, ...]]) -> None:
    arguments = ["--flops", "1e21", "--bound", "D=..2T", "--set", "U=1T", "--method", "laplace"]
    assert main(["plan", "fit.json", *arguments]) == 0
    _, budgets, given, intervals, _ = handed["plan"]
    assert (budgets.flops, budgets.bounds, given) == (["1e21"], {"D": "..2T"}, {"U": "1T"})
    assert intervals == Intervals(0.9, 0, "laplace")
