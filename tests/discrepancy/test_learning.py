"""Learning a prior: experts that predicted well gain weight, data sets weigh alike."""

from __future__ import annotations

import numpy as np
import pytest

from jscale.discrepancy.kernels import Component
from jscale.discrepancy.learning import Record, learn_family, question_weights
from jscale.discrepancy.prior import FamilyPrior, Variant

TEMPLATE = FamilyPrior(
    "test",
    (Variant("one", {}),),
    ((Component(1.0, 6.0, 0.1),), (Component(1.0, 6.0, 0.4),)),
    (0.5, 1.0),
    np.zeros((2, 3)), np.zeros((2, 3)), np.zeros((1, 3)), np.array([-0.58, 0.0]), (40.0, 0.006),
    5e-4,
)  # fmt: skip


def record(best: int, data_set: str = "a", part: str = "x", runs: int = 40) -> Record:
    """A question to which one kernel gave the larger runs a far higher density."""
    density = np.full((2, 2, 1, 3), -3.0)
    density[best] = 1.0
    return Record(data_set, part, runs, 0.006, np.zeros((2, 2, 1)), density)


def test_data_sets_weigh_alike() -> None:
    records = [record(0), record(0), record(0, part="y"), record(1, "b")]
    np.testing.assert_allclose(question_weights(records), [0.125, 0.125, 0.25, 0.5])


def test_the_kernel_that_predicted_best_gains_weight() -> None:
    learnt = learn_family(TEMPLATE, [record(1)] * 5)
    weights = np.exp(learnt.log_weights(40, 0.006)).sum(axis=(1, 2))
    assert weights[1] > 0.8


def test_what_differs_by_the_number_of_runs_is_learnt() -> None:
    records = [record(0, runs=5), record(1, "b", runs=400)]
    learnt = learn_family(TEMPLATE, records)
    few, many = (np.exp(learnt.log_weights(n, 0.006)).sum(axis=(1, 2)) for n in (5, 400))
    assert few[0] > 0.6
    assert many[1] > 0.6


def test_an_expert_without_a_number_is_left_out() -> None:
    broken = record(1)
    broken.log_density[0] = np.nan
    broken.evidence[0] = np.nan
    learnt = learn_family(TEMPLATE, [broken])
    assert np.isfinite(learnt.kernel_bias).all()
    assert np.exp(learnt.log_weights(40, 0.006)).sum() == pytest.approx(1.0)
