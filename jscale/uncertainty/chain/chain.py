"""chain: draws of a law from inputs to a score, through a loss, with the errors of both stages.

A law gives the loss from N and D, a link the score from the loss, and both are fitted to runs. The
uncertainty of the first must reach the second: every resample of the runs refits both, so the draws
of the composed law carry the errors of the two and their correlation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from jscale import laws
from jscale.arguments import check_choice, check_count, check_seed
from jscale.data.runs import Runs
from jscale.fitting.fit import fit
from jscale.fitting.objective import get, names
from jscale.model.law import Law
from jscale.uncertainty.bootstrap import bootstrap
from jscale.uncertainty.chain.joint import Joint
from jscale.uncertainty.chain.stages import Stages
from jscale.uncertainty.chain.table import Parts, Table, places
from jscale.uncertainty.draws import Draws

_HOW = ("two-stage", "joint", "score")
_LOSSES = ("observed", "fitted")


def chain(
    inner: Law | str,
    link: Law | str,
    data: Runs | pd.DataFrame,
    *,
    loss: str = "loss",
    score: str | None = None,
    how: str = "two-stage",
    losses: str = "observed",
    per: Mapping[str, str] | None = None,
    fixed: Mapping[str, float] | None = None,
    objective: str = "huber",
    resamples: int = 1000,
    seed: int = 0,
    progress: bool = False,
    **columns: Any,
) -> Draws:
    """Fit a law and a link after it to losses and scores, as draws of the composed law.

    Parameters
    ----------
    inner : Law or str
        The law of the loss.
    link : Law or str
        The score as a function of the loss (``sigmoid_link``, ``exponential_link``).
    data : Runs or DataFrame
        The runs. A row without a loss, or without a score (NaN), serves the other stage alone.
    loss, score : str
        Their columns; the score's is by default the link's output.
    how : {"two-stage", "joint", "score"}
        "two-stage" fits the law to the losses and the link to the scores. "joint" fits one law to
        both, stacked, each in units of its own residual scale as two stages find it (Huber, 1.345
        scales), so that scores inform the inner law too. "score" fits the composed law to the
        scores alone, which seldom determine it.
    losses : {"observed", "fitted"}
        What two stages fit the link to. "observed" losses are right where a run's score follows its
        own loss, including that run's luck: what the sources do. The "fitted" curve, computed again
        in every resample, is right where measured losses have errors that scores do not share,
        which
        would flatten the link; it also takes scores of runs whose loss was not measured.
    per, fixed : mapping, optional
        By parameter of ``inner.then(link)``, as for :func:`jscale.fit`.
    objective : str
        The name of an objective, in each law's own space of residuals.
    resamples : int
        Each gives every run a random weight (Bayesian bootstrap; whole runs where ``run=`` is
        given,
        within each ``group=``), the same in both stages, and refits both.
    seed : int
        The same seed gives the same draws.
    progress : bool
        Whether to show progress.
    **columns
        Names of columns, as for :meth:`jscale.Runs.from_frame`.

    Returns
    -------
    Draws
        Their ``fit`` describes the composed law at the estimate. For two stages and joint fits it
        has
        the inner law's parameters as ``fixed``, since scores contributed little to them, but the
        draws and ``stderr`` include their errors. New runs scatter around the curve as the scores
        of
        these runs do.

    Raises
    ------
    JscaleError
        For an unknown choice.
    DataError
        For columns that are missing, rows with neither loss nor score, no row with both (where
        ``losses="observed"``), or scores outside the link's limits.
    FitError
        For no more runs than parameters in a stage.

    Warns
    -----
    FitWarning
        As :func:`jscale.fit` does.

    Notes
    -----
    The intervals of "joint" are a little narrow with few runs: of 60 simulated tables of 30 runs,
    90% intervals of the curve covered 82 % (of 40 runs, 85%; two stages 92%).

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> runs = table[table["split"] == "fit"]
    >>> runs = runs.assign(accuracy=js.laws.get("log_loss_to_accuracy")(runs["loss"], T=0.6))
    >>> js.chain("chinchilla", "log_loss_to_accuracy", runs, resamples=50).fit.law.output
    'accuracy'
    """
    _check(how, losses, objective, resamples, seed)
    parts = Parts.of(laws.get(inner), laws.get(link), per, fixed)
    table = Table.of(data, parts, loss, parts.link.output if score is None else score, columns)
    settings = {"how": how, "resamples": int(resamples), "seed": int(seed)}
    if how == "score":
        return _score_alone(table, objective, settings, progress)
    if how == "joint":
        return Joint.of(table, objective).draws(settings, progress)
    stages = Stages.of(table, objective, losses)
    return stages.draws({**settings, "losses": losses}, progress)


def _check(how: Any, losses: Any, objective: Any, resamples: Any, seed: Any) -> None:
    # Only objectives with a given scale: each stage would estimate a different one.
    objectives = [name for name in names() if not get(name).auto]
    known = (("how", how, _HOW), ("losses", losses, _LOSSES), ("objective", objective, objectives))
    for name, value, legal in known:
        check_choice(name, value, legal)
    check_count("resamples", resamples, "chain(…, resamples=1000)")
    check_seed(seed)


def _score_alone(table: Table, objective: str, settings: dict[str, Any], progress: bool) -> Draws:
    """Fit the composed law to the scores alone, and resample them."""
    parts = table.parts
    runs, _ = places(table.scores())
    score_fit = fit(parts.composed, runs, objective=objective, per=parts.per, fixed=parts.fixed)
    drawn = bootstrap(
        score_fit, settings["resamples"], kind="bayesian", seed=settings["seed"], progress=progress
    )
    return replace(drawn, settings={**drawn.settings, **settings})
