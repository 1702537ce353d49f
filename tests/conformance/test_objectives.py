"""Every registered objective keeps the promises that the library builds on.

Two classes are registered here as a user would: they go through the same tests, and then
through a bootstrap, a report's recipe and a file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.fitting.diagnostics import smoothed_curvature
from jscale.fitting.objective import find
from jscale.fitting.solver.engine import compiled, sizes


@js.register_objective("mine_cauchy")
class Cauchy(js.Objective):
    """rho(r) = delta²/2·ln(1 + (r/delta)²)."""

    @staticmethod
    def rho(r: Any, delta: Any) -> Any:
        return 0.5 * delta**2 * jnp.log1p((r / delta) ** 2)


@js.register_objective("mine_general")
@dataclass(frozen=True)
class General(js.Objective):
    """rho(r) = delta²·a/b·((1 + (r/delta)²/a)^(b/2) − 1), with a = 2 − b (arXiv:1701.03077)."""

    power: float = 1.5

    @staticmethod
    def rho(r: Any, delta: Any, power: Any) -> Any:
        a = 2.0 - power
        return delta**2 * a / power * ((1.0 + (r / delta) ** 2 / a) ** (0.5 * power) - 1.0)


MINE = ("mine_cauchy", "mine_general")
NAMES = js.objectives.names()
TRUTH = {"A": 5.0, "alpha": 0.1}
NOISE = 0.01


def at_a_number(name: str) -> js.Objective:
    """The objective by its name alone, its scale a number."""
    objective = js.objectives.get(name)
    return objective.at(0.01) if objective.auto else objective


def unit(objective: js.Objective) -> float:
    """A residual where the objective bends, or an ordinary one where it never does."""
    return min(objective.width, 0.1)


def residuals(objective: js.Objective) -> np.ndarray:
    """Residuals on both sides of zero and of the width, at no kink."""
    positive = np.array([1e-6, 0.02, 0.3, 0.99, 1.01, 1.7, 12.0, 3e3])
    return unit(objective) * np.r_[-positive[::-1], positive]


def runs(rows: int = 40, seed: int = 0) -> js.Runs:
    """Runs of a power law with NOISE on their logarithms."""
    design = {"C": np.geomspace(1e3, 1e8, rows)}
    return js.simulate("power", TRUTH, design, noise=NOISE, seed=seed)


@cache
def fitted(name: str) -> js.Fit:
    objective = js.objectives.get(name)
    usual = replace(objective, delta=0.01) if name in MINE else objective
    return js.fit("power", runs(), objective=usual, starts=8)


# The formula


@pytest.mark.full
@pytest.mark.parametrize("name", NAMES)
def test_slopes_are_those_of_rho(name: str) -> None:
    """psi = d rho/dr and rho'' = d psi/dr by automatic differentiation, away from kinks."""
    objective = at_a_number(name)
    with float64_scope():
        r = jnp.asarray(residuals(objective))
        terms = objective(r)
        slope = jax.vmap(jax.grad(lambda x: objective(x).rho))(r)
        curvature = jax.vmap(jax.grad(lambda x: objective(x).psi))(r)
        np.testing.assert_allclose(terms.psi, slope, rtol=1e-10)
        tiny = 1e-12 * np.abs(curvature).max()
        np.testing.assert_allclose(terms.curvature, curvature, rtol=1e-10, atol=tiny)


@pytest.mark.parametrize("name", MINE)
def test_the_formula_of_rho_alone_agrees(name: str) -> None:
    objective = at_a_number(name)
    with float64_scope():
        r = jnp.asarray(residuals(objective))
        rho = type(objective).rho(r, *objective.numbers)
        np.testing.assert_allclose(rho, objective(r).rho, rtol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_the_weight_is_psi_over_r(name: str) -> None:
    objective = at_a_number(name)
    r = residuals(objective)
    terms = objective(r)
    np.testing.assert_allclose(terms.weight * r, terms.psi, rtol=1e-14)
    zero = objective(np.zeros(3))
    np.testing.assert_array_equal(zero.rho, 0.0)
    np.testing.assert_array_equal(zero.psi, 0.0)
    np.testing.assert_allclose(zero.weight, zero.curvature, rtol=1e-14)
    assert (zero.weight > 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_numpy_and_jax_agree(name: str) -> None:
    objective = at_a_number(name)
    r = np.r_[residuals(objective), 0.0].reshape(1, -1)
    plain = objective(r)
    with float64_scope():
        traced = jax.jit(objective)(r[0])
        for one, other in zip(plain, traced, strict=True):
            assert type(one) is np.ndarray
            assert one.dtype == np.float64
            assert one.shape == r.shape
            np.testing.assert_allclose(one[0], other, rtol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_the_weight_majorises(name: str) -> None:
    """rho(b) ≤ rho(a) + psi(a)(b − a) + ½ (psi(a)/a)(b − a)² for all a, b."""
    objective = at_a_number(name)
    r = np.r_[residuals(objective), 0.0]
    terms = objective(r)
    step = r[None, :] - r[:, None]
    bound = terms.rho[:, None] + terms.psi[:, None] * step + 0.5 * terms.weight[:, None] * step**2
    if not objective.symmetric:  # each side has its own: a bound holds where a > 0, or b ≤ 0
        bound = np.where((r[:, None] > 0) | (r[None, :] <= 0), bound, np.inf)
    assert np.all(terms.rho[None, :] <= bound * (1 + 1e-12) + 1e-12 * terms.rho.max())


@pytest.mark.parametrize("name", NAMES)
def test_what_a_class_says_of_its_shape_is_so(name: str) -> None:
    objective = at_a_number(name)
    r = residuals(objective)
    terms = objective(r)
    if objective.convex:
        assert (terms.curvature >= 0).all()
    assert np.allclose(terms.rho, objective(-r).rho, rtol=1e-12) == objective.symmetric
    assert np.allclose(terms.rho, 0.5 * r * r, rtol=1e-12) == objective.quadratic
    assert not (objective.vertices and not objective.kinked)
    assert list(objective.stages) == sorted(objective.stages, reverse=True)
    assert not objective.smooth().kinked
    assert objective.smooth().space == objective.space
    assert objective.softness * objective(np.zeros(1)).curvature[0] == pytest.approx(1, rel=0.5)


@pytest.mark.parametrize("name", NAMES)
def test_curvature_is_smoothed_at_kinks(name: str) -> None:
    """A kink's curvature is the mean over normal errors; elsewhere it is rho'' itself."""
    objective = at_a_number(name)
    r = 3.0 * unit(objective) * np.linspace(-2.0, 2.0, 9)
    if not objective.kinked:
        np.testing.assert_array_equal(smoothed_curvature(objective, r), objective(r).curvature)
        return
    spread = 5.0 * unit(objective)
    z = np.linspace(-6.0, 6.0, 40_001)
    density = np.exp(-0.5 * z**2)
    density /= density.sum()
    moved = objective(r[:, None] + spread * z).psi @ (density * z) / spread
    np.testing.assert_allclose(objective.expected_curvature(r, spread), moved, rtol=0.01)
    # The grid of the quadrature is coarse beside a sharp kink.
    coarse = objective.mean_curvature(r, np.full(len(r), spread))
    np.testing.assert_allclose(coarse, moved, rtol=0.05)


