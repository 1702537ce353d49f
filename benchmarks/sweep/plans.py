"""The lists of runs, part by part: why each run is trained.

pilot: behind the two rules. grid: loss(N, D). isoflop: cuts at equal compute. holdout: far beyond
the fit. seeds: run-to-run noise. repeated: few unique bytes, several epochs. curves: the loss along
the run under three schedules.
"""

from __future__ import annotations

import re

from .grid import HEADS, LAYERS, RunSpec
from .model import Shape

# Width -> the levels of D in thousands of bytes; C = 6 N D is at most 1e12.
# fmt: off
GRID = {
    12: (150, 300, 600, 1200, 2400, 4800, 9600),
    16: (150, 300, 600, 1200, 2400, 4800, 9600),
    20: (150, 300, 600, 1200, 2400, 4800, 9600),
    24: (75, 150, 300, 600, 1200, 2400, 4800),
    32: (75, 150, 300, 600, 1200, 2400, 4800),
    40: (75, 150, 300, 600, 1200, 2400),
    48: (75, 150, 300, 600, 1200, 1700, 2400),
    64: (75, 106, 150, 300, 600, 850, 1200),
    80: (75, 150, 300, 600, 850),
    96: (75, 106, 150, 212, 300, 424, 600),
    128: (53, 75, 106, 150, 212, 300),
    160: (53, 75, 106, 150, 212, 250),
}
# fmt: on
ISOFLOP = {
    3e10: (12, 16, 20, 24, 32, 40, 48, 64),
    1.6e11: (12, 16, 24, 32, 40, 48, 64, 96),
    9e11: (24, 32, 40, 48, 64, 80, 96, 128),
}
HOLDOUT = {6.4e12: (64, 80, 96, 128, 160), 1.28e13: (96, 112, 128, 160, 192)}
SEEDS = (1, 2)
EVERY_FOURTH = 4
# (width, D) -> unique bytes; D over these is the number of epochs.
REPEATED = {
    (32, 2_400_000): (1_200_000, 600_000, 300_000, 150_000),
    (64, 1_200_000): (600_000, 300_000, 150_000, 75_000),
    (96, 600_000): (300_000, 75_000),
}
CURVES = tuple((width, target) for width in (32, 64) for target in (1_200_000, 2_400_000))
CURVE_SCHEDULES = ("constant", "cosine", "wsd")
CURVE_BATCH = 16

# (width, D, windows per step) -> peak learning rates. The questions, in the order asked: which
# learning rate at a first guess of the batch, which batch, which learning rate at that batch, and
# does the rule hold at larger N, larger D and smaller D.
PILOT_LEARNING_RATES = {
    (12, 300_000, 16): (0.02, 0.04, 0.08, 0.16, 0.32),
    (32, 300_000, 16): (0.01, 0.02, 0.04, 0.08, 0.16),
    (96, 300_000, 16): (0.0025, 0.005, 0.01, 0.02, 0.04),
    (12, 2_400_000, 45): (0.02, 0.04, 0.08, 0.16),
    (32, 2_400_000, 45): (0.01, 0.02, 0.04, 0.08),
    (12, 300_000, 32): (0.07898,),
    (12, 300_000, 4): (0.07898,),
    (12, 300_000, 2): (0.07898,),
    (96, 300_000, 32): (0.008955,),
    (96, 300_000, 4): (0.008955,),
    (96, 300_000, 2): (0.008955,),
    (32, 2_400_000, 90): (0.03,),
    (32, 2_400_000, 22): (0.03,),
    (32, 2_400_000, 11): (0.03,),
    (32, 2_400_000, 6): (0.03,),
    (12, 300_000, 8): (0.03, 0.055, 0.07898, 0.11),
    (32, 300_000, 8): (0.01, 0.02, 0.03, 0.045),
    (96, 300_000, 8): (0.003, 0.006, 0.008955, 0.013),
    (12, 2_400_000, 23): (0.03, 0.055, 0.08),
    (32, 2_400_000, 23): (0.01, 0.02, 0.03),
    (96, 1_200_000, 16): (0.0035, 0.006, 0.009),
    (160, 150_000, 6): (0.0019, 0.0038, 0.0077),
    (160, 600_000, 11): (0.0019, 0.0038, 0.0077),
    (96, 2_400_000, 23): (0.0033, 0.0066, 0.0132),
    (48, 2_400_000, 23): (0.0067, 0.0134, 0.0268),
    (12, 9_600_000, 45): (0.025, 0.049, 0.097),
    (12, 150_000, 6): (0.025, 0.049, 0.097),
    (48, 150_000, 6): (0.0067, 0.0134, 0.0268),
}


