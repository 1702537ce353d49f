"""Objectives: what a fit minimises. Each is a small class with its formula, under a name.

``js.objectives`` is this package. :class:`Objective` says what a class defines,
:func:`register_objective` adds one, :func:`get` makes an objective by name.
"""

from jscale.fitting.objective.base import AUTO, Objective, Terms, with_likelihood
from jscale.fitting.objective.hubers import (
    Asymmetric,
    Huber,
    PseudoHuber,
    asymmetric,
    huber,
    pseudo_huber,
)
from jscale.fitting.objective.likelihoods import (
    LeastAbsolute,
    LeastSquares,
    StudentT,
    least_absolute,
    least_squares,
    student_t,
)
from jscale.fitting.objective.registry import (
    as_objective,
    find,
    from_document,
    get,
    names,
    register_objective,
)
from jscale.fitting.objective.spaces import from_space, rounding_error, to_space

__all__ = [
    "AUTO",
    "Asymmetric",
    "Huber",
    "LeastAbsolute",
    "LeastSquares",
    "Objective",
    "PseudoHuber",
    "StudentT",
    "Terms",
    "as_objective",
    "asymmetric",
    "find",
    "from_document",
    "from_space",
    "get",
    "huber",
    "least_absolute",
    "least_squares",
    "names",
    "pseudo_huber",
    "register_objective",
    "rounding_error",
    "student_t",
    "to_space",
    "with_likelihood",
]
