"""Docstrings of laws by section, as the command line and the report show them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Docstring:
    """A docstring in numpydoc's layout, cut into its parts.

    Text that is not in sections, such as the docstring of a user's own law, is ``summary`` and
    ``description``. Line breaks within paragraphs and markup of roles are removed.

    Parameters
    ----------
    summary : str
        The first paragraph.
    formula : str
        The first indented paragraph before the sections, or "".
    description : tuple of str
        The other paragraphs before the sections.
    parameters : mapping of str to str
        The description of each input and parameter, by name.
    returns : mapping of str to str
        The description of each output, by name.
    notes : tuple of str
        The paragraphs of the section Notes.
    references : tuple of str
        The entries of the section References, without their numbers.
    """

    summary: str = ""
    formula: str = ""
    description: tuple[str, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    returns: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    references: tuple[str, ...] = ()


def read_docstring(text: str) -> Docstring:
    """Cut a docstring into its parts.

    Parameters
    ----------
    text : str
        The docstring, indented or not.

    Returns
    -------
    Docstring
        Its parts; those that it does not have are empty. Examples are left out.

    Examples
    --------
    >>> from jscale.model.docstring import read_docstring
    >>> doc = read_docstring("A line.\\n\\nParameters\\n----------\\nx : float\\n    Place.")
    >>> doc.summary, doc.parameters
    ('A line.', {'x': 'Place.'})
    """
    sections = _sections(inspect.cleandoc(text).splitlines())
    head = _paragraphs(sections.get("", []))
    formulas = [p for p in head[1:] if p[0] == " "]
    return Docstring(
        summary=_plain(head[0]) if head else "",
        formula=_plain(formulas[0]) if formulas else "",
        description=tuple(_plain(p) for p in head[1:] if p not in formulas[:1]),
        parameters=_entries(sections.get("Parameters", [])),
        returns=_entries(sections.get("Returns", [])),
        notes=tuple(_plain(p) for p in _paragraphs(sections.get("Notes", []))),
        references=_references(sections.get("References", [])),
    )


def _sections(lines: Sequence[str]) -> dict[str, list[str]]:
    """Return the lines of each section by its heading; those before the first are under ""."""
    sections: dict[str, list[str]] = {"": []}
    heading = ""
    for i, line in enumerate(lines):
        below = lines[i + 1] if i + 1 < len(lines) else ""
        if line.strip() and re.fullmatch("-{3,}", below):
            heading = line.strip()
            sections[heading] = []
        elif not re.fullmatch("-{3,}", line):
            sections[heading].append(line)
    return sections


def _paragraphs(lines: Sequence[str]) -> list[str]:
    """Return the paragraphs without the examples among them."""
    paragraphs = "\n".join(lines).split("\n\n")
    return [p for p in paragraphs if p.strip() and not p.lstrip().startswith(">>>")]


def _entries(lines: Sequence[str]) -> dict[str, str]:
    """Return the description of each name of a section such as Parameters."""
    entries: dict[str, list[str]] = {}
    names: list[str] = []
    for line in lines:
        if line.strip() and not line.startswith(" "):
            names = [name.strip(" *") for name in line.partition(" : ")[0].split(",")]
            entries.update({name: [] for name in names})
        else:
            for name in names:
                entries[name].append(line)
    return {name: _plain("\n".join(text)) for name, text in entries.items()}


def _references(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the references, of which each begins with ".. [1]"."""
    entries = re.split(r"^\.\. \[\w+\]", "\n".join(lines), flags=re.MULTILINE)
    return tuple(_plain(entry) for entry in entries if entry.strip())


def _plain(text: str) -> str:
    """Return a text on one line, with roles and literals in single backticks."""
    # Single backticks read well in a terminal; HTML strips them.
    text = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text.replace("``", "`"))
    return " ".join(text.split())
