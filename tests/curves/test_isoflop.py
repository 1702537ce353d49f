"""isoflop: parabolas, paths and intervals, and the parabolas' own bias."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from tests.curves.worlds import BUDGETS, STEEP, SYMMETRIC, best_size, slices, surface
from tests.worlds import TRUTH

EXPONENT = TRUTH["beta"] / (TRUTH["alpha"] + TRUTH["beta"])


def codes(profile: js.IsoFlop) -> list[str]:
    return [note.code for note in profile.notes]


def lowest(N: np.ndarray, loss: np.ndarray) -> float:
    """N where a parabola of the loss in ln N is lowest, by polyfit."""
    x = np.log(N)
    curve = np.polyfit(x - x.mean(), loss, 2)
    return float(np.exp(x.mean() - curve[1] / (2 * curve[0])))


# ── What the runs say ────────────────────────────────────────────────────────────────────────


@pytest.mark.full
def test_the_table_is_what_one_would_find_by_hand() -> None:
    runs = slices(noise=0.003, seed=1)
    profile = js.isoflop(runs, law=surface(), resamples=20)
    np.testing.assert_allclose(profile.table["C"], BUDGETS, rtol=1e-12)
    assert profile.table["rows"].tolist() == [9] * 4
    by_hand = [lowest(cut["N"], cut["loss"]) for _, cut in runs.frame.groupby(runs["C"].round(-15))]
    np.testing.assert_allclose(profile.table["N"], by_hand, rtol=1e-9)
    np.testing.assert_allclose(profile.table["D"], BUDGETS / (6 * profile.table["N"]), rtol=1e-12)
    slope, level = np.polyfit(np.log(BUDGETS), np.log(by_hand), 1)
    row = profile.paths.loc["N"]
    assert row["exponent"] == pytest.approx(slope, rel=1e-9)
    assert row["coefficient"] == pytest.approx(np.exp(level), rel=1e-7)
    other = profile.paths.loc["D"]
    assert other["exponent"] == pytest.approx(1 - slope, rel=1e-9)
    assert other["coefficient"] * row["coefficient"] == pytest.approx(1 / 6, rel=1e-7)
    assert not profile.table["at_edge"].any()
    pd.testing.assert_frame_equal(profile.to_frame(), profile.table)


def test_parabolas_and_points_draw_the_table() -> None:
    runs = slices(noise=0.003)
    frame = runs.frame.set_index("r" + runs.frame.index.astype(str))
    profile = js.isoflop(frame, law=surface(), resamples=20)
    assert set(profile.points.index) == set(frame.index)
    assert profile.points["budget"].value_counts().to_dict() == dict.fromkeys(range(4), 9)
    for budget, row in profile.table.iterrows():
        shape = profile.parabolas.loc[budget]
        u = np.log(row["N"]) - shape["centre"]
        loss = np.polyval(shape[["curvature", "slope", "level"]], u)
        assert loss == pytest.approx(row["loss"], rel=1e-12)
        assert 2 * shape["curvature"] * u + shape["slope"] == pytest.approx(0, abs=1e-12)


@pytest.mark.full
def test_bounds_come_from_runs_redrawn_within_their_budget() -> None:
    """The spread of N* over resamples, against resampling each slice by hand."""
    runs = slices(noise=0.003, seed=2)
    profile = js.isoflop(runs, law=surface(), resamples=4000, level=0.8)
    rng = np.random.default_rng(0)
    cut = runs.frame.iloc[:9]
    drawn = [cut.iloc[rng.integers(0, 9, 9)] for _ in range(4000)]
    sizes = [lowest(d["N"], d["loss"]) for d in drawn if d["N"].nunique() > 2]
    expected = np.log(np.quantile(sizes, [0.1, 0.9]))
    got = np.log(profile.table.loc[0, ["N_low", "N_high"]].to_numpy(dtype=float))
    np.testing.assert_allclose(got, expected, atol=0.05 * np.ptp(expected))
    again = js.isoflop(runs, law=surface(), resamples=4000, level=0.8)
    pd.testing.assert_frame_equal(again.table, profile.table)
    other = js.isoflop(runs, law=surface(), resamples=4000, level=0.8, seed=1)
    assert (other.table["N_low"] != profile.table["N_low"]).all()


@pytest.mark.full
def test_intervals_of_the_exponent_hold_the_truth_as_often_as_they_say() -> None:
    """200 worlds at 90%: 180 expected, sd 4.2; the count must lie within 3.3 of them."""
    inside = 0
    for seed in range(200):
        runs = slices(C=np.geomspace(1e18, 1e21, 5), count=12, width=4, noise=0.002, seed=seed)
        row = js.isoflop(runs, law=surface(), resamples=300, seed=seed).paths.loc["N"]
        inside += row["exponent_low"] <= EXPONENT <= row["exponent_high"]
    assert 166 <= inside <= 194


def test_runs_in_several_budgets_are_drawn_whole() -> None:
    """Nine runs, each measured at four budgets, in error alike: N* is too, so the exponent is sure."""
    runs = slices()
    error = np.tile(0.004 * np.random.default_rng(3).standard_normal(9), 4)
    frame = runs.frame.assign(loss=runs["loss"] * np.exp(error), model=np.tile(np.arange(9), 4))
    apart = js.isoflop(js.Runs.from_frame(frame), law=surface(), resamples=500).paths.loc["N"]
    whole = js.Runs.from_frame(frame, run="model")
    together = js.isoflop(whole, law=surface(), resamples=500).paths.loc["N"]
    width = together["exponent_high"] - together["exponent_low"]
    assert width < 0.6 * (apart["exponent_high"] - apart["exponent_low"])


def test_rows_of_a_run_in_one_budget_are_drawn_together() -> None:
    """Every row twice under one name: as sure as once, where rows alone would look surer."""
    frame = slices(noise=0.003).frame
    twice = pd.concat([frame, frame.assign(loss=frame["loss"] * (1 + 1e-9))], ignore_index=True)
    twice["run"] = np.tile(np.arange(len(frame)), 2)
    once = js.isoflop(frame, law=surface(), resamples=500)
    named = js.isoflop(js.Runs.from_frame(twice, run="run"), law=surface(), resamples=500)
    for end in ("low", "high"):
        np.testing.assert_allclose(
            named.paths[f"exponent_{end}"], once.paths[f"exponent_{end}"], rtol=1e-5
        )


def test_weights_count_as_copies() -> None:
    frame = slices(noise=0.003).frame
    copies = np.resize([1, 3, 2, 0], len(frame))
    weighted = js.Runs.from_frame(frame.assign(weight=copies), weight="weight")
    repeated = frame.iloc[np.repeat(np.arange(len(frame)), copies)]
    profile = js.isoflop(weighted, law=surface(), resamples=10)
    repeated = repeated.assign(loss=repeated["loss"] * (1 + 1e-12 * np.arange(len(repeated))))
    expected = js.isoflop(repeated, law=surface(), resamples=10)
    np.testing.assert_allclose(profile.table["N"], expected.table["N"], rtol=1e-6)
    np.testing.assert_allclose(profile.table["bias"], expected.table["bias"], atol=1e-9)
    assert "9 of 36 rows are in no budget" in next(iter(profile.notes)).seen


def test_given_budgets() -> None:
    runs = slices(noise=0.002)
    near = BUDGETS * 1.03
    profile = js.isoflop(runs, budgets=[*near[:3], 5e25], law=surface(), resamples=20)
    np.testing.assert_allclose(profile.table["C"], near[:3])
    (note,) = [n for n in profile.notes if n.code == "rows-left-out"]
    assert "9 of 36 rows are in no budget of at least 4 sizes N (C = 1e+21, " in note.seen
    assert "of the budgets given, 5e+25 has 0" in note.seen
    assert profile.settings["budgets"] == pytest.approx([*near[:3], 5e25])
    with pytest.raises(js.DataError, match="fewer than 4 sizes N near the budgets"):
        js.isoflop(runs, budgets=BUDGETS * 1.03, within=0.02)


def test_budgets_whose_minimum_is_not_among_the_runs_are_left_out_of_the_paths() -> None:
    runs = slices()
    frame = runs.frame.copy()
    first = np.arange(9)
    left = frame.drop(frame.index[4:9])  # sizes below the best alone
    profile = js.isoflop(left, law=surface(), resamples=20)
    assert profile.table["at_edge"].tolist() == [True, False, False, False]
    assert profile.table.loc[0, "N"] > frame["N"].iloc[:4].max()
    kept = js.isoflop(frame.iloc[9:], law=surface(), resamples=20)
    np.testing.assert_allclose(profile.paths["exponent"], kept.paths["exponent"], rtol=1e-12)
    (note,) = [n for n in profile.notes if n.code == "at-edge"]
    assert "or there is none, at C = 1e+18. These budgets do not determine" in str(note)
    assert "3 are left" in note.means

    frame.loc[frame.index[first], "loss"] = 6.0 - runs["loss"][first]  # upside down
    profile = js.isoflop(frame, law=surface(), resamples=20)
    assert profile.table["at_edge"].tolist() == [True, False, False, False]
    assert profile.table.loc[0, ["N", "D", "loss"]].isna().all()
    assert profile.parabolas.loc[0, "curvature"] < 0
    assert profile.table.loc[0, "lost"] > 0.9


def test_no_budget_left_for_a_path() -> None:
    frame = slices().frame
    profile = js.isoflop(
        frame[frame.groupby(frame["C"].round(-15)).cumcount() < 4], law=surface(), resamples=20
    )
    assert profile.table["at_edge"].all()
    assert profile.paths["exponent"].isna().all()
    assert "0 are left for the paths" in str(profile.notes[0])


def test_a_minimum_that_noise_may_move_away_is_noted() -> None:
    profile = js.isoflop(slices(width=2, count=6, noise=0.02, seed=1), law=surface(), resamples=300)
    (note,) = [n for n in profile.notes if n.code == "minimum-unsure"]
    assert "Over 5% of the resamples have no minimum among the runs' N" in note.seen
    assert (profile.table["lost"] > 0.05).any()


# ── What the surface says ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("off", [1.0, 3.0])
def test_the_bias_is_that_of_parabolas_through_the_surface(off: float) -> None:
    """Against parabolas by polyfit through the closed form, and Hoffmann's optimum."""
    runs = slices(STEEP, width=20, off=off, noise=0.002, seed=5)
    profile = js.isoflop(runs, law=surface("steep"), resamples=20)
    p = surface("steep").params
    best, seen = best_size(p, BUDGETS), []
    for size in best_size(STEEP, BUDGETS):
        N = off * size * np.geomspace(1 / 20, 20, 9)
        C = BUDGETS[len(seen)]
        loss = p["E"] + p["A"] / N ** p["alpha"] + p["B"] / (C / (6 * N)) ** p["beta"]
        seen.append(lowest(N, loss))
    bias = np.array(seen) / best - 1
    np.testing.assert_allclose(profile.table["surface_N"], best, rtol=1e-7)
    np.testing.assert_allclose(profile.table["bias"], bias, rtol=1e-6)
    true, parabolic = (np.polyfit(np.log(BUDGETS), np.log(n), 1)[0] for n in (best, seen))
    row = profile.paths.loc["N"]
    assert row["surface_exponent"] == pytest.approx(p["beta"] / (p["alpha"] + p["beta"]), rel=1e-7)
    assert row["exponent_bias"] == pytest.approx(parabolic - true, abs=1e-8)
    assert profile.paths.loc["D", "exponent_bias"] == pytest.approx(true - parabolic, abs=1e-8)
    assert np.abs(bias).max() > 0.1
    (note,) = [n for n in profile.notes if n.code == "parabola-biased"]
    assert f"{100 * bias.min():+.1f}% to {100 * bias.max():+.1f}%" in note.seen
    assert f"{row['exponent_bias']:+.4f}" in note.seen


