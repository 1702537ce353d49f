"""Planted worlds of laws of fine-tuning, distillation, knowledge, attacks and reinforcement."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jscale.simulation.worlds.size_and_data import crossed, over

EXAMPLES = 200.0 * 2.0 ** np.arange(14)


def students() -> pd.DataFrame:
    """Cross students and tokens with teachers, from much better to worse than the student alone."""
    table = crossed(
        N=np.geomspace(1e8, 1e10, 5), D=np.geomspace(2e9, 5e11, 5), ratio=np.geomspace(0.6, 1.3, 8)
    )
    alone = 1.7 + 480.0 * table["N"] ** -0.35 + 2100.0 * table["D"] ** -0.37
    table = table.assign(teacher_loss=alone * table["ratio"], supervised_loss=alone)
    return table.loc[:, ["N", "D", "teacher_loss", "supervised_loss"]]


def biographies() -> pd.DataFrame:
    """Cross sizes and facts (bits) with 10 to 2000 exposures; the larger models learn all facts."""
    return crossed(
        N=np.geomspace(1e6, 5e8, 6),
        exposures=np.array([10.0, 30.0, 100.0, 300.0, 1000.0, 2000.0]),
        knowledge=np.array([1e8, 1e9]),
    )


WORLDS: dict[str, tuple[dict[str, float], pd.DataFrame]] = {
    "fine_tuning": (
        {"E": 0.7, "A": 60.0, "alpha": 0.2, "beta": 0.1},
        crossed(X=np.geomspace(1e8, 2e10, 6), D_f=np.geomspace(1e4, 2e7, 7)),
    ),
    "rectified_fine_tuning": (
        {"E": 1.5, "B": 400.0, "D_l": 150.0, "beta": 0.55},
        pd.DataFrame({"D_f": np.append(0.0, EXAMPLES)}),
    ),
    "distillation": (
        {"c0": 1.5, "c1": 1.2, "d1": 0.95, "f1": 0.1,
         "A": 3e4, "alpha": 0.5, "B": 4e5, "beta": 0.55, "gamma": 0.7},
        students(),
    ),
    "knowledge_capacity": ({"R_max": 2.3, "T_half": 130.0, "s": 0.95}, biographies()),
    "activation_attack": ({"kappa": 12.0}, over("a", 1, 64, 20)),
    "adversarial_error": (
        {"top": 0.95, "epsilon_c": 4.0, "beta": 1.1}, over("epsilon", 0.05, 100.0, 40)
    ),
    "rl_post_training": (
        {"K_max": 0.25, "N_0": 3e9, "E": 0.1},
        crossed(N=np.geomspace(1e9, 7e10, 6), X=np.geomspace(1e4, 1e7, 8)),
    ),
    "rl_compute": (
        {"R_0": 0.3, "A": 0.65, "C_mid": 3e3, "B": 1.7}, over("C", 2e2, 1e5, 40)
    ),
    "intrinsic_performance": (
        {"N_c": 2e-2, "alpha_N": 0.5, "E_c": 0.1, "alpha_E": 0.4},
        crossed(N=np.geomspace(1e4, 1e7, 7), E=np.geomspace(1e6, 3e9, 8)),
    ),
    "train_test_exchange": (
        {"floor": -1500.0, "rise": 2000.0, "A": 1e23, "rate": 1.2, "k": 0.6},
        crossed(C=np.geomspace(1e13, 1e17, 7), T=np.geomspace(1e1, 1e6, 8)),
    ),
}  # fmt: skip

SPREAD: dict[str, float] = {}
