"""Laws of saved fits: found again by module or name, accepted if they predict the same, or refused."""

from __future__ import annotations

import importlib
import json
import sys
from types import ModuleType

import numpy as np
import pytest

import jscale as js
from jscale.simulation.worlds import CHINCHILLA, grid
from tests.io.comparing import assert_same_fit

MINE = """
import jscale as js

@js.law(powers=(("A", "N", "alpha"),), linear=("E", "A"))
def mine(N, *, E: js.Floor, A: js.Scale, alpha: js.Exponent):
    return E + A * js.power(N, -alpha)
"""
MINE_OTHERWISE_WRITTEN = MINE.replace("E + A * js.power(N, -alpha)", "A / js.power(N, alpha) + E")
MINE_CHANGED = MINE.replace("E + A *", "1.01 * E + A *")

pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A function that writes (or rewrites) a module ``my_laws`` and imports it afresh."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(text: str) -> ModuleType:
        (tmp_path / "my_laws.py").write_text(text)
        sys.modules.pop("my_laws", None)
        importlib.invalidate_caches()
        return importlib.import_module("my_laws")

    yield write
    sys.modules.pop("my_laws", None)


def fit_of(law: js.Law) -> js.Fit:
    design = {"N": np.geomspace(1e6, 1e9, 20)}
    planted = {"E": 1.7, "A": 20.0, "alpha": 0.2}
    return js.fit(law, js.simulate(law, planted, design, noise=0.01), starts=8)


def test_a_law_of_a_module_is_found_again(module, tmp_path):
    path = js.save(fit_of(module(MINE).mine), tmp_path / "fit.json")
    saved = js.load(path)
    assert json.loads(path.read_text())["law"]["where"] == "my_laws:mine"
    assert saved.law is sys.modules["my_laws"].mine


def test_a_law_rewritten_to_the_same_is_accepted(module, tmp_path):
    fit = fit_of(module(MINE).mine)
    path = js.save(fit, tmp_path / "fit.json")
    other = module(MINE_OTHERWISE_WRITTEN).mine
    assert other.digest != fit.law.digest
    assert js.load(path).law is other


@pytest.mark.parametrize("text", [MINE_CHANGED, MINE.replace("alpha", "gamma")])
def test_a_law_that_has_changed_is_refused(module, tmp_path, text):
    path = js.save(fit_of(module(MINE).mine), tmp_path / "fit.json")
    module(text)
    wrong = (
        r"The law 'mine' is not the one that was fitted.* Give the right one: js\.load\(path, la"
    )
    with pytest.raises(js.LawError, match=wrong):
        js.load(path)


def test_a_law_that_is_gone(module, tmp_path):
    path = js.save(fit_of(module(MINE).mine), tmp_path / "fit.json")
    module("mine = 3")
    with pytest.raises(
        js.LawError, match=r"my_laws:mine is not the law 'mine'\. Give it: js\.load"
    ):
        js.load(path)
    module("")
    wrong = r"The law 'mine' \(my_laws:mine\) cannot be found: .* Give it: js\.load\(path, law=mine"
    with pytest.raises(js.LawError, match=wrong):
        js.load(path)
    assert js.load(path, law=module(MINE).mine).law.name == "mine"


def test_a_law_inside_a_function_is_given(tmp_path):
    @js.law(powers=(("A", "N", "alpha"),), linear=("A",))
    def local(N, *, A: js.Scale, alpha: js.Exponent):
        return A * js.power(N, -alpha)

    runs = js.simulate(
        local, {"A": 20.0, "alpha": 0.2}, {"N": np.geomspace(1e6, 1e9, 20)}, noise=0.01
    )
    fit = js.fit(local, runs)
    path = js.save(fit, tmp_path / "fit.json")
    with pytest.raises(
        js.LawError,
        match=r"<locals>\.local\) cannot be found: it was defined inside a function\. .* js\.load\(path, law",
    ):
        js.load(path)
    assert_same_fit(fit, js.load(path, law=local))


def test_a_law_of_ones_own_with_a_registered_name(module, tmp_path):
    """Where it was defined counts before a name that another law has too."""
    text = MINE.replace("def mine", "def power_const").replace("E + A *", "2 * E + A *")
    path = js.save(fit_of(module(text).power_const), tmp_path / "fit.json")
    assert js.load(path).law is sys.modules["my_laws"].power_const


def test_a_law_along_another_axis(tmp_path):
    design = {"N": np.geomspace(1e6, 1e9, 20)}
    runs = js.simulate("power_const:N", {"E": 1.7, "A": 20, "alpha": 0.2}, design, noise=0.01)
    fit = js.fit("power_const:N", runs, starts=8)
    assert_same_fit(fit, js.load(js.save(fit, tmp_path / "fit.json")))


def test_a_law_and_its_link_are_found_by_both_names(tmp_path):
    law = js.laws.get("chinchilla").then(js.laws.get("sigmoid_link"))
    planted = {**CHINCHILLA, "floor": 0.25, "rise": 0.6, "k": 4.0, "L0": 2.5}
    design = grid(np.geomspace(1e8, 1e10, 6), np.geomspace(2e9, 2e11, 7))
    runs = js.simulate(law, planted, design, noise=0.005)
    fit = js.fit(law, runs, fixed={"E": CHINCHILLA["E"]}, starts=4)
    assert fit.params["E"] > runs["score"].max()
    assert "floor-above-data" not in [note.code for note in fit.notes]
    assert_same_fit(fit, js.load(js.save(fit, tmp_path / "fit.json")))


def test_a_link_that_is_not_registered_is_given(tmp_path):
    @js.law(output="score")
    def squash(loss, *, k: js.Positive):
        return 1 / (1 + k * loss)

    law = js.laws.get("power_const:N").then(squash)
    planted = {"E": 1.7, "A": 20.0, "alpha": 0.2, "k": 1.0}
    runs = js.simulate(law, planted, {"N": np.geomspace(1e6, 1e9, 20)}, noise=0.01)
    path = js.save(js.fit(law, runs, starts=4), tmp_path / "fit.json")
    with pytest.raises(js.LawError, match=r"then\(squash\)' .* cannot be found.*law=mine"):
        js.load(path)
    assert js.load(path, law=law).law == law
