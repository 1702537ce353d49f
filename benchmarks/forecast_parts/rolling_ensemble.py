"""ensemble: the laws that fit a table's columns, weighted by how well they extrapolated within it.

No law is known to be right. Each is fitted to the smaller runs and predicts the larger ones, at
successive origins; its scores determine its weight, and how much wider its intervals should have
been. A law that never beat a simpler one out of range is not used.
"""

from __future__ import annotations

import html
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.forecast_parts.law_weights import WeighingSplits, weigh_each
from jscale.arguments import check_count, check_seed
from jscale.comparison.contenders import AUTO, candidates, chosen_laws, runs_of
from jscale.comparison.split_fits import SplitFits, checked_objective
from jscale.data.flops import training_flops
from jscale.data.runs import Runs
from jscale.errors import FitWarning, LawError, listing
from jscale.fitting.fit import fit
from jscale.fitting.notes import Note
from jscale.fitting.objective import Objective
from jscale.fitting.points import input_table
from jscale.fitting.result import Fit
from jscale.model.law import Law
from jscale.prediction.components import Component, OfCompute, component_of
from jscale.prediction.newruns import KNOWN, NewRun, remarks
from jscale.prediction.one_law import ROWS_AT_ONCE, DrawsSampler, OneLaw
from jscale.prediction.predictive import Predictive
from jscale.uncertainty.bootstrap import bootstrap
from jscale.uncertainty.draws import Draws

_WIDE = 2.0
_UNSETTLED = 0.01


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Laws fitted to all runs with their weights, from :func:`jscale.ensemble`.

    Attributes
    ----------
    members : mapping of str to Draws
        The draws of each law with weight (``members[name].fit`` is its fit).
    table : DataFrame
        A row per law that was tried: free ``parameters``, ``score`` (mean interval score beyond
        the origins, over the measured number), ``error`` (mean absolute error of the logarithm
        there), ``widening`` of its intervals, ``weight``, and ``why`` it has none.
    runs : Runs
        The runs.
    notes : tuple of Note
        What to know of the weights and the members.
    settings : mapping
        The choices, as plain values.
    """

    members: Mapping[str, Draws]
    table: pd.DataFrame
    runs: Runs
    notes: tuple[Note, ...]
    settings: Mapping[str, Any]

    @property
    def weights(self) -> pd.Series:
        """The weight of each member."""
        return self.table.loc[list(self.members), "weight"]

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table.

        Returns
        -------
        DataFrame
            One row per law that was tried.
        """
        return self.table.copy()

    @property
    def reference(self) -> Fit:
        """The fit of the law with the most inputs."""
        return max(self.members.values(), key=lambda draws: len(draws.fit.law.inputs)).fit

    @property
    def method(self) -> str:
        """The laws with weight."""
        return f"ensemble ({', '.join(f'{name} {w:.2f}' for name, w in self.weights.items())})"

    @property
    def resamples(self) -> str | None:
        """The kind of bootstrap that all members are refitted by."""
        kinds = {OneLaw(draws).resamples for draws in self.members.values()}
        return kinds.pop() if len(kinds) == 1 else None

    @property
    def components(self) -> tuple[Component, ...]:
        """The laws, with their weights; their draws are not widened."""
        return self._components

    @cached_property
    def _components(self) -> tuple[Component, ...]:
        return tuple(
            self._component(name, draws, float(self.table.at[name, "weight"]))
            for name, draws in self.members.items()
        )

    def _component(self, name: str, draws: Draws, weight: float) -> Component:
        component = component_of(draws.fit, draws.flat, name, weight)
        # A law of compute, mixed with laws of N and D, is evaluated at C = 6·N·D.
        if "C" in draws.fit.law.inputs and "C" not in self.reference.law.inputs:
            return replace(component, function=OfCompute(component.function))
        return component

    def sampler(self, new_run: NewRun, seed: int) -> EnsembleSampler:
        """Return what samples the mixture of the laws' curves and new runs.

        Parameters
        ----------
        new_run : NewRun
            What is asked of new runs.
        seed : int
            The seed of their noise.

        Returns
        -------
        EnsembleSampler
            The members' samplers with their weights.
        """
        members = [OneLaw(draws).sampler(new_run, seed) for draws in self.members.values()]
        table = self.table.loc[list(self.members)]
        return EnsembleSampler(
            self, tuple(members), table["weight"].to_numpy(), table["widening"].to_numpy()
        )

    def __repr__(self) -> str:
        text = self.table.to_string(float_format=lambda v: f"{v:.3g}")
        return "\n".join([f"Ensemble of {len(self.members)} laws", text, *map(str, self.notes)])

    def _repr_html_(self) -> str:
        notes = "".join(f"<li>{html.escape(str(note))}</li>" for note in self.notes)
        return f"{self.table.to_html(float_format=lambda v: f'{v:.3g}')}<ul>{notes}</ul>"


