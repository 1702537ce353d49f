"""A chain fitted jointly: losses and scores stacked, each in units of its residual scale."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from jscale._precision import float64_scope
from jscale.data.runs import Runs
from jscale.errors import DataWarning
from jscale.fitting.fit import fit
from jscale.fitting.objective import as_objective, to_space
from jscale.fitting.result import Fit
from jscale.fitting.statistics import median, robust_spread
from jscale.model.law import Law
from jscale.uncertainty.bootstrap import bootstrap
from jscale.uncertainty.chain.described import describe
from jscale.uncertainty.chain.stages import Stages
from jscale.uncertainty.chain.table import ROW, Parts, Table
from jscale.uncertainty.draws import Draws

# Where scaled residuals change from squared to absolute: 95% efficiency under normal errors
# (Huber, Robust Statistics, 1981).
# Residuals below this share of an output's spread are rounding and give no scale.
_LEAST_SCALE = 1e-6


@dataclass(frozen=True, eq=False)
class Joint:
    """One law of losses and scores, and the two stages that gave its scales and its start."""

    stages: Stages
    fit: Fit

    @classmethod
    def of(cls, table: Table, objective: str) -> Joint:
        """Fit both outputs jointly, started from the two stages."""
        parts = table.parts
        # The link at the law's curve, as in the joint law: its residuals are those of the scores.
        stages = Stages.of(table, objective, "fitted")
        outputs = [
            (stages.first, stages.first.runs, stages.first_rows),
            (stages.second, stages.scored, stages.second_rows),
        ]
        frames = []
        for k, (stage, runs, rows) in enumerate(outputs):
            space = stage.law.space
            with float64_scope():
                target = np.asarray(to_space(runs[stage.law.output], space))
            scale = _scale(stage, target)
            columns = {"part": float(k), "scale": scale, "scaled": target / scale, ROW: rows}
            frames.append(runs.frame.assign(**columns))
        law = _stacked(parts)
        kind = as_objective(objective, "linear")
        # Residuals are in units of their scale, for which some objectives know the right delta.
        kind = kind.at(kind.tuning) if kind.finds_scale() else kind
        runs = _runs(pd.concat(frames, ignore_index=True), law, table)
        start = _by_parameter(stages)
        fitted = fit(law, runs, objective=kind, per=parts.per, fixed=parts.fixed, starts=start)
        return cls(stages, fitted)

    def draws(self, settings: dict[str, Any], progress: bool) -> Draws:
        """Refit both outputs to resamples of runs; return draws of the composed law."""
        drawn = bootstrap(
            self.fit,
            settings["resamples"],
            kind="bayesian",
            seed=settings["seed"],
            progress=progress,
        )
        stages, samples = self.stages, drawn.to_frame()
        fits = (stages.first, self.fit)
        described = describe(
            stages.table.parts, stages.scored, stages.objective, fits, samples, self.fit.params
        )
        names = tuple(described.params.index)
        values = samples[list(names)].to_numpy()[None]
        return replace(
            drawn,
            fit=described,
            values=values,
            names=names,
            method="chain (joint)",
            settings=settings,
        )


def _scale(stage: Fit, target: np.ndarray) -> float:
    """Return the robust standard deviation of a stage's residuals, in its space."""
    # Around the median: a constant offset is not noise.
    r = stage.residuals
    spread = robust_spread(r - median(r))
    return max(spread, _LEAST_SCALE * float(np.std(target)), 1e-300)


def _stacked(parts: Parts) -> Law:
    """Return the law of both outputs over their ``scale``, by ``part``: 0 the loss, 1 the score.

    Scales are an input, so that the law is the same, and its programs are kept, for other tables.
    """
    inner, composed = parts.inner, parts.composed
    of_loss, of_score = inner.space, parts.link.space

    def stacked(*inputs: Any, **values: Any) -> Any:
        import jax.numpy as jnp

        *arguments, part, scale = inputs
        loss = inner.function(*arguments, **{n: values[n] for n in inner.names})
        score = composed.function(*arguments, **values)
        is_score = part > 0.5
        # Each row uses one output only; the other may be outside the logarithm's domain.
        loss = to_space(jnp.where(is_score, 1.0, loss), of_loss)
        score = to_space(jnp.where(is_score, score, 0.5), of_score)
        return jnp.where(is_score, score, loss) / scale

    return replace(
        composed,
        name=f"{composed.name}, jointly",
        function=stacked,
        inputs=(*composed.inputs, "part", "scale"),
        output="scaled",
        unit="residual scales",
        space="linear",
        linear=(),
        limits={n: v for n, v in composed.limits.items() if n != composed.output},
        falling=(),
        rising=(),
    )


def _runs(frame: pd.DataFrame, law: Law, table: Table) -> Runs:
    """Return both outputs' rows as Runs in which the rows of a run are drawn together."""
    marks = {"run": ROW, **{n: c for n, c in table.columns.items() if c is not None}}
    marks = {n: c for n, c in marks.items() if n in ("run", "group", "weight")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return Runs.from_frame(
            frame, output="scaled", loss_unit="other", **marks, **{x: x for x in law.inputs}
        )


def _by_parameter(stages: Stages) -> dict[str, Any]:
    """Return both stages' estimates as a start: a number, or a tuple of one per group."""
    values: dict[str, list[float]] = {}
    for name, value in stages.estimate.items():
        values.setdefault(str(name).partition("[")[0], []).append(float(value))
    per, fixed = stages.table.parts.per, stages.table.parts.fixed
    return {n: tuple(v) if n in per else v[0] for n, v in values.items() if n not in fixed}
