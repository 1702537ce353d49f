"""A page as HTML: the template filled with the content, and the explorer's script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jscale.reporting import explorer
from jscale.reporting.pictures import Picture


def rendered(content: Mapping[str, Any], pictures: Sequence[Picture], plan: Picture | None) -> str:
    """Return the page; every value is escaped, except the pictures and the script, which are ours.

    ``plan`` is the picture of the section on budgets.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("jscale.reporting", "templates"),
        autoescape=True,
        # A name that the template misspells is an error, not an empty text.
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filled = {
        **content,
        "pictures": [(picture, Markup(picture.svg)) for picture in pictures],
        "plan_picture": None if plan is None else (plan, Markup(plan.svg)),
        "parts": list(dict.fromkeys(item.part for item in content["checklist"])),
        **_scripted(content),
    }
    return environment.get_template("report.html.j2").render(filled).lstrip()


def _scripted(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the explorer's script, its digest and its data, as they stand in the page."""
    from markupsafe import Markup

    grid = (content["allocation"] or {}).get("explorer")
    if grid is None:
        return {"script": None, "script_digest": "", "script_data": ""}
    script = explorer.script()
    return {
        "script": Markup(script),
        "script_digest": explorer.digest(script),
        "script_data": Markup(explorer.embedded(grid)),
    }
