"""Plots of fits, draws, comparisons and plans.

Functions that draw one panel take Matplotlib Axes as ``ax`` (by default, those of a new figure)
and return them; :func:`overview`, :func:`pairs` and :func:`trace` return a Figure. Matplotlib is
imported when the first plot is drawn.
"""

from jscale.plots.curves import frontier, isoflop
from jscale.plots.draws import pairs, shrinkage, trace
from jscale.plots.fits import (
    bands,
    isoflop_slices,
    law_alone,
    observed_and_fitted,
    overview,
    residuals,
)
from jscale.plots.plans import allocation, crossing, required, valley
from jscale.plots.scores import comparison, coverage

__all__ = [
    "allocation",
    "bands",
    "comparison",
    "coverage",
    "crossing",
    "frontier",
    "isoflop",
    "isoflop_slices",
    "law_alone",
    "observed_and_fitted",
    "overview",
    "pairs",
    "required",
    "residuals",
    "shrinkage",
    "trace",
    "valley",
]
