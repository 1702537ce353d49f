"""Reading docstrings by section: numpydoc's layout, and text without any."""

from __future__ import annotations

import pytest

from jscale.model.docstring import Docstring, read_docstring

TEXT = """Loss as a power law.

        L(N) = A·N^(-alpha)

    An aside with ``code``, :func:`jscale.fit` and a
    second line.

    Parameters
    ----------
    N, M : array_like
        Parameters,
        above 0.
    *more : float
        Others.

    Returns
    -------
    loss : array
        Loss.

    Notes
    -----
    First.

    Second.

    References
    ----------
    .. [1] Someone,
       arXiv:1234.5678.
    .. [2] Another.

    Examples
    --------
    >>> 1 + 1
    2
    """


def test_each_section_is_read() -> None:
    assert read_docstring(TEXT) == Docstring(
        summary="Loss as a power law.",
        formula="L(N) = A·N^(-alpha)",
        description=("An aside with `code`, `jscale.fit` and a second line.",),
        parameters={"N": "Parameters, above 0.", "M": "Parameters, above 0.", "more": "Others."},
        returns={"loss": "Loss."},
        notes=("First.", "Second."),
        references=("Someone, arXiv:1234.5678.", "Another."),
    )


@pytest.mark.parametrize("text", ["Mine.\n\nAll mine:\nindeed.\n\n>>> 1 + 1\n2", "Mine."])
def test_a_docstring_without_sections_is_prose(text: str) -> None:
    doc = read_docstring(text)
    assert doc.summary == "Mine."
    assert doc.description == (("All mine: indeed.",) if "All" in text else ())
    assert (doc.formula, doc.parameters, doc.returns, doc.notes) == ("", {}, {}, ())


def test_no_docstring() -> None:
    assert read_docstring("") == Docstring()
