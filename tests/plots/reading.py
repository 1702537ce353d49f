"""What a test reads off a picture: labels, legends, and that it can be written to a file."""

from __future__ import annotations

import io
import warnings
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# A label that is markup in HTML and in mathematical text, and hidden in a legend.
NASTY = "<b>$\\frac12$ _$"


def labels(ax: Axes) -> tuple[str, str]:
    """The labels of the two axes."""
    return ax.get_xlabel(), ax.get_ylabel()


def legend(ax: Axes) -> list[str]:
    """The texts of a legend, none where there is no legend."""
    shown = ax.get_legend()
    return [] if shown is None else [text.get_text() for text in shown.get_texts()]


def as_svg(picture: Figure | Axes) -> str:
    """The picture as SVG with its texts readable; drawing it must not warn."""
    figure: Any = picture.figure if isinstance(picture, Axes) else picture
    file = io.StringIO()
    with warnings.catch_warnings(), plt.rc_context({"svg.fonttype": "none"}):
        warnings.simplefilter("error")
        figure.savefig(file, format="svg")
    return file.getvalue()


def as_png(picture: Figure | Axes) -> bytes:
    """The picture as PNG."""
    figure: Any = picture.figure if isinstance(picture, Axes) else picture
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=40)
    return file.getvalue()
