"""jscale report: the page that it writes, what it prints, and what it refuses."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.running import FAST, told


@pytest.mark.full
def test_report_writes_the_page_and_says_what_is_in_it(jscale, runs_csv, table):
    code, out, err = jscale("report", runs_csv, *FAST, "--about", "data=English <web> text")
    assert (code, err) == (0, "")
    held = (table["split"] == "holdout").sum()
    assert out.startswith("Runs: runs.csv\n\nAt C = ")
    assert "90% confidence interval of the curve" in told(out)
    assert f"{held} held-out runs, up to" in told(out)
    assert out.endswith("Wrote report.html\n")
    assert sorted(os.listdir()) == ["report.html", "runs.csv"]
    page = Path("report.html").read_text(encoding="utf-8")
    assert "English &lt;web&gt; text" in page
    again = "jscale report runs.csv --resamples 40 --starts 8 --about"
    assert f"<pre>{again} &#39;data=English &lt;web&gt; text&#39;</pre>" in page


@pytest.mark.full
def test_report_as_json_at_a_point(jscale, runs_csv):
    code, out, _ = jscale(
        "report",
        runs_csv,
        *FAST,
        "--at",
        "N=7B,D=140B",
        "--at",
        "N=1B,D=20B",
        "-o",
        "mine.html",
        "--title",
        "Mine",
        "--json",
    )
    assert code == 0
    document = json.loads(out)
    assert document["title"] == "Mine"
    assert document["answer"][0].startswith(
        "At N = 7×10⁹ and D = 1.4×10¹¹ the forecast (chinchilla with its discrepancy) predicts"
    )
    assert len(document["answers"]["rows"]) == 2
    assert document["files"] == {"report": "mine.html"}
    assert Path("mine.html").is_file()


@pytest.mark.full
def test_report_takes_the_choices_of_a_fit(jscale, runs_csv):
    code, out, _ = jscale(
        "report",
        runs_csv,
        *FAST,
        "--fix",
        "B=410.7",
        "--per",
        "E=family",
        "--objective",
        "pseudo_huber",
        "--seed",
        "2",
        "--json",
    )
    assert code == 0
    document = json.loads(out)
    assert {"E[gpt]", "E[7B]"} <= {name for name, _ in document["exact"]}
    items = {item["key"]: item["statement"] for item in document["checklist"]}
    assert items["assumptions"] == "B = 410.7 fixed; E has one value per family."
    assert items["objective"].startswith("pseudo_huber")
    assert items["seed"] == "2 for the starts, 2 for the draws."


@pytest.mark.full
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--about", "dta=x"], "about has no item 'dta'. Did you mean 'data'?"),
        (["--about", "data"], "--about 'data' must read NAME=VALUE, such as --about data="),
        (["-o", "none/report.html"], "The folder 'none' does not exist; create it first"),
        (["--law", "chinchila"], "no law 'chinchila'. Did you mean 'chinchilla'?"),
        (["--level", "2"], "level=2.0 must lie strictly between 0 and 1"),
        (["--at", "N=7B"], "D is missing"),
    ],
)
def test_report_says_what_is_wrong(jscale, runs_csv, arguments, message):
    code, out, err = jscale("report", runs_csv, *FAST, *arguments)
    assert (code, out) == (2, "")
    assert message in told(err)
    assert os.listdir() == ["runs.csv"]


@pytest.mark.full
def test_a_page_that_exists_is_kept(jscale, runs_csv):
    Path("report.html").write_text("mine")
    code, _, err = jscale("report", runs_csv, "--law", "nonsense")
    assert code == 2
    assert "'report.html' exists already" in told(err)
    assert Path("report.html").read_text() == "mine"
    assert jscale("report", runs_csv, *FAST, "--force")[0] == 0
