"""The catalogue of laws as a table, for the command line and for jscale/laws/README.md."""

from __future__ import annotations

import pandas as pd

from jscale import laws

_HEAD = """# The catalogue of laws

Made from the laws themselves by `jscale laws --markdown`; do not edit it by hand. A page on one:
`jscale laws NAME`. "Verified" counts the sets of published constants that were checked against
the source's own code, data or tables; others are not shown.
"""


def catalogue() -> pd.DataFrame:
    """Return the laws, a row each: law, inputs, formula, output, unit, source, verified.

    ``verified`` is the number of sets of published constants that a law carries.

    >>> from jscale.laws.catalogue import catalogue
    >>> catalogue().set_index("law").loc["chinchilla", "inputs"]
    'N, D'
    """
    found = {name: laws.get(name) for name in laws.names()}
    return pd.DataFrame(
        [
            {
                "law": name,
                "inputs": ", ".join(law.inputs),
                "formula": f"{law.output} = {law.formula}",
                "output": law.output,
                "unit": law.unit,
                "source": law.reference,
                "verified": len(law.published),
            }
            for name, law in found.items()
        ]
    )


def markdown() -> str:
    """Return the catalogue as a page in Markdown, of the laws that jscale itself has."""
    table = catalogue()
    table = table[table["law"].isin(laws.CATALOGUE)]
    columns = ["law", "formula", "inputs", "unit", "source", "verified"]
    rows = [columns, ["---"] * len(columns)]
    for _, row in table.iterrows():
        shown = {**row, "law": f"`{row['law']}`", "formula": f"`{row['formula']}`"}
        rows.append([str(shown[c]).replace("|", "\\|") for c in columns])
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return _HEAD + "\n" + "\n".join(lines) + "\n"
