"""The embedded tables of real runs agree with their cards, with themselves and with the plan."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from benchmarks.sweep.grid import RunSpec, batch_windows, peak_learning_rate, settle
from benchmarks.sweep.plans import PARTS
from benchmarks.sweep.train import learning_rates

FOLDER = files("jscale") / "data" / "tables"
# fmt: off
RUN_COLUMNS = [
    "run", "split", "part", "N", "N_non_embedding", "D", "unique_bytes", "C", "loss", "seed",
    "steps", "batch", "context", "peak_lr", "schedule", "layers", "width", "heads", "epochs",
    "corpus", "jax", "python", "device", "seconds",
]
CURVE_COLUMNS = [
    "run", "schedule", "N", "step", "D", "learning_rate", "loss", "steps", "peak_lr", "final_loss",
]
# fmt: on
PARTS_OF = {
    "stdlib_lm": ["grid", "isoflop", "holdout"],
    "stdlib_lm_seeds": ["grid", "seeds"],
    "stdlib_lm_repeated": ["repeated"],
    "stdlib_lm_curves": ["curves"],
    "stdlib_lm_pilot": ["pilot"],
}
NAMES = list(PARTS_OF)
# Tables with a line per run.
RUNS = [name for name in NAMES if name != "stdlib_lm_curves"]
LOSS_OF_A_UNIFORM_GUESS = np.log(256)


def table(name: str) -> pd.DataFrame:
    with (FOLDER / f"{name}.csv").open() as handle:
        return pd.read_csv(handle)


def card(name: str) -> dict:
    return json.loads((FOLDER / f"{name}.json").read_text())


def grid() -> pd.DataFrame:
    return table("stdlib_lm").query("part == 'grid'")


def tolerance() -> float:
    """How much the log losses of two runs may differ by noise alone: four standard deviations."""
    return 4 * 2**0.5 * card("stdlib_lm")["seed_noise"]["sd_of_log_loss"]


# ── Cards ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", NAMES)
def test_card_names_exactly_these_bytes(name):
    content = (FOLDER / f"{name}.csv").read_bytes()
    assert card(name)["name"] == name
    assert card(name)["csv_sha256"] == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("name", NAMES)
def test_columns_are_these_and_each_is_explained(name):
    side = [column for column in RUN_COLUMNS if column != "split"]
    expected = {"stdlib_lm": RUN_COLUMNS, "stdlib_lm_curves": CURVE_COLUMNS}.get(name, side)
    assert list(table(name).columns) == list(card(name)["columns"]) == expected
    assert all(card(name)["columns"].values())


@pytest.mark.parametrize("name", NAMES)
def test_card_counts_the_runs_of_every_part(name):
    rows, stated = table(name), card(name)
    runs = rows.drop_duplicates("run")
    parts = runs["part"] if "part" in runs else pd.Series("curves", index=runs.index)
    assert stated["rows"] == len(rows)
    assert stated["runs_by_part"] == parts.value_counts().to_dict()
    assert (stated["status"], stated["missing_runs"]) == ("complete", [])


@pytest.mark.parametrize("name", RUNS)
def test_rows_are_of_the_card_s_corpus_and_versions(name):
    rows, stated = table(name), card(name)
    assert set(rows["corpus"]) == {stated["corpus"]["digest"]}
    assert sorted(set(rows["jax"])) == stated["versions"]["jax"]
    assert sorted(set(rows["python"])) == stated["versions"]["python"]


@pytest.mark.parametrize("name", RUNS)
def test_core_seconds_are_those_of_the_rows(name):
    assert card(name)["core_seconds"] == pytest.approx(table(name)["seconds"].sum(), abs=0.0501)


@pytest.mark.parametrize("key", ["corpus", "architecture", "training", "seed_noise"])
def test_all_cards_say_the_same_of(key):
    assert all(card(name)[key] == card("stdlib_lm")[key] for name in NAMES)


# ── Runs ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", NAMES)
def test_all_runs_are_those_of_the_plan(name):
    found = table(name)
    if "part" in found:
        found = found[found["part"] != "added"]
    planned = {spec.name for part in PARTS_OF[name] for spec in PARTS[part]()}
    runs = set(found["run"])
    # Of the grid only every fourth cell has several seeds.
    assert runs == planned if name != "stdlib_lm_seeds" else runs < planned


@pytest.mark.parametrize("name", RUNS)
def test_every_run_is_there_once(name):
    assert table(name)["run"].is_unique


@pytest.mark.parametrize("name", RUNS)
def test_sizes_lengths_and_compute_are_consistent(name):
    rows = table(name)
    assert (rows["C"] == 6 * rows["N"] * rows["D"]).all()
    assert (rows["D"] == rows["steps"] * rows["batch"] * rows["context"]).all()
    assert (rows["N"] == rows["N_non_embedding"] + 256 * rows["width"]).all()
    np.testing.assert_array_equal(rows["epochs"], rows["D"] / rows["unique_bytes"])
    assert (rows["seconds"] > 0).all()


@pytest.mark.parametrize("name", RUNS)
def test_losses_are_those_of_a_model_that_learnt_something(name):
    assert table(name)["loss"].between(0.5, 0.6 * LOSS_OF_A_UNIFORM_GUESS).all()


@pytest.mark.parametrize("name", ["stdlib_lm", "stdlib_lm_seeds", "stdlib_lm_pilot"])
def test_no_byte_is_seen_twice(name):
    rows = table(name)
    assert set(rows["unique_bytes"]) == {card(name)["corpus"]["train_bytes"]}
    assert (rows["epochs"] <= 0.9).all()


# ── The main table ───────────────────────────────────────────────────────────────────────────


def test_every_cell_is_there_once():
    rows = table("stdlib_lm")
    assert not rows[rows["part"] != "added"].duplicated(["N", "D"]).any()


def test_held_out_runs_lie_beyond_every_fit_run():
    rows = table("stdlib_lm")
    fit, holdout = (rows[rows["split"] == split] for split in ("fit", "holdout"))
    assert len(fit) + len(holdout) == len(rows)
    assert fit["C"].max() <= 1e12 < holdout["C"].min()
    planned = rows[rows["part"] == "holdout"]
    assert set(planned["split"]) == {"holdout"}
    assert planned["C"].between(6e12, 1.3e13).all()
    assert 8 <= len(planned) <= 10


def test_grid_crosses_widely():
    lengths = grid().groupby("N")["D"].nunique()
    assert len(grid()) >= 70
    assert grid()["C"].between(5e9, 1e12).all()
    assert (lengths >= 5).sum() >= 8


@pytest.mark.parametrize(("fixed", "growing"), [("N", "D"), ("D", "N")])
def test_loss_falls_along_the_grid_within_noise(fixed, growing):
    for _, line in grid().groupby(fixed):
        losses = np.log(line.sort_values(growing)["loss"].to_numpy())
        assert (np.diff(losses) <= tolerance()).all()


def test_loss_falls_clearly_from_one_end_of_a_size_to_the_other():
    for _, line in grid().groupby("N"):
        losses = line.sort_values("D")["loss"].to_numpy()
        assert np.log(losses[0] / losses[-1]) > 3 * tolerance()


def test_cuts_at_equal_compute_have_their_minimum_inside():
    rows = table("stdlib_lm").query("part == 'isoflop'")
    cuts = rows.groupby(rows["C"].map("{:.1e}".format))
    assert len(cuts) == 3
    for _, cut in cuts:
        assert cut["C"].max() / cut["C"].min() < 1.01
        assert 0 < cut.sort_values("N")["loss"].to_numpy().argmin() < len(cut) - 1


# ── The side tables ──────────────────────────────────────────────────────────────────────────


def test_three_seeds_in_a_quarter_of_the_cells():
    rows = table("stdlib_lm_seeds")
    cells = rows.groupby(["N", "D"])["seed"].agg(sorted)
    assert all(seeds == [0, 1, 2] for seeds in cells)
    assert len(cells) == pytest.approx(len(grid()) / 4, abs=1)
    shared = rows.merge(grid(), on="run", suffixes=("", "_grid"))
    assert len(shared) == len(cells)
    assert (shared["loss"] == shared["loss_grid"]).all()


def test_noise_of_the_card_is_that_of_the_seeds():
    rows = table("stdlib_lm_seeds")
    logs = np.log(rows["loss"]).groupby([rows["N"], rows["D"]])
    stated = card("stdlib_lm_seeds")["seed_noise"]
    assert stated["cells"] == len(logs)
    assert stated["sd_of_log_loss"] == pytest.approx(logs.var().mean() ** 0.5, abs=1e-5)
    low, high = stated["interval_90"]
    assert 0.001 < low < stated["sd_of_log_loss"] < high < 0.02


def test_repeated_runs_are_cells_of_the_grid_with_two_to_sixteen_epochs():
    rows = table("stdlib_lm_repeated")
    assert len(rows) == 10
    assert rows["epochs"].between(1.99, 16.01).all()
    assert set(rows["epochs"].round()) == {2, 4, 8, 16}
    once = rows.merge(grid(), on=["N", "D"], suffixes=("", "_once"))
    assert len(once) == 10
    # Seeing fewer bytes more often never helps by more than noise.
    assert (np.log(once["loss_once"] / once["loss"]) < tolerance()).all()


def test_more_epochs_of_fewer_bytes_give_a_higher_loss():
    cells = 0
    for _, cell in table("stdlib_lm_repeated").sort_values("epochs").groupby(["N", "D"]):
        losses = cell["loss"].to_numpy()
        assert (np.diff(np.log(losses)) > -tolerance()).all()
        if round(cell["epochs"].max()) >= 8:
            assert losses[-1] / losses[0] > 1.02
            cells += 1
    assert cells == 3


def test_losses_at_the_rates_of_the_rule_are_near_the_lowest_of_the_pilot():
    cells = 0
    for (size, length, batch), cell in table("stdlib_lm_pilot").groupby(["N", "D", "batch"]):
        if len(cell) > 2 and batch == batch_windows(length):
            off = np.abs(np.log(cell["peak_lr"] / peak_learning_rate(size)))
            assert off.min() < np.log(1.2)
            assert cell["loss"][off.idxmin()] <= 1.015 * cell["loss"].min()
            cells += 1
    assert cells >= 10


# ── Curves ───────────────────────────────────────────────────────────────────────────────────

CURVES = [spec.name for spec in PARTS["curves"]()]


def curve(run: str) -> pd.DataFrame:
    return table("stdlib_lm_curves").query("run == @run")


def spec_of(run: str) -> RunSpec:
    (spec,) = (spec for spec in PARTS["curves"]() if spec.name == run)
    return spec


@pytest.mark.parametrize("run", CURVES)
def test_a_curve_is_measured_every_ten_steps_and_at_its_end(run):
    line, settings = curve(run), settle(spec_of(run))
    assert line["step"].tolist() == [*range(10, settings.steps, 10), settings.steps]
    assert (line["D"] == line["step"] * settings.batch * settings.context).all()
    assert set(line["N"]) == {settings.shape.n_total}
    assert set(line["steps"]) == {settings.steps}
    assert set(line["schedule"]) == {settings.schedule}


@pytest.mark.parametrize("run", CURVES)
def test_learning_rates_of_a_curve_are_those_of_its_schedule(run):
    line, settings = curve(run), settle(spec_of(run))
    planned = np.asarray(learning_rates(settings)(line["step"].to_numpy() - 1))
    assert line["learning_rate"].to_numpy() == pytest.approx(planned, rel=1e-4, abs=1e-8)
    rates = line["learning_rate"].to_numpy() / settings.peak_lr
    done = line["step"].to_numpy() / settings.steps
    assert rates.max() == pytest.approx(1, abs=0.01)
    end = {"constant": 1.0, "cosine": 0.0, "wsd": 0.0}[settings.schedule]
    assert rates[-1] == pytest.approx(end, abs=0.01)
    if settings.schedule != "cosine":
        assert rates[(done > 0.11) & (done <= 0.8)] == pytest.approx(1)


@pytest.mark.parametrize("run", CURVES)
def test_losses_of_a_curve_fall_and_end_at_the_run_s_loss(run):
    line = curve(run)
    losses = line["loss"].to_numpy()
    assert losses[0] < 1.05 * LOSS_OF_A_UNIFORM_GUESS
    parts = [part.mean() for part in np.array_split(losses, 5)]
    assert parts == sorted(parts, reverse=True)
    # The whole held-out set at the end; along the run only some windows of it.
    assert losses[-1] == pytest.approx(line["final_loss"].iloc[-1], rel=0.06)
    assert line["final_loss"].nunique() == 1
