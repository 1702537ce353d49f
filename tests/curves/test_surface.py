"""The optimum of a fitted surface, by search, against closed forms."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.curves.surface import default_surface, on_slice, optimum
from tests.curves.worlds import BUDGETS, best_size, slices, surface


def test_the_optimum_is_hoffmanns_closed_form() -> None:
    fit = surface()
    N, loss = optimum(fit, BUDGETS, 1e7, 1e10)
    expected = best_size(fit.params, BUDGETS)
    np.testing.assert_allclose(N, expected, rtol=1e-8)
    p = fit.params
    exact = fit.law(expected, BUDGETS / (6 * expected), **p)
    np.testing.assert_allclose(loss, exact, rtol=1e-10)


def test_an_optimum_far_from_the_runs_is_found_and_one_farther_is_not() -> None:
    fit = surface()
    best = best_size(fit.params, BUDGETS[:1])[0]
    near = optimum(fit, BUDGETS[:1], best / 50, best / 50)[0]
    assert near[0] == pytest.approx(best, rel=1e-8)
    N, loss = optimum(fit, BUDGETS[:1], best / 200, best / 200)
    assert np.isnan([N[0], loss[0]]).all()


@pytest.mark.full
def test_a_surface_of_another_form() -> None:
    """A bowl in ln N above a power of D, its lowest point found by brute force."""

    @js.law(linear=("E",))
    def bowl(N, D, *, E: js.Floor, a: js.Scale, b: js.Scale):
        import jax.numpy as jnp

        return E + a * (jnp.log(N) - 20.0) ** 2 + b / D**0.2

    frame = pd.DataFrame(
        {"N": np.tile(np.geomspace(1e8, 1e10, 5), 4), "D": np.repeat(np.geomspace(1e9, 1e11, 4), 5)}
    )
    frame["loss"] = 1.5 + 0.02 * (np.log(frame["N"]) - 20) ** 2 + 30 * frame["D"] ** -0.2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = js.fit(bowl, frame, objective="least_squares")
    C = np.array([1e19, 1e20])
    x = np.linspace(np.log(1e8), np.log(1e10), 400001)
    loss = 0.02 * (x - 20) ** 2 + 30 * (C[:, None] / (6 * np.exp(x))) ** -0.2
    np.testing.assert_allclose(
        np.log(optimum(fit, C, 1e8, 1e10)[0]), x[loss.argmin(axis=1)], atol=2e-5
    )


def test_a_slice_is_the_law_at_six_n_d() -> None:
    fit, N = surface(), np.array([1e8, 1e9])
    np.testing.assert_allclose(
        on_slice(fit, N, np.full(2, 6e19)), fit.law(N, 1e19 / N, **fit.params)
    )


def test_the_default_needs_no_d_and_no_name() -> None:
    runs = slices(noise=1e-4)
    whole, note = default_surface(runs)
    assert whole is not None
    assert note.code == "surface-fitted"
    frame = runs.frame[["N", "C", "loss"]].rename(columns={"loss": "score"})
    bare = js.Runs.from_frame(frame, output="score")
    assert bare.inputs == ("N", "C")
    fit, _ = default_surface(bare)
    assert fit is not None
    np.testing.assert_allclose(fit.params, whole.params, rtol=1e-6)


def test_runs_that_chinchilla_cannot_take_have_no_surface() -> None:
    runs = slices()
    frame = runs.frame.assign(loss=runs["loss"] - 3.0)
    fit, note = default_surface(replace(runs, frame=frame, loss_unit="other"))
    assert fit is None
    assert "chinchilla cannot be fitted to these runs: loss must be positive" in str(note)
