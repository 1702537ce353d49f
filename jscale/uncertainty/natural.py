"""From the solver's coordinates to the law's parameters, for many draws at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from jscale.fitting.diagnostics import flatten
from jscale.fitting.problem import Problem
from jscale.model.layout import Layout


@lru_cache(maxsize=256)
def _program(layout: Layout) -> Callable[..., Any]:
    import jax

    def one(theta: Any, fixed: Any, centre: Any) -> Any:
        return flatten(layout, layout.natural(theta, fixed, centre))

    return jax.jit(jax.vmap(one, in_axes=(0, None, None)))


def natural_draws(problem: Problem, theta: np.ndarray) -> np.ndarray:
    """Map coordinates (draws, p) to the law's parameters (draws, q). Call in float64 scope."""
    data = problem.data
    return np.asarray(_program(problem.layout)(theta, data.fixed, data.centre))
