"""Constrained refits: a law fitted with one of its quantities constrained to a value.

The quantity is constrained by a heavily weighted pseudo-observation. For a point of the curve
this is a run like any other; for parameters and functions of them, the law gets inputs that tell
the pseudo-observation, whose output is the quantity, from the real runs. The quantity is expressed
in a coordinate: the logarithm of a positive quantity, the logit of a fraction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from jscale.errors import JscaleError, listing, nearest
from jscale.fitting.diagnostics import flat_names
from jscale.fitting.objective import to_space
from jscale.fitting.points import Points, input_table
from jscale.fitting.problem import Families, Model, bucket, pad_rows, predict_rows
from jscale.fitting.result import Fit
from jscale.fitting.solver.compilation import programs
from jscale.model.law import Law
from jscale.model.roles import FRACTION, POSITIVE

_STIFF = 1e4
_FROM, _PER = "_from", "_per"


@dataclass(frozen=True, eq=False)
class Constrained:
    """A quantity ``name`` of a fit that can be constrained to a value, expressed in ``space``.

    ``model`` is that of the problem with the pseudo-observation, whose inputs are ``inputs`` (all
    of the model's law but the last two) and whose group codes are ``codes``. ``on_curve`` says
    whether the quantity is an output of the law itself, so that residuals are in its coordinate.
    ``measured`` is the quantity's coordinate as a function of theta and data (JAX).
    """

    fit: Fit
    name: str
    space: str
    model: Model
    inputs: tuple[float, ...]
    codes: dict[str, int]
    on_curve: bool
    measured: Callable[[Any, Any], Any]

    @cached_property
    def _program(self) -> Callable[..., Any]:
        import jax

        def twice(theta: Any, data: Any) -> Any:
            at = self.measured(theta, data)
            return at, at

        slopes = jax.jacfwd(twice, has_aux=True)
        return jax.jit(jax.vmap(slopes, in_axes=(0, None)))

    def at(self, theta: np.ndarray) -> np.ndarray:
        """Return the quantity's coordinate (G,) at coordinates (G, p)."""
        return np.asarray(self._program(theta, self.fit.problem.data)[1])

    @cached_property
    def slope(self) -> np.ndarray:
        """The slope of the quantity's coordinate at the fit (p,)."""
        return np.asarray(self._program(self.fit.theta[None], self.fit.problem.data)[0])[0]

    @cached_property
    def centre(self) -> float:
        """The quantity's coordinate at the fit."""
        return float(self.at(self.fit.theta[None])[0])

    def objectives(self, theta: np.ndarray) -> np.ndarray:
        """Return the real runs' objective (G,) at coordinates (G, p)."""
        problem = self.fit.problem
        numbers = problem.objective.width, problem.objective.shape
        return np.asarray(_sums(problem.model)(theta, problem.data, problem.weights, *numbers))

    def problems(self, wanted: np.ndarray, error: float, curvature: float) -> Families:
        """Return problems of one program that constrain the coordinate to near ``wanted`` (G,).

        ``error`` is the coordinate's standard error, ``curvature`` the objective's second
        derivative along it: the pseudo-observation's is ten thousand times that.
        """
        objective = self.fit.problem.objective
        width = min(objective.width, 1.0)
        per = 1.0 if self.on_curve else max(width, 1e-4) / error
        # Stiff enough to hold the quantity, not so stiff that rounding hides the real runs.
        weight = objective.pin_weight(_STIFF * curvature, error, per)
        count = len(wanted)
        data, weights = self._extended(per, weight)
        targets = np.repeat(np.asarray(data.target)[None], count, axis=0)
        targets[:, self.fit.problem.n] = wanted if self.on_curve else per * (wanted - self.centre)

        def many(x: Any) -> np.ndarray:
            x = np.asarray(x)
            return np.broadcast_to(x, (count, *x.shape))

        import jax

        stacked = jax.tree.map(many, data)._replace(target=targets)
        return Families(self.model, objective, stacked, many(weights), ())

    def _extended(self, per: float, weight: float) -> tuple[Any, np.ndarray]:
        """Return the data and weights with the pseudo-observation after the real ones."""
        problem = self.fit.problem
        n, rows = problem.n, bucket(problem.n + 1)
        extra = 0 if self.on_curve else len(self.model.layout.law.inputs) - len(self.fit.law.inputs)
        real = [*problem.data.inputs, *[np.zeros(n)] * extra]
        pseudo = [*self.inputs, *(() if self.on_curve else (self.centre, per))]
        inputs = tuple(_with(x, value, n, rows) for x, value in zip(real, pseudo, strict=True))
        codes = {
            name: _with(c, self.codes[name], n, rows) for name, c in problem.data.codes.items()
        }
        # Selectors are not logarithms: they are not centred.
        centre = np.concatenate([np.asarray(problem.data.centre), np.zeros(extra)])
        target = _with(problem.data.target, 0.0, n, rows)
        weights = np.zeros(rows)
        # The pseudo-observation takes the first padded row.
        weights[:n], weights[n] = problem.weights[:n], weight
        data = problem.data._replace(inputs=inputs, codes=codes, centre=centre, target=target)
        return data, weights


def _with(values: Any, more: Any, n: int, rows: int) -> np.ndarray:
    real = np.asarray(values)[:n]
    return pad_rows(np.concatenate([real, np.asarray([more], dtype=real.dtype)]), rows)


@programs
def _sums(model: Model) -> Callable[..., Any]:
    import jax

    def one(theta: Any, data: Any, weights: Any, width: Any, shape: Any) -> Any:
        r = to_space(predict_rows(model.layout, theta, data), model.space) - data.target
        return weights @ model.loss.terms(r, width, *shape).rho

    return jax.jit(jax.vmap(one, in_axes=(0, None, None, None, None)))


def constrain(fit: Fit, what: Any) -> Constrained:
    """Return the quantity that ``what`` names; raises JscaleError for an unknown name."""
    if isinstance(what, Mapping):
        return _of_the_curve(fit, what)
    if callable(what):
        return _of_a_function(fit, getattr(what, "__name__", "function"), what)
    labels = _derived(fit)
    if isinstance(what, str) and what in labels:
        return _of_a_function(fit, what, labels[what], float(fit.derived.loc[what, "estimate"]) > 0)
    return _of_a_parameter(fit, what, tuple(labels))


def _of_the_curve(fit: Fit, inputs: Mapping[str, Any]) -> Constrained:
    columns = dict.fromkeys((*fit.law.inputs, *fit.settings.per.values()))
    slots = ", ".join(f"{column!r}: …" for column in columns)
    table = input_table(fit, inputs, {}, f"Give the point: profile(fit, {{{slots}}}).")
    points = Points.in_table(fit, table)
    if len(points) != 1:
        raise JscaleError(f"A profile is of one prediction, not of {len(points)}: give numbers.")
    row = tuple(float(x[0]) for x in points.inputs)
    codes = {name: int(code[0]) for name, code in points.codes.items()}
    model = fit.problem.model

    def measured(theta: Any, data: Any) -> Any:
        values = model.layout.pick(model.layout.natural(theta, data.fixed, data.centre), codes)
        output = fit.law.evaluate({**dict(zip(fit.law.inputs, row, strict=True)), **values})
        return to_space(output, model.space)

    point = ", ".join(f"{name}={inputs[name]}" for name in inputs)
    return Constrained(
        fit, f"{fit.law.output} at {point}", model.space, model, row, codes, True, measured
    )


def _of_a_parameter(fit: Fit, name: Any, derived: tuple[str, ...]) -> Constrained:
    layout, problem = fit.problem.layout, fit.problem
    names = flat_names(layout)
    if name not in names:
        known = (*names, *derived)
        raise JscaleError(
            f"There is no parameter or combination {name!r} to profile."
            f"{nearest(str(name), known)} There are {listing(known, 24)}; or give inputs, "
            f"{{{fit.law.inputs[0]!r}: …}}, or a function of the parameters."
        )
    base, _, label = name.partition("[")
    if base in layout.fixed:
        raise JscaleError(
            f"{name} is fixed in this fit: it has no profile. Fit it: leave it out of fixed=."
        )
    spaces = {p.name: _space(p.role.support) for p in fit.law.parameters}
    column = layout.column(base)
    codes = dict.fromkeys(problem.data.codes, 0)
    if column is not None:
        codes[column] = dict(layout.groups)[column].index(label[:-1])
    # One program serves all parameters: inputs of 0 and 1 select the one.
    free = tuple(p for p in fit.law.names if p not in layout.fixed)
    law = _with_quantity(fit.law, problem.model.space, _picked(spaces, free), free)
    real = tuple(float(np.asarray(x)[0]) for x in problem.data.inputs)
    chosen = tuple(float(p == base) for p in free)
    model = problem.model._replace(layout=replace(layout, law=law))

    def measured(theta: Any, data: Any) -> Any:
        values = layout.pick(layout.natural(theta, data.fixed, data.centre), codes)
        return to_space(values[base], spaces[base])

    return Constrained(fit, name, spaces[base], model, (*real, *chosen), codes, False, measured)


def _of_a_function(fit: Fit, name: str, function: Any, positive: bool = False) -> Constrained:
    if fit.settings.per:
        raise JscaleError(
            "A function of the parameters has no one value where they differ by group, as "
            f"{listing(list(fit.settings.per))} does here. Name a parameter, such as "
            f"{flat_names(fit.problem.layout)[0]!r}, or give inputs."
        )
    _check_function(fit, name, function)
    space, problem, layout = "log" if positive else "linear", fit.problem, fit.problem.layout

    def quantity(values: Mapping[str, Any], chosen: tuple[Any, ...]) -> Any:
        return to_space(function(values), space)

    law = _with_quantity(fit.law, problem.model.space, quantity, ())
    real = tuple(float(np.asarray(x)[0]) for x in problem.data.inputs)
    model = problem.model._replace(layout=replace(layout, law=law))

    def measured(theta: Any, data: Any) -> Any:
        return to_space(function(layout.natural(theta, data.fixed, data.centre)), space)

    codes = dict.fromkeys(problem.data.codes, 0)
    return Constrained(fit, name, space, model, real, codes, False, measured)


def _check_function(fit: Fit, name: str, function: Any) -> None:
    """Raise JscaleError unless a function maps the parameters to one number under tracing."""
    import jax

    number = jax.ShapeDtypeStruct((), np.float64)
    try:
        # Traced without being computed, so that nothing is compiled to reject a function.
        shape = jax.eval_shape(function, dict.fromkeys(fit.law.names, number)).shape
    except Exception as error:
        what = str(error).partition("\n")[0].rstrip(".") or "no message"
        raise JscaleError(
            f"{name} failed when traced: {type(error).__name__}: {what}. A function takes the "
            f"parameters by name, p[{fit.law.names[0]!r}], and is written with jax.numpy."
        ) from error
    if shape != ():
        raise JscaleError(f"{name} returned an array of shape {shape}; it must be one number.")


def _derived(fit: Fit) -> dict[str, Callable[[Mapping[str, Any]], Any]]:
    """Return the fit's combinations as functions of the parameters, by their labels."""
    if not len(fit.derived):
        return {}
    # Combinations are evaluated at the largest compute, as in the fit's own table.
    largest = float(fit.runs["C"].max())
    functions = {}
    for name, function in fit.law.derived.items():
        # Defaults bind this turn's function: a closure would see the last one.
        def at(values: Mapping[str, Any], function: Any = function, C: float = largest) -> Any:
            return function(values, C)

        functions[name.replace("{C}", f"{largest:.3g}")] = at
    return functions


def _space(support: str) -> str:
    return {POSITIVE: "log", FRACTION: "logit"}.get(support, "linear")


def _picked(spaces: dict[str, str], free: tuple[str, ...]) -> Callable[..., Any]:
    """Return the coordinate of the parameter that the inputs select."""

    def quantity(values: Mapping[str, Any], chosen: tuple[Any, ...]) -> Any:
        shares = zip(free, chosen, strict=True)
        return sum(share * to_space(values[name], spaces[name]) for name, share in shares)

    return quantity


def _with_quantity(
    law: Law, space: str, quantity: Callable[..., Any], chosen: tuple[str, ...]
) -> Law:
    """Return the law with inputs that make a row a pseudo-observation: its output is the quantity.

    The quantity's coordinate less ``_from``, times ``_per``, is the output in ``space``; runs
    whose ``_per`` is zero are real ones.
    """
    count = len(law.inputs)

    def extended(*inputs: Any, **values: Any) -> Any:
        import jax.numpy as jnp

        start, per = inputs[-2:]
        measured = per * (quantity(values, inputs[count:-2]) - start)
        if space == "log":
            measured = jnp.exp(measured)
        elif space == "logit":
            measured = 1.0 / (1.0 + jnp.exp(-measured))
        real = law.function(*inputs[:count], **values)
        # Both branches are computed for each row: compiled programs have no branches under vmap.
        return jnp.where(per > 0, measured, real)

    inputs = (*law.inputs, *(f"_choose_{name}" for name in chosen), _FROM, _PER)
    return replace(law, name=f"{law.name} constrained", function=extended, inputs=inputs)
