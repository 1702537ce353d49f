"""Pictures of a page: matplotlib figures as SVG that can stand inside HTML.

Text stays text, so pictures are small and can be searched. Words that came from a user are no
mathematical notation, and nothing of them can become markup: the SVG is parsed and written anew.
"""

from __future__ import annotations

import io
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from jscale import plots
from jscale.comparison.comparison import Comparison
from jscale.planning.plan import Plan
from jscale.plots.words import with_unit
from jscale.prediction.predict import predict
from jscale.reporting.answer import has_path, is_surface, path
from jscale.reporting.held_out import HeldOut
from jscale.uncertainty.draws import Draws

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_MANY_POINTS = 600
_MOST_PARAMETERS = 7
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_RC: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.usetex": False,
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
}


@dataclass(frozen=True)
class Picture:
    """A picture: what it is called, the SVG, and a sentence on how to read it."""

    title: str
    svg: str
    caption: str
    wide: bool = False


def pictures(
    draws: Draws, held_out: HeldOut | None, comparison: Comparison | None, level: float
) -> Iterator[Picture]:
    """Yield the pictures that a law and its draws allow."""
    fit = draws.fit
    held = None if held_out is None else held_out.frame
    yield _drawn(
        "Observed and fitted", "Each point is a run; on the line, the law is right.",
        lambda ax: plots.observed_and_fitted(fit, ax=ax, held_out=held),
    )  # fmt: skip
    yield _drawn(
        "Residuals", "What the law leaves over. A pattern here means that the law bends otherwise "
        "than the data.", lambda ax: plots.residuals(fit, ax=ax),
    )  # fmt: skip
    if is_surface(fit):
        yield _drawn(
            "Slices of equal compute", "Points are runs near each budget; a cross marks the lowest "
            "loss of a slice.", lambda ax: plots.isoflop_slices(fit, ax=ax),
        )  # fmt: skip
    if has_path(fit):
        yield _drawn(
            "Loss over compute", "Dark: confidence in the curve. Light: where new runs fall."
            + (" Along the path that the fit calls compute-optimal; runs off it lie above."
               if is_surface(fit) else ""),
            lambda ax: _over_compute(draws, held, level, ax),
        )  # fmt: skip
    if comparison is not None and np.isfinite(comparison.rows["extrapolation"]).any():
        yield _drawn(
            "Laws compared", "Error of runs that a law had not seen, over how far out they lie.",
            lambda ax: plots.comparison(comparison, ax=ax),
        )  # fmt: skip
    yield from _of_draws(draws)


def of_plan(plan: Plan) -> Picture:
    """Draw the best size and data over the budget."""
    return _drawn(
        "Best size and data over compute", "Bands are confidence intervals of the optimum. Shaded: "
        "no runs are there.", lambda ax: plots.allocation(plan, ax=ax),
    )  # fmt: skip


def _of_draws(draws: Draws) -> Iterator[Picture]:
    for name in draws.settings.get("pool") or {}:
        if any(own.startswith(f"{name}[") for own in draws.names):
            yield _drawn(
                f"Groups of {name}", "Each group's estimate, drawn to the mean of all (dashed) "
                "where its own runs say little.", partial(_pooled, draws, name),
            )  # fmt: skip
    if 1 < len(draws.names) <= _MOST_PARAMETERS:
        yield _figured(
            "Parameters together", "Each point is a draw of the parameters. Those that lie along a "
            "line are known together, not one by one.", lambda: plots.pairs(draws),
        )  # fmt: skip
    if draws.values.shape[0] > 1 and len(draws.names) <= _MOST_PARAMETERS:
        yield _figured(
            "Chains", "Chains that agree look like one band of noise.",
            lambda: plots.trace(draws),
        )  # fmt: skip


def _pooled(draws: Draws, name: str, ax: Any) -> None:
    plots.shrinkage(draws, name, ax=ax)


def _over_compute(draws: Draws, held: pd.DataFrame | None, level: float, ax: Any) -> None:
    """Plot the lowest loss at each compute, to ten times the fitted one or the last run."""
    fit = draws.fit
    C = fit.runs["C"]
    furthest = C.max() * 10
    if held is not None and "C" in held:
        furthest = max(furthest, held["C"].max())
    table = path(fit, np.geomspace(C.min(), furthest, 48))
    if len(table) < 2:
        ax.set_axis_off()
        return
    plots.bands(predict(draws, table, level=level), along="C", ax=ax, observed=fit.runs.frame)
    if held is not None and "C" in held:
        ax.scatter(held["C"], held["observed"], s=24, color="#d9730d", marker="D", lw=0, zorder=4,
                   label="held-out runs")  # fmt: skip
        ax.legend(frameon=False, fontsize="small")
    ax.set(xlabel="C (FLOPs)", ylabel=with_unit(fit.law.output, fit.runs))


