"""The work of ``jscale laws``: the list of laws, and the page of one law."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import getdoc, signature

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

import jscale as js
from jscale.data.columns import GLOSSARY
from jscale.laws import table as tables
from jscale.model.docstring import Docstring, read_docstring
from jscale.reporting import console

# Beyond it a name, such as the call of a derived quantity, leaves no room for a second column.
_LONGEST_NAME = 16


def list_laws(name: str | None, *, as_json: bool, as_markdown: bool) -> None:
    """Print the catalogue of laws, or the page of the law ``name``."""
    if name is not None:
        law = js.laws.get(name)
        if as_json:
            console.print_json(_as_document(law))
        else:
            _print_law(law)
        return
    if as_markdown:
        print(tables.markdown(), end="")
        return
    laws = tables.table()
    if as_json:
        console.print_json(console.records(laws))
        return
    verified = laws["verified"].map(lambda count: f"\n{count} verified" if count else "")
    summary = laws["formula"] + "\nof " + laws["inputs"] + "; " + laws["source"] + verified
    shown = console.table_of(laws[["law"]].assign(formula=summary))
    shown.columns[0].no_wrap = True  # so that a name can be copied
    console.screen().print(shown)
    console.screen().print(
        '\n"Verified" counts sets of published constants. The page of one law: jscale laws NAME. '
        "Structure and axis belong to the name: broken:2, power_const:N.",
        markup=False,
    )


def _quantities(law: js.Law) -> dict[str, str]:
    """Return the derived quantities: how each is called, and its formula."""
    quantities = {}
    for name, function in law.quantities.items():
        inputs = ", ".join(list(signature(function).parameters)[1:])
        quantities[f"{name}({inputs})"] = (getdoc(function) or "").partition("\n")[0]
    return quantities


def _domain(law: js.Law) -> list[str]:
    """Return the conditions under which the law holds."""
    conditions = [f"{x} > 0" for x in law.positive_inputs]
    conditions += [f"{low:g} ≤ {x} ≤ {high:g}" for x, (low, high) in law.limits.items()]
    return conditions + [f"{least} ≤ {most}" for least, most in law.ordered]


def _inputs(law: js.Law, doc: Docstring) -> dict[str, str]:
    """Return each input's description; the glossary's for one that ``along`` renamed."""
    described = {}
    for name in law.inputs:
        column = GLOSSARY.get(name)
        general = f"{column.meaning}, in {column.unit}" if column else "an input"
        described[name] = doc.parameters.get(name) or general
    return described


def _parameters(law: js.Law, doc: Docstring) -> dict[str, str]:
    """Return each parameter's description, or the meaning of its role, with the role's name."""
    return {
        p.name: f"{doc.parameters.get(p.name) or p.role.meaning} ({p.role.name})"
        for p in law.parameters
    }


def _as_document(law: js.Law) -> dict[str, object]:
    """Return the page of a law as a tree for JSON."""
    doc = read_docstring(law.doc)
    return {
        "law": law.name,
        "inputs": law.inputs,
        "output": law.output,
        "unit": law.unit,
        "formula": law.formula,
        "source": law.reference,
        "parameters": {p.name: f"{p.role.name}: {p.role.meaning}" for p in law.parameters},
        "descriptions": {**doc.parameters, **doc.returns},
        "domain": _domain(law),
        "falling": law.falling,
        "rising": law.rising,
        "quantities": _quantities(law),
        "invertible": law.inverse is not None,
        "published": {k: dict(v) for k, v in law.published.items()},
        "doc": law.doc,
    }


def _print_law(law: js.Law) -> None:
    doc = read_docstring(law.doc)
    screen = console.screen()
    screen.print(f"{law.name}: {law.output} = {law.formula}\n", style="bold", markup=False)
    # The formula of the docstring belongs to the text that follows it, such as "with D' = …".
    formula = [doc.formula] if doc.description and doc.formula else []
    _print_paragraphs([doc.summary, *formula, *doc.description])
    _print_list("Inputs", _inputs(law, doc))
    _print_list("Parameters", _parameters(law, doc))
    _print_list("Output", doc.returns)
    _print_list("Derived quantities, js.derive(draws, …)", _quantities(law))
    if _domain(law):
        screen.print("\nHolds for " + ", ".join(_domain(law)), markup=False)
    if doc.notes:
        screen.print("\nNotes", style="bold")
        _print_paragraphs(doc.notes)
    for source, values in law.published.items():
        screen.print(f"\nPublished, {source}", style="bold", markup=False)
        screen.print("  " + ", ".join(f"{k} = {v:g}" for k, v in values.items()), markup=False)
    if doc.references:
        screen.print("\nReferences", style="bold")
        _print_paragraphs(doc.references)


def _print_paragraphs(paragraphs: Sequence[str]) -> None:
    for paragraph in paragraphs:
        console.screen().print(paragraph, markup=False)


def _print_list(title: str, entries: Mapping[str, str]) -> None:
    """Print names with their descriptions, which wrap within their own column."""
    if not entries:
        return
    console.screen().print(f"\n{title}", style="bold", markup=False)
    if max(map(len, entries)) > _LONGEST_NAME:
        for name, text in entries.items():
            console.screen().print(f"  {name}", markup=False)
            console.screen().print(Padding(Text(text), (0, 0, 0, 6)))
        return
    columns = Table.grid(padding=(0, 1))
    columns.add_column(no_wrap=True, min_width=10)
    columns.add_column()
    for name, text in entries.items():
        columns.add_row(Text(f"  {name}"), Text(text))
    console.screen().print(columns)