@pytest.mark.parametrize("name", [name for name in NAMES if find(name).finds_scale()])
def test_the_equation_of_an_automatic_scale_has_one_root(name: str) -> None:
    objective = js.objectives.get(name, delta="auto")
    assert objective.auto
    r = np.random.default_rng(0).standard_normal(50)
    scales = np.geomspace(1e-2, 1e2, 200)
    excess = [objective.scale_excess(r / s, np.ones(50), 0.9) for s in scales]
    assert np.sum(np.diff(np.sign(excess)) != 0) == 1
    assert excess[0] > 0 > excess[-1]


@pytest.mark.parametrize("name", [name for name in NAMES if not find(name).finds_scale()])
def test_an_objective_without_an_automatic_scale_says_so(name: str) -> None:
    objective = js.objectives.get(name)
    with pytest.raises(js.JscaleError, match="no equation for its scale: give delta a number"):
        objective.scale_excess(np.ones(2), np.ones(2), 1.0)
    if "delta" in objective.given:
        with pytest.raises(js.JscaleError, match=f'delta="auto" is for .*; give {name} a number'):
            replace(objective, delta="auto")


# Likelihoods


def by_name(has: bool) -> list[str]:
    return [name for name in NAMES if find(name).has_likelihood() == has]


@pytest.mark.parametrize("name", by_name(True))
@pytest.mark.parametrize("scale", [0.02, 3.0])
def test_a_likelihood_integrates_to_one(name: str, scale: float) -> None:
    objective = at_a_number(name)
    r = scale * np.r_[0.0, np.geomspace(1e-9, 1e6, 40_001)]
    one = np.ones(1)
    density = np.exp([objective.log_likelihood(x[None], one, scale) for x in r])
    assert 2 * np.trapezoid(density, r) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("name", by_name(True))