@dataclass(frozen=True, eq=False)
class EnsembleSampler:
    """Samples the mixture of an ensemble's laws, each widened by its own factor."""

    predictor: Ensemble
    members: tuple[DrawsSampler, ...]
    weights: np.ndarray
    widening: np.ndarray
    rows_at_once: int | None = ROWS_AT_ONCE

    @property
    def notes(self) -> tuple[Note, ...]:
        """The notes of the members' draws and noises."""
        return remarks([m.draws for m in self.members], [m.noise for m in self.members])

    def table(self, where: Any, inputs: Mapping[str, Any]) -> pd.DataFrame:
        """Check inputs of the law with the most of them; add the compute where N and D give it."""
        widest = self.predictor.reference
        if widest.law.inputs == ("C",):
            inputs = _with_compute(where, inputs)
        table = input_table(widest, where, inputs)
        if "C" not in table and {"N", "D"} <= set(table):
            table["C"] = training_flops(table["N"], table["D"])
        return table

    def predictive(self, table: pd.DataFrame, seed: int) -> Predictive:
        """Return samples of all laws at a table's rows, with their weights."""
        parts = []
        for member, factor in zip(self.members, self.widening, strict=True):
            member_table = input_table(member.draws.fit, table, {})
            if KNOWN in table:
                member_table = member_table.assign(**{KNOWN: table[KNOWN]})
            parts.append(member.samples(member_table, seed).widened(factor))
        shape = (len(parts), len(table))
        return Predictive.mix(parts, np.broadcast_to(self.weights[:, None], shape))


