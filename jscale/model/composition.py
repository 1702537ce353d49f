"""What ``Law.then`` gives a composed law: roles, limits, directions and a docstring.

Laws are arguments here and not imported, so that law.py can import this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from jscale.model.docstring import Docstring
from jscale.model.roles import Role

_ORDER_ONE = (0.3, 3.0)


def unobserved(role: Role) -> Role:
    """Return the role of a parameter whose law's output is not observed.

    Starts relative to the output have no meaning then, so amplitudes start at order one. A floor
    of the inner law is not a floor of what is observed.
    """
    # The meaning and the starts of a floor refer to the observed output.
    if role.name == "floor":
        role = replace(role, name="positive", meaning="irreducible loss of the inner law")
    starts = {"lowest": _ORDER_ONE, "typical": _ORDER_ONE, "log-typical": (-1.0, 1.0)}
    if role.unit not in starts:
        return role
    return replace(role, unit="plain", start=starts[role.unit])


def without_axis(role: Role) -> Role:
    """Return the role of a link's parameter: its input is no column to place a location along."""
    if role.unit != "range":
        return role
    return replace(role, unit="plain", start=_ORDER_ONE, log=True)


def limits_of_both(inner: Any, link: Any) -> dict[str, tuple[float, float]]:
    """Return the limits of the inner law's inputs and of the link's output."""
    limits = {n: v for n, v in inner.limits.items() if n != inner.output}
    return limits | {n: v for n, v in link.limits.items() if n == link.output}


def directions(inner: Any, link: Any) -> dict[str, tuple[str, ...]]:
    """Return the inputs in which the composition of two laws falls and rises."""
    if link.rising:
        return {"falling": inner.falling, "rising": inner.rising}
    if link.falling:
        return {"falling": inner.rising, "rising": inner.falling}
    return {"falling": (), "rising": ()}


def composed_docstring(
    inner: Docstring, link: Docstring, *, name: str, renamed: Mapping[str, str]
) -> str:
    """Return the docstring of a link after the law called ``name``.

    Parameters of the link are described under their new names. What the two docstrings do not
    describe is left out.
    """
    parameters = {**inner.parameters}
    parameters |= {
        new: link.parameters[old] for old, new in renamed.items() if old in link.parameters
    }
    text = [link.summary, f"After {name}: {inner.summary}"]
    for heading, entries in (("Parameters", parameters), ("Returns", link.returns)):
        if entries:
            lines = [heading, "-" * len(heading)]
            lines += [line for n, what in entries.items() for line in (n, f"    {what}")]
            text.append("\n".join(lines))
    return "\n\n".join(text)
