"""ensemble: the law that made the runs is believed; questions, weights and notes are as said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.comparison import ensemble as module
from jscale.simulation.worlds import compute

POWER = {"E": 1.7, "A": 900.0, "alpha": 0.15}
BENT = {"a": 1.0, "b": 2000.0, "c0": 0.15, "c1": 0.25, "d1": 1e18, "f1": 0.1}
CURVES = ("power", "power_const", "broken:1")


@pytest.fixture(scope="module")
def found(straight: js.Runs) -> js.Ensemble:
    return js.ensemble(straight, resamples=60)


@pytest.fixture(scope="module")
def few(straight: js.Runs) -> js.Ensemble:
    """Ten runs: too few for origins."""
    return js.ensemble(straight.where(straight["C"] < 3e19), ["power", "power_const"], resamples=60)


# ── The law that made the runs ───────────────────────────────────────────────────────────────


def test_the_law_without_a_break_is_believed_where_there_is_none(found: js.Ensemble) -> None:
    assert found.weights.idxmax() == "power_const"
    assert found.weights["power_const"] > 0.9
    assert set(found.table.index) == set(CURVES)
    assert found.table.loc["broken:1", "why"] == "never beat power_const"
    assert found.table.loc["power", "error"] > 5 * found.table.loc["power_const", "error"]


@pytest.mark.full
def test_the_law_with_a_break_is_believed_where_there_is_one() -> None:
    runs = js.simulate("broken:1", BENT, compute(1e16, 1e22, 16), noise=0.002, seed=0)
    found = js.ensemble(runs, resamples=60)
    assert found.weights.idxmax() == "broken:1"
    assert found.weights["broken:1"] > 0.9
    assert found.table.loc["power_const", "error"] > 10 * found.table.loc["broken:1", "error"]
    frame = js.predict(found, C=5e22).frame
    true = js.laws.get("broken:1")(5e22, **BENT)
    assert frame["prediction_low"][0] < true < frame["prediction_high"][0]


# ── The result ───────────────────────────────────────────────────────────────────────────────


def test_members_are_the_fits_of_all_runs(found: js.Ensemble, straight: js.Runs) -> None:
    assert list(found.members) == found.table.index[found.table["weight"] > 0].tolist()
    own = found.members["power_const"]
    alone = js.bootstrap(js.fit("power_const", straight), 60, seed=0)
    np.testing.assert_allclose(own.fit.params, alone.fit.params, rtol=1e-12)
    np.testing.assert_array_equal(own.values, alone.values)
    assert found.settings["resamples"] == 60
    assert found.runs is straight


def test_the_table_says_what_became_of_every_law(found: js.Ensemble) -> None:
    columns = ["parameters", "score", "error", "widening", "weight", "why"]
    assert found.table.columns.tolist() == columns
    assert found.table["parameters"].to_dict() == {"power": 2, "power_const": 3, "broken:1": 6}
    assert found.table["weight"].is_monotonic_decreasing
    assert found.table["weight"].sum() == pytest.approx(1.0)
    assert ((found.table["weight"] > 0) == (found.table["why"] == "")).all()
    copy = found.to_frame()
    copy["weight"] = 0.0
    assert found.table["weight"].sum() == pytest.approx(1.0)


def test_it_shows_itself(found: js.Ensemble, few: js.Ensemble) -> None:
    assert repr(found).startswith("Ensemble of 1 laws\n")
    assert "never beat power_const" in repr(found)
    assert "<table" in found._repr_html_()
    assert "<li>[caution] not-extrapolated: 10 runs" in few._repr_html_()
    assert str(few.notes[0]) in repr(few)


def test_the_same_seed_gives_the_same_ensemble(few: js.Ensemble, straight: js.Runs) -> None:
    laws = ["power", "power_const"]
    again = js.ensemble(straight.frame[straight["C"] < 3e19], laws, resamples=60)
    pd.testing.assert_frame_equal(again.table, few.table)
    np.testing.assert_array_equal(
        again.members["power_const"].values, few.members["power_const"].values
    )


def test_scores_are_those_of_rolling_the_origin_by_hand(straight: js.Runs) -> None:
    """The k-th origin by k³, its rows alike; intervals of the same draws as rollout's."""
    laws = ["power", "power_const"]
    found = js.ensemble(straight, laws, resamples=60).table
    rolled = js.rollout(laws, straight, count=6, resamples=60)
    for name in laws:
        rows = rolled.rows[rolled.rows["law"] == name]
        by_origin = rows.groupby("split", sort=True)
        counts = np.arange(1, 7) ** 3.0
        score = by_origin["interval_score"].mean() @ counts / counts.sum()
        error = np.log(rows["curve"] / rows["measured"]).abs().groupby(rows["split"]).mean()
        assert found.loc[name, "score"] == pytest.approx(score, rel=1e-9)
        assert found.loc[name, "error"] == pytest.approx(error @ counts / counts.sum(), rel=1e-9)


