"""The held-out check of a report: runs that the fit did not see, predicted and counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from jscale.data.runs import Runs
from jscale.errors import DataError, listing
from jscale.fitting.notes import Note
from jscale.fitting.result import Fit
from jscale.plots.words import number, percent
from jscale.prediction.predict import predict
from jscale.uncertainty.draws import Draws

_BY_CHANCE = 0.05


@dataclass(frozen=True)
class Missed:
    """Too few runs inside their intervals: ``inside`` of ``runs``, with probability ``chance``."""

    inside: int
    runs: int
    chance: float


def missed(inside: np.ndarray, runs: np.ndarray | None, level: float) -> Missed | None:
    """Return by how many held-out runs miss their prediction intervals, or None if by chance.

    ``inside`` (n,) says of each row whether it lies in its interval, ``runs`` (n,) which run it
    is of (None: each row is one). Rows of a run are not independent: each run counts once, by
    the share of its rows inside.
    """
    from scipy.special import bdtr

    named = np.arange(len(inside)) if runs is None else np.asarray(runs).astype(str)
    run = np.unique(named, return_inverse=True)[1]
    share = np.bincount(run, weights=inside) / np.bincount(run)
    count = int(np.floor(share.sum() + 1e-9))
    chance = float(bdtr(count, len(share), level))
    return Missed(count, len(share), chance) if chance < _BY_CHANCE else None


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Predictions of held-out runs: ``frame`` has a prediction's columns and ``observed``.

    ``runs`` (n,) says which run each row is of, None that each is one.
    """

    frame: pd.DataFrame
    output: str
    level: float
    runs: np.ndarray | None = None

    @property
    def inside(self) -> np.ndarray:
        """Which runs lie inside their prediction interval (n,)."""
        f = self.frame
        seen = f["observed"].to_numpy()
        return (f["prediction_low"].to_numpy() <= seen) & (seen <= f["prediction_high"].to_numpy())

    @property
    def error(self) -> float:
        """The mean absolute relative error of the curve."""
        return float(np.mean(np.abs(self.frame["curve"] / self.frame["observed"] - 1)))

    @property
    def sentence(self) -> str:
        """Say how the prediction fared."""
        frame, count = self.frame, len(self.frame)
        furthest = float(np.max(frame["extrapolation"].to_numpy()))
        axis = "compute" if "C" in frame or {"N", "D"} <= set(frame) else "input"
        past = f", up to {number(furthest, 3)} times the largest {axis} fitted"
        past = past if np.isfinite(furthest) else ""
        of = count if self.runs is None else len(np.unique(self.runs.astype(str)))
        runs = "1 run" if of == 1 else f"{of} runs"
        runs = runs if of == count else f"{count} rows of {runs}"
        return (
            f"{runs} that the fit did not see{past}: {int(self.inside.sum())} of {count} inside the"
            f" {percent(self.level)} prediction interval; mean absolute error of the curve "
            f"{100 * self.error:.2f} %."
        )

    def notes(self) -> Iterator[Note]:
        """Yield a note where fewer runs lie inside their intervals than chance allows."""
        found = missed(self.inside, self.runs, self.level)
        if found is not None:
            yield Note(
                "held-out-missed", "warning",
                f"{found.inside} of {found.runs} held-out runs lie inside their "
                f"{percent(self.level)} prediction intervals; if these were right, so few would "
                f"happen with probability {found.chance:.1g}.",
                "The law does not hold that far out: its intervals only cover uncertainty within "
                "the law, and are too narrow there.",
                "Try another law or a more flexible one: js.compare(\"auto\", runs).",
            )  # fmt: skip

    def table(self) -> pd.DataFrame:
        """Return the rows as a page shows them."""
        f = self.frame
        inputs = list(f.columns[: f.columns.get_loc("curve")])
        low, high = f["prediction_low"], f["prediction_high"]
        return f.loc[:, inputs].assign(**{
            "observed": f["observed"],
            "predicted": f["curve"],
            "error": [f"{100 * (a / b - 1):+.2f} %" for a, b in zip(f["curve"], f["observed"],
                                                                   strict=True)],
            f"{percent(self.level)} of new runs": [
                f"{number(a)} to {number(b)}" for a, b in zip(low, high, strict=True)
            ],
            "": np.where(self.inside, "inside", "outside"),
        })  # fmt: skip


def check_held_out(draws: Draws, held_out: Runs | pd.DataFrame, level: float) -> HeldOut:
    """Predict held-out runs and put what was observed beside.

    A table has the law's inputs and output by their own names, in the units of the fitted runs.
    Raises DataError for runs of another unit or without the output, PredictionError for inputs.
    """
    fit = draws.fit
    table = _table(fit, held_out)
    wanted = list(dict.fromkeys((*fit.law.inputs, *fit.settings.per.values(), "C")))
    inputs = table.loc[:, [c for c in wanted if c in table.columns]]
    frame = predict(draws, inputs, level=level).to_frame()
    frame = frame.assign(observed=table[fit.law.output].to_numpy())
    name = held_out.run if isinstance(held_out, Runs) else fit.runs.run
    runs = table[name].to_numpy() if name is not None and name in table.columns else None
    return HeldOut(frame, fit.law.output, level, runs)


def _table(fit: Fit, held_out: Runs | pd.DataFrame) -> pd.DataFrame:
    """Return the rows with a finite output; raises DataError where there are none such."""
    output = fit.law.output
    table = _in_same_units(fit.runs, held_out) if isinstance(held_out, Runs) else held_out
    if not isinstance(table, pd.DataFrame):
        raise DataError(
            f"held_out must be Runs or a table of them, not {type(held_out).__name__}: "
            "held_out=runs.where(…)."
        )
    if output not in table.columns:
        raise DataError(
            f"The held-out table has no column {output!r}, what the law predicts. Make Runs of it: "
            "held_out=Runs.from_frame(df, …)."
        )
    if len(table) == 0:
        raise DataError("The held-out table has no rows; leave held_out out.")
    seen = pd.Series(pd.to_numeric(table[output], errors="coerce"), table.index)
    bad = ~np.isfinite(seen.to_numpy(dtype=float))
    if bad.any():
        raise DataError(
            f"The held-out {output} is not a finite number in row "
            f"{listing(table.index[bad].tolist())}: leave these rows out."
        )
    return table.assign(**{output: seen})


def _in_same_units(fitted: Runs, held_out: Runs) -> pd.DataFrame:
    """Return the table of held-out Runs; raises DataError where units or counting differ."""
    if (held_out.loss_unit, held_out.count) != (fitted.loss_unit, fitted.count):
        raise DataError(
            f"The held-out runs are in {held_out.loss_unit} (count={held_out.count!r}), the "
            f"fitted ones in {fitted.loss_unit} (count={fitted.count!r}): give both the same "
            "loss_unit= and count= in Runs.from_frame."
        )
    return held_out.frame