def _with_compute(where: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Add C = 6·N·D where only N and D are given, since the laws with weight take C alone."""
    table = where.frame if isinstance(where, Runs) else where
    named = table if isinstance(table, (Mapping, pd.DataFrame)) else {}
    given = {**{name: named[name] for name in ("N", "D", "C") if name in named}, **inputs}
    if "C" in given or not {"N", "D"} <= set(given):
        return dict(inputs)
    return {**inputs, "C": training_flops(given["N"], given["D"])}


def ensemble(
    data: Runs | pd.DataFrame,
    laws: Sequence[Law | str] | str = AUTO,
    *,
    objective: Objective | str = "huber",
    resamples: int = 500,
    seed: int = 0,
    devices: Any = None,
    progress: bool = False,
    **columns: Any,
) -> Ensemble:
    """Weigh laws by how they extrapolated within the runs, and fit those with weight to all.

    From each of six origins of compute, evenly spaced in logarithm from the median run to the
    largest, every law predicts all runs beyond; :func:`jscale.comparison.stacking.weigh` turns the
    scores into weights. With fewer than 12 runs, each is left out in turn instead. Predictions are
    those of the mixture.

    Parameters
    ----------
    data : Runs or DataFrame
        The runs; rows of weight 0 are left out.
    laws : sequence of Law or str, or "auto"
        The laws to try. "auto": of N and D chinchilla, chinchilla_tied and farseer; of C (or the
        one input there is) power, power_const and broken:1.
    objective : Objective or str, default "huber"
        What the fits minimise, with a number for its scale.
    resamples : int, default 500
        How many refits each law's draws are.
    seed : int, default 0
        The seed of starts and resamples.
    devices : "all" or sequence of jax.Device, optional
        Devices that share the lanes; by default the first one.
    progress : bool, default False
        Whether to show a bar.
    **columns : str
        Names of columns, as :meth:`jscale.Runs.from_frame` takes them.

    Returns
    -------
    Ensemble
        The laws with their weights, to predict and plan with.

    Raises
    ------
    DataError
        Where no law can be fitted with a run to spare, or rows differ in the unit of loss.
    LawError
        For laws of different outputs, or a law named twice.
    JscaleError
        For resamples that are no whole number from 2 up, or an objective whose scale is to be
        found.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> small = table[table["split"] == "fit"]
    >>> mixture = js.ensemble(small, ["power_const", "chinchilla"], resamples=50)
    >>> len(js.predict(mixture, N=3e5, D=5e6))
    1
    """
    check_seed(seed, error=LawError)
    kind, resamples = checked_objective(objective), check_count("resamples", resamples, "500")
    chosen = None if isinstance(laws, str) and laws == AUTO else chosen_laws(laws)
    runs = runs_of(chosen, data, columns)
    rows = len(runs)
    if runs.weight is not None:
        runs = runs.where(runs[runs.weight].astype(np.float64) > 0)
    split_fits = SplitFits(runs, kind, resamples, seed=seed, devices=devices, progress=progress)
    chosen = chosen if chosen is not None else candidates(runs)
    (table,), (weighing,) = weigh_each(split_fits, chosen, [np.arange(len(runs))])
    members = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # reported in the notes
        for name in _with_weight(table):
            fitted = fit(chosen[name], runs, objective=kind, seed=seed, devices=devices)
            members[name] = bootstrap(fitted, resamples, seed=seed, progress=progress)
    settings = {"objective": str(kind), "resamples": int(resamples), "seed": int(seed)}
    notes = [*_notes(table, weighing), *_notes_on_members(members)]
    if len(runs) < rows:
        left_out = f"{rows - len(runs)} rows of weight 0 are left out."
        notes.append(Note("rows-without-weight", "info", left_out, "", ""))
    return Ensemble(members, table, runs, tuple(notes), settings)


def _with_weight(table: pd.DataFrame) -> list[str]:
    return [str(name) for name, w in zip(table.index, table["weight"], strict=True) if w > 0]


def _notes(table: pd.DataFrame, weighing: WeighingSplits) -> Iterator[Note]:
    """Yield notes on how laws were weighed and widened."""
    if not weighing.beyond:
        yield Note(
            "not-extrapolated",
            "caution",
            f"{len(weighing.splits)} runs are too few, or too alike in compute, to hold any out by "
            "origin.",
            "Each was left out in turn, which says little about how a law extrapolates.",
            "Add runs.",
        )
    widening = {name: float(table.at[name, "widening"]) for name in _with_weight(table)}
    widened = [f"{name} {w:g} times" for name, w in widening.items() if w >= _WIDE]
    if widened:
        yield Note(
            "intervals-widened",
            "caution",
            "beyond the origins, these laws' intervals covered runs less often than stated; they "
            f"are widened: {listing(widened)}.",
            "",
            "",
        )


def _notes_on_members(members: Mapping[str, Draws]) -> Iterator[Note]:
    """Yield notes on fits and draws of members that are doubtful."""
    for name, draws in members.items():
        codes = [note.code for note in draws.fit.notes if note.severity == "warning"]
        if codes:
            yield Note(
                "member-doubtful",
                "caution",
                f"{name}, fitted to all runs, has the notes {listing(codes, 10)}: read "
                f"ensemble.members[{name!r}].fit.notes.",
                "",
                "",
            )
        lost, count = draws.failed + draws.unsettled, len(draws) + draws.failed
        if lost > _UNSETTLED * count:
            yield Note(
                "draws-unsettled",
                "caution",
                f"{lost} of {count} resamples of {name} failed or did not converge, so its "
                "intervals may be off.",
                "",
                "",
            )
