"""root: values and derivatives against closed forms."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jscale._precision import float64_scope
from jscale.model.root import root


def cube_root(a):
    return root(lambda x, a: x**3 - a, a, 0.0, 10.0)


@pytest.mark.full
@pytest.mark.parametrize("a", [1e-6, 0.5, 8.0, 900.0])
def test_value_and_two_derivatives(a):
    with float64_scope():
        assert float(cube_root(a)) == pytest.approx(a ** (1 / 3), rel=1e-12)
        slope, bend = jax.grad(cube_root)(a), jax.grad(jax.grad(cube_root))(a)
        assert float(slope) == pytest.approx(a ** (-2 / 3) / 3, rel=1e-10)
        assert float(bend) == pytest.approx(-2 * a ** (-5 / 3) / 9, rel=1e-8)
        assert float(jax.jacfwd(cube_root)(a)) == pytest.approx(float(slope), rel=1e-12)


def test_falling_functions_and_batches():
    """x·exp(x) = a by Lambert's W, with the sign turned, for many a at once."""
    from scipy.special import lambertw

    values = np.geomspace(1e-3, 1e3, 50)
    with float64_scope():
        roots = jax.vmap(lambda a: root(lambda x, a: a - x * jnp.exp(x), a, 0.0, 20.0))(values)
        np.testing.assert_allclose(roots, lambertw(values).real, rtol=1e-12)


def test_no_change_of_sign_is_nan():
    with float64_scope():
        assert np.isnan(float(root(lambda x, a: x * x + a, 1.0, -1.0, 1.0)))


def test_the_ends_may_be_the_root():
    with float64_scope():
        assert float(root(lambda x, a: x - a, 2.0, 2.0, 3.0)) == pytest.approx(2.0, abs=1e-12)