# ── Notes ────────────────────────────────────────────────────────────────────────────────────


def test_runs_too_few_to_roll_are_left_out_in_turn_and_it_says_so(few: js.Ensemble) -> None:
    wrong = (
        "not-extrapolated: 10 runs are too few, or too alike in compute, to hold any out by origin"
    )
    assert wrong in str(few.notes[0])
    assert (few.table["widening"] == 1.0).all()
    assert few.weights.idxmax() == "power_const"
    share = few.table["error"] ** -4.0
    expected = share / share.sum()
    kept = expected.where(expected >= 0.01, 0.0)
    np.testing.assert_allclose(few.table["weight"], kept / kept.sum(), rtol=1e-9)


def test_intervals_made_wider_are_said(straight: js.Runs) -> None:
    """A power law has no floor: beyond each origin runs lie outside its intervals."""
    found = js.ensemble(straight, ["power"], resamples=60)
    widening = found.table.loc["power", "widening"]
    assert widening >= 2.0
    assert found.table.loc["power", "weight"] == 1.0
    note = str(*found.notes)
    assert "intervals-widened: beyond the origins, these laws' intervals covered" in note
    assert note.endswith(f"widened: power {widening:g} times.")
    alone = js.predict(found.members["power"], C=1e22).frame
    wider = js.predict(found, C=1e22).frame
    for kind in ("confidence", "prediction"):
        ratios = [np.log(f[f"{kind}_high"] / f[f"{kind}_low"]).iloc[0] for f in (wider, alone)]
        assert ratios[0] == pytest.approx(widening * ratios[1], rel=1e-9)
    assert wider["curve"].equals(alone["curve"])


def test_members_whose_draws_did_not_settle_are_said(
    straight: js.Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = module.bootstrap
    for unsettled, said in ((0, False), (2, True)):
        monkeypatch.setattr(
            module, "bootstrap", lambda *a, u=unsettled, **k: replace(draw(*a, **k), unsettled=u)
        )
        notes = js.ensemble(straight, ["power_const"], resamples=60).notes
        wrong = "draws-unsettled: 2 of 60 resamples of power_const failed or did not converge"
        assert any(wrong in str(note) for note in notes) is said


# ── Bad input ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("resamples", [0, 1, 2.5, True])
def test_resamples_must_be_some(straight: js.Runs, resamples) -> None:
    with pytest.raises(js.JscaleError, match=r"resamples=.* must be a whole number, at least 2"):
        js.ensemble(straight, resamples=resamples)


def test_a_scale_to_be_found_is_refused(straight: js.Runs) -> None:
    with pytest.raises(js.JscaleError, match=r"compared with a number for delta, not by huber\(.*"):
        js.ensemble(straight, objective=js.huber("auto"))


def test_an_ensemble_of_laws_of_compute_takes_N_and_D() -> None:
    design = js.designs.random(14, (1e7, 1e9), (1e9, 1e11), seed=0)
    design["C"] = 6 * design["N"] * design["D"]
    runs = js.simulate("power", {"A": 50.0, "alpha": 0.07}, design, noise=0.01)
    found = js.ensemble(runs, ["power"], resamples=20)
    by_pair = js.predict(found, N=1e9, D=1e10).frame
    by_compute = js.predict(found, C=6e19).frame
    assert by_pair["curve"][0] == by_compute["curve"][0]


def test_rows_of_weight_0_are_left_out_and_said(straight: js.Runs) -> None:
    table = straight.frame.assign(weight=1.0)
    table.loc[table.index[-1], ["loss", "weight"]] = [30.0, 0.0]
    found = js.ensemble(js.Runs.from_frame(table, weight="weight"), ["power"], resamples=20)
    assert len(found.runs) == len(straight) - 1
    assert str(found.notes[-1]) == "[info] rows-without-weight: 1 rows of weight 0 are left out."
