"""Laws whose posteriors have closed forms: a line, and a constant rate; and fits of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import jscale as js
from jscale.model.roles import Fraction, Real


@js.law(output="score")
def line(x: Any, *, a: Real, b: Real) -> Any:
    """A line: a + b·x."""
    return a + b * x


def fit_of_line() -> js.Fit:
    """Twelve scores around 0.7 + 0.4·x with errors of 0.3, and the line fitted to them."""
    rng = np.random.default_rng(1)
    x = np.linspace(-1.0, 2.0, 12)
    score = 0.7 + 0.4 * x + 0.3 * rng.standard_normal(12)
    runs = js.Runs.from_frame(pd.DataFrame({"x": x, "score": score}), x="x", output="score",
                              loss_unit="other")  # fmt: skip
    return js.fit(line, runs, objective=js.least_squares(space="linear"))


def conjugate(fit: js.Fit, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """The mean and covariance of the line's posterior: normal noise, normal priors N(0, 2)."""
    x, y = fit.runs["x"], fit.runs["score"]
    X = np.column_stack([np.ones_like(x), x])
    covariance = np.linalg.inv(X.T @ X / noise**2 + np.eye(2) / 2.0**2)
    return covariance @ X.T @ y / noise**2, covariance


@js.law(output="rate")
def steady(x: Any, *, p: Fraction) -> Any:
    """The same rate everywhere."""
    return p + 0.0 * x


def rates(k: list[int], n: list[int]) -> js.Fit:
    """Rates of counted successes, and the fit of a constant to them."""
    table = pd.DataFrame({"x": np.arange(1.0, len(k) + 1), "n": n, "rate": np.divide(k, n)})
    runs = js.Runs.from_frame(table, x="x", output="rate", loss_unit="other")
    return js.fit(steady, runs, objective=js.least_squares(space="linear"))
