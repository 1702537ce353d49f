"""Loss where data are repeated: limits, the source's own numbers, and what U must not exceed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from tests.laws.numeric import lowest

LAW = js.laws.get("data_constrained")
SOURCE = dict(next(iter(LAW.published.values())))
BASE = {name: SOURCE[name] for name in ("E", "A", "alpha", "B", "beta")}


def test_the_source_s_two_examples() -> None:
    """Printed by the README of the source's code: the longer training is the better one."""
    assert LAW(6.34e9, 242e9, 25e9, **SOURCE) == pytest.approx(2.2256440889984477, rel=1e-12)
    assert LAW(8.67e9, 178e9, 25e9, **SOURCE) == pytest.approx(2.2269634075087867, rel=1e-12)


def test_one_epoch_of_a_size_below_the_reference_is_chinchilla() -> None:
    D = np.geomspace(1e9, 1e12, 7)
    best = LAW.quantities["reference_size"](SOURCE, U=D)
    chinchilla = js.laws.get("chinchilla")
    for factor in (0.1, 0.999):
        np.testing.assert_allclose(
            LAW(factor * best, D, D, **SOURCE), chinchilla(factor * best, D, **BASE), rtol=1e-12
        )
    assert (LAW(10 * best, D, D, **SOURCE) > chinchilla(10 * best, D, **BASE)).all()


@pytest.mark.parametrize("moved", [{}, {"alpha": 0.4, "beta": 0.3}])
def test_the_reference_size_is_chinchilla_s_optimum(moved: dict[str, float]) -> None:
    """The best N at the compute 6·N·U whose best data are U: it follows from the law's own A, B."""
    p = {**SOURCE, **moved}
    base = {name: p[name] for name in BASE}
    N = float(LAW.quantities["reference_size"](p, U=1e10))
    C = 6 * N * 1e10
    numeric, _ = lowest(lambda n: js.laws.get("chinchilla")(n, C / (6 * n), **base), 1e6, 1e13)
    assert pytest.approx(numeric, rel=1e-5) == N


def test_effective_tokens_and_size_enter_the_law() -> None:
    N, D, U = np.meshgrid([1e7, 1e9, 1e12], [1e10, 3e11], [1e9, 1e10])
    data = LAW.quantities["effective_tokens"](SOURCE, D=D, U=U)
    size = LAW.quantities["effective_size"](SOURCE, N=N, U=U)
    written = SOURCE["E"] + SOURCE["A"] * size ** -SOURCE["alpha"]
    written = written + SOURCE["B"] * data ** -SOURCE["beta"]
    np.testing.assert_allclose(LAW(N, D, U, **SOURCE), written, rtol=1e-12)
    assert (data <= D).all()
    assert (size <= N).all()


def test_repeats_lose_their_worth() -> None:
    ask, U = LAW.quantities, 1e9
    most = ask["most_effective_tokens"](SOURCE, U=U)
    assert ask["effective_tokens"](SOURCE, D=1e15, U=U) == pytest.approx(most, rel=1e-12)
    assert most == pytest.approx(U * (1 + SOURCE["R_D_star"]), rel=1e-12)
    assert ask["effective_tokens"](SOURCE, D=U, U=U) == U
    half = float(ask["half_worth_epoch"](SOURCE))
    D = U * half
    slope = ask["effective_tokens"](SOURCE, D=D * (1 + 1e-6), U=U)
    slope = (slope - ask["effective_tokens"](SOURCE, D=D * (1 - 1e-6), U=U)) / (2e-6 * D)
    assert slope == pytest.approx(0.5, rel=1e-6)
    limit = LAW(1e9, 1e18, U, **SOURCE)
    assert ask["minimum_loss"](SOURCE, N=1e9, U=U) == pytest.approx(limit, rel=1e-12)


@pytest.mark.full
def test_extreme_parameters_keep_finite_losses_and_slopes() -> None:
    """A reference size far outside any float32, as wild starts imply it."""
    import jax

    from jscale._precision import float64_scope

    wild = {**SOURCE, "alpha": 0.02, "beta": 1.2, "A": 1e-3, "B": 1e9, "R_N_star": 0.01}
    with float64_scope():
        for values in (wild, {**wild, "A": 1e6, "B": 1e-6}):
            slopes = jax.grad(lambda p: LAW.evaluate({"N": 1e9, "D": 1e11, "U": 1e9, **p}))(values)
            assert all(np.isfinite(s) for s in slopes.values())


def test_more_unique_tokens_than_tokens_are_named() -> None:
    table = pd.DataFrame({"N": np.geomspace(1e7, 1e9, 12), "D": 1e10, "U": 1e9})
    table["loss"] = LAW(*(table[x].to_numpy() for x in ("N", "D", "U")), **SOURCE)
    table.loc[3, "U"] = 2e10
    with pytest.raises(js.JscaleError, match="holds for U up to D, but U is above D in row"):
        js.fit(LAW, table)
