"""The held-out check of a report: runs that were not fitted, predicted and counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jscale.data.runs import Runs
from jscale.errors import DataError, listing
from jscale.fitting.notes import Note
from jscale.fitting.result import Fit
from jscale.plots.words import number, percent
from jscale.prediction.predict import predict
from jscale.prediction.predictor import Predictor
from jscale.prediction.sources import reference_of
from jscale.uncertainty.draws import Draws

# Fewer runs inside their intervals than this probability allows are reported as missed.
_BY_CHANCE = 0.05


@dataclass(frozen=True)
class Missed:
    """Too few runs inside their intervals.

    Attributes
    ----------
    inside : int
        Runs inside their intervals.
    runs : int
        All held-out runs.
    chance : float
        Probability of at most ``inside`` if the intervals had their nominal coverage.
    """

    inside: int
    runs: int
    chance: float


def missed(inside: np.ndarray, runs: np.ndarray | None, level: float) -> Missed | None:
    """Return how many held-out runs miss their prediction intervals, or None if by chance.

    Parameters
    ----------
    inside : numpy.ndarray of bool, shape (n,)
        Whether each row lies in its interval.
    runs : numpy.ndarray or None, shape (n,)
        The run of each row; None if every row is a run. Rows of a run are not independent, so a
        run counts once, by the share of its rows inside.
    level : float
        Level of the intervals.

    Returns
    -------
    Missed or None
        The counts, None if so few runs inside are not improbable.
    """
    # Imported here because importing scipy.special costs time that few calls need.
    from scipy.special import bdtr

    labels = np.arange(len(inside)) if runs is None else np.asarray(runs).astype(str)
    run = np.unique(labels, return_inverse=True)[1]
    share = np.bincount(run, weights=inside) / np.bincount(run)
    # Whole runs, after rounding errors in the sum of shares.
    count = int(np.floor(share.sum() + 1e-9))
    chance = float(bdtr(count, len(share), level))
    return Missed(count, len(share), chance) if chance < _BY_CHANCE else None


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Predictions of held-out runs.

    Attributes
    ----------
    frame : pandas.DataFrame
        A prediction's columns and ``observed``, one row per held-out row.
    output : str
        Name of the predicted output.
    level : float
        Level of the intervals.
    runs : numpy.ndarray or None, shape (n,)
        The run of each row; None if every row is a run.
    within_law : bool
        Whether the intervals only cover uncertainty within the law.
    alone : numpy.ndarray or None, shape (n,)
        The curve of the fitted law alone, where a forecast predicts.
    """

    frame: pd.DataFrame
    output: str
    level: float
    runs: np.ndarray | None = None
    within_law: bool = True
    alone: np.ndarray | None = None

    @property
    def inside(self) -> np.ndarray:
        """Whether each row lies inside its prediction interval, (n,)."""
        low, high, observed = (
            self.frame[c].to_numpy() for c in ("prediction_low", "prediction_high", "observed")
        )
        return (low <= observed) & (observed <= high)

    @property
    def error(self) -> float:
        """The mean absolute relative error of the curve."""
        return float(np.mean(np.abs(self.frame["curve"] / self.frame["observed"] - 1)))

    @property
    def sentence(self) -> str:
        """A sentence on how well the held-out runs were predicted."""
        frame, rows = self.frame, len(self.frame)
        furthest = float(np.max(frame["extrapolation"].to_numpy()))
        axis = "compute" if "C" in frame or {"N", "D"} <= set(frame) else "input"
        reach = f", up to {number(furthest, 3)} times the largest fitted {axis}"
        reach = reach if np.isfinite(furthest) else ""
        runs = rows if self.runs is None else len(np.unique(self.runs.astype(str)))
        subject = "1 held-out run" if runs == 1 else f"{runs} held-out runs"
        subject = subject if runs == rows else f"{rows} rows of {subject}"
        return (
            f"{subject}{reach}: {int(self.inside.sum())} of {rows} inside the "
            f"{percent(self.level)} prediction interval; mean absolute error of the curve "
            f"{100 * self.error:.2f}%{self._of_law_alone()}."
        )

    def _of_law_alone(self) -> str:
        if self.alone is None:
            return ""
        error = float(np.mean(np.abs(self.alone / self.frame["observed"] - 1)))
        return f" (of the fitted law alone {100 * error:.2f}%)"

    def notes(self) -> Iterator[Note]:
        """Yield a note if fewer runs lie inside their intervals than chance allows."""
        miss = missed(self.inside, self.runs, self.level)
        if miss is not None:
            yield Note(
                code="held-out-missed",
                severity="warning",
                seen=f"{miss.inside} of {miss.runs} held-out runs lie inside their "
                f"{percent(self.level)} prediction intervals; with calibrated intervals, so few "
                f"would occur with probability {miss.chance:.1g}.",
                means="The law does not hold that far out: its intervals only cover uncertainty "
                "within the law, and are too narrow there."
                if self.within_law
                else "Something changed on the way that no past sweep has shown.",
                do='Try another law or a more flexible one: js.compare("auto", runs).'
                if self.within_law
                else "Look for what differs in these runs: data, tuning, or the measure.",
            )

    def table(self) -> pd.DataFrame:
        """Return the rows as a page shows them."""
        frame = self.frame
        inputs = list(frame.columns[: frame.columns.get_loc("curve")])
        interval = zip(frame["prediction_low"], frame["prediction_high"], strict=True)
        columns: dict[str, Any] = {
            "observed": frame["observed"],
            "predicted": frame["curve"],
            "error": _percent(frame["curve"] / frame["observed"] - 1),
            f"{percent(self.level)} prediction interval": [
                f"{number(low)} to {number(high)}" for low, high in interval
            ],
            "": np.where(self.inside, "inside", "outside"),
        }
        if self.alone is not None:
            columns["law alone"] = _percent(self.alone / frame["observed"] - 1)
        return frame.loc[:, inputs].assign(**columns)