def pilot_runs() -> list[RunSpec]:
    """The runs behind the rules for batch and learning rate."""
    return [
        RunSpec("pilot", width, target, peak_lr=peak_lr, batch=batch)
        for (width, target, batch), peak_lrs in PILOT_LEARNING_RATES.items()
        for peak_lr in peak_lrs
    ]


def grid_runs() -> list[RunSpec]:
    """Sizes and bytes crossed widely, from cheap to expensive."""
    cells = [(width, 1000 * level) for width, levels in GRID.items() for level in levels]
    return sorted((RunSpec("grid", *cell) for cell in cells), key=cost)


def isoflop_runs() -> list[RunSpec]:
    """Several sizes at each of three budgets of compute."""
    return equal_compute("isoflop", ISOFLOP)


def holdout_runs() -> list[RunSpec]:
    """Several (N, D) at two budgets far above every fit run, the longest first."""
    return sorted(equal_compute("holdout", HOLDOUT), key=cost, reverse=True)


def seed_runs() -> list[RunSpec]:
    """Every fourth cell of the grid with other seeds: other initial weights, other windows."""
    cells = grid_runs()[EVERY_FOURTH // 2 :: EVERY_FOURTH]
    return [RunSpec("seeds", one.width, one.target_bytes, seed) for one in cells for seed in SEEDS]


def repeated_runs() -> list[RunSpec]:
    """Cells of the grid with few unique bytes, each seen 2 to 16 times."""
    return [
        RunSpec("repeated", width, target, unique_bytes=unique)
        for (width, target), uniques in REPEATED.items()
        for unique in uniques
    ]


def curve_runs() -> list[RunSpec]:
    """Whole loss curves: two sizes, two lengths, three schedules, one batch."""
    return [
        RunSpec("curves", width, target, batch=CURVE_BATCH, schedule=schedule, curve=True)
        for width, target in CURVES
        for schedule in CURVE_SCHEDULES
    ]


PARTS = {
    "pilot": pilot_runs,
    "grid": grid_runs,
    "isoflop": isoflop_runs,
    "holdout": holdout_runs,
    "seeds": seed_runs,
    "repeated": repeated_runs,
    "curves": curve_runs,
}


def added_run(text: str) -> RunSpec:
    """A run beyond the plan, read from WIDTH:BYTES or WIDTH:BYTES:SEED."""
    try:
        width, target, *rest = [whole_number(part) for part in text.split(":")]
        (seed,) = rest or [0]
    except ValueError:
        raise SystemExit(f"--add {text}: should be WIDTH:BYTES[:SEED], as 192:600000") from None
    # Whole thousands, because the name of a run says no less.
    if width < 4 or width % 4 or target < 10_000 or target % 1000 or seed < 0:
        raise SystemExit(
            f"--add {text}: the width should be a multiple of 4 (two heads of even size), the "
            "bytes at least 10000 and whole thousands, the seed 0 or more"
        )
    spec = RunSpec("added", width, target, seed)
    if any(spec.name == planned.name for runs in PARTS.values() for planned in runs()):
        raise SystemExit(f"--add {text}: {spec.name} is a run of the plan already")
    return spec


def spec_named(name: str) -> RunSpec | None:
    """The run of this name, one of the plan or one that `added_run` would make."""
    for spec in (spec for runs in PARTS.values() for spec in runs()):
        if spec.name == name:
            return spec
    found = re.fullmatch(r"w(\d+)-d(\d+)k-s(\d+)", name)
    if found is None:
        return None
    width, thousands, seed = map(int, found.groups())
    return RunSpec("added", width, 1000 * thousands, seed)


def whole_number(text: str) -> int:
    """An integer, also written as 6e5."""
    number = float(text)
    if not number.is_integer():
        raise ValueError(f"{text} is no whole number")
    return int(number)


def equal_compute(part: str, budgets: dict[float, tuple[int, ...]]) -> list[RunSpec]:
    """Runs of the given widths whose 6 N D is the budget."""
    return [
        RunSpec(part, width, round(budget / (6 * total_parameters(width))))
        for budget, widths in budgets.items()
        for width in widths
    ]


def total_parameters(width: int) -> int:
    """N of the family's model of this width."""
    return Shape(width, LAYERS, HEADS).n_total


def cost(spec: RunSpec) -> int:
    """N times D."""
    return total_parameters(spec.width) * spec.target_bytes
