"""The registry of uncertainty methods: one of a user's own serves wherever a method is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import jscale as js
from jscale.cli.app import main
from jscale.fitting import draw_methods
from jscale.reporting.recipe import recipe

pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")


def draw_halved(fit: js.Fit, draws: int, seed: int, progress: bool) -> js.Draws:
    """Draw from half the normal approximation's spread, by a function of one's own."""
    rng = np.random.default_rng(seed)
    point, errors = fit.params.to_numpy(), fit.stderr.to_numpy()
    values = point + 0.5 * errors * rng.standard_normal((1, draws, len(point)))
    return js.Draws(fit, values, tuple(fit.params.index), "half the errors", {"seed": seed})


def half_weights(units: Any, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Weigh runs at random, half as far from one as the Bayesian bootstrap."""
    return 0.5 + 0.5 * rng.exponential(size=(resamples, len(units.unit)))


@pytest.fixture
def halved() -> Iterator[str]:
    register = js.register_method(
        "halved", words="half the usual errors", resampled=True, weigh=half_weights
    )
    assert register(draw_halved) is draw_halved
    yield "halved"
    js.methods.unregister("halved")


@pytest.fixture(scope="module")
def runs() -> js.Runs:
    design = js.designs.random(24, (1e8, 1e10), (2e9, 2e11), seed=1)
    planted = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 410.0, "beta": 0.28}
    return js.simulate("chinchilla", planted, design, noise=0.01, seed=2)


@pytest.fixture(scope="module")
def fit(runs: js.Runs) -> js.Fit:
    return js.fit("chinchilla", runs, objective=js.pseudo_huber(1e-2))


@pytest.mark.full
def test_a_method_of_ones_own_draws(fit: js.Fit, halved: str) -> None:
    drawn = js.draws(fit, halved, resamples=50, seed=3)
    np.testing.assert_array_equal(drawn.values, draw_halved(fit, 50, 3, False).values)
    assert drawn.resampled  # as the registry knows
    assert halved in js.methods.names()
    assert js.methods.get(halved).place == f"{__name__}:draw_halved"


@pytest.mark.full
def test_it_predicts_and_plans(fit: js.Fit, halved: str) -> None:
    prediction = js.predict(fit, N=1e9, D=2e10, method=halved)
    plan = js.allocate(fit, 1e21, method=halved)
    needed = js.required(fit, "D", loss=2.4, N=1e9, method=halved)
    within = "half the errors, within the law"
    assert prediction.method == plan.method == needed.method == within
    crossing = js.crossover(fit, fit, over=(1e20, 1e22), method=halved)
    assert crossing.paired  # its draws are resamples of common runs
    assert crossing.samples.shape == (1000,)


@pytest.mark.full
def test_it_draws_many_sets_at_once(runs: js.Runs, halved: str) -> None:
    table = runs.frame.assign(part=np.arange(len(runs)) % 2)
    choices: dict[str, Any] = {"by": "part", "starts": 32, "resamples": 50}
    narrow = js.fit_many("chinchilla_tied", table, method=halved, **choices).draws
    wide = js.fit_many("chinchilla_tied", table, method="bayesian", **choices).draws
    assert narrow is not None
    assert wide is not None
    ratio = np.nanstd(np.log(narrow[..., 0])) / np.nanstd(np.log(wide[..., 0]))
    assert 0.2 < ratio < 1.0
    found = js.compare(["chinchilla_tied"], runs, method=halved, resamples=20)
    assert found.settings["method"] == halved


def test_the_recipe_names_what_it_takes_for_granted(fit: js.Fit, halved: str) -> None:
    code = recipe(fit, js.draws(fit, halved, resamples=50, seed=3))
    assert "draws = js.draws(fit, method='halved', resamples=50, seed=3)" in code
    assert f"# halved: the method {__name__}:draw_halved, registered by @js.register_method" in code


@pytest.mark.full
def test_a_method_that_calls_another_is_made_again_by_it(fit: js.Fit) -> None:
    @js.register_method("wild", words="refits with random signs")
    def wild(fit: js.Fit, draws: int, seed: int, progress: bool) -> js.Draws:
        return js.bootstrap(fit, draws, kind="wild", seed=seed)

    try:
        drawn = js.draws(fit, "wild", resamples=20, seed=1)
    finally:
        js.methods.unregister("wild")
    assert drawn.method == "bootstrap (wild)"
    assert "draws = js.bootstrap(fit, resamples=20, seed=1, kind='wild'" in recipe(fit, drawn)


def test_the_command_line_takes_it(
    fit: js.Fit, halved: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(js.save(fit, tmp_path / "fit.json"))
    assert main(["predict", file, "--at", "N=1e9,D=2e10", "--method", halved]) == 0
    assert "by half the errors" in capsys.readouterr().out
    assert main(["plan", file, "--flops", "1e21", "--method", "halve"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "method='halve' is not known. Did you mean 'halved'? Use auto, bayesian" in said


def test_help_texts_list_the_registry(halved: str) -> None:
    assert draw_methods.in_words().endswith("or halved (half the usual errors)")
    assert "bayesian (refits of randomly weighted runs)" in draw_methods.in_words()


def test_an_unknown_method_is_told_all(fit: js.Fit, halved: str) -> None:
    wrong = r"method='halve' is not known\. Did you mean 'halved'\? Use auto, .*, halved\."
    with pytest.raises(js.JscaleError, match=wrong):
        js.draws(fit, "halve")
    with pytest.raises(js.PredictionError, match=wrong):
        js.predict(fit, N=1e9, D=2e10, method="halve")


def test_a_method_of_another_package_registers_when_it_is_named(
    fit: js.Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load() -> None:
        js.register_method("remote", words="half the usual errors")(draw_halved)

    point = SimpleNamespace(name="remote", load=load)
    monkeypatch.setattr(draw_methods, "entry_points", lambda group: [point])
    assert "remote" in js.methods.names()
    assert js.draws(fit, "remote", resamples=10).method == "half the errors"
    js.methods.unregister("remote")


def test_a_method_that_draws_one_fit_at_a_time_is_refused_for_many(runs: js.Runs) -> None:
    wrong = r"method='jackknife' draws one fit at a time; .* bayesian"
    with pytest.raises(js.JscaleError, match=wrong):
        js.fit_many("chinchilla", runs, by="N", method="jackknife")
    with pytest.raises(js.JscaleError, match=wrong):
        js.compare(["chinchilla"], runs, method="jackknife")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("not a word", {}, r"'not a word' cannot be the name of a method; give a word"),
        ("auto", {}, r"'auto' cannot be the name of a method"),
        ("mine", {"words": " "}, r"words=' ' must say in a few words what mine does"),
        (
            "mine",
            {"weigh": half_weights, "approximate": half_weights},
            r"mine has both weigh and approximate",
        ),
        ("laplace", {}, r"A method named 'laplace' is registered already; choose another"),
    ],
)
def test_what_cannot_be_registered(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(js.JscaleError, match=message):
        js.register_method(name, **{"words": "half the errors", **options})(draw_halved)


def test_only_what_is_registered_can_be_taken_out() -> None:
    with pytest.raises(js.JscaleError, match=r"method='bootstra' is not known\. Did you mean"):
        js.methods.unregister("bootstra")
