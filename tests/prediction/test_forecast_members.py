"""From a table to a forecast's members: which runs, which laws, which priors and responses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.discrepancy.prior import default_prior
from jscale.discrepancy.response import FAILURE_ODDS, ODDS, PLAIN
from jscale.model.roles import Positive
from jscale.prediction.forecast_members import (
    checked_runs,
    choose_response,
    members_of,
    named_laws,
    size_of,
    table_of,
)

PRIOR = default_prior()


def runs_of(laws: Any, data: Any, columns: dict[str, Any]) -> js.Runs:
    return checked_runs(table_of(laws, data, columns))


def table(rows: int = 6, **columns: object) -> pd.DataFrame:
    size = np.geomspace(1e8, 1e9, rows)
    return pd.DataFrame({"N": size, "D": 20 * size, "loss": 4.0 * (size / 1e8) ** -0.1, **columns})


# ── Runs ─────────────────────────────────────────────────────────────────────────────────────


def test_rows_of_weight_0_are_left_out() -> None:
    runs = js.Runs.from_frame(table(weight=[1, 0, 1, 2, 1, 0]), weight="weight")
    assert runs_of(None, runs, {})["weight"].tolist() == [1, 1, 2, 1]


def test_rows_of_one_run_are_one() -> None:
    frame = table(id=[0, 0, 0, 1, 1, 1])
    with pytest.raises(js.DataError, match="at least 3 independent runs; there are 2"):
        runs_of(None, frame, {"run": "id"})
    assert len(runs_of(None, frame, {})) == 6


def test_runs_hold_what_the_law_of_most_inputs_needs() -> None:
    @js.law
    def by_width(N: Any, width: Any, *, A: Positive, b: Positive) -> Any:
        return A * (N * width) ** -b

    frame = table(width=np.arange(1.0, 7.0))
    power = js.laws.get("power:D")
    assert "width" in runs_of([power, by_width], frame, {}).inputs
    assert "width" not in runs_of([power], frame, {}).inputs


def test_sizes_are_compute_or_the_one_input() -> None:
    runs = runs_of(None, table(), {})
    np.testing.assert_allclose(size_of(runs), 6 * runs["N"] * runs["D"])
    by_data = runs_of(None, table()[["D", "loss"]], {})
    np.testing.assert_array_equal(size_of(by_data), by_data["D"])


# ── Laws ─────────────────────────────────────────────────────────────────────────────────────


def test_laws_by_name_and_by_themselves() -> None:
    assert named_laws("auto") is None
    power = js.laws.get("power")
    assert named_laws(power) == named_laws("power") == [power]
    assert [law.name for law in named_laws(["power", "farseer"]) or []] == ["power", "farseer"]


@pytest.mark.parametrize(
    ("laws", "message"),
    [
        ([], r"laws=\[\] names no law; name one or more"),
        (["chinchilla", "chinchilla"], "chinchilla is named more than once"),
        (["chinchilla", "sigmoid_link"], r"predict different outputs \(loss, score\)"),
    ],
)
def test_laws_that_cannot_be_weighed(laws: list[str], message: str) -> None:
    with pytest.raises(js.LawError, match=message):
        named_laws(laws)


@pytest.mark.parametrize(
    ("columns", "law", "inputs"),
    [
        ({}, "chinchilla", ("N", "D")),
        ({"N": 1e8}, "frontier_power", ("C",)),
        ({"N": 1e8, "D": 1e9, "C": 6e17}, None, ()),
    ],
)
def test_auto_takes_the_law_of_what_varies(
    columns: dict[str, object], law: str | None, inputs: tuple[str, ...]
) -> None:
    runs = runs_of(None, table(**columns), {})
    if law is None:
        with pytest.raises(js.DataError, match="these runs vary in no input"):
            members_of(None, runs, PRIOR, PLAIN)
        return
    (member,) = members_of(None, runs, PRIOR, PLAIN)
    assert (member.law.name, member.law.inputs) == (law, inputs)
    assert member.learnt


def test_auto_knows_any_one_input_but_not_two_others() -> None:
    epochs = pd.DataFrame({"epochs": [1.0, 2, 4, 8, 16], "loss": [4.0, 3.5, 3.2, 3.0, 2.9]})
    runs = js.Runs.from_frame(epochs, epochs="epochs")
    (member,) = members_of(None, runs, PRIOR, PLAIN)
    assert member.law.inputs == ("epochs",)
    both = js.Runs.from_frame(epochs.assign(D=[1e9, 1e9, 2e9, 2e9, 3e9]), epochs="epochs")
    with pytest.raises(js.DataError, match=r"these runs vary in D, epochs\. Name a law"):
        members_of(None, both, PRIOR, PLAIN)


def test_only_the_surface_is_learnt_among_named_laws() -> None:
    runs = runs_of(None, table(), {})
    laws = [js.laws.get("chinchilla"), js.laws.get("farseer")]
    surface, other = members_of(laws, runs, PRIOR, PLAIN)
    assert (surface.learnt, other.learnt) == (True, False)
    assert other.member.prior.name == "weak"
    assert len(surface.member.prior.variants) > len(other.member.prior.variants) == 1
    assert not members_of(laws[:1], runs, None, PLAIN)[0].learnt


def test_a_weak_prior_of_one_axis_keeps_its_broad_variants() -> None:
    runs = runs_of(None, table()[["D", "loss"]], {})
    (learnt,), (weak,) = (members_of(None, runs, prior, PLAIN) for prior in (PRIOR, None))
    names = [v.name for v in learnt.member.prior.variants]
    broad = [name for name in names if name.startswith("broad")]
    assert [v.name for v in weak.member.prior.variants] == broad != names
    assert len(weak.member.prior.variant_bias) == len(broad)


# ── Responses and observations ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("output", "values", "response"),
    [
        ("loss", [0.9, 0.5, 0.3], PLAIN),
        ("score", [0.3, 0.5, 0.9], FAILURE_ODDS),
        ("score", [0.9, 0.5, 0.3], ODDS),
        ("score", [0.9, 0.5, 1.0], PLAIN),
    ],
)
def test_responses_suit_the_outcomes(output: str, values: list[float], response: str) -> None:
    frame = pd.DataFrame({"D": [1e9, 2e9, 4e9], output: values})
    unit = "nats" if output == "loss" else "other"
    runs = js.Runs.from_frame(frame, output=output, loss_unit=unit)
    assert choose_response(runs, "auto") == response
    assert choose_response(runs, ODDS) == ODDS


def test_laws_describe_the_response() -> None:
    frame = pd.DataFrame({"D": [1e9, 2e9, 4e9, 8e9], "score": [0.5, 0.6, 0.75, 0.8]})
    runs = js.Runs.from_frame(frame, output="score", loss_unit="other")
    (member,) = members_of(None, runs, None, FAILURE_ODDS)
    np.testing.assert_allclose(member.observations.target, np.log([1.0, 2 / 3, 1 / 3, 0.25]))
    assert member.law.output == "score"


def test_rows_of_a_run_and_weights_reach_the_observations() -> None:
    frame = table(id=[0, 0, 1, 1, 2, 2], weight=[1.0, 1, 2, 2, 3, 3])
    runs = js.Runs.from_frame(frame, run="id", weight="weight")
    (member,) = members_of(None, runs, PRIOR, PLAIN)
    seen = member.observations
    assert seen.run is not None
    assert seen.run.tolist() == [0, 0, 1, 1, 2, 2]
    np.testing.assert_allclose(seen.relative, [2.0, 2.0, 1.0, 1.0, 2 / 3, 2 / 3])
    (plain,) = members_of(None, js.Runs.from_frame(table()), PRIOR, PLAIN)
    assert plain.observations.run is plain.observations.relative is None


def test_what_is_no_table() -> None:
    with pytest.raises(js.DataError, match="forecast takes Runs or a pandas DataFrame, not list"):
        js.forecast([1, 2, 3])  # type: ignore[arg-type]
    with pytest.raises(js.DataError, match="forecast takes Runs or a pandas DataFrame, not list"):
        js.forecast([1, 2, 3], "chinchilla")  # type: ignore[arg-type]


def test_inputs_that_auto_does_not_know() -> None:
    table = pd.DataFrame({"N": [1e8] * 4, "D": [1e10] * 4, "loss": [3.0, 3.1, 3.2, 3.3]})
    with pytest.raises(js.DataError, match='laws="auto" forecasts over N and D, or over one input'):
        js.forecast(table)
