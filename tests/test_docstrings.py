"""Every public argument is documented, in numpydoc's form: a missing one fails here by name."""

from __future__ import annotations

import pytest

from tests import docstrings

SUBJECTS = docstrings.subjects()
ALLOWED = docstrings.allowed()


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_public_docstring_is_complete(name: str) -> None:
    lines = docstrings.faults(name, SUBJECTS[name])
    if name in ALLOWED:
        assert lines, (
            f"{name} passes: strike it from {docstrings.TODO.name} (python -m tests.docstrings --update)"
        )
    else:
        where = docstrings.module_of(name, SUBJECTS[name])
        assert not lines, f"{name} ({where}): " + "; ".join(lines)


def test_the_list_names_only_what_exists() -> None:
    assert sorted(set(ALLOWED) - set(SUBJECTS)) == []
    assert sorted(set(ALLOWED)) == ALLOWED


def _documented(a: int, b: int) -> int:
    """Add two numbers.

    Parameters
    ----------
    a : int
        The first.
    b : int
        The second.

    Returns
    -------
    int
        Their sum.

    Examples
    --------
    >>> 1 + 1
    2
    """
    return a + b


@pytest.mark.parametrize(
    ("cut", "code"),
    [
        ("b : int\n        The second.\n", "PR01"),
        ("    Returns\n    -------\n    int\n        Their sum.\n", "RT01"),
        ("        The first.\n", "PR07"),
        ("    Examples\n    --------\n    >>> 1 + 1\n    2\n", "EX01"),
        ("numbers.", "SS03"),
    ],
)
def test_a_fault_is_named(cut: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert docstrings.faults("f", _documented) == []
    whole = _documented.__doc__ or ""
    assert cut in whole
    monkeypatch.setattr(_documented, "__doc__", whole.replace(cut, ""))
    assert code in {line.split()[0] for line in docstrings.faults("f", _documented)}


def test_an_exception_is_not_named_in_prose(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _documented.__doc__ or ""
    text = whole.replace("numbers.\n", "numbers.\n\n    Raises ValueError for text.\n", 1)
    monkeypatch.setattr(_documented, "__doc__", text)
    assert docstrings.faults("f", _documented)[-1].startswith("JS01")
