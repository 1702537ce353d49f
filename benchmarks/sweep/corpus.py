"""The corpus: the `.py` sources of the running interpreter's standard library, as bytes.

Nothing is downloaded and nothing is stored: the corpus is read where the interpreter has it, and
its digest says whether two machines trained on the same bytes.
"""

from __future__ import annotations

import hashlib
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import numpy as np

LEFT_OUT_FOLDERS = frozenset({"test", "tests", "idle_test", "site-packages", "__pycache__"})
HELD_OUT_PERCENT = 5
SEPARATOR = b"\x00"  # never occurs in Python source, so it marks the end of a file and nothing else


@dataclass(frozen=True)
class Corpus:
    """Training and held-out bytes with what identifies them."""

    train: np.ndarray
    held_out: np.ndarray
    digest: str
    train_files: int
    held_out_files: int

    def describe(self) -> dict[str, int | str]:
        """The facts of the corpus that a card or a run's record states."""
        return {
            "digest": self.digest,
            "train_bytes": len(self.train),
            "held_out_bytes": len(self.held_out),
            "train_files": self.train_files,
            "held_out_files": self.held_out_files,
        }


def source_files(root: Path) -> list[Path]:
    """Relative paths of the `.py` files under `root`, sorted, without the left-out folders."""
    relative = (path.relative_to(root) for path in root.rglob("*.py") if path.is_file())
    kept = (path for path in relative if LEFT_OUT_FOLDERS.isdisjoint(path.parts))
    return sorted(kept, key=lambda path: path.as_posix())


def is_held_out(relative: Path) -> bool:
    """Whether a file is for evaluation only: decided by its path, so it never changes sides."""
    hashed = hashlib.sha256(relative.as_posix().encode()).digest()
    return int.from_bytes(hashed[:8], "big") % 100 < HELD_OUT_PERCENT


def load_corpus(root: Path | None = None) -> Corpus:
    """Read the corpus; files are joined by a NUL byte, in the order of their relative paths."""
    root = root or Path(sysconfig.get_paths()["stdlib"])
    digest = hashlib.sha256()
    sides: dict[bool, list[bytes]] = {False: [], True: []}
    for relative in source_files(root):
        content = (root / relative).read_bytes() + SEPARATOR
        digest.update(relative.as_posix().encode() + SEPARATOR + content)
        sides[is_held_out(relative)].append(content)
    if not sides[False] or not sides[True]:
        raise SystemExit(f"no usable standard-library sources under {root}")
    return Corpus(
        train=np.frombuffer(b"".join(sides[False]), dtype=np.uint8),
        held_out=np.frombuffer(b"".join(sides[True]), dtype=np.uint8),
        digest=digest.hexdigest()[:16],
        train_files=len(sides[False]),
        held_out_files=len(sides[True]),
    )


def windows(data: np.ndarray, context: int) -> np.ndarray:
    """All full windows as a read-only view, shape (count, context + 1).

    Neighbouring windows share one byte: the last target of one is the first input of the next. So
    every byte is a target once at most.
    """
    count = (len(data) - 1) // context
    sliding = np.lib.stride_tricks.sliding_window_view(data[: count * context + 1], context + 1)
    return sliding[::context]


def training_order(window_count: int, needed: int, seed: int) -> np.ndarray:
    """The first `needed` windows of a seeded shuffle of all windows: no window comes twice."""
    if needed > window_count:
        raise ValueError(f"{needed} windows wanted, the corpus has {window_count}")
    return np.random.default_rng(seed).permutation(window_count)[:needed]


def repeated_order(window_count: int, unique: int, needed: int, seed: int) -> np.ndarray:
    """`needed` windows from only `unique` ones, shuffled anew for every pass over them."""
    if unique > window_count:
        raise ValueError(f"{unique} unique windows wanted, the corpus has {window_count}")
    random = np.random.default_rng(seed)
    chosen = random.permutation(window_count)[:unique]
    passes = [random.permutation(chosen) for _ in range(-(-needed // unique))]
    return np.concatenate(passes)[:needed]
