"""What every law of the catalogue promises: each test runs over all of them.

That each is found again in its own data is in test_recovery.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.fitting.build import build
from jscale.fitting.objective import as_objective
from jscale.fitting.problem import Problem
from jscale.fitting.settings import Settings
from jscale.fitting.solver.evaluation import residuals
from jscale.fitting.solver.search import search
from jscale.fitting.solver.starts import automatic
from jscale.model.docstring import read_docstring
from jscale.simulation.worlds import WORLDS, scattered
from jscale.uncertainty.bayes.density import log_joint
from jscale.uncertainty.bayes.posterior import _model, _start

pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")

# A law for each thing that changes what is compiled: roles of every kind, sums of terms and none,
# one parameter and many, linear outputs, shares, features of schedules.
KINDS = (
    "chinchilla",
    "broken:1",
    "farseer",
    "m4",
    "data_constrained",
    "sigmoid_link",
    "log_linear",
    "log_loss_to_accuracy",
    "u_shape",
    "critical_batch",
    "routed",
    "precision",
    "distillation",
    "adversarial_error",
    "rl_post_training",
    "mixing:3",
    "annealing",
)
every_law = pytest.mark.parametrize("world", WORLDS)
# One of each kind of role and space, for what takes several programs.
FEW = ("chinchilla", "m4", "log_linear", "sigmoid_link", "mixing:3", "annealing")


def quick_on(worlds: tuple[str, ...]) -> pytest.MarkDecorator:
    """Run on these laws with every change, on all others by `pytest -m full`."""
    return pytest.mark.parametrize(
        "world", [w if w in worlds else pytest.param(w, marks=pytest.mark.full) for w in WORLDS]
    )


every_kind, a_few = quick_on(KINDS), quick_on(FEW)


def table(world: str, seed: int = 0, noise: float = 0.0) -> tuple[js.Law, dict[str, float], Any]:
    """Return a law, planted parameters, and runs with that many per cent of noise."""
    law = js.laws.get(world)
    planted, design = scattered(world, seed)
    exact = law(*(design[x].to_numpy() for x in law.inputs), **planted)
    rng = np.random.default_rng(seed)
    error = noise * rng.standard_normal(len(design))
    spread = float(np.std(exact)) if law.space == "linear" else exact
    frame = design.assign(**{law.output: exact + error * spread})
    return law, planted, frame.assign(half=np.where(np.arange(len(frame)) % 2, "a", "b"))


def problem_of(world: str, seed: int = 0, noise: float = 0.0) -> tuple[Problem, dict[str, float]]:
    """Build a world's problem under the law's own objective. Call inside the float64 scope."""
    law, planted, frame = table(world, seed, noise)
    runs = js.Runs.from_frame(
        frame, **{x: x for x in law.inputs}, output=law.output, loss_unit="other"
    )
    return build(law, runs, Settings(as_objective("huber", law.space)))[0], planted


def seen(problem: Problem) -> Callable[[Any], Any]:
    """Return the residuals of the problem's rows as a function of coordinates."""
    return lambda theta: residuals(problem.model, theta, problem.data)[: problem.n]


@every_law
def test_it_says_what_it_is(world: str) -> None:
    law = js.laws.get(world)
    for what in ("formula", "reference", "unit", "output"):
        assert getattr(law, what), what
    doc = read_docstring(law.doc)
    assert list(doc.parameters) == [*law.inputs, *law.names]
    assert law.reference.removeprefix("https://") in " ".join(doc.references)
    for source, constants in law.published.items():
        assert source.startswith(("arXiv:", "https://", "doi:"))
        assert set(constants) <= set(law.names)
    assert set(WORLDS[world][0]) == set(law.names)


@pytest.mark.full
@every_kind
def test_finite_at_all_starts_and_right_slopes(world: str) -> None:
    """Slopes by JAX equal central differences, at starts and at the planted parameters."""
    import jax

    with float64_scope():
        problem, planted = problem_of(world, noise=0.01)
        at = seen(problem)
        starts = automatic(problem, problem.layout.law.starts)
        many = np.asarray(jax.jit(jax.vmap(at))(starts))
        assert np.isfinite(many).all()
        truth = problem.layout.coordinates(planted, problem.data.centre)
        slopes = jax.jit(jax.jacfwd(at))
        evaluate = jax.jit(at)
        for theta in (truth, starts[0], starts[1]):
            step = 1e-5
            moved = [step * row for row in np.eye(len(theta))]
            by_hand = np.stack([evaluate(theta + m) - evaluate(theta - m) for m in moved], 1)
            by_jax = np.asarray(slopes(theta))
            scale = 1 + np.abs(by_jax)
            assert np.max(np.abs(by_hand / (2 * step) - by_jax) / scale) < 1e-5


