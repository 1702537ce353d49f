"""The plots of a page: Matplotlib figures as SVG that can stand inside HTML.

Text stays text, so that plots are small and can be searched. Text that came from a user is shown
literally and cannot become markup: the SVG is parsed and written again.
"""

from __future__ import annotations

import io
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jscale import plots
from jscale.comparison.comparison import Comparison
from jscale.fitting.result import Fit
from jscale.planning.path import optimal_path
from jscale.planning.plan import Plan
from jscale.plots.drawing import ORANGE
from jscale.plots.words import with_unit
from jscale.prediction.predict import predict
from jscale.prediction.predictor import Predictor, is_within_law, parameter_draws
from jscale.prediction.sources import predictor_of
from jscale.reporting.answer import has_path, is_surface
from jscale.reporting.held_out import HeldOut
from jscale.uncertainty.draws import Draws

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
# Larger collections of points are embedded as images.
_MANY_POINTS = 600
_MOST_PARAMETERS = 7
_BUDGETS = 48
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
    """A plot on a page.

    Attributes
    ----------
    title : str
        Its heading.
    svg : str
        The plot, ready to stand inside HTML.
    caption : str
        A sentence on how to read it.
    wide : bool
        Whether it takes the full width of the page.
    """

    title: str
    svg: str
    caption: str
    wide: bool = False


def pictures(
    source: Draws | Predictor,
    held_out: HeldOut | None,
    comparison: Comparison | None,
    level: float,
) -> Iterator[Picture]:
    """Yield the plots that a law and its draws allow."""
    predictor = predictor_of(source, caller="report")
    yield from _of_fit(predictor.reference, None if held_out is None else held_out.frame)
    if has_path(predictor.reference):
        yield _over_compute(predictor, held_out, level)
    if comparison is not None and np.isfinite(comparison.rows["extrapolation"]).any():
        yield _panel(
            "Laws compared",
            "Errors of held-out runs, over how far the runs lie beyond the fitted compute.",
            lambda ax: plots.comparison(comparison, ax=ax),
        )
    draws = parameter_draws(predictor)
    if draws is not None:
        yield from _of_draws(draws)


def of_plan(plan: Plan) -> Picture:
    """Plot the optimal size and data over the budget."""
    return _panel(
        "Optimal size and data over compute",
        "Bands are confidence intervals of the optimum. Shaded: beyond the fitted runs.",
        lambda ax: plots.allocation(plan, ax=ax),
    )


def _of_fit(fit: Fit, held_out: pd.DataFrame | None) -> Iterator[Picture]:
    yield _panel(
        "Observed and fitted",
        "Each point is a run; on the line, the fit is exact.",
        lambda ax: plots.observed_and_fitted(fit, ax=ax, held_out=held_out),
    )
    yield _panel(
        "Residuals",
        "What the law does not explain. A pattern means that the law has the wrong shape.",
        lambda ax: plots.residuals(fit, ax=ax),
    )
    if is_surface(fit):
        yield _panel(
            "IsoFLOP slices",
            "Points are runs near each budget; a cross marks the minimum of a slice.",
            lambda ax: plots.isoflop_slices(fit, ax=ax),
        )


def _over_compute(predictor: Predictor, held_out: HeldOut | None, level: float) -> Picture:
    """Plot the lowest output over compute, to ten times the fitted range or the last run."""
    fit = predictor.reference
    caption = "Dark: confidence interval of the curve. Light: prediction interval."
    if is_surface(fit):
        caption += " Along the compute-optimal path; other runs lie above it."
    held = None if held_out is None or "C" not in held_out.frame else held_out.frame
    C = fit.runs["C"]
    furthest = C.max() * 10 if held is None else max(C.max() * 10, held["C"].max())
    table = optimal_path(predictor, np.geomspace(C.min(), furthest, _BUDGETS))

    def draw(ax: Axes) -> None:
        if len(table) < 2:
            ax.set_axis_off()
            return
        prediction = predict(predictor, table, level=level)
        plots.bands(prediction, along="C", ax=ax, observed=fit.runs.frame)
        if not is_within_law(predictor):
            plots.law_alone(fit, table, along="C", ax=ax)
        if held is not None:
            style: dict[str, Any] = {"s": 24, "color": ORANGE, "marker": "D", "lw": 0, "zorder": 4}
            ax.scatter(held["C"], held["observed"], label="held-out runs", **style)
            ax.legend(frameon=False, fontsize="small")
        ax.set(xlabel="C (FLOPs)", ylabel=with_unit(fit.law.output, fit.runs))

    return _panel("Output over compute", caption, draw)


