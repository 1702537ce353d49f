"""The registry: laws by text, and errors that say what a text would have to be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from jscale import laws
from jscale.errors import LawError
from jscale.model import registry as registry_module
from jscale.model.declare import law
from jscale.model.docstring import read_docstring
from jscale.model.law import Law
from jscale.model.registry import Registry
from jscale.model.roles import Exponent, Scale


def line(scale: float = 1.0, name: str = "line") -> Law:
    def function(x: Any, *, A: Scale, alpha: Exponent) -> Any:
        return scale * A * x + alpha

    return law(function, name=name)


@pytest.fixture
def registry() -> Registry:
    return Registry(laws.CATALOGUE)


def test_every_name_gives_a_law_that_documents_itself() -> None:
    for name in laws.names():
        made = laws.get(name)
        assert isinstance(made, Law)
        assert made.formula
        assert made.reference
        assert made.unit
        assert read_docstring(made.doc).references, name


def test_names_and_catalogue_agree() -> None:
    assert laws.names() == list(laws.CATALOGUE)


@pytest.mark.parametrize(
    ("text", "name", "inputs", "size"),
    [
        ("chinchilla", "chinchilla", ("N", "D"), 5),
        ("broken", "broken:1", ("C",), 6),
        ("broken:2", "broken:2", ("C",), 9),
        ("broken:2:N", "broken:2:N", ("N",), 9),
        ("broken:D", "broken:1:D", ("D",), 6),
        ("power_const:N", "power_const:N", ("N",), 3),
        ("chinchilla_tied", "chinchilla_tied", ("N", "D"), 4),
        ("mixing", "mixing:2", ("r_1", "r_2"), 3),
        ("mixing:3", "mixing:3", ("r_1", "r_2", "r_3"), 4),
        ("mixing:web,code", "mixing:web,code", ("r_web", "r_code"), 3),
    ],
)
def test_texts(text: str, name: str, inputs: tuple[str, ...], size: int) -> None:
    made = laws.get(text)
    assert (made.name, made.inputs, len(made.names)) == (name, inputs, size)
    assert laws.get(text) == made
    assert laws.get(made) is made


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "chinchila",
            r"There is no law 'chinchila'\. Did you mean 'chinchilla'\? Known laws: "
            r"power, power_const, ",
        ),
        ("", r"There is no law ''\."),
        ("broken:0", r"broken takes 1 to 6 breaks, not 0: broken:2\."),
        ("broken:7", r"broken takes 1 to 6 breaks, not 7"),
        (
            "broken:-1",
            r"'broken:-1' does not name a law: '-1' is not one input\. "
            r"Write broken:2, power_const:N or broken:2:D\.",
        ),
        ("broken:2:3", r"'broken:2:3' does not name a law: .*takes .* 2 were given"),
        ("power_const:", r"'power_const:' does not name a law: '' is not one input\."),
        ("power_const:N:D", r"does not name a law: 'N', 'D' is not one input\."),
        ("power_const:2", r"'power_const:2' does not name a law: power_const takes no number\."),
        ("power_const:N,D", r"'power_const:N,D' does not name a law: power_const takes no list\."),
        ("broken:a,b", r"broken takes 1 to 6 breaks, not \('a', 'b'\)"),
        ("mixing:web,", r"'mixing:web,' does not name a law: 'web,' is not one input\."),
        ("mixing:1", r"mixing takes the names of 2 to 20 domains, or their number, not 1"),
        ("mixing:web", r"mixing:2 has 2 inputs: r_1, r_2\. Only a law of one input"),
        ("power_const:²", r"'²' is not one input"),
        (
            "auto",
            r'"auto" is not one law but the forecast, which chooses by the columns: '
            r'js\.forecast\(runs\), js\.forecast_many\(runs, by=…\), or js\.compare\("auto", runs\)\.',
        ),
        ("auto:N", r"There is no law 'auto'\."),
        ("chinchilla:N", r"chinchilla has 2 inputs: N, D\. Only a law of one input"),
    ],
)
def test_texts_that_name_no_law(text: str, says: str) -> None:
    with pytest.raises(LawError, match=says):
        laws.get(text)


def test_one_exponent_for_both_is_chinchilla_tied_by_hand() -> None:
    N, D = [1e8, 1e10], [2e9, 2e11]
    constants = {"E": 1.7, "A": 300.0, "B": 500.0, "alpha": 0.31}
    tied = laws.get("chinchilla_tied")(N, D, **constants)
    np.testing.assert_allclose(
        tied, laws.get("chinchilla")(N, D, **constants, beta=0.31), rtol=1e-14
    )
    # At the optimum of 6·N·D = C, tokens per parameter are (B/A)^(1/alpha), whatever C.
    ratio = laws.get("chinchilla_tied").derived["tokens per parameter"]
    for C in (1e18, 1e24):
        size = np.geomspace(1e5, 1e13, 200_001)
        loss = laws.get("chinchilla_tied")(size, C / (6 * size), **constants)
        best = size[np.argmin(loss)]
        assert C / (6 * best**2) == pytest.approx(ratio(constants, C), rel=1e-3)


@pytest.mark.parametrize("thing", [3, None, lambda N: N])
def test_only_a_name_or_a_law_is_taken(thing: Any) -> None:
    with pytest.raises(
        LawError,
        match=rf"A law is a name or a Law, not {type(thing).__name__}\. "
        r"Decorate your function with @jscale\.law\.",
    ):
        laws.get(thing)


# register()


def test_a_registered_law_is_found_and_listed(registry: Registry) -> None:
    registry.register(line())
    assert registry.names()[-1] == "line"
    assert registry.get("line") == line()
    assert registry.get("line:N").inputs == ("N",)
    assert "line" not in laws.names()


def test_registering_the_same_text_again_is_fine(registry: Registry) -> None:
    registry.register(line())
    registry.register(line())
    assert registry.names().count("line") == 1


def test_another_law_under_a_taken_name(registry: Registry) -> None:
    registry.register(line())
    for other in (line(2.0), line(name="chinchilla")):
        with pytest.raises(
            LawError, match=rf"A law named '{other.name}' is registered already; choose another"
        ):
            registry.register(other)
    assert registry.get("line") == line()


def test_a_registered_factory_takes_its_number(registry: Registry) -> None:
    registry.register(line, name="lines")
    assert registry.get("lines:3") == line(3)


@pytest.mark.parametrize("name", ["two:words", ":"])
def test_a_name_with_a_colon(registry: Registry, name: str) -> None:
    with pytest.raises(
        LawError, match=rf"'{name}' cannot be the name of a law: .* register\(made, name=\"mine\"\)"
    ):
        registry.register(line(), name)


def test_registering_what_is_no_law(registry: Registry) -> None:
    thing: Any = 3
    with pytest.raises(LawError, match=r"is registered, not int\. Decorate .* @jscale\.law\."):
        registry.register(thing)


def test_a_factory_that_makes_no_law(registry: Registry) -> None:
    def factory() -> Any:
        return 3.0

    registry.register(factory, name="three")
    with pytest.raises(LawError, match=r"'three' does not name a law: it makes float\."):
        registry.get("three")


def test_laws_of_other_packages(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        name = "theirs"

        def load(self) -> Law:
            return line(name="theirs")

    def entry_points(group: str) -> list[Point]:
        return [Point()] if group == "jscale.laws" else []

    monkeypatch.setattr(registry_module, "entry_points", entry_points)
    assert registry.names()[-1] == "theirs"
    assert registry.get("theirs") == line()
