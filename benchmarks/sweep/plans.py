"""The lists of runs: the grid of the table, the pilot of the rules, the repeats that show noise."""

from __future__ import annotations

from .grid import RunSpec

# Width -> how many of the levels of D: all cells whose C = 6 N D stays below 1e12.
LEVELS_OF_D = (300_000, 600_000, 1_200_000, 2_400_000, 4_800_000, 8_000_000)
FIT_CELLS = {12: 6, 16: 6, 24: 6, 32: 5, 48: 4, 64: 3, 96: 2}
HOLDOUT_CELLS = ((48, 10_000_000), (64, 8_000_000), (96, 4_800_000), (128, 3_600_000))

# (width, D, windows per step) -> peak learning rates. Three questions, in the order asked: which
# learning rate at a first guess of the batch, which batch, which learning rate at that batch.
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
}

REPEATED_CELLS = (
    (12, 300_000),
    (12, 2_400_000),
    (32, 600_000),
    (48, 300_000),
    (64, 600_000),
    (24, 4_800_000),
    (32, 4_800_000),
)
REPEAT_SEEDS = (1, 2)


def grid_runs() -> list[RunSpec]:
    """The table's runs: fit runs from cheap to expensive, then the held-out ones, longest first.

    With the longest last runs started first, both workers end at about the same time.
    """
    fit = [
        RunSpec("fit", width, target)
        for width, levels in FIT_CELLS.items()
        for target in LEVELS_OF_D[:levels]
    ]
    holdout = [RunSpec("holdout", width, target) for width, target in HOLDOUT_CELLS]
    return sorted(fit, key=_cost) + sorted(holdout, key=_cost, reverse=True)


def pilot_runs() -> list[RunSpec]:
    """The runs behind the rules for batch and learning rate."""
    return [
        RunSpec("pilot", width, target, peak_lr=peak_lr, batch=batch)
        for (width, target, batch), peak_lrs in PILOT_LEARNING_RATES.items()
        for peak_lr in peak_lrs
    ]


def repeat_runs() -> list[RunSpec]:
    """Some cells of the grid with other seeds: other initial weights and other windows."""
    return [
        RunSpec("repeat", width, target, seed=seed)
        for width, target in REPEATED_CELLS
        for seed in REPEAT_SEEDS
    ]


PLANS = {"grid": grid_runs, "pilot": pilot_runs, "repeats": repeat_runs}


def _cost(spec: RunSpec) -> int:
    return (spec.width**2 * 24 + 256 * spec.width) * spec.target_bytes