def _drawn(title: str, caption: str, draw: Callable[[Any], Any]) -> Picture:
    """Draw one plot on Axes of its own."""
    from matplotlib.figure import Figure

    def make() -> Any:
        figure = Figure(figsize=(5.4, 3.9), layout="constrained")
        draw(figure.add_subplot())
        return figure

    return _figured(title, caption, make, wide=False)


def _figured(
    title: str, caption: str, make: Callable[[], Any], *, wide: bool = True
) -> Picture:  # fmt: skip
    """Make a figure and write it as SVG; what it warns of is said elsewhere on the page."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    name = re.sub(r"[^a-z]+", "-", title.lower()).strip("-")
    with mpl.rc_context({**_RC, "svg.hashsalt": name}), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # ours, and of letters that a font lacks
        figure = make()
        try:
            return Picture(title, to_svg(figure, name), caption, wide)
        finally:
            plt.close(figure)  # pyplot keeps, and a notebook shows, what is not closed


def to_svg(figure: Any, name: str) -> str:
    """Write a figure as SVG for a page; ``name`` sets its ids apart from other pictures'."""
    plain_words(figure)
    for ax in figure.axes:
        for many in ax.collections:
            if len(many.get_offsets()) > _MANY_POINTS:
                many.set_rasterized(True)  # as an image: a thousand shapes are slow and large
    file = io.BytesIO()
    figure.savefig(
        file, format="svg", transparent=True, dpi=160,
        metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
    )  # fmt: skip
    return _cleaned(file.getvalue(), name)


def plain_words(figure: Any) -> None:
    """Take titles, labels and legends as plain words: a "$" in them starts no formula.

    Characters that no SVG may hold, such as a zero byte, are shown as "�", in ticks' labels too.
    """
    texts = list(figure.texts)  # its title is one of them
    for ax in figure.axes:
        legend = ax.get_legend()
        texts += [ax.title, ax.xaxis.label, ax.yaxis.label, *ax.texts]
        texts += [] if legend is None else [*legend.get_texts(), legend.get_title()]
    for text in texts:
        text.set_parse_math(False)
        text.set_text(_without_odd(text.get_text()))
    for ax in figure.axes:
        _plain_ticks(ax.xaxis)
        _plain_ticks(ax.yaxis)


def _plain_ticks(axis: Any) -> None:
    """Set labels anew that hold odd characters: a text alone is written over when it is drawn."""
    shown = [text.get_text() for text in axis.get_ticklabels()]
    plain = [_without_odd(text) for text in shown]
    if plain != shown:
        axis.set_ticks(axis.get_ticklocs(), plain)


def _without_odd(text: str) -> str:
    """Replace the characters that no XML may hold."""
    return _NOT_IN_XML.sub("�", text)


def _cleaned(svg: bytes, name: str) -> str:
    """Write an SVG anew for use inside HTML: no metadata, no styles, ids of its own."""
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", _XLINK)
    root = ET.fromstring(svg)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
                parent.remove(child)
    used = {found for element in root.iter() for value in element.attrib.values()
            for found in re.findall(r"(?:url\(|^)#([\w-]+)", value)}  # fmt: skip
    for element in root.iter():
        _rename(element, name, used)
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    root.set("role", "img")
    root.set("aria-label", name.replace("-", " "))
    return ET.tostring(root, encoding="unicode")


def _rename(element: ET.Element, name: str, used: set[str]) -> None:
    """Put the picture's name before ids that are used, drop the rest, and follow in references."""
    for key, value in list(element.attrib.items()):
        if key == "id":
            del element.attrib[key]
            if value in used:
                element.set("id", f"{name}-{value}")
        elif key == f"{{{_XLINK}}}href" and value.startswith("#"):
            element.set(key, f"#{name}-{value[1:]}")
        elif "url(#" in value:
            element.set(key, value.replace("url(#", f"url(#{name}-"))
