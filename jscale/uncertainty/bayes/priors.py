"""Priors: from a parameter's role, in the layout's centred units, or as stated by the user.

A role's prior is on the solver's coordinate: lognormal for a floor, an exponent, or an amplitude's
term at the geometric mean of the inputs. It never depends on the losses. An override of the same
form replaces it; a NumPyro distribution is a prior on the parameter's own value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jscale._precision import float64_scope
from jscale.errors import LawError, listing, nearest
from jscale.fitting.diagnostics import flat_names, natural_parameters
from jscale.fitting.problem import Problem
from jscale.model.layout import Layout
from jscale.model.roles import POSITIVE
from jscale.model.supports import to_line
from jscale.uncertainty.bayes.density import Spec, StatedPrior
from jscale.uncertainty.bayes.likelihoods import NUISANCE, nuisance_prior

# The forms of a prior by name, by support: all are normal on the coordinate.
FORMS = {"positive": "lognormal", "real": "normal", "fraction": "normal"}
_HALF_NORMAL_MEAN, _HALF_NORMAL_SD = np.sqrt(2 / np.pi), np.sqrt(1 - 2 / np.pi)


@dataclass(frozen=True, eq=False)
class Priors:
    """The prior of each coordinate of a :class:`~jscale.uncertainty.bayes.density.Spec`.

    ``mean`` and ``sd`` (size,) are normal on the coordinate, where ``plain`` (size,) is 1;
    ``spread`` (pooled,) are the scales of half-normal spreads. Distributions over parameters'
    own values are in ``spec.stated``.
    """

    spec: Spec
    mean: np.ndarray
    sd: np.ndarray
    plain: np.ndarray
    spread: np.ndarray

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """The arrays that a program receives."""
        return self.mean, self.sd, self.plain, self.spread

    def draw(self, problem: Problem, count: int, seed: int) -> np.ndarray:
        """Draw points z (count, size), families as offsets. Call inside the float64 scope."""
        rng = np.random.default_rng(seed)
        z = self.mean + self.sd * rng.standard_normal((count, self.spec.size))
        for k, name in enumerate(self.spec.pooled):
            # A half-normal spread, whose logarithm is the coordinate.
            half = np.abs(rng.standard_normal(count)) * self.spread[k]
            z[:, self.spec.population(name) + 1] = np.log(half)
        values = {
            stated.name: _sample(stated.distribution, count, seed + 1 + k)
            for k, stated in enumerate(self.spec.stated)
        }
        _put_values(self.spec, problem, z, values)
        return z


def make_priors(
    layout: Layout,
    space: str,
    likelihood: str,
    overrides: Mapping[str, Any] | None,
    pooled: Sequence[str] = (),
) -> Priors:
    """Return the priors of a model; raises LawError or JscaleError for overrides that are wrong."""
    overrides = _as_mapping(overrides)
    spec = Spec(layout, space, likelihood, tuple(pooled))
    nuisance = NUISANCE[likelihood]
    _check_names(spec, overrides)
    tables = {slot.name: slot.role.prior for slot in layout.slots}
    if nuisance:
        tables[nuisance] = nuisance_prior(likelihood, space)
    supports = {slot.name: slot.role.support for slot in layout.slots}
    stated = []
    for name, given in overrides.items():
        if name.endswith("[spread]"):
            continue
        support = supports.get(name, POSITIVE)
        if isinstance(given, tuple):
            tables[name] = _by_name(name, given, support)
        else:
            _check_distribution(name, given, support, name in pooled)
            stated.append(StatedPrior(name, given))
    spec = spec._replace(stated=tuple(stated))
    mean, sd, plain = np.zeros(spec.size), np.ones(spec.size), np.ones(spec.size)
    for slot in layout.slots:
        _, mean[slot.where], sd[slot.where] = tables[slot.name]
    spread = []
    for name in spec.pooled:
        slot, at = layout.slot(name), spec.population(name)
        assert slot is not None
        mean[at], sd[at] = mean[slot.first], sd[slot.first]
        mean[slot.where], sd[slot.where] = 0.0, 1.0
        plain[slot.where] = plain[at + 1] = 0.0
        spread.append(_spread(name, overrides.get(f"{name}[spread]"), 0.5 * sd[at]))
    if nuisance:
        _, mean[-1], sd[-1] = tables[nuisance]
    for one in stated:
        slot = layout.slot(one.name)
        plain[slot.where if slot else -1] = 0.0
    return Priors(spec, mean, sd, plain, np.array(spread))


def _as_mapping(overrides: Any) -> dict[str, Any]:
    if overrides is None:
        return {}
    if not isinstance(overrides, Mapping):
        raise LawError(
            f"priors={overrides!r} must be a mapping by parameter: "
            'priors={"alpha": ("lognormal", -1.0, 0.5)}.'
        )
    return dict(overrides)


def _check_names(spec: Spec, overrides: Mapping[str, Any]) -> None:
    layout, nuisance = spec.layout, NUISANCE[spec.likelihood]
    known = [s.name for s in layout.slots] + [f"{name}[spread]" for name in spec.pooled]
    known += [nuisance] if nuisance else []
    for name in overrides:
        if name in known:
            continue
        ties, hint = dict(layout.ties), ""
        if name in ties:
            why = f"{name} is tied to {ties[name]}: give that one's prior"
        elif name in layout.fixed:
            why = f"{name} is fixed, and a fixed parameter has no prior"
        else:
            why, hint = f"there is no parameter {name!r}", nearest(str(name), known)
        raise LawError(
            f"priors[{name!r}]: {why}.{hint} Priors can be given for {listing(known, 24)}."
        )


def _by_name(name: str, given: tuple[Any, ...], support: str) -> tuple[str, float, float]:
    form = FORMS[support]
    example = f'priors={{"{name}": ("{form}", 0.5, 0.5)}}'
    try:
        kind, a, b = str(given[0]), float(given[1]), float(given[2])
        whole = len(given) == 3 and np.isfinite(a) and np.isfinite(b) and b > 0
    except (IndexError, TypeError, ValueError):
        kind, a, b, whole = "", 0.0, 1.0, False
    if not whole:
        raise LawError(
            f"priors[{name!r}] is {given!r}; it must be a distribution's name, a mean and a "
            f"positive standard deviation, {example}, or a NumPyro distribution."
        )
    if kind != form:
        raise LawError(
            f"priors[{name!r}] is {kind!r}, but {name} is {_meaning(support)}: its prior by name "
            f"is {form!r}, {example}. Any other is a NumPyro distribution over its own value."
        )
    return kind, a, b


def _meaning(support: str) -> str:
    return {"positive": "positive", "real": "any number"}.get(support, "between 0 and 1")


def _spread(name: str, given: Any, usual: float) -> float:
    if given is None:
        return float(usual)
    try:
        kind, scale = given
        if kind == "half_normal" and 0 < float(scale) < np.inf:
            return float(scale)
    except (TypeError, ValueError):
        pass
    raise LawError(
        f"priors['{name}[spread]'] is {given!r}; a spread over families is half-normal: "
        f'priors={{"{name}[spread]": ("half_normal", 0.2)}}.'
    )


def _check_distribution(name: str, given: Any, support: str, pooled: bool) -> None:
    if not all(hasattr(given, what) for what in ("sample", "log_prob", "support")):
        raise LawError(
            f"priors[{name!r}] is {given!r}; give a tuple, "
            f'("{FORMS[support]}", 0.5, 0.5), or a NumPyro distribution.'
        )
    if pooled:
        raise LawError(
            f"priors[{name!r}]: the mean of a pooled parameter takes a prior by name, "
            f'("{FORMS[support]}", 0.5, 0.5), not a distribution over its own value.'
        )
    if given.batch_shape or given.event_shape:
        raise LawError(f"priors[{name!r}] has shape {given.batch_shape}; give one over a number.")
    with float64_scope():
        values = _sample(given, 1000, 0)
    low, high = {"positive": (0.0, np.inf), "fraction": (0.0, 1.0)}.get(support, (-np.inf, np.inf))
    outside = ~((values > low) & (values < high))
    if outside.any():
        raise LawError(
            f"priors[{name!r}] draws values such as {values[outside][0]:.3g}, but {name} is "
            f"{_meaning(support)}. Use a distribution with that support, such as "
            f'("{FORMS[support]}", 0.5, 0.5).'
        )


def _sample(distribution: Any, count: int, seed: int) -> np.ndarray:
    import jax

    return np.asarray(distribution.sample(jax.random.key(seed), (count,)), dtype=np.float64)


def _put_values(
    spec: Spec, problem: Problem, z: np.ndarray, values: Mapping[str, np.ndarray]
) -> None:
    """Put draws of parameters' own values into z (count, size): the coordinates that give them."""
    layout, centre = spec.layout, np.asarray(problem.data.centre)
    slots = [slot for slot in layout.slots if slot.name in values]
    if len(values) > len(slots):
        z[:, -1] = np.log(values[NUISANCE[spec.likelihood] or ""])
    if not slots:
        return
    names = flat_names(layout)
    natural = natural_parameters(problem, z[:, : layout.size])
    whole = {n: natural[:, _places(names, n)] for n in layout.law.names}
    for slot in slots:
        whole[slot.name] = np.repeat(values[slot.name][:, None], slot.size, axis=1)
    if not layout.per:
        theta = layout.coordinates_of_many({n: v[:, 0] for n, v in whole.items()}, centre)
    else:
        one = [
            {n: v[i] if layout.column(n) else v[i, 0] for n, v in whole.items()}
            for i in range(len(z))
        ]
        theta = np.stack([layout.coordinates(row, centre) for row in one])
    for slot in slots:
        z[:, slot.where] = theta[:, slot.where]


