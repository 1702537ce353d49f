"""How far past the fitted runs is far, and the warning that says so everywhere alike."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from jscale.errors import ExtrapolationWarning, outside

FAR = 10.0


def is_far(past: Any) -> np.ndarray:
    """Return where something lies more than ten times past the runs, whatever the rounding."""
    return np.nan_to_num(np.asarray(past, dtype=np.float64), posinf=0.0) > FAR * (1 + 1e-9)


def warn_if_far(past: Any, what: str, axis: str, advice: str) -> None:
    """Warn with ExtrapolationWarning where ``what`` lies far past the largest fitted ``axis``."""
    far = is_far(past)
    if far.any():
        most = np.max(np.asarray(past, dtype=np.float64)[far])
        warnings.warn(
            f"{int(far.sum())} of {far.size} {what} lie more than {FAR:g} times past the largest "
            f"fitted {axis} (up to {most:.3g} times). {advice}",
            ExtrapolationWarning,
            stacklevel=outside(),
        )
