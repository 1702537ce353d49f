"""Importance sampling: weighted points, how they are resampled, and the round that is kept."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from jscale.uncertainty.bayes import density as joint
from jscale.uncertainty.bayes import importance as sampling
from jscale.uncertainty.bayes.importance import Weighted


def weighted(weights: list[float], k: float = 0.1, share: float = 0.9) -> Weighted:
    z = np.arange(2.0 * len(weights)).reshape(-1, 2)
    return Weighted(z, np.array(weights), k, share, 1)


def test_points_are_taken_by_their_weights() -> None:
    """Systematic resampling: a point of weight w is taken w·count times, rounded up or down."""
    weights = [0.5, 0.0, 0.3, 0.2]
    one = weighted(weights)
    for seed in range(5):
        drawn = one.resampled(25, np.random.default_rng(seed))
        assert drawn.shape == (25, 2)
        taken = np.array([np.sum(drawn[:, 0] == x) for x in one.z[:, 0]])
        np.testing.assert_array_less(np.abs(taken - 25 * np.array(weights)), 1.0)
        assert taken[1] == 0
        np.testing.assert_array_equal(drawn[:, 1], drawn[:, 0] + 1)


def test_resampled_points_are_shuffled() -> None:
    many = weighted([0.001] * 1000)
    drawn = many.resampled(1000, np.random.default_rng(0))[:, 0]
    np.testing.assert_array_equal(np.sort(drawn), many.z[:, 0])
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 0.15


@pytest.mark.parametrize(
    ("k", "share", "passes", "reliable"),
    [(0.69, 0.4, True, True), (0.69, 0.39, True, False), (0.7, 0.9, False, False),
     (np.nan, 0.9, False, False)],
)  # fmt: skip
def test_what_is_reliable(k: float, share: float, passes: bool, reliable: bool) -> None:
    found = weighted([1.0], k, share)
    assert (found.passes, found.reliable) == (passes, reliable)


@pytest.mark.parametrize("share", [0.2, 0.9])
def test_a_mixture_draws_from_each_mode_its_share(share: float) -> None:
    proposal = sampling._Proposal(
        np.array([[0.0, 0.0], [100.0, 50.0]]), np.stack([np.eye(2), 2 * np.eye(2)]),
        np.array([share, 1 - share]),
    )  # fmt: skip
    z = proposal.draw(1000, np.random.default_rng(0))
    assert z.shape == (1000, 2)
    assert np.mean(z[:, 0] < 50) == pytest.approx(share)
    other = z[z[:, 0] > 50]
    assert np.median(other, axis=0) == pytest.approx([100.0, 50.0], abs=1.0)


def test_a_components_density_is_that_of_a_multivariate_t() -> None:
    from scipy import stats

    root, centre = np.array([[1.0, 0.0], [0.7, 0.5]]), np.array([1.0, -2.0])
    proposal = sampling._Proposal(centre[None], root[None], np.ones(1))
    z = np.random.default_rng(0).standard_normal((20, 2)) * 3
    exact = stats.multivariate_t(centre, root @ root.T, df=8).logpdf(z)
    np.testing.assert_allclose(np.ptp(proposal.log_densities(z)[0] - exact), 0.0, atol=1e-12)


def test_a_round_that_passes_is_kept_before_one_of_larger_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mode = joint.Mode(np.zeros(2), np.eye(2), np.eye(2), 0.0, True)
    spec: Any = SimpleNamespace(size=2)
    given: Any = None

    def kept(*rounds: tuple[float, float]) -> int:
        z, weights = np.random.default_rng(0).standard_normal((1000, 2)), np.full(1000, 1e-3)
        made = iter([Weighted(z, weights, k, s, i + 1) for i, (k, s) in enumerate(rounds)])
        monkeypatch.setattr(sampling, "_round", lambda *args: next(made))
        rng = np.random.default_rng(0)
        return sampling.importance(spec, given, mode, 1000, rng).rounds

    assert kept((0.3, 0.45), (0.9, 0.55), (0.8, 0.5)) == 1
    assert kept((0.9, 0.9), (0.5, 0.3), (0.6, 0.4)) == 3
    assert kept((0.9, 0.5), (0.8, 0.3), (1.2, 0.55)) == 2
    assert kept((0.2, 0.7)) == 1
