"""Plots of fits, draws and plans: every function takes and returns Matplotlib Axes."""

from jscale.plots.draws import coverage, pairs, shrinkage, trace
from jscale.plots.fits import (
    bands,
    comparison,
    frontier,
    isoflop,
    isoflop_slices,
    observed_and_fitted,
    overview,
    residuals,
)
from jscale.plots.plans import allocation, crossing, required, valley

__all__ = [
    "allocation",
    "bands",
    "comparison",
    "coverage",
    "crossing",
    "frontier",
    "isoflop",
    "isoflop_slices",
    "observed_and_fitted",
    "overview",
    "pairs",
    "required",
    "residuals",
    "shrinkage",
    "trace",
    "valley",
]
