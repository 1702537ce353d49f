"""Answers: what laws and forecasts predict of held-out runs, row by row, with their scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from jscale.comparison.contenders import axis_of
from jscale.comparison.criteria import by_row
from jscale.comparison.split_fits import Questions, SplitFits
from jscale.comparison.splits import Split
from jscale.data.runs import Runs
from jscale.errors import DataError, JscaleError
from jscale.fitting.points import input_table
from jscale.fitting.table import FitTable
from jscale.prediction.extrapolation import is_far
from jscale.prediction.forecast import Forecast
from jscale.prediction.forecast_notes import measured_coverage
from jscale.prediction.forecast_sets import forecast_sets, mixtures
from jscale.prediction.mixture_predictive import MixturePredictive
from jscale.prediction.predictive import Predictive

# Forecasts in memory at a time: each holds a matrix of its runs per kernel.
_FORECASTS_AT_ONCE = 32


@dataclass(frozen=True, eq=False)
class Answers:
    """The held-out runs of all splits, and how predictions of them are scored."""

    runs: Runs
    splits: Sequence[Split]
    level: float
    oracle: pd.DataFrame | None

    @cached_property
    def questions(self) -> Questions:
        """The pairs of a split and a row that it predicts."""
        return Questions.of([s.test for s in self.splits])

    @cached_property
    def measured(self) -> np.ndarray:
        """The measured output of each question's row (P,)."""
        output = self.runs.frame[self.runs.output].to_numpy(dtype=np.float64)
        return output[self.questions.rows]

    @cached_property
    def past(self) -> np.ndarray:
        """How far each question's row lies past the largest fitted compute, or input (P,)."""
        axis = axis_of(self.runs)
        if axis is None:
            return np.full(len(self.questions), np.nan)
        x = self.runs[axis]
        largest_fitted = np.array([x[s.fit].max() for s in self.splits])
        return x[self.questions.rows] / largest_fitted[self.questions.sets]

    @cached_property
    def head(self) -> pd.DataFrame:
        """The columns that say what is asked, alike for all laws."""
        labels = np.array([s.label for s in self.splits] + [None], dtype=object)[:-1]
        return pd.DataFrame(
            {
                "split": labels[self.questions.sets],
                "row": self.runs.frame.index[self.questions.rows],
                "place": self.questions.rows,
                "measured": self.measured,
                "extrapolation": self.past,
            }
        )

    def by_draws(self, split_fits: SplitFits, table: FitTable) -> pd.DataFrame:
        """Return a law's scored predictions from the draws of its fits: a row per question."""
        parts = []
        for piece in split_fits.pieces(self.questions):
            samples = split_fits.samples(table, self.questions, piece)
            parts.append(self._scored(Predictive.of(samples), piece))
        return self._rows(table.law.name, parts)

    def by_forecast(self, name: str, laws: Any, prior: Any) -> tuple[pd.DataFrame, str]:
        """Return the scored predictions of each split's forecast, and how often such ones covered.

        The latter is in words, of the furthest question; "" where none is far. Raises DataError
        where a split cannot be forecast, naming it.
        """
        parts, coverage = [], ""
        bounds = np.searchsorted(self.questions.sets, np.arange(len(self.splits) + 1))
        furthest = self._furthest()
        for first in range(0, len(self.splits), _FORECASTS_AT_ONCE):
            splits = self.splits[first : first + _FORECASTS_AT_ONCE]
            forecasts = self._forecasts(name, splits, laws, prior)
            for k, predictive in enumerate(_predictives(self.runs, splits, forecasts), first):
                here = slice(bounds[k], bounds[k + 1])
                parts.append(self._scored(predictive, here))
                if k == furthest:
                    coverage = measured_coverage(forecasts[k - first], self.past[here])
        return self._rows(name, parts), coverage

    def _forecasts(
        self, name: str, splits: Sequence[Split], laws: Any, prior: Any
    ) -> list[Forecast]:
        found = forecast_sets(self.runs, [s.fit for s in splits], laws, prior=prior)
        forecasts = []
        for split, each in zip(splits, found, strict=True):
            if isinstance(each, JscaleError):
                raise DataError(
                    f"{name} cannot be forecast from the split {split.label!r}: {each}"
                ) from each
            forecasts.append(each)
        return forecasts

    def _furthest(self) -> int | None:
        """Return the split that holds the furthest question, None where no question is far."""
        far = is_far(self.past)
        if not far.any():
            return None
        return int(self.questions.sets[np.argmax(np.where(far, self.past, -np.inf))])

    def _scored(self, predictive: Predictive | MixturePredictive, here: slice) -> pd.DataFrame:
        frame, measured = predictive.frame(self.level), self.measured[here]
        truth = None if self.oracle is None else self.oracle.iloc[self.questions.rows[here]]
        scores = by_row(frame, measured, self.level, oracle=truth)
        scores["log_score"] = predictive.log_score(measured)
        return pd.concat([frame, pd.DataFrame({"pit": predictive.pit(measured)}), scores], axis=1)

    def _rows(self, name: str, parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
        head = self.head.assign(law=name)[["law", *self.head]]
        return pd.concat([head, pd.concat(parts, ignore_index=True)], axis=1)


def _predictives(
    runs: Runs, splits: Sequence[Split], forecasts: Sequence[Forecast]
) -> list[MixturePredictive]:
    """Return what each split's forecast predicts of the rows that the split holds out."""
    tables = [
        input_table(forecast.reference, runs.frame.iloc[split.test], {})
        for split, forecast in zip(splits, forecasts, strict=True)
    ]
    return mixtures(forecasts, tables)


def coverage_in_words(by_law: Mapping[str, str]) -> str:
    """Join what is known of the laws' coverage, naming the laws where it differs."""
    said: dict[str, list[str]] = {}
    for name, words in by_law.items():
        said.setdefault(words, []).append(name)
    if len(said) == 1:
        return next(iter(said))
    return " ".join(f"{', '.join(names)}: {words}" for words, names in said.items())
