"""The registry of objectives: names, numbers, documents, and classes that cannot be registered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

import jscale as js
from jscale.fitting.objective import (
    as_objective,
    find,
    from_document,
    register_objective,
    registry,
)
from jscale.fitting.objective.base import REGISTERED


def test_names_become_objectives() -> None:
    assert as_objective("huber") == js.huber()
    assert as_objective("least_squares") == js.least_squares()
    assert str(js.huber()) == "huber(delta=0.001, space='log')"
    assert str(js.huber("auto")) == "huber(delta=auto, space='log')"
    assert str(js.student_t(scale=0.01)) == "student_t(delta=0.01, df=3, space='log')"
    assert str(js.asymmetric()) == "asymmetric(delta=0.001, ratio=10, space='log')"
    assert as_objective("student_t") == js.student_t()
    assert as_objective("asymmetric") == js.asymmetric()


def test_names_lead_to_classes_and_numbers_to_objectives() -> None:
    assert js.objectives.names()[:3] == ["huber", "pseudo_huber", "asymmetric"]
    assert type(js.huber()) is find("huber")
    assert js.objectives.get("student_t", df=4.0) == js.student_t(df=4.0)
    assert as_objective("huber", "linear") == js.huber(space="linear")
    given = js.huber(0.1)
    assert as_objective(given, "linear") is given


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: as_objective("hubr"), r"objective='hubr' is not known\. Did you mean 'huber'\?"),
        (lambda: as_objective(3), "objective=3 is not known; use huber, pseudo_huber"),  # type: ignore[arg-type]
        (lambda: js.objectives.get("huber", width=1.0), "huber has no width; it takes delta, space"),
        (lambda: from_document({"kind": "tukey"}), r"the objective 'tukey', which is not registered"),
    ],
)  # fmt: skip
def test_what_no_class_has_is_refused(make: Any, message: str) -> None:
    with pytest.raises(js.JscaleError, match=message):
        make()


def test_documents_of_before_objectives_were_classes() -> None:
    """Every one had a delta and a shape then, used or not."""
    old = {"delta": 1.0, "space": "linear", "shape": 0.0}
    assert from_document({"kind": "least_squares", **old}) == js.least_squares(space="linear")
    old = {"delta": 0.01, "space": "log", "shape": 20.0}
    assert from_document({"kind": "asymmetric", **old}) == js.asymmetric(0.01, ratio=20.0)
    now = js.student_t(df=5.0)
    assert from_document(now.as_document()) == now


class Formula(js.Objective):
    @staticmethod
    def rho(r: Any, delta: Any) -> Any:
        return delta * r**2


class Taken(Formula):
    pass


class NoFormula(js.Objective):
    pass


class OnTopOfTerms(js.objectives.Huber):
    @staticmethod
    def rho(r: Any, delta: Any) -> Any:
        return delta * r**2


class FieldWithoutDataclass(Formula):
    power: float = 2.0


@dataclass(frozen=True)
class FieldWithoutArgument(Formula):
    power: float = 2.0


@pytest.mark.parametrize(
    ("name", "cls", "message"),
    [
        ("two words", Formula, r"'two words' cannot be the name of an objective; give a word"),
        ("mine", int, r"'int' is not a class of objectives: derive it from js\.Objective"),
        ("huber", Taken, r"An objective named 'huber' is registered already; choose another"),
        ("mine", NoFormula, r"NoFormula has no formula: define rho\(r, delta\) as a static method"),
        ("mine", OnTopOfTerms, r"OnTopOfTerms inherits terms .* derive it from js\.Objective"),
        ("mine", FieldWithoutDataclass, r"has power without being a dataclass: put @dataclass"),
        ("mine", FieldWithoutArgument, r"rho must be a static method of \(r, delta, power\)"),
    ],
)
def test_classes_that_cannot_be_registered(name: str, cls: Any, message: str) -> None:
    with pytest.raises(js.JscaleError, match=message):
        register_objective(name)(cls)
    assert "mine" not in js.objectives.names()


def test_a_class_without_a_name_makes_no_objective() -> None:
    """Not even one derived from a registered class, whose name is not its own."""
    with pytest.raises(js.JscaleError, match=r"OnTopOfTerms is not registered as an objective"):
        OnTopOfTerms()


def test_other_packages_register_by_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        name = "theirs"

        def load(self) -> type[js.Objective]:
            return register_objective("theirs")(Theirs)

    def entry_points(group: str) -> list[Point]:
        assert group == "jscale.objectives"
        return [Point()]

    class Theirs(Formula):
        pass

    monkeypatch.setattr(registry, "entry_points", entry_points)
    monkeypatch.setattr(registry, "REGISTERED", REGISTERED.copy())
    assert js.objectives.names()[-1] == "theirs"
    assert as_objective("theirs", "linear") == Theirs(space="linear")
    with pytest.raises(js.JscaleError, match="objective='their' is not known"):
        find("their")
