"""Distillation: the loss of a student trained on a teacher's predictions."""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Positive, Scale

# Losses of teachers on the search grid, relative to the student's loss without a teacher.
_TEACHERS = np.geomspace(0.05, 4.0, 400)
# Steps of golden-section search, which reduce the interval to rounding error.
_REFINEMENTS = 60
_GOLDEN = (np.sqrt(5.0) - 1) / 2


def _scarcity(p: Values, *, N: Any, D: Any) -> Any:
    """Return (A/N^alpha + B/D^beta)^gamma, what the student's size and tokens leave unlearnt."""
    unlearnt = p["A"] * raised(N, -p["alpha"]) + p["B"] * raised(D, -p["beta"])
    return raised(unlearnt, p["gamma"])


def _student_loss(p: Values, *, N: Any, D: Any, teacher_loss: Any, supervised_loss: Any) -> Any:
    """L_T + L_T^(−c0)·(1 + (L_T/(d1·L_0))^(1/f1))^(−c1·f1)·(A/N^alpha + B/D^beta)^gamma."""
    teacher = raised(teacher_loss, 1.0)
    place = np.log(teacher / (p["d1"] * np.asarray(supervised_loss))) / p["f1"]
    transfer = np.exp(-p["c0"] * np.log(teacher) - p["c1"] * p["f1"] * np.logaddexp(0.0, place))
    return teacher + transfer * _scarcity(p, N=N, D=D)


def _gain(p: Values, *, N: Any, D: Any, teacher_loss: Any, supervised_loss: Any) -> Any:
    """L_0 − L_S: reduction of the loss compared with the same student without a teacher."""
    reached = _student_loss(p, N=N, D=D, teacher_loss=teacher_loss, supervised_loss=supervised_loss)
    return supervised_loss - reached


def _best_teacher(p: Values, *, N: Any, D: Any, supervised_loss: Any) -> Any:
    """Teacher's loss L_T with the lowest loss of the student, from 0.05 to 4 times L_0."""
    supervised = np.asarray(supervised_loss, dtype=float)

    def at(teacher: Any) -> Any:
        return _student_loss(p, N=N, D=D, teacher_loss=teacher, supervised_loss=supervised)

    losses = np.stack(np.broadcast_arrays(*(at(t * supervised) for t in _TEACHERS)))
    # The neighbours bracket the minimum; at an end of the grid the last two cells are searched.
    best = losses.argmin(axis=0).clip(1, len(_TEACHERS) - 2)
    low, high = np.log(_TEACHERS[best - 1]), np.log(_TEACHERS[best + 1])
    # Golden-section search in ln L_T, for all elements at once.
    for _ in range(_REFINEMENTS):
        inner, outer = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        left = at(np.exp(inner) * supervised) < at(np.exp(outer) * supervised)
        low, high = np.where(left, low, inner), np.where(left, outer, high)
    return np.exp(0.5 * (low + high)) * supervised


def _best_loss(p: Values, *, N: Any, D: Any, supervised_loss: Any) -> Any:
    """Student's loss with the best teacher (see best_teacher_loss)."""
    best = _best_teacher(p, N=N, D=D, supervised_loss=supervised_loss)
    return _student_loss(p, N=N, D=D, teacher_loss=best, supervised_loss=supervised_loss)


def _break(p: Values, *, supervised_loss: Any) -> Any:
    """d1·L_0: teacher's loss at which the slope of its effect changes."""
    return p["d1"] * np.asarray(supervised_loss)


