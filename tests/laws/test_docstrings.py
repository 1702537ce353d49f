"""The docstring of every law of the catalogue: a contract, and examples that run."""

from __future__ import annotations

import doctest
import re

import pytest

import jscale as js
from jscale.model.docstring import read_docstring

every_law = pytest.mark.parametrize("name", js.laws.CATALOGUE)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL


@every_law
def test_it_describes_inputs_parameters_and_output(name: str) -> None:
    law = js.laws.get(name)
    doc = read_docstring(law.doc)
    assert law.doc.splitlines()[0] == doc.summary
    assert doc.summary.endswith(".")
    assert re.match(r"(ln |log10 )?\w+(\(\w+(, \w+)*\)|\^\(−\w+\))? = ", doc.formula), doc.formula
    assert list(doc.parameters) == [*law.inputs, *law.names]
    assert list(doc.returns) == [law.output]
    for text in (*doc.parameters.values(), *doc.returns.values(), *doc.notes, *doc.references):
        assert text.endswith((".", ":")), text
    assert law.reference.removeprefix("https://") in " ".join(doc.references)


@every_law
def test_its_examples_run(name: str) -> None:
    law = js.laws.get(name)
    examples = doctest.DocTestParser().get_doctest(law.doc, {}, name, None, 0)
    output: list[str] = []
    result = doctest.DocTestRunner(optionflags=FLAGS).run(examples, out=output.append)
    assert result.attempted > 0, "no example"
    assert result.failed == 0, "".join(output)
