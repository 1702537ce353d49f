"""digits_needed: the number of digits of printed parameters that preserves predictions."""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.errors import PredictionError
from jscale.fitting.points import input_table
from jscale.fitting.result import Fit
from jscale.prediction.components import curves

_MOST = 17


def digits_needed(fit: Fit, at: Any = None, *, within: float = 0.001) -> int:
    """Return the fewest significant digits of all parameters that preserve every prediction.

    Exponents multiply logarithms of large numbers: two digits of them, as papers print, may move a
    loss by more than the noise of the runs.

    Parameters
    ----------
    fit : Fit
        The fit.
    at : mapping or DataFrame, optional
        Inputs, as :func:`jscale.predict` takes them; by default those of the fitted runs.
    within : float
        With that many digits or more, no output moves by more than this share of itself.

    Returns
    -------
    int
        At most 17, which reproduce a float64.

    Raises
    ------
    PredictionError
        For a share that is not positive, or inputs that the law cannot take.

    Examples
    --------
    >>> import jscale as js
    >>> C = {"C": [1e17, 1e18, 1e19, 1e20]}
    >>> fit = js.fit("power", js.simulate("power", {"A": 1234.5678, "alpha": 0.123456789}, C))
    >>> digits_needed(fit), digits_needed(fit, {"C": 1e30}, within=0.1)
    (5, 3)
    """
    if not within > 0:
        raise PredictionError(f"within={within!r} must be a positive share, such as 0.001.")
    columns = [*fit.law.inputs, *(name for name, _ in fit.problem.layout.groups)]
    given = {x: fit.runs[x] for x in columns} if at is None else at
    rounded = [[float(f"{v:.{k}g}") for v in fit.params] for k in range(1, _MOST + 1)]
    outputs = curves(fit, input_table(fit, given, {}), np.array([*rounded, list(fit.params)]))
    exact = outputs[-1]
    with np.errstate(invalid="ignore"):
        kept = (np.abs(outputs[:-1] - exact) <= within * np.abs(exact)).all(axis=1)
    lost = np.flatnonzero(~kept)
    return min(int(lost[-1]) + 2, _MOST) if len(lost) else 1