def test_equal_exponents_and_centred_sizes_make_no_bias() -> None:
    profile = js.isoflop(
        slices(SYMMETRIC, width=20, noise=0.001), law=surface("symmetric"), resamples=20
    )
    np.testing.assert_allclose(profile.table["bias"], 0.0, atol=1e-4)
    assert profile.paths["exponent_bias"].abs().max() < 1e-5
    assert "parabola-biased" not in codes(profile)


@pytest.mark.parametrize(
    ("drift", "small"), [([0.3, 0.6, 3, 6], False), ([0.2, 0.5, 1, 1.5], True)]
)
def test_sizes_that_drift_bias_the_exponent(drift: list[float], small: bool) -> None:
    """Equal exponents, but sizes that drift against the best one as compute grows."""
    parts = [
        slices(SYMMETRIC, C=BUDGETS[i : i + 1], off=off, width=8).frame
        for i, off in enumerate(drift)
    ]
    profile = js.isoflop(
        pd.concat(parts, ignore_index=True), law=surface("symmetric"), resamples=20
    )
    error = profile.paths.loc["N", "exponent_bias"]
    assert abs(error) > 0.01
    assert (profile.table["bias"].abs().max() < 0.1) == small
    assert profile.paths.loc["N", "exponent"] - 0.5 == pytest.approx(error, abs=1e-5)
    (note,) = [n for n in profile.notes if n.code == "parabola-biased"]
    assert f"0.5000 by {error:+.4f}" in note.seen


