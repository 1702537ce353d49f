"""jscale crossover: where one law overtakes another, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import jscale as js
from jscale.reporting.console import records
from tests.cli.running import SLOW, read, refused, told


@pytest.fixture
def jscale(by_laplace: Callable[..., tuple[int, str, str]]) -> Callable[..., tuple[int, str, str]]:
    return by_laplace


@pytest.mark.full
def test_crossover_prints_the_answer_and_some_places(jscale, saved):
    code, out, _ = jscale("crossover", saved["slow"], saved["steep"], "--over", "1e7..1e12")
    assert code == 0
    answer = js.crossover(
        js.load(saved["slow"]), js.load(saved["steep"]), over=(1e7, 1e12), method="laplace"
    )
    assert told(answer.summary()) in told(out)
    table = [line.split() for line in out.splitlines() if line.split()[-1:] != ["better)"]][-9:]
    shown = answer.frame.iloc[[0, 15, 30, 45, 60, 75, 90, 105, 120]]
    assert [row[0] for row in table] == [f"{c:.4g}" for c in shown["C"]]
    assert [row[-1] for row in table] == [f"{share:.2f}" for share in shown["a_better"]]
    assert "(power_const)" in told(out)
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "needs" not in out


def test_crossover_as_json_is_that_of_python(jscale, saved):
    arguments = ["--over", "10M..1T", "--seed", "3", "--level", "0.8", "--json"]
    document = read(jscale("crossover", saved["slow"], saved["steep"], *arguments, "--equivalent"))
    fits, choices = [js.load(saved[x]) for x in ("slow", "steep")], {"over": (1e7, 1e12)}
    choices |= {"method": "laplace", "seed": 3, "level": 0.8}
    answer = js.crossover(*fits, **choices)
    for name in ("along", "at", "at_low", "at_high", "crosses", "after", "method", "paired"):
        assert document[name] == getattr(answer, name)
    assert document["places"] == records(answer.frame)
    assert document["equivalent"] == records(js.equivalent(*fits, **choices))
    assert document["a"] == {"file": saved["slow"], "law": "power_const"}
    assert (
        read(jscale("crossover", saved["slow"], saved["steep"], *arguments))["equivalent"] is None
    )


@pytest.mark.full
def test_crossover_of_what_compute_buys(jscale, saved):
    """Laws of N and D spend compute best."""
    code, out, err = jscale(
        "crossover", saved["plain"], saved["plain"], "--over", "1e19..1e22", "--equivalent"
    )
    assert (code, err) == (0, "")
    assert "loss along C, by laplace" in told(out)
    assert "The C that b needs to match a" in told(out)
    assert max(map(len, out.splitlines())) <= 80


def test_crossover_along_another_input_with_a_label(jscale, saved):
    document = read(
        jscale(
            "crossover",
            saved["plain"],
            saved["families"],
            "--along",
            "D",
            "--set",
            "N=1B",
            "--set",
            "family=gpt",
            "--json",
        )
    )
    fits = [js.load(saved[name]) for name in ("plain", "families")]
    answer = js.crossover(*fits, along="D", N=1e9, family="gpt", method="laplace")
    assert document["places"] == records(answer.frame)


def test_pairs_of_common_runs_are_paired(jscale, saved):
    code, out, err = jscale(
        "crossover",
        saved["slow"],
        saved["slow"],
        "--method",
        "bayesian",
        "--over",
        "1e6..1e9",
        "--equivalent",
    )
    assert (code, err) == (0, "")
    assert "by bootstrap (bayesian), within the law, paired" in told(out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["plain", "slow", "--along", "D"],
            "power_const has no input 'D'; it has C. Compare along",
        ),
        (["plain", "plain", "--along", "D"], "chinchilla: N is missing. Add --set N=…."),
        (["plain", "plain", "--set", "N=7B"], "--set N=7B: N is the unknown; leave it out"),
        (["slow", "slow", "--set", "M=7B"], "--set M=7B: power_const takes no more here."),
        (["plain", "families"], "chinchilla: family is missing. Add --set family=…."),
        (
            ["slow", "slow", "--over", "1e18"],
            "--over 1e18 must read LOW..HIGH, such as 1e9..2e12.",
        ),
        (["slow", "slow", "--over", "..1e18"], "--over ..1e18 must read LOW..HIGH"),
        (["slow", "slow", "--over", "1e18..1e8"], "--over 1e18..1e8 must rise"),
        (["slow", "slow", "--level", "2"], "level=2.0 must lie strictly between 0 and 1"),
        (["slow", "slow", "--method", "nuts"], "method='nuts' is not known"),
    ],
)
def test_crossover_says_what_is_wrong(jscale, saved, arguments, message):
    files = [saved[name] for name in arguments[:2]]
    refused(jscale("crossover", *files, *arguments[2:]), message)


def test_crossover_of_other_units(jscale, saved, here):
    runs = js.simulate("power_const", SLOW, {"C": np.geomspace(1e6, 1e9, 30)}, noise=0.01)
    bits = js.Runs.from_frame(runs.frame, loss_unit="bits")
    js.save(js.fit("power_const", bits, starts=8), "bits.json")
    refused(
        jscale("crossover", saved["slow"], "bits.json"), "The two laws have units 'nats' and 'bits'"
    )
