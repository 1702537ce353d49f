"""Simulation-based calibration, in small; benchmarks/calibration.py runs 300 of each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import calibration
from jscale.uncertainty.bayes import nuts


@pytest.mark.full
def test_ranks_are_uniform_for_chinchilla(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four bins: p below 1e-4 would be chance once in 1600 runs of six quantities."""
    monkeypatch.setattr(nuts, "_ATTEMPTS", ((0.95, 1),))
    monkeypatch.setattr(calibration, "PLAN", replace(calibration.PLAN, draws=100, warmup=300))
    study = calibration.chinchilla()
    table = calibration.calibrate(study, 24, seed=1)
    for name in study.names:
        assert calibration.chi_square(table[name].to_numpy(), bins=4)[1] > 1e-4, name


def test_a_wrong_posterior_is_found() -> None:
    """Draws that are half as wide as they should be push ranks to the ends."""
    rng = np.random.default_rng(0)
    narrow = 99 * np.clip(0.5 + 2.0 * (rng.random(200) - 0.5), 0.0, 1.0)
    assert calibration.chi_square(narrow.astype(int))[1] < 1e-6
    assert calibration.chi_square(rng.integers(0, 100, 200))[1] > 1e-3
