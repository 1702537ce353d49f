"""ForecastTable: a forecast for each family of runs, failures kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jscale.arguments import check_level
from jscale.data.runs import Runs
from jscale.errors import JscaleError, PredictionError, listing, nearest
from jscale.fitting.points import input_table
from jscale.prediction.extrapolation import extrapolation, is_far, warn_if_far
from jscale.prediction.forecast import Forecast
from jscale.prediction.forecast_notes import measured_coverage
from jscale.prediction.forecast_sets import mixtures


@dataclass(frozen=True, eq=False)
class ForecastTable:
    """Forecasts of F families, from :func:`jscale.forecast_many`.

    ``table["name"]`` is the :class:`~jscale.Forecast` of one family, to predict and plan with.

    Attributes
    ----------
    by : str
        The column that names the families.
    labels : tuple, length F
        The names of the families.
    forecasts : mapping
        By label, the forecasts that could be made.
    failures : mapping
        By label, why a family has no forecast.
    """

    by: str
    labels: tuple[Any, ...]
    forecasts: Mapping[Any, Forecast]
    failures: Mapping[Any, str]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, label: Any) -> Forecast:
        if label in self.forecasts:
            return self.forecasts[label]
        if label in self.failures:
            raise JscaleError(f"{self.by}={label!r} has no forecast: {self.failures[label]}")
        names = [str(each) for each in self.labels]
        raise JscaleError(
            f"There is no family {self.by}={label!r}.{nearest(str(label), names)} Families: "
            f"{listing(names, 20)}."
        )

    def to_frame(self) -> pd.DataFrame:
        """Return what each family's forecast rests on.

        Returns
        -------
        DataFrame
            One row per family: its independent ``runs``, the ``noise`` of a run (relative), the
            weight of each law, under its name, and ``failure``, why there is no forecast ("" where
            there is one).
        """
        rows = []
        for label in self.labels:
            forecast = self.forecasts.get(label)
            if forecast is None:
                rows.append({"failure": self.failures[label]})
                continue
            weights = forecast.weights
            leading = forecast.experts[int(np.argmax(weights.to_numpy()))]
            rows.append(
                {
                    "runs": forecast.runs.n_independent,
                    "noise": leading.scale,
                    **weights.to_dict(),
                    "failure": "",
                }
            )
        frame = pd.DataFrame(rows, pd.Index(self.labels, name=self.by))
        first = [name for name in ("runs", "noise") if name in frame]
        laws = [name for name in frame if name not in (*first, "failure")]
        return frame.loc[:, [*first, *laws, "failure"]]

    def predict(self, where: Any = None, *, level: float = 0.9, **inputs: Any) -> pd.DataFrame:
        """Predict the curve and new runs of every family, in one batch.

        Parameters
        ----------
        where : DataFrame, Runs or mapping, optional
            The points, as a table; or give inputs by name. A table with the column of families
            holds each family's own points; otherwise all families are predicted at the same ones.
        level : float
            The level of both intervals.
        **inputs
            Inputs by name, numbers or arrays that broadcast.

        Returns
        -------
        DataFrame
            One row per family and point: the family, the inputs, ``curve``, ``confidence_low``,
            ``confidence_high``, ``prediction_low``, ``prediction_high`` and ``extrapolation``, as
            in :func:`jscale.predict`. A family without a forecast has NaN.

        Raises
        ------
        PredictionError
            For inputs that are missing, unknown, or not usable, or a table of other families.

        Warns
        -----
        ExtrapolationWarning
            Once, past ten times the largest fitted compute.

        Examples
        --------
        >>> import jscale as js
        >>> table = js.datasets.load("stdlib_lm")
        >>> small = table[table["split"] == "fit"]
        >>> js.forecast_many(small, by="part").predict(N=1e5, D=5e6)["part"].tolist()
        ['grid', 'isoflop']
        """
        check_level(level)
        if not self.forecasts:
            raise PredictionError("No family has a forecast: see table.failures.")
        tables = self._tables(where, inputs)
        usable = [label for label in tables if label in self.forecasts]
        forecasts = [self.forecasts[label] for label in usable]
        found = mixtures(forecasts, [tables[label] for label in usable])
        frames = {}
        for label, forecast, mixture in zip(usable, forecasts, found, strict=True):
            table = tables[label]
            frame = pd.concat([table, mixture.frame(level).set_index(table.index)], axis=1)
            frame["extrapolation"] = extrapolation(forecast.reference, table)
            frames[label] = frame
        self._warn_far(frames)
        whole = pd.concat([frames.get(label, tables[label]) for label in tables])
        sizes = [len(tables[label]) for label in tables]
        whole.insert(0, self.by, np.repeat(np.array([*tables, None], dtype=object)[:-1], sizes))
        whole[self.by] = whole[self.by].infer_objects()
        return whole.reset_index(drop=True)

    def _tables(self, where: Any, inputs: Mapping[str, Any]) -> dict[Any, pd.DataFrame]:
        """Return the checked points of each family, by label."""
        some = next(iter(self.forecasts.values()))
        frame = where.frame if isinstance(where, Runs) else where
        if not isinstance(frame, pd.DataFrame) or self.by not in frame:
            return {
                label: input_table(self.forecasts.get(label, some).reference, where, inputs)
                for label in self.labels
            }
        strange = [x for x in frame[self.by].unique().tolist() if x not in self.labels]
        if strange:
            raise PredictionError(
                f"{self.by} is {listing(strange)} in the table of points, which is no fitted "
                f"family. Families: {listing(self.labels, 20)}."
            )
        own = dict(iter(frame.groupby(self.by, sort=False)))
        return {
            label: input_table(self.forecasts.get(label, some).reference, part, inputs)
            for label, part in own.items()
        }

    def _warn_far(self, frames: Mapping[Any, pd.DataFrame]) -> None:
        """Warn of distance once, with the coverage measured as far out as the furthest point."""
        past = np.concatenate([frame["extrapolation"].to_numpy() for frame in frames.values()])
        if not is_far(past).any():
            return
        furthest = max(frames, key=lambda label: np.nanmax(frames[label]["extrapolation"]))
        forecast = self.forecasts[furthest]
        axis = "input" if forecast.reference.largest is None else "compute"
        advice = measured_coverage(forecast, frames[furthest]["extrapolation"].to_numpy())
        warn_if_far(past, "predictions", axis, advice)

    def __repr__(self) -> str:
        failed = f", {len(self.failures)} failed" if self.failures else ""
        text = self.to_frame().head(10).to_string(float_format=lambda v: f"{v:.3g}", na_rep="")
        more = f"\n… {len(self) - 10} more" if len(self) > 10 else ""
        return f"ForecastTable by {self.by}: {len(self)} families{failed}\n{text}{more}"

    def _repr_html_(self) -> str:
        return self.to_frame().to_html(max_rows=20, float_format=lambda v: f"{v:.3g}", na_rep="")
