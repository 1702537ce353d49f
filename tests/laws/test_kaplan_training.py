"""Kaplan's laws along training: the implicit trajectory, its limits, and what follows from it."""

from __future__ import annotations

import jax
import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale._precision import float64_scope
from tests.laws.numeric import solve

STEPS = {"N_c": 6.5e13, "alpha_N": 0.077, "S_c": 2e3, "alpha_S": 0.75}
BATCH = {"B_star": 2e8, "alpha_B": 0.21}


def test_steps() -> None:
    law = js.laws.get("kaplan_steps")
    by_hand = (6.5e13 / 1e9) ** 0.077 + (2e3 / 1e5) ** 0.75
    assert law(1e9, 1e5, **STEPS) == pytest.approx(by_hand, rel=1e-12)
    steps = law.quantities["steps_for_loss"](STEPS, loss=2.5, N=1e9)
    size = law.quantities["size_for_loss"](STEPS, loss=2.5, S=1e5)
    assert steps == pytest.approx(solve(lambda S: law(1e9, S, **STEPS) - 2.5, 1, 1e9), rel=1e-9)
    assert size == pytest.approx(solve(lambda N: law(N, 1e5, **STEPS) - 2.5, 1e3, 1e15), rel=1e-9)
    assert np.isnan(law.quantities["steps_for_loss"](STEPS, loss=2.0, N=1e9))


def test_critical_batch() -> None:
    law = js.laws.get("critical_batch")
    assert law(1.0, **BATCH) == pytest.approx(2e8, rel=1e-12)
    assert law(3.0, **BATCH) == pytest.approx(2e8 / 3 ** (1 / 0.21), rel=1e-12)
    assert law.invert(law(3.0, **BATCH), **BATCH) == pytest.approx(3.0, rel=1e-12)


@pytest.mark.full
def test_trajectory_solves_its_equation() -> None:
    """Over all regimes of the batch, from far below to far above the critical one."""
    law, p = js.laws.get("kaplan_trajectory"), {**STEPS, **BATCH}
    N, S, B = np.meshgrid([1e4, 1e9, 1e14], [1e1, 1e5, 1e8], [1.0, 1e3, 1e6, 1e12, 1e30])
    loss = law(N, S, B, **p)
    assert loss.shape == N.shape
    steps = S / (1 + p["B_star"] / (B * loss ** (1 / p["alpha_B"])))
    right = (p["N_c"] / N) ** p["alpha_N"] + (p["S_c"] / steps) ** p["alpha_S"]
    np.testing.assert_allclose(loss, right, rtol=1e-12)
    np.testing.assert_allclose(
        loss[..., -1], js.laws.get("kaplan_steps")(N[..., -1], S[..., -1], **STEPS), rtol=1e-12
    )


@pytest.mark.full
def test_trajectory_has_exact_first_and_second_derivatives() -> None:
    law, p = js.laws.get("kaplan_trajectory"), {**STEPS, **BATCH}
    names = tuple(p)

    def log_loss(u):
        values = dict(zip(names, jax.numpy.exp(u), strict=True))
        return jax.numpy.log(law.evaluate({"N": 1e8, "S": 2e4, "B": 3e5, **values}))

    with float64_scope():
        u = np.log(list(p.values()))
        value, slope = jax.jit(jax.value_and_grad(log_loss)), jax.jit(jax.grad(log_loss))
        bend = np.asarray(jax.jit(jax.hessian(log_loss))(u))
        for i, step in enumerate(1e-4 * np.eye(len(u))):
            up, down = value(u + step)[0], value(u - step)[0]
            assert (up - down) / 2e-4 == pytest.approx(float(slope(u)[i]), rel=1e-6)
            by_hand = (slope(u + step) - slope(u - step)) / 2e-4
            np.testing.assert_allclose(by_hand, bend[i], rtol=1e-5, atol=1e-7)


@pytest.mark.full
def test_trajectory_quantities_agree_with_the_curve() -> None:
    law, p = js.laws.get("kaplan_trajectory"), {**STEPS, **BATCH}
    ask = law.quantities
    loss, N = 2.8, 1e9
    critical = ask["critical_batch"](p, loss=loss)
    assert critical == pytest.approx(js.laws.get("critical_batch")(loss, **BATCH), rel=1e-12)
    for B in (1e4, critical, 1e8):
        steps = ask["steps_for_loss"](p, loss=loss, N=N, B=B)
        numeric = solve(lambda S, B=B: law(N, S, B, **p) - loss, 1, 1e12)
        assert steps == pytest.approx(numeric, rel=1e-9)
        assert ask["tokens_for_loss"](p, loss=loss, N=N, B=B) == pytest.approx(steps * B)
    fewest, least = (ask[q](p, loss=loss, N=N) for q in ("minimum_steps", "minimum_tokens"))
    assert ask["steps_for_loss"](p, loss=loss, N=N, B=1e30) == pytest.approx(fewest)
    assert ask["tokens_for_loss"](p, loss=loss, N=N, B=1e-9) == pytest.approx(least)
    assert ask["steps_for_loss"](p, loss=loss, N=N, B=critical) == pytest.approx(2 * fewest)
    assert ask["tokens_for_loss"](p, loss=loss, N=N, B=critical) == pytest.approx(2 * least)
    assert np.isnan(ask["steps_for_loss"](p, loss=2.0, N=N, B=1e6))
    assert ask["minimum_loss"](p, N=N) == pytest.approx(law(N, 1e30, 1e30, **p), rel=1e-12)


@pytest.mark.full
def test_a_trajectory_is_fitted_from_noisy_curves() -> None:
    """The planted critical batch comes back within its interval from curves at five batches."""
    law, p = js.laws.get("kaplan_trajectory"), {**STEPS, **BATCH}
    design = [
        (n, s, b)
        for n in np.geomspace(3e6, 3e9, 5)
        for s in np.geomspace(1e3, 3e5, 6)
        for b in np.geomspace(3e4, 8e6, 5)
    ]
    table = pd.DataFrame(design, columns=["N", "S", "B"])
    noise = np.exp(0.002 * np.random.default_rng(5).standard_normal(len(table)))
    table["loss"] = law(*(table[x].to_numpy() for x in law.inputs), **p) * noise
    fit = js.fit(law, table)
    assert fit.params["alpha_B"] == pytest.approx(0.21, rel=0.05)
    derived = js.derive(js.laplace(fit, 500), "critical_batch", loss=3.0, level=0.99).frame
    assert derived["confidence_low"][0] < 2e8 / 3 ** (1 / 0.21) < derived["confidence_high"][0]


@pytest.mark.full
def test_batches_and_losses_that_are_not_positive_are_named() -> None:
    law, p = js.laws.get("kaplan_trajectory"), {**STEPS, **BATCH}
    table = pd.DataFrame({"N": [1e7] * 9, "S": np.geomspace(1e3, 1e5, 9), "B": 1e6})
    table["loss"] = law(table["N"].to_numpy(), table["S"].to_numpy(), 1e6, **p)
    table.loc[4, "B"] = 0.0
    with pytest.raises(js.JscaleError, match="B: 1 of 9 values zero or negative: row 4"):
        js.fit(law, table)
    batches = pd.DataFrame({"loss": [3.0, 2.5, -1.0, 2.0], "B": [1e5, 2e5, 3e5, 4e5]})
    with pytest.raises(js.JscaleError, match="loss: 1 of 4 values zero or negative: row 2"):
        js.fit("critical_batch", js.Runs.from_frame(batches, output="B", loss="loss"))