def _places(names: tuple[str, ...], name: str) -> list[int]:
    return [i for i, n in enumerate(names) if n == name or n.startswith(f"{name}[")]


def prior_moments(made: Priors) -> tuple[np.ndarray, np.ndarray]:
    """Return the prior mean and standard deviation of each coordinate, each (size,).

    Of a spread they are of its own value; for a distribution over a parameter's own value, of
    that value on its line (its logarithm, for a positive one).
    """
    mean, sd = made.mean.copy(), made.sd.copy()
    for k, name in enumerate(made.spec.pooled):
        at = made.spec.population(name) + 1
        mean[at], sd[at] = _HALF_NORMAL_MEAN * made.spread[k], _HALF_NORMAL_SD * made.spread[k]
    for stated in made.spec.stated:
        slot = made.spec.layout.slot(stated.name)
        with float64_scope():
            # By simulation: moments of the logarithm seldom have a closed form.
            values = _sample(stated.distribution, 4000, 0)
        line = to_line(values, slot.role.support if slot else POSITIVE)
        where = slot.where if slot else -1
        mean[where], sd[where] = line.mean(), line.std()
    return mean, sd


def as_stated(made: Priors, z: np.ndarray, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return draws z (S, size) in the terms of :func:`prior_moments`.

    ``values`` are the law's parameters by flat name, each (S,).
    """
    z = z.copy()
    for name in made.spec.pooled:
        at = made.spec.population(name) + 1
        z[:, at] = np.exp(z[:, at])
    for stated in made.spec.stated:
        slot = made.spec.layout.slot(stated.name)
        if slot is None:
            continue
        for i in range(slot.first, slot.first + slot.size):
            z[:, i] = to_line(values[made.spec.labels[i]], slot.role.support)
    return z
