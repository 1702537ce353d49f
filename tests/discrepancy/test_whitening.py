"""Whitening: roots of the noise's covariance, and bases complete or of low rank."""

from __future__ import annotations

import numpy as np
import pytest

from jscale._precision import float64_scope
from jscale.discrepancy.whitening import (
    COMMON,
    Root,
    apply_root,
    decorrelate,
    log_determinant,
    noise_root,
    pad_root,
    weights,
)

RNG = np.random.default_rng(0)
VARIANCE, KNOWN = RNG.uniform(0.5, 2.0, 9), RNG.uniform(0.0, 1.0, 9)
RUN = np.array([0, 3, 3, 0, 1, 1, 1, 2, 0])


def covariance_of(known: np.ndarray | None, run: np.ndarray | None) -> np.ndarray:
    """V, dense."""
    sd = np.sqrt(VARIANCE)
    same = np.eye(9) if run is None else run[:, None] == run
    whole = np.outer(sd, sd) * ((1 - COMMON) * np.eye(9) + COMMON * same)
    return whole if known is None else whole + np.diag(known)


@pytest.mark.parametrize("known", [None, KNOWN])
@pytest.mark.parametrize("run", [None, RUN])
def test_a_root_makes_the_noise_independent(known: object, run: object) -> None:
    root = noise_root(VARIANCE, known, run)  # type: ignore[arg-type]
    matrix = apply_root(root, np.eye(9))
    whole = covariance_of(known, run)  # type: ignore[arg-type]
    np.testing.assert_allclose(matrix @ whole @ matrix.T, np.eye(9), atol=1e-12)
    vector = RNG.normal(size=9)
    np.testing.assert_allclose(apply_root(root, vector), matrix @ vector, atol=1e-12)


@pytest.mark.full
def test_jax_gives_what_numpy_gives() -> None:
    import jax.numpy as jnp

    root, values = noise_root(VARIANCE, KNOWN, RUN), RNG.normal(size=(9, 2))
    with float64_scope():
        there = Root(*(jnp.asarray(x) for x in root))
        found = np.asarray(apply_root(there, jnp.asarray(values)))
    np.testing.assert_allclose(found, apply_root(root, values), atol=1e-12)


def test_padded_rows_add_nothing() -> None:
    root = pad_root(noise_root(VARIANCE, KNOWN, RUN), 12)
    values = np.concatenate([RNG.normal(size=9), np.zeros(3)])
    found = apply_root(root, values)
    np.testing.assert_allclose(found[:9], apply_root(noise_root(VARIANCE, KNOWN, RUN), values[:9]))
    assert (found[9:] == 0).all()


def test_a_basis_of_low_rank_and_what_it_leaves_whiten_the_errors() -> None:
    """The squares of whitened values are those under the inverse of the whole covariance."""
    root, noise = noise_root(VARIANCE, None, None), 0.3
    q, spectrum = np.linalg.qr(RNG.normal(size=(9, 3)))[0].T, np.array([4.0, 2.0, 0.5])
    matrix = np.linalg.inv(apply_root(root, np.eye(9)))
    whole = matrix @ (q.T @ np.diag(spectrum) @ q + noise * np.eye(9)) @ matrix.T
    values = RNG.normal(size=(9, 2))
    mask = np.ones(9)
    white = weights(mask, spectrum, noise, root)[:, None] * decorrelate(q, root, values)
    np.testing.assert_allclose(white.T @ white, values.T @ np.linalg.solve(whole, values))
    expected = np.linalg.slogdet(whole)[1] - np.log(VARIANCE).sum()
    assert log_determinant(mask, spectrum, noise) == pytest.approx(expected)


def test_a_complete_basis_includes_the_root() -> None:
    basis, spectrum = RNG.normal(size=(4, 4)), np.arange(4.0)
    mask = np.array([1.0, 1.0, 1.0, 0.0])
    np.testing.assert_array_equal(decorrelate(basis, None, np.eye(4)), basis)
    np.testing.assert_allclose(weights(mask, spectrum, 1.0, None), mask / np.sqrt(spectrum + 1))
