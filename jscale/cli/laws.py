"""The command \"laws\": the catalogue, and the page of one law."""

from __future__ import annotations

from inspect import getdoc, signature

import jscale as js
from jscale.laws.catalogue import catalogue, markdown
from jscale.reporting import console as show_in


def list_laws(name: str | None, *, as_json: bool, as_markdown: bool) -> None:
    """Print the catalogue of laws, or one law's page."""
    if name is not None:
        _print_law(js.laws.get(name), as_json)
        return
    if as_markdown:
        print(markdown(), end="")
        return
    table = catalogue()
    if as_json:
        show_in.print_json(show_in.records(table))
        return
    verified = table["verified"].map(lambda count: f"\n{count} verified" if count else "")
    said = table["formula"] + "\nof " + table["inputs"] + "; " + table["source"] + verified
    shown = show_in.table_of(table[["law"]].assign(formula=said))
    shown.columns[0].no_wrap = True  # a name is there to be copied
    show_in.screen().print(shown)
    show_in.screen().print(
        "\nVerified: sets of published constants. A page on one: jscale laws NAME. "
        "Structure: broken:2; axis: power_const:N.",
        markup=False,
    )


def _quantities(law: js.Law) -> dict[str, str]:
    """Return what follows in closed form: a call of each, and its formula."""
    found = {}
    for name, function in law.quantities.items():
        inputs = ", ".join(list(signature(function).parameters)[1:])
        found[f"{name}({inputs})"] = (getdoc(function) or "").partition("\n")[0]
    return found


def _domain(law: js.Law) -> list[str]:
    """Return in words where the law holds."""
    said = [f"{x} > 0" for x in law.positive_inputs]
    said += [f"{low:g} ≤ {x} ≤ {high:g}" for x, (low, high) in law.limits.items()]
    return said + [f"{least} ≤ {most}" for least, most in law.ordered]


def _print_law(law: js.Law, as_json: bool) -> None:
    parameters = {p.name: f"{p.role.name}: {p.role.meaning}" for p in law.parameters}
    if as_json:
        show_in.print_json({
            "law": law.name, "inputs": law.inputs, "output": law.output, "unit": law.unit,
            "formula": law.formula, "source": law.reference, "parameters": parameters,
            "domain": _domain(law), "falling": law.falling, "rising": law.rising,
            "quantities": _quantities(law), "invertible": law.inverse is not None,
            "published": {k: dict(v) for k, v in law.published.items()}, "doc": law.doc,
        })  # fmt: skip
        return
    out = show_in.screen()
    out.print(f"{law.name}: {law.output} = {law.formula}\n", style="bold", markup=False)
    for paragraph in law.doc.replace("``", "`").split("\n\n"):
        if not paragraph.lstrip().startswith(">>>"):
            out.print(" ".join(paragraph.split()), markup=False)
    _print_list("Parameters", parameters)
    _print_list("Derived quantities, js.derive(draws, …)", _quantities(law))
    if _domain(law):
        out.print("\nHolds for " + ", ".join(_domain(law)), markup=False)
    for source, values in law.published.items():
        out.print(f"\nPublished, {source}", style="bold", markup=False)
        out.print("  " + ", ".join(f"{k} = {v:g}" for k, v in values.items()), markup=False)


def _print_list(title: str, entries: dict[str, str]) -> None:
    if entries:
        show_in.screen().print(f"\n{title}", style="bold", markup=False)
        for name, text in entries.items():
            show_in.screen().print(f"  {name:8} {text}", markup=False)