def _percent(errors: Any) -> list[str]:
    return [f"{100 * e:+.2f}%" for e in errors]


def check_held_out(
    source: Draws | Predictor, held_out: Runs | pd.DataFrame, level: float
) -> HeldOut:
    """Predict held-out runs and pair the predictions with the observed outputs.

    A table has the law's inputs and output under their own names, in the units of the fitted runs.
    Raises DataError for runs in another unit or without the output, and PredictionError for inputs
    that the law cannot take.
    """
    fit = reference_of(source, caller="report")
    table = _table(fit, held_out)
    wanted = list(dict.fromkeys((*fit.law.inputs, *fit.settings.per.values(), "C")))
    inputs = table.loc[:, [c for c in wanted if c in table.columns]]
    prediction = predict(source, inputs, level=level)
    frame = prediction.to_frame()
    frame = frame.assign(observed=table[fit.law.output].to_numpy())
    name = held_out.run if isinstance(held_out, Runs) else fit.runs.run
    runs = table[name].to_numpy() if name is not None and name in table.columns else None
    alone = None
    if not prediction.within_law and getattr(source, "draws", None) is not None:
        alone = predict(fit, inputs, method=None).frame["curve"].to_numpy()
    return HeldOut(frame, fit.law.output, level, runs, prediction.within_law, alone)


def _table(fit: Fit, held_out: Runs | pd.DataFrame) -> pd.DataFrame:
    """Return the table with its output as numbers; raises DataError if one is not finite."""
    output = fit.law.output
    table = _in_same_units(fit.runs, held_out) if isinstance(held_out, Runs) else held_out
    if not isinstance(table, pd.DataFrame):
        raise DataError(
            f"held_out must be Runs or a table of runs, not {type(held_out).__name__}: "
            "held_out=runs.where(…)."
        )
    if output not in table.columns:
        raise DataError(
            f"The held-out table has no column {output!r}, the output of the law. Convert it to "
            "Runs: held_out=Runs.from_frame(df, …)."
        )
    if len(table) == 0:
        raise DataError("The held-out table has no rows; omit held_out.")
    observed = pd.Series(pd.to_numeric(table[output], errors="coerce"), table.index)
    bad = ~np.isfinite(observed.to_numpy(dtype=float))
    if bad.any():
        raise DataError(
            f"The held-out {output} is not a finite number in row "
            f"{listing(table.index[bad].tolist())}: remove these rows."
        )
    return table.assign(**{output: observed})


def _in_same_units(fitted: Runs, held_out: Runs) -> pd.DataFrame:
    """Return the table of held-out Runs; raises DataError if units or counting differ."""
    if (held_out.loss_unit, held_out.count) != (fitted.loss_unit, fitted.count):
        raise DataError(
            f"The held-out runs are in {held_out.loss_unit} (count={held_out.count!r}), the "
            f"fitted ones in {fitted.loss_unit} (count={fitted.count!r}): give both the same "
            "loss_unit= and count= in Runs.from_frame."
        )
    return held_out.frame
