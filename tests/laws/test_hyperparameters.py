"""Learning rate and batch size: where the loss is lowest, and what being off costs."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from tests.laws.numeric import lowest, solve

RATE = {"c": 1.8, "a": -0.7, "b": 0.3}
BATCH = {"c": 0.6, "b": 0.57}
SURFACE = {
    "E": 1.55,
    "A_N": 500.0,
    "alpha": 0.36,
    "A_D": 170.0,
    "beta": 0.26,
    "c_lr": 1.8,
    "a": -0.7,
    "b": 0.3,
    "c_B": 0.6,
    "g": 0.57,
    "h_lr": 0.006,
    "h_B": 0.005,
    "s": 0.4,
}
N, D = 1e9, 1e11


def test_the_size_a_rate_is_best_for() -> None:
    law = js.laws.get("optimal_learning_rate")
    size = law.quantities["size_for_rate"](RATE, learning_rate=1e-3, D=D)
    numeric = solve(lambda n: float(law(n, D, **RATE)) - 1e-3, 1e5, 1e13)
    assert size == pytest.approx(numeric, rel=1e-9)


def test_the_exponent_at_fixed_tokens_per_parameter() -> None:
    law = js.laws.get("optimal_learning_rate")
    ratio = law(1e10, 2e11, **RATE) / law(1e9, 2e10, **RATE)
    slope = law.derived["exponent at fixed D/N"](RATE, 1e20)
    assert np.log10(ratio) == pytest.approx(slope, rel=1e-12)


def test_batch_sizes_in_sequences_steps_and_back() -> None:
    law = js.laws.get("optimal_batch_size")
    batch = float(law(D, **BATCH))
    assert law.quantities["sequences"](BATCH, D=D, length=2048) == pytest.approx(batch / 2048)
    assert law.quantities["steps"](BATCH, D=D) == pytest.approx(D / batch, rel=1e-12)
    assert law.invert(batch, **BATCH) == pytest.approx(D, rel=1e-12)


def test_the_surface_is_lowest_at_its_optimum() -> None:
    law = js.laws.get("learning_rate_surface")
    rate = law.quantities["best_rate"](SURFACE, N=N, D=D)
    batch = law.quantities["best_batch"](SURFACE, D=D)
    at, loss = lowest(lambda lr: law(N, D, lr, batch, **SURFACE), 1e-6, 1e-1)
    assert (at, loss) == pytest.approx(
        (rate, law.quantities["lowest_loss"](SURFACE, N=N, D=D)), rel=1e-6
    )
    at, loss = lowest(lambda B: law(N, D, rate, B, **SURFACE), 1e3, 1e9)
    assert at == pytest.approx(batch, rel=1e-5)


@pytest.mark.parametrize("factor", [0.1, 4.0])
def test_another_batch_size_moves_the_best_rate(factor: float) -> None:
    law = js.laws.get("learning_rate_surface")
    batch = factor * law.quantities["best_batch"](SURFACE, D=D)
    at, loss = lowest(lambda lr: law(N, D, lr, batch, **SURFACE), 1e-7, 1.0)
    assert law.quantities["rate_at_batch"](SURFACE, N=N, D=D, B=batch) == pytest.approx(
        at, rel=1e-5
    )
    still = law.quantities["lowest_loss"](SURFACE, N=N, D=D)
    penalty = law.quantities["penalty"](SURFACE, N=N, D=D, lr=at, B=batch)
    assert loss == pytest.approx(still * (1 + penalty), rel=1e-9)
    assert penalty == pytest.approx(0.005 * np.log(factor) ** 2, rel=1e-6)


def test_how_far_off_for_a_penalty() -> None:
    law = js.laws.get("learning_rate_surface")
    rate = law.quantities["best_rate"](SURFACE, N=N, D=D)
    batch = law.quantities["best_batch"](SURFACE, D=D)
    cost = 1.001 * law.quantities["lowest_loss"](SURFACE, N=N, D=D)
    numeric = solve(lambda f: float(law(N, D, f * rate, batch, **SURFACE)) - cost, 1.0001, 1e3)
    assert law.quantities["rate_factor"](SURFACE, penalty=0.001) == pytest.approx(numeric, rel=1e-7)

    def along_the_valley(f: float) -> float:
        rate_there = law.quantities["rate_at_batch"](SURFACE, N=N, D=D, B=f * batch)
        return float(law(N, D, rate_there, f * batch, **SURFACE)) - cost

    numeric = solve(along_the_valley, 1.0001, 1e3)
    assert law.quantities["batch_factor"](SURFACE, penalty=0.001) == pytest.approx(
        numeric, rel=1e-7
    )


def test_intercept_and_exponents_err_together_but_the_rate_is_known() -> None:
    """Draws of the three, and not their intervals apart, say how sure a rate is."""
    design = js.designs.grid(np.geomspace(2e8, 1e9, 5), np.geomspace(4e9, 1e11, 4))
    runs = js.simulate("optimal_learning_rate", RATE, design, noise=0.2, seed=1)
    fit = js.fit("optimal_learning_rate", runs, objective=js.least_squares())
    drawn = js.bootstrap(fit, 500).to_frame()
    drawn["c"] = np.log(drawn["c"])
    away = np.array([1, np.log(5e8), np.log(2e10)])
    joint = away @ drawn.cov().to_numpy() @ away
    apart = away**2 @ np.diag(drawn.cov())
    assert joint < 1e-3 * apart


@pytest.mark.parametrize("name", ["optimal_learning_rate", "optimal_batch_size"])
def test_published_constants_agree_with_each_other(name: str) -> None:
    """As printed and as means of bootstraps: within 2% at the middle of the source's grid."""
    law = js.laws.get(name)
    inputs = (4e8, 2.5e10)[-len(law.inputs) :]
    printed, mean = (law(*inputs, **constants) for constants in law.published.values())
    assert printed == pytest.approx(mean, rel=0.02)


def test_a_rate_of_zero_is_named() -> None:
    design = js.designs.grid(np.geomspace(1e8, 1e10, 5), np.geomspace(1e10, 1e11, 4))
    table = design.assign(lr=np.geomspace(1e-4, 1e-2, 20), B=2e5, loss=np.linspace(3, 2, 20))
    table.loc[4, "lr"] = 0.0
    with pytest.raises(js.DataError, match=r"logarithm of lr, which is zero .* row 4 \(0.0\)"):
        js.fit("learning_rate_surface", table)
