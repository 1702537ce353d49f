"""The engine: queues longer than tiles, blocks of rows, families, devices, float32."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.fitting.build import build
from jscale.fitting.objective import Objective
from jscale.fitting.problem import BLOCK, Families, Problem
from jscale.fitting.settings import Settings
from jscale.fitting.solver import engine
from jscale.fitting.solver.engine import Queue, compiled, sizes
from jscale.fitting.solver.gauss_newton import SolveSettings, Status, solve
from jscale.fitting.solver.search import search, search_families
from jscale.fitting.solver.starts import automatic, automatic_many
from jscale.fitting.solver.step import Numbers
from tests.worlds import chinchilla, scattered


def make(rows: int, seed: int = 0, objective: Objective | None = None) -> Problem:
    return chinchilla(scattered(rows, seed), objective, seed=seed)


@pytest.fixture(scope="module")
def small() -> Problem:
    return make(40)


@pytest.mark.full
def test_many_rows_are_fitted(small: Problem) -> None:
    large = make(BLOCK + 100)
    with float64_scope():
        lanes = search(large, automatic(large, 16))
    assert lanes.status[lanes.best] == Status.CONVERGED
    values = large.layout.natural(lanes.theta[lanes.best], {}, large.data.centre)
    assert float(values["alpha"]) == pytest.approx(0.34, abs=0.03)


@pytest.mark.full
def test_a_queue_longer_than_its_tile_gives_every_lane_its_own_result(small: Problem) -> None:
    """Lanes of very different lengths pass through four seats; each ends as it does alone."""
    with float64_scope():
        starts = automatic(small, 24)
        starts[5] = np.nan
        starts[11] = solve(small, starts[:1]).theta[0]
        queue = Queue(
            starts, np.ones(24), np.full(24, 1e-3), np.tile(small.weights, (24, 1)), np.int32(22)
        )
        numbers = Numbers(1e-4, np.int32(200), ())
        ended = compiled(small.model, 4, False)(queue, small.data, numbers)
        alone = solve(small, starts[:22])
    np.testing.assert_array_equal(np.asarray(ended.steps)[:22], alone.steps)
    np.testing.assert_allclose(np.asarray(ended.theta)[:22], alone.theta, rtol=1e-12)
    np.testing.assert_array_equal(np.asarray(ended.status)[:22], alone.status)
    assert alone.status[5] == Status.DEAD_START
    assert alone.steps[11] < 10
    assert np.isinf(np.asarray(ended.objective)[22:]).all()


def test_sizes_stay_within_their_memory() -> None:
    for rows in (16, 40, 240, 512, 4096, 20_480):
        tile, queue = sizes(rows)
        assert 4 <= tile <= 64
        assert tile <= queue <= 1024
        assert queue * rows <= max(engine._QUEUE_CELLS, 4 * rows)
        tile, queue = sizes(rows, "gpu")
        assert tile <= queue
        assert queue * rows <= max(engine._ACCELERATOR_CELLS, 32 * rows)


@pytest.fixture(scope="module")
def families() -> Families:
    return Families.stack([make(40 - f, seed=f).part(np.arange(36 - f), 48) for f in range(3)])


@pytest.mark.full
def test_families_in_one_batch_are_as_each_alone(families: Families) -> None:
    with float64_scope():
        starts = automatic_many(families, 16)
        together = search_families(families, starts).objective.reshape(3, 16).min(axis=1)
        for f, part in enumerate(families.parts):
            np.testing.assert_allclose(starts[f], automatic(part, 16), rtol=1e-9)
            assert together[f] == pytest.approx(search(part, starts[f]).objective.min(), rel=1e-12)


@pytest.mark.full
def test_families_and_resamples_are_lanes_of_one_batch(families: Families) -> None:
    rng = np.random.default_rng(0)
    with float64_scope():
        starts = automatic_many(families, 1)[:, 0]
        weights = rng.integers(0, 3, size=(3, families.rows)).astype(float)
        weights *= families.weights > 0
        lanes = solve(families, starts, family=np.arange(3), weights=weights)
        for f, part in enumerate(families.parts):
            alone = solve(part.reweighted(weights[f, : part.n]), starts[f : f + 1])
            assert lanes.objective[f] == pytest.approx(alone.objective[0], rel=1e-12)


@pytest.mark.full
def test_search_in_float32_and_polish_in_float64_find_the_same(small: Problem) -> None:
    with float64_scope():
        starts = automatic(small, 32)
        mixed, exact = search(small, starts, mixed=True), search(small, starts, mixed=False)
    assert mixed.objective.min() == pytest.approx(exact.objective.min(), rel=1e-12)
    assert mixed.status[mixed.best] == Status.CONVERGED
    np.testing.assert_allclose(mixed.theta[mixed.best], exact.theta[exact.best], atol=1e-7)


def test_float32_alone_comes_near(small: Problem) -> None:
    with float64_scope():
        starts = automatic(small, 8)
        single = solve(small, starts, settings=SolveSettings(single=True))
        exact = solve(small, starts)
    assert single.theta.dtype == np.float64
    assert single.objective.min() == pytest.approx(exact.objective.min(), rel=1e-3)


@pytest.mark.full
def test_families_in_mixed_precision(families: Families) -> None:
    with float64_scope():
        starts = automatic_many(families, 16)
        mixed = search_families(families, starts, mixed=True).objective.reshape(3, -1).min(axis=1)
        exact = search_families(families, starts, mixed=False).objective.reshape(3, -1).min(axis=1)
    np.testing.assert_allclose(mixed, exact, rtol=1e-12)


ON_TWO = """
import numpy as np, jax, jscale as js
from jscale._precision import float64_scope
from jscale.fitting.solver.gauss_newton import solve
from jscale.fitting.solver.starts import automatic
from tests.fitting.solver.test_engine import make
assert len(jax.devices()) == 2
problem = make(40)
with float64_scope():
    starts = automatic(problem, 64)
    two = solve(problem, starts, devices=jax.devices())
    one = solve(problem, starts, devices=jax.devices()[:1])
