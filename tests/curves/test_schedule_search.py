"""The family of falling schedules that is searched: its knots, its starts, its lowest member."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.curves.schedule_search import Falling, _rates, losses_after, lowest_rates

STEPS, PEAK, END, WARMUP = 200, 0.01, 1e-4, 20
pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")


@pytest.fixture(scope="module")
def family() -> Falling:
    return Falling.make(STEPS, PEAK, END, WARMUP, knots=24)


def test_weights_draw_lines_through_knots_that_crowd_towards_the_end(family: Falling) -> None:
    assert family.weights.shape == (STEPS - WARMUP, 25)
    np.testing.assert_allclose(family.weights.sum(axis=1), 1.0, rtol=1e-12)
    gaps = np.diff(family.places)
    assert (gaps > 0).all()
    assert (np.diff(gaps) < 0).all()
    at = np.arange(1, STEPS - WARMUP + 1) / (STEPS - WARMUP)
    np.testing.assert_allclose(family.weights @ family.places, at, rtol=1e-12)


@pytest.mark.full
def test_starts_are_the_shapes_that_they_are_made_of(family: Falling) -> None:
    import jax.numpy as jnp

    shapes = [
        js.schedules.cosine(STEPS, PEAK, END, warmup=WARMUP),
        js.schedules.linear(STEPS, PEAK, END, warmup=WARMUP),
        *(js.schedules.wsd(STEPS, PEAK, END, warmup=WARMUP, decay=d) for d in (0.1, 0.4)),
    ]
    starts = list(family.starts())
    assert len(starts) == len(shapes)
    with float64_scope():
        arrays = {k: jnp.asarray(getattr(family, k)) for k in ("peak", "end", "rise", "weights")}
        for logits, shape in zip(starts, shapes, strict=True):
            after = np.asarray(_rates(jnp.asarray(logits), arrays))
            np.testing.assert_allclose(after, shape.rates[WARMUP:], atol=0.1 * PEAK)


@pytest.mark.full
def test_the_lowest_member_is_at_most_at_every_start(draws, family: Falling) -> None:
    draw = draws["multi_power"]
    law, point = draw.fit.law, {str(k): float(v) for k, v in draw.fit.params.items()}
    rates, converged = lowest_rates(law, point, family, 0.999)
    assert converged
    assert len(rates) == STEPS
    assert (np.diff(rates[WARMUP:]) <= 0).all()
    best = losses_after(law, point, draw, js.Schedule(rates, WARMUP), 0.999, {})
    assert best.shape == (1 + len(draw),)
    for shape in ("cosine", "linear", "wsd"):
        other = js.schedules.named(shape, STEPS, PEAK, end=END, warmup=WARMUP)
        assert best[0] <= losses_after(law, point, draw, other, 0.999, {})[0]