def test_the_default_surface_is_chinchilla_fitted_to_the_runs() -> None:
    runs = slices(noise=0.002)
    profile = js.isoflop(runs, resamples=20)
    assert profile.surface is not None
    fit = js.fit("chinchilla", runs)
    np.testing.assert_allclose(profile.surface.params, fit.params, rtol=1e-9)
    (note,) = [n for n in profile.notes if n.code == "surface-fitted"]
    assert "chinchilla fitted to all 36 rows" in note.seen
    assert all(n.code in note.seen for n in fit.notes)
    assert "surface-fitted" not in codes(js.isoflop(runs, law=fit, resamples=20))


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
def test_another_surface() -> None:
    table = js.datasets.load("stdlib_lm")
    farseer = js.fit("farseer", table[table["split"] == "fit"])
    cuts = table[table["part"] == "isoflop"]
    profile = js.isoflop(cuts, law=farseer, resamples=20)
    assert profile.surface is farseer
    assert "surface: farseer" in repr(profile)
    N = np.geomspace(1e3, 1e7, 100001)
    for C, best in zip(profile.table["C"], profile.table["surface_N"], strict=True):
        at = pd.DataFrame({"N": N, "D": C / (6 * N)})
        loss = js.predict(farseer, at, method=None).frame["curve"]
        assert best == pytest.approx(N[loss.argmin()], rel=2e-4)


