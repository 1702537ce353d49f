"""The rules for batch and learning rate, and what a run's settings say of it."""

from __future__ import annotations

import pytest

from benchmarks.sweep.grid import (
    RunSpec,
    Settings,
    batch_windows,
    peak_learning_rate,
    settle,
)


@pytest.mark.parametrize(("target", "batch"), [(300_000, 8), (1_200_000, 16), (10_000, 1), (1, 1)])
def test_batch_grows_as_the_root_of_the_bytes(target, batch):
    assert batch_windows(target) == batch


def test_learning_rate_is_a_power_of_the_size():
    assert peak_learning_rate(32_768) == 0.02
    assert peak_learning_rate(6_528) == 0.04857
    ratio = peak_learning_rate(400_000) / peak_learning_rate(100_000)
    assert ratio == pytest.approx(4**-0.55, rel=1e-3)


def test_settings_follow_the_rules():
    settings = settle(RunSpec("grid", 32, 1_200_000, seed=2))
    assert settings.run == "w032-d01200k-s2"
    assert (settings.batch, settings.steps, settings.peak_lr) == (16, 586, 0.02)
    assert settings.shape.n_total == 32_768
    assert settings.trained_bytes == 586 * 16 * 128
    assert settings.flops == 6 * 32_768 * settings.trained_bytes
    assert Settings(**settings.as_dict()) == settings


def test_the_pilot_may_set_what_the_rules_would_give():
    settings = settle(RunSpec("pilot", 32, 1_200_000, peak_lr=0.5, batch=4))
    assert (settings.batch, settings.steps, settings.peak_lr) == (4, 2344, 0.5)
    assert settings.run == "w032-d01200k-b4-lr0.5-s0"


def test_unique_bytes_become_windows():
    settings = settle(RunSpec("repeated", 32, 1_200_000, unique_bytes=150_000))
    assert settings.unique_windows == 1172
    assert settings.run == "w032-d01200k-u00150k-s0"
