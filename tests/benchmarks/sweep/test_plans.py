"""The plan: enough runs, in the right places, each with its own name."""

from __future__ import annotations

from collections import defaultdict

import pytest

from benchmarks.sweep import plans
from benchmarks.sweep.grid import RunSpec, Settings, settle
from benchmarks.sweep.plans import ISOFLOP, PARTS, added_run, spec_named

TRAIN_BYTES = 11_485_514


def settled(part: str) -> list[Settings]:
    return [settle(spec) for spec in PARTS[part]()]


def test_names_are_unique_over_all_parts_and_are_file_names():
    names = [spec.name for runs in PARTS.values() for spec in runs()]
    assert len(names) == len(set(names))
    assert not any(set(name) - set("abcdefghijklmnopqrstuvwxyz0123456789-.") for name in names)


def test_size_by_width_is_that_of_the_family(monkeypatch):
    for width in (12, 192):
        expected = settle(RunSpec("grid", width, 300_000)).shape.n_total
        assert plans.total_parameters(width) == expected
    monkeypatch.setattr(plans, "LAYERS", 3)
    # Two layers are 24 width^2.
    assert plans.total_parameters(12) == 36 * 12**2 + 256 * 12


def test_every_run_says_its_part():
    for part, runs in PARTS.items():
        assert {spec.part for spec in runs()} == {part}


def test_grid_crosses_sizes_and_bytes_widely():
    grid = settled("grid")
    lengths = defaultdict(set)
    for one in grid:
        lengths[one.shape.n_non_embedding].add(one.trained_bytes)
    assert len(grid) >= 70
    assert all(5e9 <= one.flops <= 1e12 for one in grid)
    assert sum(3e3 <= size <= 6.2e5 and len(few) >= 5 for size, few in lengths.items()) >= 8
    assert min(lengths) < 4e3
    assert max(lengths) > 6e5


def test_held_out_runs_lie_beyond_the_fit_at_two_budgets():
    budgets = defaultdict(list)
    for one in settled("holdout"):
        assert one.split == "holdout"
        assert 6e12 <= one.flops <= 1.3e13
        budgets[round(one.flops / 1e12)].append((one.width, one.trained_bytes))
    assert sorted(budgets) == [6, 13]
    assert 8 <= sum(len(cells) for cells in budgets.values()) <= 10
    assert all(len(set(cells)) >= 4 for cells in budgets.values())


def test_isoflop_cuts_are_equal_to_one_percent():
    runs = settled("isoflop")
    assert {one.split for one in runs} == {"fit"}
    for budget, widths in ISOFLOP.items():
        cut = [one for one in runs if one.flops == pytest.approx(budget, rel=0.01)]
        assert [one.width for one in cut] == list(widths)
    assert len(runs) == sum(len(widths) for widths in ISOFLOP.values())


def test_no_run_of_the_main_table_sees_a_byte_twice_or_nearly_the_whole_corpus():
    for part in ("grid", "isoflop", "holdout", "seeds"):
        for one in settled(part):
            assert one.unique_windows is None
            assert one.trained_bytes <= 0.9 * TRAIN_BYTES


def test_every_cell_of_the_main_table_is_there_once():
    runs = [one for part in ("grid", "isoflop", "holdout") for one in settled(part)]
    cells = [(one.width, one.trained_bytes) for one in runs]
    assert len(cells) == len(set(cells))


def test_no_run_is_larger_than_the_largest_held_out_run():
    assert all(one.flops < 1.5e13 for part in PARTS for one in settled(part))


def test_a_quarter_of_the_grid_has_three_seeds():
    grid = {(one.width, one.trained_bytes) for one in settled("grid")}
    seeds = defaultdict(set)
    for one in settled("seeds"):
        seeds[one.width, one.trained_bytes].add(one.seed)
    assert set(seeds) <= grid
    assert all(found == {1, 2} for found in seeds.values())
    assert len(seeds) == pytest.approx(len(grid) / 4, abs=1)


def test_repeated_runs_are_cells_of_the_grid_seen_two_to_sixteen_times():
    grid = {(one.width, one.trained_bytes) for one in settled("grid")}
    runs = settled("repeated")
    epochs = [one.trained_bytes / (one.unique_windows * one.context) for one in runs]
    assert len(runs) == 10
    assert {(one.width, one.trained_bytes) for one in runs} <= grid
    assert {round(passes) for passes in epochs} == {2, 4, 8, 16}
    assert epochs == pytest.approx([round(passes) for passes in epochs], rel=0.001)


def test_twelve_curves_differ_in_size_length_and_schedule_only():
    runs = settled("curves")
    cells = {(one.width, one.steps, one.schedule) for one in runs}
    assert len(runs) == len(cells) == 12
    assert {one.schedule for one in runs} == {"constant", "cosine", "wsd"}
    assert len({one.batch for one in runs}) == 1
    assert all(one.curve for one in runs)


def test_only_curves_record_curves_and_only_they_leave_the_cosine():
    for part in set(PARTS) - {"curves"}:
        assert not any(one.curve or one.schedule != "cosine" for one in settled(part))


# ── Runs beyond the plan ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "width", "target", "seed"),
    [
        ("192:600000", 192, 600_000, 0),
        ("192:6e5:3", 192, 600_000, 3),
        ("8:20000", 8, 20_000, 0),
        ("12:300000:1", 12, 300_000, 1),
    ],
)
def test_added_run(text, width, target, seed):
    assert added_run(text) == RunSpec("added", width, target, seed)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("192", r"--add 192: should be WIDTH:BYTES\[:SEED\], as 192:600000"),
        ("192:many", r"--add 192:many: should be WIDTH:BYTES\[:SEED\]"),
        ("192:6e5:0:0", r"--add 192:6e5:0:0: should be WIDTH:BYTES"),
        ("192:inf", "--add 192:inf: should be WIDTH:BYTES"),
        ("20.5:6e5", "--add 20.5:6e5: should be WIDTH:BYTES"),
        ("", "--add : should be WIDTH:BYTES"),
        ("0:600000", "the width should be a multiple of 4 .two heads of even size."),
        ("190:600000", "--add 190:600000: the width should be a multiple of 4"),
        ("192:9000", "the bytes at least 10000 and whole thousands"),
        ("192:600500", "the bytes at least 10000 and whole thousands"),
        ("192:600000:-1", "the seed 0 or more"),
        ("12:300000", "--add 12:300000: w012-d00300k-s0 is a run of the plan already"),
    ],
)
def test_added_run_that_cannot_be(text, message):
    with pytest.raises(SystemExit, match=message):
        added_run(text)


def test_an_added_run_is_for_the_fit_or_held_out_by_its_compute():
    assert settle(added_run("8:20000")).split == "fit"
    assert settle(added_run("192:600000")).split == "holdout"


def test_every_run_is_found_by_its_name():
    for runs in PARTS.values():
        for spec in runs():
            assert spec_named(spec.name) == spec
    added = added_run("1024:20000:5")
    assert spec_named(added.name) == added
    assert spec_named("w008-d00020k-u00010k-s0") is None
