"""prior_summary: the priors in the law's own units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from jscale import laws
from jscale._precision import float64_scope
from jscale.data.runs import Runs
from jscale.errors import JscaleError, listing
from jscale.fitting.build import as_runs, build
from jscale.fitting.diagnostics import flat_names, natural_parameters
from jscale.fitting.objective import as_objective
from jscale.fitting.problem import Data, Model, Problem
from jscale.fitting.result import Fit
from jscale.fitting.settings import Settings
from jscale.model.law import Law
from jscale.model.layout import Layout
from jscale.model.roles import POSITIVE
from jscale.uncertainty.bayes.density import Spec
from jscale.uncertainty.bayes.likelihoods import check_likelihood
from jscale.uncertainty.bayes.pooling import pooled_problem
from jscale.uncertainty.bayes.priors import FORMS, Priors, make_priors

_SUMMARY_DRAWS = 20000


def prior_summary(
    source: Fit | Law | str,
    data: Runs | pd.DataFrame | None = None,
    *,
    likelihood: str = "student_t",
    priors: Mapping[str, Any] | None = None,
    pool: Mapping[str, str] | None = None,
    **columns: Any,
) -> pd.DataFrame:
    """Return what the priors of a law's parameters say.

    Parameters
    ----------
    source : Fit, Law or str
        A fit, or a law with the data whose inputs centre it; a law alone is centred at inputs of 1.
    data : Runs or DataFrame, optional
        The runs, for a law.
    likelihood, priors, pool : optional
        As for :func:`jscale.posterior`.
    **columns
        Names of columns, as for :meth:`jscale.Runs.from_frame`.

    Returns
    -------
    DataFrame
        One row per parameter: ``distribution``, ``units`` (what the distribution is of), and the
        quantiles ``5%``, ``50%`` and ``95%`` in the law's own units.

    Raises
    ------
    LawError
        For priors that are misspelt or do not suit their parameter.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> js.prior_summary(fit, priors={"E": ("lognormal", 0.5, 0.5)}).loc["E", "distribution"]
    'lognormal(0.5, 0.5)'
    """
    check_likelihood(likelihood)
    problem = _problem(source, data, pool, columns)
    space = problem.model.space
    made = make_priors(problem.layout, space, likelihood, priors, tuple(pool or ()))
    return table_of(made, problem)


def table_of(made: Priors, problem: Problem) -> pd.DataFrame:
    """Return priors as :func:`prior_summary` shows them."""
    spec = made.spec
    with float64_scope():
        z = made.draw(problem, _SUMMARY_DRAWS, 0)
        theta = z[:, : spec.layout.size].copy()
        for name in spec.pooled:
            slot = spec.layout.slot(name)
            assert slot is not None
            theta[:, slot.where] = z[:, [spec.population(name)]]
        natural = natural_parameters(problem, theta)
    values = dict(zip(flat_names(spec.layout), natural.T, strict=True))
    rows = {}
    for i, label in enumerate(spec.labels):
        name = label.split("[")[0]
        if name not in spec.pooled:
            drawn = np.exp(z[:, i]) if spec.layout.slot(name) is None else values[label]
            rows[label] = _row(made, i, name, drawn)
        elif label.endswith("[mean]"):
            rows[label] = _row(made, i, name, values[spec.layout.labels[_first(spec, name)]])
        elif label.endswith("[spread]"):
            rows[label] = _row_of_spread(made, name, np.exp(z[:, i]))
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("parameter")


def _first(spec: Spec, name: str) -> int:
    slot = spec.layout.slot(name)
    return slot.first if slot else 0


def _row(made: Priors, at: int, name: str, values: np.ndarray) -> dict[str, Any]:
    """One line of the summary, of the coordinate ``at``."""
    stated = next((o for o in made.spec.stated if o.name == name), None)
    slot = made.spec.layout.slot(name)
    form = FORMS[slot.role.support if slot else POSITIVE]
    moments = f"{form}({made.mean[at]:g}, {made.sd[at]:g})"
    return {
        "distribution": _described(stated.distribution) if stated else moments,
        "units": "its own value" if stated or slot is None else _units(made.spec.layout, name),
        **_quantiles(values),
    }


def _row_of_spread(made: Priors, name: str, values: np.ndarray) -> dict[str, Any]:
    slot = made.spec.layout.slot(name)
    of = {"positive": "logarithm", "fraction": "logit"}.get(slot.role.support if slot else "")
    return {
        "distribution": f"half_normal({made.spread[made.spec.pooled.index(name)]:g})",
        "units": f"standard deviation of the {of or 'value'} over families",
        **_quantiles(values),
    }


def _quantiles(values: np.ndarray) -> dict[str, float]:
    ends = np.quantile(values, (0.05, 0.5, 0.95))
    return dict(zip(("5%", "50%", "95%"), map(float, ends), strict=True))


def _described(distribution: Any) -> str:
    parts = []
    for key in getattr(distribution, "arg_constraints", {}):
        value: Any = getattr(distribution, key, None)
        if value is not None and np.ndim(value) == 0:
            parts.append(f"{key}={float(value):g}")
    return f"{type(distribution).__name__}({', '.join(parts)})"


def _units(layout: Layout, name: str) -> str:
    """Return the meaning of a parameter's coordinate, in words."""
    law = layout.law
    if any(a == name for a, *_ in layout.shifts):
        inputs = [law.inputs[x] for a, _, x, _ in layout.shifts if a == name]
        return f"its term at the geometric mean of {listing(inputs)}"
    if any(name in (b, a) for b, a, *_ in layout.offsets):
        return "its term at the geometric mean of the inputs"
    if any(a == name for a, *_ in layout.insides):
        return "logarithm of its term at the geometric mean of the input"
    slot = layout.slot(name)
    axis = layout.axis(slot) if slot else None
    if axis is not None:
        return f"multiples of the geometric mean of {law.inputs[axis]}"
    return "logit of its value" if slot and slot.role.support == "fraction" else "its own value"


def _problem(source: Any, data: Any, pool: Any, columns: Mapping[str, Any]) -> Problem:
    """Return the problem that centres the priors."""
    if pool and not isinstance(source, Fit):
        raise JscaleError("pool= needs a fit, whose runs know the families: prior_summary(fit, …).")
    if isinstance(source, Fit):
        if data is not None or columns:
            raise JscaleError("prior_summary(fit) takes the fit's own runs: leave out the data.")
        return pooled_problem(source, pool) if pool else source.problem
    law = laws.get(source) if isinstance(source, str) else source
    if not isinstance(law, Law):
        raise JscaleError(
            f"prior_summary takes a Fit or a law, not {type(source).__name__}: "
            'prior_summary("chinchilla", runs).'
        )
    if data is None:
        ones = pd.DataFrame({x: [1.0] for x in (*law.inputs, law.output)})
        return _uncentred(law, ones)
    return build(law, as_runs(law, data, columns), Settings(as_objective("huber", law.space)))[0]


def _uncentred(law: Law, ones: pd.DataFrame) -> Problem:
    """A problem of one row at inputs of 1, whose centre is 0."""
    inputs = tuple(ones[x].to_numpy() for x in law.inputs)
    data = Data(inputs, {}, np.zeros(1), np.zeros(len(inputs)), {})
    objective = as_objective("huber", law.space)
    model = Model(Layout.make(law), type(objective), objective.space)
    return Problem(model, objective, data, np.ones(1), 1, np.zeros(1, dtype=int))