def _of_draws(draws: Draws) -> Iterator[Picture]:
    for name in draws.settings.get("pool") or {}:
        if any(drawn.startswith(f"{name}[") for drawn in draws.names):
            yield _panel(
                f"Groups of {name}",
                "Each group's estimate, shrunk towards the mean of all groups (dashed) where its "
                "own runs are uninformative.",
                partial(_shrinkage, draws, name),
            )
    if 1 < len(draws.names) <= _MOST_PARAMETERS:
        yield _picture(
            "Pairs of parameters",
            "Each point is a draw. Parameters whose draws lie along a line are determined "
            "together, not separately.",
            lambda: plots.pairs(draws),
        )
    if draws.values.shape[0] > 1 and len(draws.names) <= _MOST_PARAMETERS:
        yield _picture(
            "Chains",
            "Chains that have converged look like one band of noise.",
            lambda: plots.trace(draws),
        )


def _shrinkage(draws: Draws, name: str, ax: Axes) -> None:
    plots.shrinkage(draws, name, ax=ax)


def _panel(title: str, caption: str, draw: Callable[[Axes], Any]) -> Picture:
    """Return a picture of one panel that ``draw`` fills."""
    # A figure without pyplot: nothing is shown or has to be closed.
    from matplotlib.figure import Figure

    def make() -> Any:
        figure = Figure(figsize=(5.4, 3.9), layout="constrained")
        draw(figure.add_subplot())
        return figure

    return _picture(title, caption, make, wide=False)


def _picture(title: str, caption: str, make: Callable[[], Any], *, wide: bool = True) -> Picture:
    """Return the picture of the figure that ``make`` returns."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    name = re.sub(r"[^a-z]+", "-", title.lower()).strip("-")
    with mpl.rc_context({**_RC, "svg.hashsalt": name}), warnings.catch_warnings():
        # Our own warnings are notes on the page already; Matplotlib's are of missing glyphs.
        warnings.simplefilter("ignore", UserWarning)
        figure = make()
        try:
            return Picture(title, to_svg(figure, name), caption, wide)
        finally:
            # Otherwise pyplot keeps the figure, and a notebook shows it.
            plt.close(figure)


def to_svg(figure: Any, name: str) -> str:
    """Return a figure as SVG for a page; ``name`` makes its ids unique on the page."""
    show_literally(figure)
    for ax in figure.axes:
        for points in ax.collections:
            if len(points.get_offsets()) > _MANY_POINTS:
                # Thousands of shapes would make the page large and slow.
                points.set_rasterized(True)
    file = io.BytesIO()
    # Without metadata, the same figure gives the same bytes.
    metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(file, format="svg", transparent=True, dpi=160, metadata=metadata)
    return _cleaned(file.getvalue(), name)


def show_literally(figure: Any) -> None:
    """Show titles, labels and legends literally: a "$" in them does not start a formula.

    Characters that XML cannot hold, such as a zero byte, are shown as "�", also in tick labels.
    """
    texts = list(figure.texts)  # its title is one of them
    for ax in figure.axes:
        legend = ax.get_legend()
        texts += [ax.title, ax.xaxis.label, ax.yaxis.label, *ax.texts]
        texts += [] if legend is None else [*legend.get_texts(), legend.get_title()]
    for text in texts:
        text.set_parse_math(False)
        text.set_text(_xml_text(text.get_text()))
    for ax in figure.axes:
        _clean_tick_labels(ax.xaxis)
        _clean_tick_labels(ax.yaxis)


def _clean_tick_labels(axis: Any) -> None:
    """Replace labels that XML cannot hold, by the axis: it sets their texts again when drawn."""
    labels = [text.get_text() for text in axis.get_ticklabels()]
    cleaned = [_xml_text(label) for label in labels]
    if cleaned != labels:
        axis.set_ticks(axis.get_ticklocs(), cleaned)


def _xml_text(text: str) -> str:
    """Replace the characters that XML cannot hold."""
    return _NOT_IN_XML.sub("�", text)


def _cleaned(svg: bytes, name: str) -> str:
    """Parse an SVG and write it for use inside HTML: no metadata, no styles, unique ids."""
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", _XLINK)
    root = ET.fromstring(svg)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
                parent.remove(child)
    values = [value for element in root.iter() for value in element.attrib.values()]
    used = {anchor for value in values for anchor in re.findall(r"(?:url\(|^)#([\w-]+)", value)}
    for element in root.iter():
        _rename(element, name, used)
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    root.set("role", "img")
    root.set("aria-label", name.replace("-", " "))
    return ET.tostring(root, encoding="unicode")


def _rename(element: ET.Element, name: str, used: set[str]) -> None:
    """Prefix the ids that are referred to, and the references, with the picture's name."""
    for key, value in list(element.attrib.items()):
        if key == "id":
            del element.attrib[key]
            if value in used:
                element.set("id", f"{name}-{value}")
        elif key == f"{{{_XLINK}}}href" and value.startswith("#"):
            element.set(key, f"#{name}-{value[1:]}")
        elif "url(#" in value:
            element.set(key, value.replace("url(#", f"url(#{name}-"))
