"""jscale plan and required: what they print, and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.cli.run_planning import _worth
from jscale.reporting.console import records
from tests.cli.running import SLOW, read, refused, told


@pytest.fixture
def jscale(by_laplace: Callable[..., tuple[int, str, str]]) -> Callable[..., tuple[int, str, str]]:
    return by_laplace


@pytest.mark.full
def test_plan_prints_the_best_choice_with_intervals(jscale, saved):
    code, out, err = jscale(
        "plan",
        saved["plain"],
        "--flops",
        "1e21",
        "--flops",
        "3e21",
        "--choose",
        "N=1B",
        "--level",
        "0.8",
    )
    assert (code, err) == (0, "")
    assert out.startswith("chinchilla: the best N and D for a budget\ncost: 6·N·D; draws: laplace")
    lines = out.splitlines()
    assert lines[3].split() == ["FLOPs", "C/max", "C", "best", "80%", "interval"]
    plan = js.allocate(js.load(saved["plain"]), [1e21, 3e21], method="laplace", level=0.8)
    row = plan.frame.iloc[0]
    assert lines[4].split()[2:] == ["N", *_cells(row, "N")]
    assert lines[6].split() == ["D/N", *_cells(row, "D/N")]
    assert lines[7].split() == ["loss", *_cells(row, "loss")]
    assert lines[8].split()[0] == "3e+21"
    best = plan.exponents.iloc[2]
    assert best["input"] == "N"
    assert (
        f"At 3e+21 FLOPs the best choice grows with the budget: N to the power "
        f"{best['exponent']:.3f} ({best['low']:.3f} to {best['high']:.3f}), D to the power "
    ) in told(out)
    low, high = plan.near_optimal().iloc[1][["N_from", "N_to"]]
    assert "Within 0.1% of the best loss lies N from" in told(out)
    assert f"{low:.4g} to {high:.4g} at 3e+21 FLOPs." in told(out)
    assert f"{100 * plan.excess(N=1e9)['worth'].iloc[1]:.3g}%" in out
    assert max(map(len, lines)) <= 80


def _cells(row: pd.Series, name: str) -> list[str]:
    low, high = f"{row[f'{name}_low']:.4g}", f"{row[f'{name}_high']:.4g}"
    return [f"{row[name]:.4g}", low, "to", high]


@pytest.mark.full
def test_plan_as_json_is_that_of_python(jscale, saved):
    document = read(
        jscale(
            "plan",
            saved["plain"],
            "--flops",
            "1E",
            "--flops",
            "1e21",
            "--flops",
            "1e18",
            "--choose",
            "N=1B",
            "--choose",
            "N=0.5B",
            "--seed",
            "4",
            "--json",
        )
    )
    plan = js.allocate(js.load(saved["plain"]), [1e18, 1e21], method="laplace", seed=4)
    assert document["plan"] == records(plan.frame)
    assert document["exponents"] == records(plan.exponents)
    assert document["near_optimal"] == records(plan.near_optimal())
    assert document["choices"] == records(pd.concat([plan.excess(N=1e9), plan.excess(N=5e8)]))
    assert document["notes"] == [records(pd.DataFrame([vars(n)]))[0] for n in plan.notes]
    assert [document[x] for x in ("law", "output", "cost", "unit", "level", "seed")] == [
        "chinchilla",
        "loss",
        "6·N·D",
        "FLOPs",
        0.9,
        4,
    ]


@pytest.mark.full
def test_plan_with_dollars_limits_and_a_label(jscale, saved):
    document = read(
        jscale(
            "plan",
            saved["families"],
            "--dollars",
            "1000",
            "--cost",
            "dollars:price=2,flops=1e15",
            "--bound",
            "D=1e8..1e11",
            "--set",
            "family=7B",
            "--json",
        )
    )
    plan = js.allocate(
        js.load(saved["families"]),
        1000.0,
        cost=js.costs.dollars(2.0, flops=1e15),
        bounds={"D": (1e8, 1e11)},
        method="laplace",
        family="7B",
    )
    assert document["plan"] == records(plan.frame)
    assert document["unit"] == "dollars"


@pytest.mark.full
def test_plan_with_data_up_to_a_limit(jscale, saved):
    """An open end is as good as one far past the runs; the notes say that the limit decides."""
    arguments = ["plan", saved["plain"], "--flops", "1e21"]
    code, out, _ = jscale(*arguments, "--bound", "D=..1B")
    assert code == 0
    assert "warning: no-interior-optimum. At 1 of 1 budgets the best N is the smallest" in told(out)
    (row,) = read(jscale(*arguments, "--bound", "D=..1B", "--json"))["plan"]
    assert row["D"] == pytest.approx(1e9)
    (free,) = read(jscale(*arguments, "--json"))["plan"]
    (loose,) = read(jscale(*arguments, "--bound", "D=1e6..", "--json"))["plan"]
    assert loose["N"] == pytest.approx(free["N"], rel=1e-6)


def test_what_another_choice_is_worth_is_said():
    assert _worth(float("nan"), float("nan")) == "not affordable"
    assert _worth(3.0, float("nan")) == "less than a millionth"
    assert _worth(3.0, 0.5) == "50%"


@pytest.mark.full
def test_plan_far_out_warns(jscale, saved):
    code, out, err = jscale("plan", saved["plain"], "--flops", "1e24", "--json")
    assert code == 0
    assert told(err).startswith("warning: 1 of 1 budgets lie more than 10 times past")
    assert json.loads(out)["plan"][0]["C"] == 1e24


@pytest.mark.full
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give the budget, such as --flops 1e24."),
        (["--cost", "dollars:price=2,flops=1e15"], "Give the budget, such as --dollars 1e6."),
        (
            ["--dollars", "1e6"],
            "The cost 6·N·D is in FLOPs: give the budget by --flops, not by "
            "--dollars. A cost in dollars is --cost dollars:price=2,flops",
        ),
        (
            ["--flops", "1e24", "--cost", "dollars:price=2,flops=1e15"],
            "The cost dollars of 6·N·D is in dollars: give the budget by --dollars, not by --flops.",
        ),
        (["--flops", "much"], "--flops much: 'much' is not a number. Write it as 70e9 or 70B"),
        (["--flops", "0"], "--flops 0 must be a positive number"),
        (["--flops", "1e21", "--bound", "D"], "--bound 'D' must read NAME=VALUE, such as --bound "),
        (
            ["--flops", "1e21", "--bound", "D=2e12"],
            "--bound D=2e12 must read LOW..HIGH, such as 1e9..2e12, or ..2e12.",
        ),
        (["--flops", "1e21", "--bound", "D=.."], "--bound D=.. must read LOW..HIGH"),
        (["--flops", "1e21", "--bound", "D=2e12..1e9"], "D=2e12..1e9 must rise from one positive "),
        (["--flops", "1e21", "--bound", "D=-1..1e9"], "D=-1..1e9 must rise from one positive "),
        (["--flops", "1e21", "--bound", "D=a..1e9"], "--bound D=a..1e9: 'a' is not a number"),
        (["--flops", "1e21", "--bound", "M=..1e9"], "limits apply to what is chosen, N and D"),
        (["--flops", "1e21", "--bound", "D=..1e9", "--bound", "D=1e3.."], "--bound names D twice"),
        (["--flops", "1e21", "--bound", "N=1e9..2e9,D=1e9..2e9"], "is not met within the bounds"),
        (["--flops", "1e21", "--set", "N=7B"], "N is the unknown; leave it out"),
        (["--flops", "1e21", "--set", "U=7B"], "--set U=7B: chinchilla takes no more here."),
        (["--flops", "1e21", "--set", "U"], "--set 'U' must read NAME=VALUE, such as --set N=7B"),
        (["--flops", "1e21", "--choose", "D=7B"], "--choose D=…: choose a size, --choose N=7B"),
        (["--flops", "1e21", "--choose", "N=big"], "--choose N=big: 'big' is not a number"),
        (["--flops", "1e21", "--choose", "N=0"], "--choose N=0 must be a positive number"),
        (["--flops", "1e21", "--choose", "7B"], "--choose '7B' must read NAME=VALUE, such as "),
        (["--flops", "1e21", "--level", "90"], "level=90.0 must lie strictly between 0 and 1"),
        (["--flops", "1e21", "--method", "nuts"], "method='nuts' is not known"),
    ],
)
def test_plan_says_what_is_wrong(jscale, saved, arguments, message):
    refused(jscale("plan", saved["plain"], *arguments), message)


def test_plan_of_other_files(jscale, saved):
    refused(jscale("plan", "none.json", "--flops", "1e21"), "'none.json' cannot be read")
    refused(
        jscale("plan", saved["slow"], "--flops", "1e21"),
        "`jscale plan` chooses N and D, but power_const is of C. In Python, js.allocate takes",
    )
    families = ["plan", saved["families"], "--flops", "1e21"]
    refused(jscale(*families), "chinchilla: family is missing. Add --set family=….")
    refused(jscale(*families, "--set", "famly=gpt"), "takes family here. Did you mean 'family'?")
    refused(jscale(*families, "--set", "family=gtp"), "Did you mean 'gpt'?")


def test_required_prints_what_a_loss_takes(jscale, saved):
    code, out, err = jscale(
        "required", saved["plain"], "D", "--loss", "2.4", "--loss", "1.2", "--set", "N=7B"
    )
    assert (code, err) == (0, "")
    assert "chinchilla: the least D for a loss, by laplace" in out
    frame = js.required(
        js.load(saved["plain"]), "D", loss=[2.4, 1.2], N=7e9, method="laplace"
    ).frame
    lines = [line.split() for line in out.splitlines() if line.split()[:1] in (["2.4"], ["1.2"])]
    first = frame.iloc[0]
    assert lines[0] == [
        "2.4",
        "7e+09",
        f"{first['estimate']:.4g}",
        f"{first['low']:.4g}",
        "to",
        f"{first['high']:.4g}",
        "100%",
    ]
    assert lines[1][2] == "inf"
    assert "warning: out-of-reach. No D reaches a loss of 1.2 at the estimate." in told(out)
    assert max(map(len, out.splitlines())) <= 80


def test_required_as_json_is_that_of_python(jscale, saved):
    document = read(
        jscale(
            "required",
            saved["plain"],
            "N",
            "--loss",
            "2.4",
            "--target",
            "1.2",
            "--set",
            "D=100B",
            "--seed",
            "2",
            "--level",
            "0.8",
            "--json",
        )
    )
    answer = js.required(
        js.load(saved["plain"]), "N", loss=[2.4, 1.2], D=1e11, method="laplace", seed=2, level=0.8
    )
    assert document["required"] == records(answer.frame)
    assert document["required"][1]["estimate"] is None
    assert [note["code"] for note in document["notes"]] == ["out-of-reach"]
    assert (document["variable"], document["output"], document["method"]) == (
        "N",
        "loss",
        answer.method,
    )


def test_required_compute_and_of_a_family(jscale, saved):
    (row,) = read(jscale("required", saved["slow"], "C", "--loss", "4.0", "--json"))["required"]
    assert row["estimate"] == pytest.approx((SLOW["A"] / 2.5) ** 10, rel=0.05)
    arguments = ["required", saved["families"], "D", "--loss", "2.4", "--set", "N=7B,family=gpt"]
    (row,) = read(jscale(*arguments, "--json"))["required"]
    answer = js.required(
        js.load(saved["families"]), "D", loss=2.4, N=7e9, family="gpt", method="laplace"
    )
    assert row == {**records(answer.frame)[0]}


@pytest.mark.full
def test_required_compute_is_spent_best(jscale, saved):
    arguments = ["required", saved["plain"], "C", "--loss", "2.9", "--loss", "1.2"]
    code, out, _ = jscale(*arguments)
    assert code == 0
    assert "the least C for a loss, spent compute-optimally at a cost of 6·N·D, by laplace" in told(
        out
    )
    answer = js.required(js.load(saved["plain"]), "C", loss=[2.9, 1.2], method="laplace")
    row = answer.frame.iloc[0]
    (line,) = [line.split() for line in out.splitlines() if line.split()[:1] == ["2.9"]]
    assert line == [
        "2.9",
        *(f"{row[x]:.4g}" for x in ("estimate", "low")),
        "to",
        f"{row['high']:.4g}",
        "100%",
        *(f"{row[x]:.4g}" for x in "ND"),
    ]
    assert max(map(len, out.splitlines())) <= 80
    document = read(jscale(*arguments, "--cost", "dollars:price=2,flops=1e15", "--json"))
    assert (document["cost"], document["unit"]) == ("dollars of 6·N·D", "dollars")
    assert document["required"][1]["estimate"] is None
    hour = 3600 * 0.4 * 1e15
    for name in ("estimate", "low", "high"):
        assert document["required"][0][name] == pytest.approx(2 * row[name] / hour, rel=1e-6)


def test_a_cost_is_of_what_compute_buys(jscale, saved):
    cost = ["--loss", "2.4", "--cost", "6ND"]
    refused(jscale("required", saved["plain"], "D", *cost), "--cost 6ND: only C has a cost")
    refused(jscale("required", saved["slow"], "C", *cost), "--cost 6ND: only C has a cost")
    wrong = ["required", saved["plain"], "C", "--loss", "2.4"]
    refused(jscale(*wrong, "--cost", "lifetim"), "--cost 'lifetim' is not a cost. Did you mean")
    refused(jscale(*wrong, "--set", "N=7B"), "N is the unknown; leave it out")


@pytest.mark.full
def test_compute_of_a_law_of_other_inputs(jscale, here):
    runs = js.simulate("power_const:N", SLOW, {"N": np.geomspace(1e6, 1e9, 30)}, noise=0.01)
    js.save(js.fit("power_const:N", runs, starts=8), "size.json")
    refused(
        jscale("required", "size.json", "C", "--loss", "2.4"), "C pays for N and D, but power_con"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["D", "--set", "N=7B"], "Give the loss to reach, such as --loss 2.0."),
        (["D", "--loss", "low", "--set", "N=7B"], "--loss low: 'low' is not a number"),
        (["D", "--loss", "2.4"], "chinchilla: N is missing. Add --set N=…."),
        (
            ["D", "--loss", "2.4", "--set", "N=7B", "--set", "D=1B"],
            "--set D=1B: D is the unknown; leave it out",
        ),
        (["D", "--loss", "2.4", "--set", "N=7B,M=1"], "--set M=1: chinchilla takes N here"),
        (["D", "--loss", "2.4", "--set", "N=7B,N=8B"], "--set names N twice; give it one value."),
        (["D", "--loss", "2.4", "--set", "N=0"], "N must be a positive, finite number"),
        (
            ["d", "--loss", "2.4", "--set", "N=7B"],
            "'d' is not an input of chinchilla. Did you mean",
        ),
        (["D", "--loss", "2.4", "--set", "N=7B", "--level", "1"], "level=1.0 must lie strictly"),
    ],
)
def test_required_says_what_is_wrong(jscale, saved, arguments, message):
    refused(jscale("required", saved["plain"], *arguments), message)
