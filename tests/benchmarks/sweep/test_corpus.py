"""The corpus: which files, which side, the digest, and the order of its windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.sweep.corpus import (
    is_held_out,
    load_corpus,
    repeated_order,
    source_files,
    training_order,
    windows,
)

HELD_OUT = "m34.py"


@pytest.fixture
def library(tmp_path) -> Path:
    """Twenty sources, and files that are no part of the corpus."""
    for index in range(20, 40):
        (tmp_path / f"m{index}.py").write_text(f"number = {index}\n")
    for folder in ("test", "tests", "idle_test", "site-packages", "__pycache__"):
        (tmp_path / "package" / folder).mkdir(parents=True)
        (tmp_path / "package" / folder / "left_out.py").write_text("left out\n")
    (tmp_path / "package" / "kept.py").write_text("kept\n")
    (tmp_path / "notes.txt").write_text("no source\n")
    return tmp_path


def test_sources_without_the_left_out_folders_in_the_order_of_their_paths(library):
    names = [path.as_posix() for path in source_files(library)]
    assert names == sorted([*(f"m{index}.py" for index in range(20, 40)), "package/kept.py"])


def test_held_out_files_are_decided_by_their_path_alone(library):
    sides = [path.as_posix() for path in source_files(library) if is_held_out(path)]
    corpus = load_corpus(library)
    assert sides == [HELD_OUT]
    assert corpus.held_out.tobytes() == b"number = 34\n\x00"
    assert corpus.held_out_files == 1
    assert corpus.train_files == 20
    assert b"number = 34\n" not in corpus.train.tobytes()
    assert corpus.train.tobytes().startswith(b"number = 20\n\x00number = 21\n\x00")


def test_about_one_file_in_twenty_is_held_out():
    share = np.mean([is_held_out(Path(f"package/module{index}.py")) for index in range(4000)])
    assert share == pytest.approx(0.05, abs=0.01)


def test_digest_changes_with_a_byte_and_with_a_name_and_with_nothing_else(library):
    digest = load_corpus(library).digest
    (library / "package" / "test" / "left_out.py").write_text("changed\n")
    assert load_corpus(library).digest == digest
    (library / "m23.py").write_text("number = 24\n")
    changed = load_corpus(library).digest
    (library / "m23.py").write_text("number = 23\n")
    assert load_corpus(library).digest == digest
    (library / "m23.py").rename(library / "m023.py")
    assert len({digest, changed, load_corpus(library).digest}) == 3


def test_folder_without_usable_sources(library):
    (library / HELD_OUT).unlink()
    with pytest.raises(SystemExit, match=f"no usable standard-library sources under {library}"):
        load_corpus(library)


def test_facts_of_a_corpus(library):
    facts = load_corpus(library).describe()
    assert facts["held_out_bytes"] == 13
    assert facts["train_files"] == 20
    assert len(facts["digest"]) == 16


def test_windows_share_one_byte_so_that_every_byte_is_a_target_once():
    cut = windows(np.arange(100, dtype=np.uint8), 8)
    assert cut.shape == (12, 9)
    assert cut[:, 1:].ravel().tolist() == list(range(1, 97))
    assert (cut[1:, 0] == cut[:-1, -1]).all()


# ── Order ────────────────────────────────────────────────────────────────────────────────────


def test_training_order_takes_no_window_twice_and_follows_the_seed():
    order = training_order(1000, 600, seed=1)
    assert len(set(order.tolist())) == len(order) == 600
    assert order.max() < 1000
    assert (order == training_order(1000, 600, seed=1)).all()
    assert (order != training_order(1000, 600, seed=2)).any()


def test_a_longer_run_begins_like_a_shorter_one():
    assert (training_order(1000, 600, seed=1)[:100] == training_order(1000, 100, seed=1)).all()


def test_training_order_longer_than_the_corpus():
    with pytest.raises(ValueError, match="1001 windows wanted, the corpus has 1000"):
        training_order(1000, 1001, seed=0)


def test_repeated_order_sees_the_same_windows_once_in_every_pass():
    order = repeated_order(1000, 50, 220, seed=3)
    passes = [order[start : start + 50].tolist() for start in range(0, 220, 50)]
    assert len(order) == 220
    assert len(set(passes[0])) == 50
    assert all(sorted(one) == sorted(passes[0]) for one in passes[:4])
    assert len(set(passes[4])) == 20
    assert set(passes[4]) < set(passes[0])
    assert passes[0] != passes[1]


def test_repeated_order_follows_the_seed():
    order = repeated_order(1000, 50, 220, seed=3)
    assert (order == repeated_order(1000, 50, 220, seed=3)).all()
    assert (order != repeated_order(1000, 50, 220, seed=4)).any()


def test_repeated_order_of_more_windows_than_there_are():
    with pytest.raises(ValueError, match="1001 unique windows wanted, the corpus has 1000"):
        repeated_order(1000, 1001, 2000, seed=0)
