"""The joint density: its coordinates, its prior, its mode, and where families are measured from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import jscale as js
from jscale._precision import float64_scope
from jscale.uncertainty.bayes import density as joint
from jscale.uncertainty.bayes.density import Spec, find_mode, given_arrays, log_prior
from jscale.uncertainty.bayes.pooling import pooled_problem, start_of
from jscale.uncertainty.bayes.priors import make_priors
from tests.uncertainty.bayes.families import FAMILIES
from tests.uncertainty.bayes.small_laws import conjugate


def nothing_counted(problem: Any) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros(problem.rows), np.zeros(problem.rows)


def test_coordinates_have_a_name_and_a_place(fit: js.Fit) -> None:
    layout = fit.problem.layout
    one = Spec(layout, "log", "normal", pooled=("A", "alpha"))
    assert one.labels == (
        *layout.labels, "A[mean]", "A[spread]", "alpha[mean]", "alpha[spread]", "noise_scale"
    )  # fmt: skip
    assert one.size == len(one.labels)
    assert one.labels[one.population("alpha")] == "alpha[mean]"
    counted = Spec(layout, "log", "binomial")
    assert counted.size == layout.size
    assert Spec(layout, "log", "beta_binomial").labels[-1] == "concentration"


def test_a_row_counts_as_one_run_on_average(runs: js.Runs) -> None:
    weights = np.where(np.arange(len(runs)) < 10, 0.0, 3.0)
    weights[10] = 6.0
    problem = js.fit("chinchilla", runs, weights=weights).problem
    normal = np.zeros(6), np.ones(6), np.ones(6), np.ones(0)
    given = given_arrays(problem, nothing_counted(problem), 3.0, normal)
    used = given.weights[given.weights > 0]
    assert used.mean() == pytest.approx(1.0)
    assert used.max() == pytest.approx(2 * used.min())
    assert (given.weights[:10] == 0).all()


def test_the_mode_and_its_width_are_those_of_the_conjugate_posterior(line_fit: js.Fit) -> None:
    known = {"noise_scale": ("lognormal", float(np.log(0.3)), 1e-4)}
    made = make_priors(line_fit.problem.layout, "linear", "normal", known)
    with float64_scope():
        given = given_arrays(line_fit.problem, nothing_counted(line_fit.problem), 3.0, made.arrays)
        mode = find_mode(made.spec, np.array([-1.0, 2.0, -2.0]), given)
    mean, covariance = conjugate(line_fit, 0.3)
    assert mode.settled
    np.testing.assert_allclose(mode.z[:2], mean, rtol=1e-4)
    np.testing.assert_allclose((mode.root @ mode.root.T)[:2, :2], covariance, rtol=1e-4)
    x, y = line_fit.runs["x"], line_fit.runs["score"]
    a, b, log_sd = mode.z
    height = (
        stats.norm.logpdf(y, a + b * x, np.exp(log_sd)).sum()
        + stats.norm.logpdf([a, b], 0.0, 2.0).sum()
        + stats.norm.logpdf(log_sd, np.log(0.3), 1e-4)
    )
    assert mode.height == pytest.approx(height, rel=1e-10)


@pytest.mark.full
def test_there_is_no_density_outside_a_priors_support(fit: js.Fit) -> None:
    import jax.numpy as jnp
    from numpyro import distributions as dist

    E = float(fit.params["E"])
    with float64_scope():
        made = make_priors(
            fit.problem.layout, "log", "normal", {"E": dist.Uniform(E - 0.1, E + 0.1)}
        )
        given = given_arrays(fit.problem, nothing_counted(fit.problem), 3.0, made.arrays)
        z = jnp.append(fit.theta, -5.3)
        at = fit.problem.layout.labels.index("E")
        inside = float(log_prior(made.spec, z, given))
        outside = float(log_prior(made.spec, z.at[at].add(np.log1p(0.2 / E)), given))
    assert np.isfinite(inside)
    assert outside == -np.inf


@pytest.mark.full
def test_where_a_family_is_measured_from_changes_no_density(shared: js.Fit) -> None:
    """Centred, non-centred and between: log p(z) differs by the Jacobian of the map alone."""
    problem = pooled_problem(shared, {"E": "family"})
    made = make_priors(problem.layout, "log", "student_t", None, ("E",))
    none = (np.zeros(problem.rows), np.zeros(problem.rows))
    spec = made.spec
    at, slot = spec.population("E"), spec.layout.slot("E")
    assert slot is not None
    with float64_scope():
        given = joint.given_arrays(problem, none, 3.0, made.arrays)
        z = start_of(spec, shared.problem.layout, shared.theta, -4.6, made.spread)
        z[slot.where] = np.linspace(-1.0, 1.0, FAMILIES)
        theta = joint.coordinates_of_many(spec, z[None], given)[0]
        share, anchor = np.zeros(spec.size), np.array([[0.4, -1.0]])
        share[slot.where] = np.linspace(0.0, 1.0, FAMILIES)
        moved = given._replace(share=share, anchor=anchor)
        s = share[slot.where]
        mean = s * 0.4 + (1 - s) * z[at]
        log_width = s * -1.0 + (1 - s) * z[at + 1]
        other = z.copy()
        other[slot.where] = (theta[slot.where] - mean) / np.exp(log_width)
        np.testing.assert_allclose(joint.coordinates_of_many(spec, other[None], moved)[0], theta)
        a = joint.log_joint_of_many(spec, z[None], given)[0]
        b = joint.log_joint_of_many(spec, other[None], moved)[0]
    assert b - a == pytest.approx(np.sum(log_width - z[at + 1]), abs=1e-8)


@pytest.mark.full
def test_the_density_of_own_values_is_carried_over(fit: js.Fit) -> None:
    """A lognormal over A itself: log A = log A' + alpha·log N0, whose Jacobian is 1."""
    import jax.numpy as jnp
    from numpyro import distributions as dist

    with float64_scope():
        made = make_priors(fit.problem.layout, "log", "normal", {"A": dist.LogNormal(6.0, 0.2)})
        none = (np.zeros(fit.problem.rows), np.zeros(fit.problem.rows))
        given = given_arrays(fit.problem, none, 3.0, made.arrays)
        z = jnp.append(fit.theta, -5.3)
        found = float(log_prior(made.spec, z, given))
    E, _, alpha, _, beta = np.log(fit.params)
    B = fit.theta[fit.problem.layout.labels.index("B")]
    exact = stats.norm.logpdf(
        [E, np.log(fit.params["A"]), alpha, B, beta, -5.3],
        [0.5, 6.0, -1.0, -1.0, -1.0, -5.0], [1.0, 0.2, 0.7, 1.5, 0.7, 1.5],
    )  # fmt: skip
    assert found == pytest.approx(exact.sum(), rel=1e-10)
