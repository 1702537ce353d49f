"""Families: the laws that a forecast weighs, given the columns of a table, and their priors.

Tables of N and D use the law of Hoffmann et al.; tables of one input use a constant plus a power
law with at most one break; any other law, of the catalogue or the user's own, has a weak prior.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from jscale.discrepancy.members import Member, make_member
from jscale.discrepancy.prior import FamilyPrior, ForecastPrior, Variant, default_prior
from jscale.model.declare import law
from jscale.model.law import Law
from jscale.model.layout import Layout
from jscale.model.roles import Exponent, Fraction, Positive, Real

SURFACE, ONE_AXIS = "loss_surface", "one_axis"
# The frontier's level is the median output of this many of the largest runs.
_LAST = 5
# Without a break, its change of slope is pinned at zero by a prior this narrow.
_NO_BREAK = (0.0, 1e-4)
_WIDTH = 0.25
# Exponents of the law are kept within ±60, where doubles are still far from their limits.
_FAR = 60.0


@lru_cache
def frontier_law(axis: str, output: str = "loss") -> Law:
    """Return the law of one axis, a constant and a power law with one smooth break.

    With x relative to the largest fitted input and t = ln x,

        y(x) = level·((1 − share) + share·x^(−alpha)·exp(−kappa·alpha·b(t))),
        b(t) = width·(softplus(−(t − place)/width) − softplus(place/width)),

    so that ``level`` is the output at the largest run, ``share`` its reducible part, alpha the
    exponent beyond the break and alpha·(1 − kappa) the one before it. A reparametrised broken
    neural scaling law of one break (Caballero et al., arXiv:2210.14891).

    Parameters
    ----------
    axis, output : str
        The names of the input and of the output.

    Returns
    -------
    Law
    """

    def frontier_power(x: Any, **values: Any) -> Any:
        import jax
        import jax.numpy as jnp

        t, place, width = jnp.log(x), values["place"], values["width"]
        soft = jax.nn.softplus
        bend = width * (soft(-(t - place) / width) - soft(place / width))
        alpha, share = values["alpha"], values["share"]
        reducible = jnp.exp(jnp.clip(-alpha * t - values["kappa"] * alpha * bend, -_FAR, _FAR))
        return values["level"] * ((1.0 - share) + share * reducible)

    return law(
        frontier_power,
        name="frontier_power",
        inputs=(axis,),
        output=output,
        parameters={
            "level": Positive,
            "share": Fraction,
            "alpha": Exponent,
            "kappa": Real,
            "place": Real,
            "width": Positive,
        },
        formula="level·((1 − share) + share·x^(−alpha)·bend(x))",
        reference="arXiv:2210.14891",
        unit="as fitted",
    )


def frontier_floor(values: Mapping[str, Any]) -> Any:
    """Return the irreducible output of :func:`frontier_law`."""
    return values["level"] * (1.0 - values["share"])


def axis_member(made: Law, x: np.ndarray, y: np.ndarray, space: str, prior: FamilyPrior) -> Member:
    """Return the law of one axis for a table: a lane for each place of a break.

    Every variant of the prior names ``place``, the share of the fitted range in ln x at which
    its break lies, or None for no break.
    """
    last = float(x.max())
    layout = Layout.make(made, fixed=("place", "width"))
    # The level is the outcome near the largest run, to which inputs are scaled as well.
    level = float(np.median(y[np.argsort(x, kind="stable")[-_LAST:]]))
    span = float(np.log(x.min() / last))
    variants = tuple(_with_level(v, level) for v in prior.variants)
    places = [v.extra["place"] for v in variants]
    fixed = {
        # Breaks are measured from the largest run: ln x there is 0, at the smallest `span`.
        "place": np.array([0.0 if p is None else (1.0 - p) * span for p in places]),
        "width": np.full(len(places), _WIDTH),
    }
    family = replace(prior, variants=variants)
    return make_member(
        made.name,
        layout,
        space,
        family,
        1.0,
        fixed=fixed,
        unit={made.inputs[0]: last},
        floor=frontier_floor,
    )


def _with_level(variant: Variant, level: float) -> Variant:
    middle, width = variant.parameters["level"]
    parameters = {**variant.parameters, "level": (middle + float(np.log(level)), width)}
    if variant.extra["place"] is None:
        parameters["kappa"] = _NO_BREAK
    return Variant(variant.name, parameters, variant.extra)


def weak_prior(prior: ForecastPrior | None = None) -> FamilyPrior:
    """Return the weak prior of a law without a training corpus: roles' priors, all kernels.

    Kernels, noises and their weights are those learnt for the surface law; parameters have the
    wide priors of their roles.
    """
    surface = (prior or default_prior()).families[SURFACE]
    broad = Variant("weak", {})
    return replace(
        surface,
        name="weak",
        variants=(broad,),
        variant_bias=np.zeros((1, 3)),
    )