@law(
    formula="L_T + L_T^(-c0)·(1 + (L_T/(L_0·d1))^(1/f1))^(-c1·f1)·(A/N^alpha + B/D^beta)^gamma, "
    "L_T = teacher_loss, L_0 = supervised_loss",
    reference="arXiv:2502.08606",
    unit="nats per token",
    powers=(("A", "N", "alpha"), ("B", "D", "beta")),
    positive=("teacher_loss", "supervised_loss"),
    falling=("N", "D"),
    # The break is searched near L_T = L_0, where a teacher is as good as the student alone.
    start={
        "c0": (0.1, 4.0),
        "c1": (0.1, 4.0),
        "d1": (0.5, 2.0),
        "f1": (0.03, 1.0),
        "gamma": (0.3, 2.0),
    },
    quantities={
        "best_teacher_loss": _best_teacher,
        "loss_with_best_teacher": _best_loss,
        "gain": _gain,
        "break_of_teacher": _break,
    },
)
def distillation(
    N: Any,
    D: Any,
    teacher_loss: Any,
    supervised_loss: Any,
    *,
    c0: Positive,
    c1: Positive,
    d1: Positive,
    f1: Positive,
    A: Scale,
    alpha: Exponent,
    B: Scale,
    beta: Exponent,
    gamma: Exponent,
) -> Any:
    """Loss of a student distilled from a teacher, by its size, its tokens and the teacher's loss.

        L_S = L_T + L_T^(−c0)·(1 + (L_T/(L_0·d1))^(1/f1))^(−c1·f1)·(A/N^alpha + B/D^beta)^gamma

    Parameters
    ----------
    N : array_like
        Parameters of the student, above 0.
    D : array_like
        Tokens of distillation, above 0.
    teacher_loss : array_like
        Loss L_T of the teacher in nats per token, above 0.
    supervised_loss : array_like
        Loss L_0 that the same student reaches on as many tokens without a teacher, in nats per
        token: measured, or from a law such as ``chinchilla``.
    c0 : Positive
        Exponent of the teacher's loss below the break, above 0.
    c1 : Positive
        Change of that exponent at the break, above 0.
    d1 : Positive
        Position of the break relative to L_0, above 0.
    f1 : Positive
        Width of the break, above 0; its sharpness is 1/f1.
    A : Scale
        Amplitude of the size term, above 0; not that of ``chinchilla``.
    alpha : Exponent
        Exponent of size, above 0; not that of ``chinchilla``.
    B : Scale
        Amplitude of the data term, above 0; not that of ``chinchilla``.
    beta : Exponent
        Exponent of data, above 0; not that of ``chinchilla``.
    gamma : Exponent
        Exponent of the sum of both terms, above 0.

    Returns
    -------
    loss : array
        Loss of the student in nats per token, above that of the teacher, which it approaches as N
        and D grow.

    Notes
    -----
    All losses are in nats per token on the same held-out set. The distance of the student from its
    teacher grows as L_T^(−c0) for strong teachers and falls as L_T^(−c0−c1) beyond the break L_T =
    d1·L_0. A student may therefore do worse with a stronger teacher (the capacity gap).
    ``best_teacher_loss`` is searched on a grid and refined; it lies at an end of the grid where
    there is no minimum inside.

    Nine parameters need a design that crosses students, tokens and teachers, with teachers on both
    sides of the break. A, B and gamma are identified only if size is scarce in some runs and tokens
    in others.

    References
    ----------
    .. [1] Busbridge et al., Distillation Scaling Laws, arXiv:2502.08606.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("distillation")
    >>> constants = {"c0": 1.0, "c1": 1.0, "d1": 1.0, "f1": 0.5, "A": 100.0, "alpha": 0.25,
    ...              "B": 1000.0, "beta": 0.25, "gamma": 1.0}
    >>> round(float(law(1e8, 1e12, 2.0, 3.0, **constants)), 3)
    2.832
    """
    import jax
    import jax.numpy as jnp

    log_teacher = jnp.log(teacher_loss)
    # In logarithms, because the power 1/f1 overflows at sharp breaks.
    place = (log_teacher - jnp.log(supervised_loss) - jnp.log(d1)) / f1
    transfer = jnp.exp(-c0 * log_teacher - c1 * f1 * jax.nn.softplus(place))
    scarcity = power(A * power(N, -alpha) + B * power(D, -beta), gamma)
    return teacher_loss + transfer * scarcity