np.testing.assert_allclose(two.objective, one.objective, rtol=1e-12)
np.testing.assert_array_equal(two.status, one.status)
table = js.datasets.load("stdlib_lm")
small = table[table["split"] == "fit"]
fits = js.fit_many("chinchilla", small, by="part", starts=16, devices="all")
alone = js.fit_many("chinchilla", small, by="part", starts=16)
np.testing.assert_allclose(fits.summary["objective"], alone.summary["objective"], rtol=1e-12)
print("same")
"""


@pytest.mark.full
def test_lanes_are_shared_out_among_devices() -> None:
    import os

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ON_TWO], capture_output=True, text=True,
        env={**os.environ, "JAX_NUM_CPU_DEVICES": "2", "PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    assert done.stdout.strip() == "same", done.stderr[-2000:]


def test_devices_must_be_devices() -> None:
    table = js.datasets.load("stdlib_lm")
    with pytest.raises(js.JscaleError, match=r'devices=.* must be None, "all", or a list of jax'):
        js.fit_many("chinchilla", table, by="part", devices="gpu:0")


def test_underflowing_terms_do_not_poison_a_batch(small: Problem) -> None:
    """Terms of size exp(-800) beside ordinary lanes: their lanes end, the others are the same."""
    with float64_scope():
        starts = automatic(small, 6)
        spoilt = starts.copy()
        spoilt[2, 1], spoilt[4, 3] = -800.0, -800.0
        lanes, plain = solve(small, spoilt), solve(small, starts)
    others = [0, 1, 3, 5]
    np.testing.assert_array_equal(lanes.theta[others], plain.theta[others])
    assert not (lanes.status == Status.RUNNING).any()
    assert np.isfinite(lanes.objective).all()


def test_order_of_rows_and_scale_of_weights_change_nothing(small: Problem) -> None:
    rng = np.random.default_rng(1)
    order = rng.permutation(small.n)
    with float64_scope():
        starts = automatic(small, 8)
        plain = solve(small, starts)
        mixed = solve(small.part(order, small.rows), starts)
        assert mixed.objective.min() == pytest.approx(plain.objective.min(), rel=1e-12)
        for scale in (1e-6, 1e6):
            scaled = solve(small.reweighted(scale * small.weights[: small.n]), starts)
            np.testing.assert_allclose(scaled.objective, scale * plain.objective, rtol=1e-10)
            np.testing.assert_array_equal(scaled.status, plain.status)


@pytest.mark.full
@pytest.mark.parametrize("unit", [1e-14, 1e14])
def test_the_unit_of_the_output_changes_nothing_in_linear_space(unit: float) -> None:
    """An exact fit is one beside rounding of the outputs, not beside an absolute number."""
    runs = js.simulate("power_const:N", {"E": 1.7, "A": 50.0, "alpha": 0.3},
                       {"N": np.geomspace(1e3, 1e7, 20)}, noise=0.01, seed=1)  # fmt: skip
    law, least = js.laws.get("power_const:N"), js.least_squares(space="linear")
    frame = runs.frame
    with float64_scope():
        plain = build(law, runs, Settings(least))[0]
        scaled = build(
            law,
            js.Runs.from_frame(frame.assign(loss=unit * frame["loss"]), loss_unit="other"),
            Settings(least),
        )[0]
        one, other = search(plain, automatic(plain, 16)), search(scaled, automatic(scaled, 16))
    assert other.status[other.best] == Status.CONVERGED
    assert other.objective.min() == pytest.approx(unit**2 * one.objective.min(), rel=1e-9)