@pytest.mark.full
def test_a_surface_without_an_optimum_is_noted() -> None:
    with pytest.warns(js.JscaleWarning):
        fit = js.fit("chinchilla", slices(noise=1e-4), fixed={"B": 1e-9})
    profile = js.isoflop(slices(noise=0.002), law=fit, resamples=20)
    assert profile.table[["surface_N", "surface_loss", "bias"]].isna().all(axis=None)
    assert profile.paths[["surface_exponent", "exponent_bias"]].isna().all(axis=None)
    note = next(n for n in profile.notes if n.code == "surface-without-optimum")
    assert "chinchilla has no lowest loss within a hundred times the runs' N" in note.seen


def test_losses_that_no_surface_can_take_have_parabolas_all_the_same() -> None:
    frame = slices(noise=0.002).frame
    low = js.Runs.from_frame(frame.assign(loss=frame["loss"] - 3.5), loss_unit="other")
    profile = js.isoflop(low, resamples=20)
    assert profile.surface is None
    assert "no-surface" in codes(profile)
    np.testing.assert_allclose(
        profile.table["N"], js.isoflop(frame, law=surface(), resamples=20).table["N"], rtol=1e-9
    )
    assert profile.table["bias"].isna().all()
    assert "surface: none" in repr(profile)


# ── How it prints, and what it refuses ───────────────────────────────────────────────────────


@pytest.mark.filterwarnings("ignore::jscale.errors.DataWarning")
def test_it_prints_as_text_and_as_html() -> None:
    frame = slices(noise=0.002).frame.rename(columns={"loss": "<i>loss"})
    frame["C"] *= 2
    runs = js.Runs.from_frame(frame, output="<i>loss", loss_unit="other")
    profile = js.isoflop(runs, resamples=20, level=0.8)
    text, page = repr(profile), profile._repr_html_()
    assert "IsoFlop of 4 budgets, 36 of 36 rows, 80% intervals; surface: chinchilla" in text
    assert "exponent_bias" in text
    assert "[caution] flops-mismatch" in text
    assert "<i>" not in page
    assert "&lt;i&gt;loss_low" in page


@pytest.mark.parametrize("columns", [["N"], ["C"]])
def test_runs_without_n_or_c(columns: list[str]) -> None:
    frame = slices().frame[[*columns, "loss"]]
    missing = "C" if columns == ["N"] else "N"
    wrong = f"isoflop needs N, C of each run; these runs have no {missing}, they have"
    with pytest.raises(js.DataError, match=wrong):
        js.isoflop(frame)


@pytest.mark.parametrize("within", [0, 1, -0.1, 2, np.nan, "0.1", True])
def test_a_width_that_cannot_be(within) -> None:
    with pytest.raises(js.JscaleError, match=r"within=.* must lie strictly between 0 and 1"):
        js.isoflop(slices(), within=within)


def test_one_budget_is_not_enough() -> None:
    with pytest.raises(js.DataError, match="no two budgets of at least 4 sizes N within 10% of C"):
        js.isoflop(slices(C=BUDGETS[:1]))


def test_budgets_that_cannot_be() -> None:
    with pytest.raises(js.DataError, match=r"budgets=\[1e\+18, 0\] must be positive"):
        js.isoflop(slices(), budgets=[1e18, 0])


@pytest.mark.full
def test_a_law_that_is_no_surface() -> None:
    runs = slices(noise=0.002)
    with pytest.raises(
        js.JscaleError, match=r'law must be a Fit of a law of N and D, not str: law=js\.fit\("ch'
    ):
        js.isoflop(runs, law="chinchilla")  # pyright: ignore[reportArgumentType]
    of_compute = js.fit("power", runs)
    with pytest.raises(js.LawError, match=r"The surface must be a law of N and D.*; power is of C"):
        js.isoflop(runs, law=of_compute)
    frame = runs.frame.assign(family=np.where(np.arange(len(runs)) % 2, "a", "b"))
    grouped = js.fit("chinchilla", frame, per={"E": "family"})
    with pytest.raises(js.LawError, match="chinchilla is of N, D, family"):
        js.isoflop(runs, law=grouped)