@pytest.mark.full
@every_law
def test_falls_and_rises_where_it_says(world: str) -> None:
    law = js.laws.get(world)
    for seed in range(3):
        planted, design = scattered(world, seed)
        for name, sign in [(n, -1) for n in law.falling] + [(n, 1) for n in law.rising]:
            higher = design.assign(**{name: design[name] * 1.05})
            legal = np.ones(len(design), dtype=bool)
            for least, most in law.ordered:
                legal &= (higher[least] <= higher[most]).to_numpy()
            before, after = (
                law(*(frame.loc[legal, x].to_numpy() for x in law.inputs), **planted)
                for frame in (design, higher)
            )
            assert (sign * (after - before) > -1e-12 * np.abs(before)).all(), name
            assert (sign * (after - before)).max() > 0, name


@pytest.mark.first_quick
@every_law
def test_linear_where_it_says(world: str) -> None:
    law, planted, frame = table(world)
    inputs = [frame[x].to_numpy() for x in law.inputs]
    doubled, middle = dict(planted), dict(planted)
    for name in law.linear:
        logarithm = law.role(name).name == "log_scale"
        doubled[name] = planted[name] + np.log(2.0) if logarithm else 2.0 * planted[name]
        middle[name] = planted[name] + np.log(1.5) if logarithm else 1.5 * planted[name]
    ends = 0.5 * (law(*inputs, **planted) + law(*inputs, **doubled))
    np.testing.assert_allclose(law(*inputs, **middle), ends, rtol=1e-10)


@pytest.mark.first_quick
@every_law
def test_the_inverse_gives_the_input_back(world: str) -> None:
    law, planted, frame = table(world)
    if law.inverse is None:
        pytest.skip("no inverse declared")
    x = frame[law.inputs[0]].to_numpy()
    np.testing.assert_allclose(law.invert(law(x, **planted), **planted), x, rtol=1e-6)


@every_law
def test_published_constants_give_finite_outputs(world: str) -> None:
    law, planted, frame = table(world)
    for constants in law.published.values():
        values = {**planted, **constants}
        assert np.isfinite(law(*(frame[x].to_numpy() for x in law.inputs), **values)).all()


@pytest.mark.full
@a_few
def test_fixed_per_group_and_bootstrap(world: str) -> None:
    law, planted, frame = table(world, noise=0.01)
    first, last = law.names[0], law.names[-1]
    fixed = {last: planted[last]} if last != first else {}
    grouped = js.fit(law, frame, per={first: "half"}, fixed=fixed, loss_unit="other")
    assert {f"{first}[a]", f"{first}[b]"} <= set(grouped.params.index)
    assert all(grouped.params[name] == value for name, value in fixed.items())
    fit = js.fit(law, frame, loss_unit="other")
    drawn = js.bootstrap(fit, 20, kind="bayesian")
    assert np.isfinite(drawn.flat).all()
    assert drawn.failed == 0


@pytest.mark.full
@a_few
def test_posterior_density_is_finite_with_its_slope(world: str) -> None:
    import jax

    law, _, frame = table(world, noise=0.01)
    fit = js.fit(law, frame, loss_unit="other")
    with float64_scope():
        model = _model(fit, "student_t", None, None, None, 5.0)
        start = _start(fit, model)
        density = jax.jit(jax.value_and_grad(lambda z: log_joint(model.spec, z, model.given)))
        value, slope = density(start)
        assert np.isfinite(value)
        assert np.isfinite(slope).all()


@pytest.mark.first_quick
@a_few
def test_float32_search_ends_where_float64_does(world: str) -> None:
    with float64_scope():
        problem, _ = problem_of(world, noise=0.01)
        starts = automatic(problem, problem.layout.law.starts)
        single = search(problem, starts, mixed=True).objective
        double = search(problem, starts, mixed=False).objective
    assert np.nanmin(single) == pytest.approx(np.nanmin(double), rel=1e-8)