def test_a_likelihood_is_that_of_what_is_minimised(name: str) -> None:
    objective = at_a_number(name)
    scale = objective.width if "delta" in objective.given else 1.0
    rng, one = np.random.default_rng(1), np.ones(20)
    a, b = (unit(objective) * rng.standard_normal((2, 20))).clip(-1, 1)
    gain = objective.log_likelihood(a, one, scale) - objective.log_likelihood(b, one, scale)
    assert gain == pytest.approx(objective.value(b, one) - objective.value(a, one), rel=1e-9)


@pytest.mark.full
@pytest.mark.parametrize("name", by_name(True))
def test_the_scale_by_default_is_that_of_largest_likelihood(name: str) -> None:
    fit = fitted(name)
    objective, weights = fit.settings.solved, np.ones(len(fit.residuals))
    assert fit.settings.objective.no_likelihood(weights) == ""
    best = objective.log_likelihood(fit.residuals, weights)
    scales = np.geomspace(1e-3, 1e-1, 4001)
    values = [objective.log_likelihood(fit.residuals, weights, s) for s in scales]
    assert max(values) <= best + 1e-9
    assert max(values) == pytest.approx(best, abs=1e-3)


@pytest.mark.full
@pytest.mark.parametrize("name", by_name(False))
def test_what_is_no_likelihood_says_so(name: str) -> None:
    objective = at_a_number(name)
    with pytest.raises(js.JscaleError, match=rf"{name}\(.*\) has no likelihood"):
        objective.log_likelihood(np.ones(3), np.ones(3))
    with pytest.raises(js.JscaleError, match=rf"power was fitted by {name}.* is not a likelihood"):
        js.information([fitted(name)])


# Text, code, files


@pytest.mark.parametrize("name", NAMES)
def test_text_and_code(name: str) -> None:
    cls = find(name)
    variants = [cls(space=space) for space in ("log", "linear", "logit")]
    if "delta" in cls.given:
        variants += [cls(delta=0.123456789012345), cls(delta=1e-9)]
    variants += [cls(delta="auto")] if cls.finds_scale() else []
    for shape in cls.shape_names:
        variants.append(cls(**{shape: 1.0 / 3.0 + 1.0}))
    for objective in variants:
        assert eval(objective.code, {"js": js}) == objective
        assert eval(repr(objective), {cls.__name__: cls}) == objective
        text = str(objective)
        assert text.startswith(f"{name}(")
        assert text.endswith(f"space='{objective.space}')")
        for field in ("delta", *cls.shape_names):
            assert (f"{field}=" in text) == (field in cls.given)
        document = json.loads(json.dumps(objective.as_document()))
        assert js.objectives.from_document(document) == objective
        assert hash(objective) == hash(replace(objective))
    assert len(set(variants)) >= 3
    assert js.objectives.as_objective(name, "linear") == cls(space="linear")


@pytest.mark.parametrize("name", NAMES)
def test_a_class_is_documented(name: str) -> None:
    assert "rho(r) = " in (find(name).__doc__ or "")
    assert find(name).kind == name


@pytest.mark.full
@pytest.mark.parametrize("name", [name for name in NAMES if "delta" in find(name).given])
def test_another_delta_compiles_nothing(name: str) -> None:
    fit = fitted(name)
    program = compiled(fit.problem.model, sizes(fit.problem.rows)[0], False)
    traced = program._cache_size()  # type: ignore[attr-defined]
    other = js.fit("power", fit.runs, objective=fit.settings.solved.at(0.03), starts=8)
    assert other.problem.model == fit.problem.model
    assert compiled(other.problem.model, sizes(other.problem.rows)[0], False) is program
    assert program._cache_size() == traced >= 1  # type: ignore[attr-defined]


# Fits


