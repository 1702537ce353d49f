"""learn_prior: parts and digests of sweeps, answers and their mixtures, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import jscale as js
from jscale.discrepancy.kernels import Component
from jscale.discrepancy.prior import FamilyPrior, Variant, default_prior
from jscale.discrepancy.questions import Question
from jscale.prediction.learn_prior import (
    Answer,
    answers_of,
    digests,
    learn_prior,
    parts_of,
    relearnt,
    without,
)

FAMILY = FamilyPrior(
    "one_axis",
    (Variant("one", {}),),
    ((Component(1.0, 6.0, 0.1),), (Component(1.0, 6.0, 0.4),)),
    (0.5, 1.0),
    np.zeros((2, 3)), np.zeros((2, 3)), np.zeros((1, 3)), np.array([np.log(0.5), 0.0]),
    (40.0, 0.006), 5e-4,
)  # fmt: skip


def answer(**changed: Any) -> Answer:
    """An answer of two kernels and two noises on three larger runs."""
    mean = np.zeros((2, 2, 1, 3)) + np.array([0.0, 1.0])[:, None, None, None]
    values: dict[str, Any] = {
        "evidence": np.zeros((2, 2, 1)), "mean": mean, "variance": np.full(mean.shape, 0.04),
        "measured": np.array([0.1, 0.2, 0.9]), "distance": np.array([2.0, 4.0, 8.0]),
    }  # fmt: skip
    question = Question("all", "beyond", np.arange(40), np.arange(40, 43))
    return Answer("a", "all", "one_axis", question, 40, 0.006, **{**values, **changed})


def test_a_record_holds_the_density_of_each_expert() -> None:
    record = answer().record
    for kernel, middle in enumerate((0.0, 1.0)):
        expected = norm.logpdf([0.1, 0.2, 0.9], middle, 0.2)
        np.testing.assert_allclose(record.log_density[kernel, 1, 0], expected, rtol=1e-12)
    assert (record.data_set, record.runs, record.scale) == ("a", 40, 0.006)


def test_experts_weigh_by_their_evidence_to_the_temperature() -> None:
    """At 40 runs η is 0.5: an evidence of 2 nats more is a factor of e."""
    evidence = np.array([2.0, 0.0])[:, None, None] + np.zeros((2, 2, 1))
    mixture = answer(evidence=evidence).mixture(FAMILY)
    by_kernel = mixture.weights.reshape(2, 2).sum(axis=1)
    assert by_kernel[0] / by_kernel[1] == pytest.approx(np.e)
    np.testing.assert_allclose(mixture.sd, 0.2)
    assert mixture.weights.sum() == pytest.approx(1.0)


def test_experts_without_a_number_have_no_say() -> None:
    broken = answer()
    broken.mean[0, 0] = np.nan
    broken.variance[0, 1] = np.inf
    mixture = broken.mixture(FAMILY)
    np.testing.assert_array_equal(mixture.mean, 1.0)
    lost = answer(evidence=np.array([np.nan, 0.0])[:, None, None] + np.zeros((2, 2, 1)))
    np.testing.assert_array_equal(lost.mixture(FAMILY).mean, 1.0)


def test_answers_of_a_data_set_are_left_out_to_judge_it() -> None:
    both = [answer(), answer()]
    assert without(both, "a") == []
    assert without(both, "b") == both
    assert relearnt(FAMILY, []) is FAMILY


def sweep(rows: int, seed: int = 0) -> pd.DataFrame:
    C = np.geomspace(1e17, 1e21, rows)
    noise = 0.005 * np.random.default_rng(seed).standard_normal(rows)
    return pd.DataFrame({"C": C, "loss": (1.7 + 900 * C**-0.15) * np.exp(noise)})


def test_a_sweep_is_its_runs_or_a_mapping_of_parts() -> None:
    parts = list(parts_of({"a": sweep(5), "b": {"x": sweep(6), 2: js.Runs.from_frame(sweep(7))}}))
    assert [(name, part, len(runs)) for name, part, runs in parts] == [
        ("a", "all", 5), ("b", "x", 6), ("b", "2", 7)
    ]  # fmt: skip


def test_digests_tell_whether_runs_are_the_same() -> None:
    first, same, other = (digests({"a": sweep(5, seed)})["a"] for seed in (0, 0, 1))
    assert first == same != other
    assert len(first) == 16


def test_a_sweeps_own_split_is_its_one_question() -> None:
    table = sweep(12).assign(held=[False] * 9 + [True] * 3)
    (found,) = answers_of({"mine": table}, default_prior())
    assert (found.data_set, found.part, found.family) == ("mine", "all", "one_axis")
    assert found.question.held.tolist() == [9, 10, 11]
    assert found.runs == 9
    np.testing.assert_allclose(found.measured, np.log(table["loss"][9:]))
    np.testing.assert_allclose(found.distance, table["C"][9:] / table["C"][8])
    mixture = found.mixture(default_prior().families["one_axis"])
    assert np.abs(mixture.quantile(0.5) - found.measured).max() < 0.1


@pytest.mark.full
@pytest.mark.parametrize(
    ("sweeps", "message"),
    [
        ({}, r"sweeps must map names to runs: \{\"our 2025 sweep\": df\}"),
        (sweep(5), "sweeps must map names to runs"),
        (
            {"a": sweep(5), "b": sweep(4)},
            r"too small to learn from \(runs: a 5, b 4\)\. A question",
        ),
        ({"a": [1, 2]}, "sweep 'a': forecast takes Runs or a pandas DataFrame, not list"),
        ({"a": sweep(20), "b": sweep(2)}, "sweep 'b': A forecast needs at least 3 independent"),
        ({"b": {"x": sweep(2)}}, r"sweep 'b' \(part 'x'\): A forecast needs at least 3"),
    ],
)
def test_what_nothing_can_be_learnt_from(sweeps: Any, message: str) -> None:
    with pytest.raises(js.DataError, match=message):
        learn_prior(sweeps)


def steep(seed: int) -> pd.DataFrame:
    """Runs of N and D with exponents far from those of language models."""
    rng = np.random.default_rng(seed)
    N, D = (np.exp(rng.uniform(*np.log(ends), 24)) for ends in ([1e7, 1e9], [1e9, 1e11]))
    alpha, beta = 0.6 + 0.03 * rng.normal(), 0.55 + 0.03 * rng.normal()
    loss = 1.5 + 0.7 * (N / 1e8) ** -alpha + 0.6 * (D / 1e10) ** -beta
    return pd.DataFrame({"N": N, "D": D, "loss": loss * np.exp(0.003 * rng.normal(size=24))})


@pytest.mark.full
def test_a_labs_own_sweeps_teach_its_exponents() -> None:
    prior = learn_prior({f"sweep {seed}": steep(seed) for seed in range(8)})
    start = default_prior().families["loss_surface"].variants[0]
    learnt = prior.families["loss_surface"].variants[0]
    for name, true in (("alpha", np.log(0.6)), ("beta", np.log(0.55))):
        assert abs(learnt.parameters[name][0] - true) < 0.75 * abs(start.parameters[name][0] - true)
    scores = {"mine": 0.0, "default": 0.0}
    for seed in range(20, 24):
        table = steep(seed).sort_values("D", ignore_index=True)
        few, rest = table.iloc[:5], table.iloc[16:].reset_index(drop=True)
        for name, p in (("mine", prior), ("default", "default")):
            mixture = js.forecast(few, prior=p).mixture(rest[["N", "D"]])
            scores[name] += mixture.log_score(rest["loss"].to_numpy()).mean() / 4
    assert scores["mine"] > scores["default"] + 0.1


@pytest.mark.full
def test_sweeps_that_nothing_is_asked_of_are_named() -> None:
    with pytest.warns(
        js.DataWarning, match="1 of 2 sweeps are too small to ask .* exponents alone: small"
    ):
        learn_prior({"mine": sweep(20).assign(held=[False] * 16 + [True] * 4), "small": sweep(4)})
