"""From records to tables: complete or refused, one corpus, every bit kept."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest

from benchmarks.sweep.collect import collect, main
from benchmarks.sweep.grid import RunSpec, settle
from benchmarks.sweep.plans import PARTS, added_run, grid_runs
from benchmarks.sweep.store import add_wall_seconds
from benchmarks.sweep.tables import TABLES

from .records import DIGEST, SEED_NOISE, loss_of, make_record, put_record

SPEC = RunSpec("grid", 12, 300_000)


def read(into: Path, name: str) -> list[dict[str, str]]:
    with (into / f"{name}.csv").open(newline="") as handle:
        return list(csv.DictReader(handle))


def read_card(into: Path, name: str) -> dict:
    return json.loads((into / f"{name}.json").read_text())


@pytest.fixture(scope="module")
def tables(finished, tmp_path_factory) -> Path:
    """The tables of a finished sweep; only to be read."""
    into = tmp_path_factory.mktemp("tables")
    collect(finished, into, partial=False)
    return into


@pytest.fixture
def copied(finished, tmp_path) -> Path:
    """A finished sweep to be changed."""
    return Path(shutil.copytree(finished, tmp_path / "out"))


# ── Complete tables ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_has_the_runs_of_its_parts_and_a_card_that_describes_it(tables, table):
    rows, card = read(tables, table.name), read_card(tables, table.name)
    content = (tables / f"{table.name}.csv").read_bytes()
    planned = {spec.name for part in table.parts if part in PARTS for spec in PARTS[part]()}
    found = {row["run"] for row in rows}
    assert found <= planned
    assert found == planned or table.name == "stdlib_lm_seeds"
    assert list(card["columns"]) == list(rows[0])
    assert all(card["columns"].values())
    assert card["csv_sha256"] == hashlib.sha256(content).hexdigest()
    assert (card["rows"], card["status"], card["missing_runs"]) == (len(rows), "complete", [])
    assert sum(card["runs_by_part"].values()) == len(found)


@pytest.mark.parametrize("name", [table.name for table in TABLES])
def test_core_seconds_are_those_of_the_runs_in_the_table(tables, name):
    runs = {row["run"] for row in read(tables, name)}
    assert read_card(tables, name)["core_seconds"] == 1.5 * len(runs)


def test_main_table_has_a_split_by_compute(tables):
    rows = read(tables, "stdlib_lm")
    assert {row["part"] for row in rows} == {"grid", "isoflop", "holdout"}
    for row in rows:
        assert row["split"] == ("fit" if int(row["C"]) <= 1e12 else "holdout")
        assert int(row["C"]) == 6 * int(row["N"]) * int(row["D"])


def test_table_of_seeds_has_only_cells_with_three_seeds(tables):
    rows = read(tables, "stdlib_lm_seeds")
    seeds: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        seeds.setdefault((row["N"], row["D"]), set()).add(row["seed"])
    assert len(rows) == 3 * len(seeds) == 60
    assert all(found == {"0", "1", "2"} for found in seeds.values())


def test_cards_state_the_noise_between_seeds(tables):
    for table in TABLES:
        noise = read_card(tables, table.name)["seed_noise"]
        assert noise["cells"] == 20
        # Log losses of k times the noise for seed k: their standard deviation is the noise.
        assert noise["sd_of_log_loss"] == SEED_NOISE


def test_table_of_repeated_runs_has_epochs(tables):
    epochs = [float(row["epochs"]) for row in read(tables, "stdlib_lm_repeated")]
    assert sorted(round(passes) for passes in epochs) == [2, 2, 2, 4, 4, 8, 8, 8, 16, 16]


def test_curves_have_a_line_per_measurement(tables):
    rows = read(tables, "stdlib_lm_curves")
    assert len({row["run"] for row in rows}) == 12
    one = [row for row in rows if row["run"] == "w032-d01200k-b16-wsd-s0"]
    assert [int(row["step"]) for row in one] == [*range(10, 590, 10), 586]
    assert all(int(row["D"]) == int(row["step"]) * 16 * 128 for row in one)
    assert float(one[-1]["learning_rate"]) < 0.01 * float(one[0]["peak_lr"])
    record = make_record(RunSpec("curves", 32, 1_200_000, batch=16, schedule="wsd", curve=True))
    assert {float(row["final_loss"]) for row in one} == {record["loss"]}


def test_wall_seconds_of_all_sweeps_are_on_the_main_card(copied, tmp_path):
    add_wall_seconds(copied, 1234.56)
    (tmp_path / "into").mkdir()
    collect(copied, tmp_path / "into", partial=False)
    assert read_card(tmp_path / "into", "stdlib_lm")["sweep_wall_seconds"] == 1234.6
    assert "sweep_wall_seconds" not in read_card(tmp_path / "into", "stdlib_lm_pilot")


# ── What is refused ──────────────────────────────────────────────────────────────────────────


def test_missing_runs_are_refused(copied, tmp_path):
    for name in ("w012-d00300k-s0", "w160-d00250k-s0"):
        (copied / f"{name}.json").unlink()
    with pytest.raises(SystemExit, match="2 runs are missing: w012-d00300k-s0, w160-d00250k-s0"):
        collect(copied, tmp_path, partial=False)
    assert not list(tmp_path.glob("*.csv"))


def test_of_many_missing_runs_ten_are_named(tmp_path):
    with pytest.raises(SystemExit, match=r"^(\d+) runs are missing: ") as refused:
        collect(tmp_path / "nowhere", tmp_path, partial=False)
    said = str(refused.value)
    assert len(re.findall(r"w\d{3}-", said)) == 10
    planned = sum(len(runs()) for runs in PARTS.values())
    assert said.startswith(f"{planned} runs")
    assert said.endswith(f" … and {planned - 10} more")


def test_a_broken_record_is_named(copied, tmp_path):
    path = copied / "w012-d00300k-s0.json"
    path.write_text('{"settings": {')
    with pytest.raises(SystemExit, match=f"cannot read {path}: .*; delete it, and the sweep does"):
        collect(copied, tmp_path, partial=False)


@pytest.mark.parametrize("old", [{}, {"settings": None}, {"settings": {"run": SPEC.name}}])
def test_a_record_of_an_old_format_counts_as_missing(copied, tmp_path, capsys, old):
    for run in (SPEC.name, "w999-d00300k-s0"):
        (copied / f"{run}.json").write_text(json.dumps(old))
    with pytest.raises(SystemExit, match=f"^1 runs are missing: {SPEC.name}$"):
        collect(copied, tmp_path, partial=False)
    note = "note: w999-d00300k-s0.json is no record of this sweep and is left out"
    assert note in capsys.readouterr().out


def test_missing_runs_are_stated_in_the_card_if_accepted(copied, tmp_path, capsys):
    (copied / "w012-d00300k-s0.json").unlink()
    collect(copied, tmp_path, partial=True)
    card = read_card(tmp_path, "stdlib_lm")
    assert (card["status"], card["missing_runs"]) == ("preliminary", ["w012-d00300k-s0"])
    assert read_card(tmp_path, "stdlib_lm_pilot")["status"] == "complete"
    assert "stdlib_lm: 112 rows written, 1 runs missing" in capsys.readouterr().out


def test_a_record_of_other_settings_counts_as_missing(copied, tmp_path):
    other = settle(SPEC).as_dict() | {"peak_lr": 0.1}
    put_record(copied, SPEC, settings=other)
    with pytest.raises(SystemExit, match="1 runs are missing: w012-d00300k-s0"):
        collect(copied, tmp_path, partial=False)


def test_different_corpora_are_never_put_together(copied, tmp_path):
    corpus = make_record(SPEC)["corpus"] | {"digest": "fedcba9876543210"}
    put_record(copied, SPEC, corpus=corpus)
    for partial in (False, True):
        with pytest.raises(
            SystemExit,
            match=f"the runs in {copied} come from different corpora: {DIGEST}, fedcba9876543210",
        ):
            collect(copied, tmp_path, partial=partial)


def test_a_sweep_without_any_run(tmp_path, capsys):
    collect(tmp_path, tmp_path, partial=True)
    said = capsys.readouterr().out.splitlines()
    assert said == [f"{table.name}: no finished run" for table in TABLES]


# ── Bits, and runs beyond the plan ───────────────────────────────────────────────────────────


def test_losses_keep_every_bit(tmp_path):
    losses = [0.1 + 0.2, 2 / 3, 1.7, 2.0000000000000004]
    for spec, loss in zip(grid_runs(), losses, strict=False):
        put_record(tmp_path, spec, loss=loss)
    collect(tmp_path, tmp_path, partial=True)
    assert [float(row["loss"]) for row in read(tmp_path, "stdlib_lm")] == losses


def test_added_runs_join_the_main_table_by_their_compute(copied, tmp_path):
    small, large = added_run("8:20000"), added_run("192:8000000:1")
    put_record(copied, small)
    put_record(copied, large)
    collect(copied, tmp_path, partial=False)
    added = {row["run"]: row for row in read(tmp_path, "stdlib_lm") if row["part"] == "added"}
    assert {name: row["split"] for name, row in added.items()} == {
        "w008-d00020k-s0": "fit",
        "w192-d08000k-s1": "holdout",
    }
    assert float(added[small.name]["loss"]) == loss_of(settle(small))
    assert read_card(tmp_path, "stdlib_lm")["runs_by_part"]["added"] == 2


@pytest.mark.parametrize(
    ("run", "change"),
    [("w008-d00020k-s0", {"steps": 5}), ("w008-d00020k-old-s0", {})],
)
def test_added_runs_of_other_rules_are_refused_or_left_out(copied, tmp_path, capsys, run, change):
    settings = settle(added_run("8:20000")).as_dict() | {"run": run} | change
    (copied / f"{run}.json").write_text(
        json.dumps(make_record(added_run("8:20000"), settings=settings))
    )
    message = f"1 added runs were made by other rules: {run}; delete their records"
    with pytest.raises(SystemExit, match=f"^{message}"):
        collect(copied, tmp_path, partial=False)
    collect(copied, tmp_path, partial=True)
    said = capsys.readouterr().out
    assert message in said
    assert "rows written, 1 runs missing" not in said
    assert run not in {row["run"] for row in read(tmp_path, "stdlib_lm")}


def test_a_partial_collection_never_replaces_the_packages_tables(monkeypatch):
    monkeypatch.setattr("sys.argv", ["collect", "--partial"])
    with pytest.raises(SystemExit, match="--partial would replace the package's tables"):
        main()


def test_folder_of_the_tables_cannot_be_made(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    into = tmp_path / "file" / "tables"
    monkeypatch.setattr("sys.argv", ["collect", "--into", str(into)])
    with pytest.raises(SystemExit, match=f"cannot make the folder {into}: .*Not a directory"):
        main()