@pytest.mark.first_quick
@pytest.mark.parametrize("name", NAMES)
def test_a_fit_recovers_the_truth(name: str) -> None:
    fit = fitted(name)
    assert fit.search["status"][fit.search["objective"].argmin()] == "converged"
    if fit.problem.objective.symmetric:
        error = (fit.params - list(TRUTH.values())) / fit.stderr
        assert np.abs(error).max() < 3.5
    assert fit.params["alpha"] == pytest.approx(TRUTH["alpha"], abs=0.005)
    assert (fit.stderr < [0.1, 0.002]).all()
    assert fit.objective == fit.problem.objective.value(fit.residuals, np.ones(len(fit.runs)))


@pytest.mark.parametrize("name", NAMES)
def test_scaling_the_objective_changes_nothing(name: str) -> None:
    fit = fitted(name)
    objective = fit.settings.objective
    scaled = js.fit("power", fit.runs, objective=objective, starts=8, weights=np.full(40, 1e6))
    np.testing.assert_allclose(scaled.params, fit.params, rtol=1e-7)
    np.testing.assert_allclose(scaled.stderr, fit.stderr, rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_fit_comes_back(name: str, tmp_path: Path) -> None:
    fit = fitted(name)
    again = js.load(js.save(fit, tmp_path / "fit.json"))
    assert again.settings.objective == fit.settings.objective
    assert again.problem.model == fit.problem.model
    assert again.objective == fit.objective


@pytest.mark.parametrize("name", [name for name in NAMES if name not in MINE])
def test_a_fit_saved_before_objectives_were_classes(name: str, tmp_path: Path) -> None:
    """Then every objective had a kind, a delta, a space and a shape, also where unused."""
    fit = fitted(name)
    path = js.save(fit, tmp_path / "fit.json")
    document = json.loads(path.read_text(encoding="utf-8"))
    now = fit.settings.objective
    shape = now.shape[0] if now.shape else 0.0
    document["settings"]["objective"] = {
        "kind": name, "delta": now.delta, "space": now.space, "shape": shape,
    }  # fmt: skip
    path.write_text(json.dumps(document), encoding="utf-8")
    assert js.load(path).settings.objective == now


# What a user registered, further on


@pytest.mark.full
@pytest.mark.parametrize("name", MINE)
def test_draws_of_a_users_objective(name: str) -> None:
    fit = fitted(name)
    for draws in (js.bootstrap(fit, 100, seed=1), js.laplace(fit, 100), js.jackknife(fit)):
        low, high = draws.interval(0.999).loc["alpha", ["low", "high"]]
        assert low < TRUTH["alpha"] < high
    low, high = js.profile(fit, "alpha", level=0.999).interval()
    assert low < TRUTH["alpha"] < high


@pytest.mark.full
@pytest.mark.parametrize("name", MINE)
def test_the_recipe_of_a_users_objective_makes_the_same_fit(name: str, tmp_path: Path) -> None:
    fit = fitted(name)
    page = js.report(fit, js.bootstrap(fit, 20, seed=1), path=tmp_path / "report.html")
    code = page.content["again"]
    assert f"# {name}: the objective {__name__}:" in code
    assert "delta=0.01" in code
    line = next(line for line in code.splitlines() if line.startswith("fit = "))
    scope: dict[str, Any] = {"js": js, "runs": fit.runs}
    exec(line, scope)
    again = scope["fit"]
    assert again.settings.objective == fit.settings.objective
    np.testing.assert_array_equal(again.params, fit.params)


def test_a_kept_fit_of_an_objective_that_is_not_registered(tmp_path: Path) -> None:
    path = js.save(fitted("mine_cauchy"), tmp_path / "fit.json")
    path.write_text(path.read_text(encoding="utf-8").replace("mine_cauchy", "theirs"))
    with pytest.raises(
        js.JscaleError, match="the objective 'theirs', which is not registered here"
    ):
        js.load(path)


def test_an_objective_that_has_changed_since_is_refused(tmp_path: Path) -> None:
    path = js.save(fitted("mine_cauchy"), tmp_path / "fit.json")
    path.write_text(path.read_text(encoding="utf-8").replace("mine_cauchy", "mine_general"))
    with pytest.raises(
        js.FileError, match=r"another class .*mine_general.* gives .* the saved objective is"
    ):
        js.load(path)


@pytest.mark.full
def test_per_family_fits_with_a_users_objective() -> None:
    frame = runs().frame.assign(part=np.arange(40) % 2)
    table = js.fit_many("power", frame, by="part", objective=Cauchy(0.01), starts=8, resamples=20)
    np.testing.assert_allclose(table.params["alpha"], TRUTH["alpha"], atol=0.01)
