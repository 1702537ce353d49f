"""New runs: the options of predicting a new run or family, with known errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jscale.arguments import check_choice
from jscale.data.checks import rows_at
from jscale.data.runs import Runs
from jscale.errors import PredictionError, nearest
from jscale.fitting.notes import Note
from jscale.uncertainty.draws import Draws, NewRuns
from jscale.uncertainty.noise.model import noise_model

KNOWN = "known_error"
_NEW = ("run", "family")


@dataclass(frozen=True)
class NewRun:
    """The kind of new runs to predict: of the fitted families or of a new one (``new``).

    ``column`` names the fitted runs' known errors, which are then no part of their noise;
    ``given`` is a noise to use in place of the draws' own; ``known`` the known errors of new runs
    as plain values: a column's name, a number, or one for each row.
    """

    new: str = "run"
    column: str | None = None
    given: NewRuns | None = None
    known: str | float | list[float] | None = None

    @classmethod
    def asked(cls, new: str, known_error: Any, given: NewRuns | None) -> NewRun:
        """Check the options; raises PredictionError."""
        check_choice("new", new, _NEW, error=PredictionError)
        if given is not None and not callable(getattr(given, "draw", None)):
            raise PredictionError(
                f"noise={given!r} draws no errors: give js.noise_model(fit, …), or leave it out."
            )
        column = known_error if isinstance(known_error, str) else None
        return cls(new, column, given, _plain(known_error))

    @property
    def settings(self) -> dict[str, Any]:
        """The options that differ from the defaults, as plain values, to reproduce a prediction."""
        entries: dict[str, Any] = {} if self.new == "run" else {"new": self.new}
        if self.known is not None:
            entries["known_error"] = self.known
        if self.given is not None:
            reason = getattr(self.given, "why", "")
            entries["noise"] = type(self.given).__name__ + (f": {reason}" if reason else "")
        return entries

    def of(self, draws: Draws, seed: int) -> tuple[Draws, NewRuns]:
        """Return the draws to predict with, and the noise that draws errors of new runs.

        For a new family these are the draws that a pooled posterior makes for one, with their own
        noise. Otherwise it is the given noise, or the draws' own, or that of the residuals; for
        a new family always the last, since the draws' own noise describes the fitted ones.
        """
        new = self.new
        new_family = draws.for_new_group(seed) if new == "family" else None
        if new_family is not None:
            draws, new = new_family, "run"
        if self.given is not None:
            return draws, self.given
        if draws.noise is not None and new == "run":
            if self.column in draws.fit.runs.frame.columns:
                raise PredictionError(
                    f"known_error={self.column!r} is a column of the fitted runs too, whose errors "
                    f"the noise of {draws.method} holds already: they would count twice. Leave it "
                    "out, or give numbers for what comes on top: known_error=0.01."
                )
            return draws, draws.noise
        column = self.column if self.column in draws.fit.runs.frame.columns else None
        return draws, noise_model(draws.fit, new=new, known_error=column)


def _plain(known_error: Any) -> Any:
    """Return known errors as JSON values; whether they are numbers is checked later."""
    if known_error is None or isinstance(known_error, str):
        return known_error
    values = np.asarray(known_error)
    return values.item() if values.ndim == 0 else [x.item() for x in values.ravel()]


def with_known_errors(table: pd.DataFrame, known_error: Any, where: Any) -> pd.DataFrame:
    """Return the table with the column of the given known errors, checked.

    They come as numbers, one or one per row, or as the name of a column of ``where``.
    """
    if known_error is None:
        return table
    values = known_error
    if isinstance(known_error, str):
        source = where.frame if isinstance(where, Runs) else where
        source = source if isinstance(source, (Mapping, pd.DataFrame)) else {}
        if known_error not in source:
            raise PredictionError(
                f"known_error={known_error!r}: the table to predict at has no such column."
                f"{nearest(known_error, [str(name) for name in source])} Give it one, or give "
                "the numbers: known_error=0.01."
            )
        values = source[known_error]
    exact = np.asarray(pd.to_numeric(pd.Series(np.ravel(values)), errors="coerce"), dtype=float)
    if len(exact) not in (1, len(table)):
        raise PredictionError(
            f"known_error has {len(exact)} numbers for {len(table)} rows; give one, or one per row."
        )
    exact = np.broadcast_to(exact, len(table))
    bad = ~(np.isfinite(exact) & (exact >= 0))
    if bad.any():
        raise PredictionError(
            "known_error must be standard deviations, zero or more, but "
            f"{rows_at(table, bad, exact)}. Give numbers, such as known_error=0.01."
        )
    return table.assign(**{KNOWN: exact})


def extra_columns(noise: NewRuns) -> tuple[str, ...]:
    """Return the columns that a noise reads for new rows, besides the law's inputs."""
    return getattr(noise, "columns", ())


def errors_of(noise: NewRuns, curves: np.ndarray, table: pd.DataFrame, seed: int) -> np.ndarray:
    """Draw the errors of new runs (R, m) at rows of inputs, the known ones added."""
    # A separate stream: draws made with the same seed must be independent of the errors.
    apart = int(np.random.SeedSequence((seed, 2)).generate_state(1)[0])
    errors = noise.draw(curves, table, apart)
    if KNOWN not in table:
        return errors
    rng = np.random.default_rng((seed, 3))
    return errors + table[KNOWN].to_numpy() * rng.standard_normal(curves.shape)


def remarks(draws: Sequence[Draws], noises: Sequence[NewRuns]) -> tuple[Note, ...]:
    """Return the notes of draws and of noises, without duplicates."""
    each = [source.notes for source in draws]
    each += [getattr(noise, "notes", ()) for noise in noises]
    return tuple(dict.fromkeys(note for notes in each for note in notes))
