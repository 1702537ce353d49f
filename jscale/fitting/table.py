"""FitTable: one law fitted to many families, a row for each, failures kept."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jscale.errors import JscaleError, LawError, listing, nearest
from jscale.fitting.settings import Settings
from jscale.model.law import Law


@dataclass(frozen=True, eq=False)
class FitTable:
    """Fits of one law to F families.

    Attributes
    ----------
    law : Law
        The law.
    by : str
        The column that names the families.
    labels : array_like, shape (F,)
        The names of the families.
    settings : Settings
        The choices of the fits.
    params, stderr : DataFrame, shape (F, q)
        Estimates and standard errors, NaN for a family that failed.
    covariance : ndarray, shape (F, q, q)
        The covariance of the parameters.
    summary : DataFrame
        By family: status ("converged", "stuck", "out_of_steps" or "failed"), objective, rows,
        independent runs, ``agree`` (how many starts ended at the best objective of the ``ended``
        ones that were taken to an end; the others were dropped on the way), starts, condition,
        codes
        of its notes, and ``unsettled``, the resamples whose refit failed (NaN in ``draws``) or did
        not converge.
    failures : mapping
        By label, why a family has no fit.
    draws : ndarray, shape (F, resamples, q), or None
        The draws of each family.
    noise : NoiseModels or None
        The studentised residuals of each family in the objective's space: errors of new runs.
    provenance : mapping
        Versions, device and precision.
    """

    law: Law
    by: str
    labels: tuple[Any, ...]
    settings: Settings
    params: pd.DataFrame
    stderr: pd.DataFrame
    covariance: np.ndarray
    summary: pd.DataFrame
    failures: Mapping[Any, str]
    draws: np.ndarray | None
    noise: tuple[np.ndarray, ...]
    provenance: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.labels)

    def to_frame(self) -> pd.DataFrame:
        """Return parameters, errors and summaries as one table.

        Returns
        -------
        DataFrame
            One row per family: parameters, their errors (``alpha_error``), and its summary.
        """
        errors = self.stderr.add_suffix("_error")
        pairs = [c for name in self.params for c in (name, f"{name}_error")]
        return pd.concat([self.params, errors], axis=1)[pairs].join(self.summary)

    def predict(self, *, level: float = 0.9, **inputs: Any) -> pd.DataFrame:
        """Return the curve of every family at inputs, with confidence intervals.

        Parameters
        ----------
        level : float
            The level of the intervals.
        **inputs
            Inputs by name (N=…, D=…): numbers, or sequences of one length m.

        Returns
        -------
        DataFrame
            One row per family and point: the inputs, ``curve``, ``confidence_low`` and
            ``confidence_high``: quantiles of the draws' curves where there are draws, and otherwise
            normal ones of the curve's logarithm by the delta method.

        Raises
        ------
        LawError
            For missing or unknown inputs.

        Notes
        -----
        On 500 well-specified families of 30 to 100 runs, nominal 90% intervals covered 92 to 94%,
        up
        to a hundred times the largest compute (benchmarks/family_coverage.py). Under a wrong law
        they do
        not.

        Examples
        --------
        >>> import jscale as js
        >>> table = js.datasets.load("stdlib_lm")
        >>> small = table[table["split"] == "fit"]
        >>> fits = js.fit_many("chinchilla", small, by="part", starts=16)
        >>> list(fits.predict(N=1e6, D=1e8).columns)[-3:]
        ['curve', 'confidence_low', 'confidence_high']
        """
        points = self._points(inputs)
        low, high = self._interval(points, level)
        frame = pd.DataFrame({k: np.tile(v, len(self)) for k, v in points.items()})
        frame.insert(0, self.by, np.repeat(np.array(self.labels, dtype=object), len(low[0])))
        frame["curve"] = self._curve(self.params.to_numpy(), points).ravel()
        frame["confidence_low"], frame["confidence_high"] = low.ravel(), high.ravel()
        return frame

    def _points(self, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        unknown = [n for n in inputs if n not in self.law.inputs]
        missing = [n for n in self.law.inputs if n not in inputs]
        if unknown or missing:
            hint = nearest(unknown[0], self.law.inputs) if unknown else ""
            raise LawError(
                f"{self.law.name} takes {listing(self.law.inputs, 20)}; missing: "
                f"{listing(missing) or 'none'}, unknown: {listing(unknown) or 'none'}.{hint}"
            )
        exact = {n: np.atleast_1d(np.asarray(inputs[n], dtype=np.float64)) for n in self.law.inputs}
        try:
            shape = np.broadcast_shapes(*(x.shape for x in exact.values()))
        except ValueError:
            lengths = {n: len(x) for n, x in exact.items()}
            raise LawError(f"Inputs must be equally long, but have lengths {lengths}.") from None
        return {n: np.broadcast_to(x, shape) for n, x in exact.items()}

    def _curve(self, params: np.ndarray, points: Mapping[str, np.ndarray]) -> np.ndarray:
        """The law at parameters (…, q) and points (m,): (…, m)."""
        values = {n: params[..., i, None] for i, n in enumerate(self.law.names)}
        return np.asarray(self.law(**points, **values), dtype=np.float64)

    def _interval(
        self, points: Mapping[str, np.ndarray], level: float
    ) -> tuple[np.ndarray, np.ndarray]:
        if not (isinstance(level, float) and 0.0 < level < 1.0):
            raise JscaleError(f"level={level!r} must lie strictly between 0 and 1, such as 0.9.")
        tail = (1.0 - level) / 2.0
        if self.draws is not None:
            curves = np.stack([self._curve(d, points) for d in self.draws])
            with warnings.catch_warnings():  # a family that failed has no curve at all
                warnings.simplefilter("ignore", RuntimeWarning)
                low, high = np.nanquantile(curves, [tail, 1.0 - tail], axis=1)
            return low, high
        from scipy.special import ndtri

        params = self.params.to_numpy()
        curve = self._curve(params, points)
        slope = np.empty((*curve.shape, params.shape[1]))
        for i in range(params.shape[1]):
            step = 1e-6 * np.maximum(np.abs(params[:, i]), 1e-12)
            up, down = params.copy(), params.copy()
            up[:, i], down[:, i] = params[:, i] + step, params[:, i] - step
            rise = self._curve(up, points) - self._curve(down, points)
            slope[..., i] = rise / (2 * step)[:, None]
        with np.errstate(invalid="ignore"):
            variance = np.einsum("fmi,fij,fmj->fm", slope, self.covariance, slope)
            wide = ndtri(1.0 - tail) * np.sqrt(np.maximum(variance, 0.0))
            # Of the logarithm where the curve has one: a loss stays positive.
            positive = curve > 0
            ratio = np.exp(wide / np.where(positive, curve, 1.0))
        low = np.where(positive, curve / ratio, curve - wide)
        return low, np.where(positive, curve * ratio, curve + wide)

    def __repr__(self) -> str:
        counts = self.summary["status"].value_counts()
        statuses = ", ".join(f"{n} {status}" for status, n in counts.items())
        text = self.to_frame().head(10).to_string(float_format=lambda v: f"{v:.5g}")
        more = f"\n… {len(self) - 10} more" if len(self) > 10 else ""
        title = f"FitTable({self.law.name} by {self.by}: {len(self)} families, {statuses})"
        return f"{title}\n{text}{more}"

    def _repr_html_(self) -> str:
        return self.to_frame().to_html(max_rows=20, float_format=lambda v: f"{v:.5g}")
