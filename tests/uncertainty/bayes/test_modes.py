"""Modes of a posterior: several of them, those not reached, and the round that is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.model.roles import Real
from jscale.uncertainty.bayes import density as joint
from jscale.uncertainty.bayes import modes
from jscale.uncertainty.bayes import notes as verdicts
from jscale.uncertainty.bayes.result import Posterior


@js.law(output="score", start={"a": (-2.0, 2.0)})
def two_roots(x: Any, *, a: Real) -> Any:
    """The square of a, and a slope that tells its signs apart: a² + 0.2·a·x."""
    return a * a + 0.2 * a * x


@pytest.fixture(scope="module")
def roots() -> js.Fit:
    """Runs whose slope says little, so that both signs of a are possible."""
    rng = np.random.default_rng(4)
    x = np.linspace(-1.0, 1.0, 16)
    score = 1.0 - 0.05 * x + 0.3 * rng.standard_normal(16)
    runs = js.Runs.from_frame(pd.DataFrame({"x": x, "score": score}), x="x", output="score",
                              loss_unit="other")  # fmt: skip
    return js.fit(two_roots, runs, objective=js.least_squares(space="linear"))


@pytest.fixture(scope="module")
def bimodal(roots: js.Fit) -> Posterior:
    return js.posterior(roots, likelihood="normal", method="auto", seed=1)


def positive(post: Posterior) -> tuple[float, float]:
    """The mass and the mean of positive a, by the joint density on a grid."""
    assert post.sampled is not None
    a, log_sd = np.meshgrid(np.linspace(-2.5, 2.5, 801), np.linspace(-3.5, 1.0, 161))
    z = np.column_stack([a.ravel(), log_sd.ravel()])
    with float64_scope():
        log = joint.log_joint_of_many(post.sampled.spec, z, post.sampled.given)
    density = np.exp(log - log.max())
    up = density * (z[:, 0] > 0)
    return float(up.sum() / density.sum()), float(up @ z[:, 0] / up.sum())


@pytest.mark.full
def test_importance_draws_from_all_modes(bimodal: Posterior) -> None:
    share, mean = positive(bimodal)
    a = bimodal["a"].to_numpy().ravel()
    assert 0.1 < share < 0.9
    assert bimodal.settings["method"] == "importance"
    assert bimodal.checks["pareto_k"] < 0.7
    slack = 4 * np.sqrt(share * (1 - share) / bimodal.checks["min_ess"])
    assert np.mean(a > 0) == pytest.approx(share, abs=slack)
    assert a[a > 0].mean() == pytest.approx(mean, abs=0.01)
    [note] = [n for n in bimodal.notes if n.code == "several-modes"]
    assert note.severity == "caution"
    assert "has 2 modes" in note.seen
    best = int(note.seen.split("about ")[1].split("%")[0]) / 100
    assert best == pytest.approx(max(share, 1 - share), abs=0.06)


@pytest.mark.full
def test_chains_that_may_see_one_mode_alone_are_not_trusted(roots: js.Fit) -> None:
    post = js.posterior(roots, likelihood="normal", method="nuts", draws=200, seed=1)
    assert "several-modes" in verdicts.failed(post.notes)
    assert not post.passed


def test_one_mode_needs_no_note(fit: js.Fit) -> None:
    post = js.posterior(fit, seed=1)
    assert not {"several-modes", "mode-not-settled"} & {n.code for n in post.notes}


def test_a_mode_is_found_once_from_many_starts(bimodal: Posterior) -> None:
    assert bimodal.sampled is not None
    spec, given = bimodal.sampled.spec, bimodal.sampled.given
    starts = np.array([[0.8, -1.0], [1.3, -1.5], [-0.7, -1.0], [-1.1, 0.0]])
    with float64_scope():
        found = modes.find_modes(spec, starts, given)
        alone = modes.find_modes(spec, starts[:2], given)
    assert sorted(np.sign(m.z[0]) for m in found) == [-1, 1]
    shares = modes.shares_of(found)
    assert shares[0] > shares[1]
    assert shares.sum() == pytest.approx(1.0)
    assert len(alone) == 1


@pytest.mark.full
@pytest.mark.parametrize(("method", "used"), [("auto", "nuts"), ("importance", "importance")])
def test_a_mode_that_was_not_reached(
    monkeypatch: pytest.MonkeyPatch, fit: js.Fit, method: str, used: str
) -> None:
    climb = modes.find_mode
    monkeypatch.setattr(modes, "find_mode", lambda *args: replace(climb(*args), settled=False))
    post = js.posterior(fit, method=method, draws=200, seed=1)
    assert post.settings["method"] == used
    assert ("did not converge" in post.settings["why"]) == (method == "auto")
    assert "mode-not-settled" in verdicts.failed(post.notes)
    assert not post.passed
