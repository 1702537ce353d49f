"""Distillation: the loss of a student that learns from a teacher's predictions."""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Positive, Scale

# Teachers are searched from so many times worse than the student down to so many times better.
_TEACHERS = np.geomspace(0.05, 4.0, 400)
_REFINEMENTS = 60
_GOLDEN = (np.sqrt(5.0) - 1) / 2


def _scarcity(p: Values, *, N: Any, D: Any) -> Any:
    """(A/N^alpha + B/D^beta)^gamma: what size and tokens of the student leave unlearnt."""
    left = p["A"] * raised(N, -p["alpha"]) + p["B"] * raised(D, -p["beta"])
    return raised(left, p["gamma"])


def _student_loss(p: Values, *, N: Any, D: Any, teacher_loss: Any, supervised_loss: Any) -> Any:
    """L_T + L_T^(−c0)·(1 + (L_T/(d1·L_0))^(1/f1))^(−c1·f1)·(A/N^alpha + B/D^beta)^gamma."""
    teacher = raised(teacher_loss, 1.0)
    place = np.log(teacher / (p["d1"] * np.asarray(supervised_loss))) / p["f1"]
    transfer = np.exp(-p["c0"] * np.log(teacher) - p["c1"] * p["f1"] * np.logaddexp(0.0, place))
    return teacher + transfer * _scarcity(p, N=N, D=D)


def _gain(p: Values, *, N: Any, D: Any, teacher_loss: Any, supervised_loss: Any) -> Any:
    """L_0 − L_S: how much lower the loss is than that of the same student without a teacher."""
    reached = _student_loss(p, N=N, D=D, teacher_loss=teacher_loss, supervised_loss=supervised_loss)
    return supervised_loss - reached


def _best_teacher(p: Values, *, N: Any, D: Any, supervised_loss: Any) -> Any:
    """The teacher's loss L_T at which the student's is lowest, from 0.05 to 4 times L_0."""
    supervised = np.asarray(supervised_loss, dtype=float)

    def at(teacher: Any) -> Any:
        return _student_loss(p, N=N, D=D, teacher_loss=teacher, supervised_loss=supervised)

    losses = np.stack(np.broadcast_arrays(*(at(t * supervised) for t in _TEACHERS)))
    best = losses.argmin(axis=0).clip(1, len(_TEACHERS) - 2)
    low, high = np.log(_TEACHERS[best - 1]), np.log(_TEACHERS[best + 1])
    for _ in range(_REFINEMENTS):
        inner, outer = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        left = at(np.exp(inner) * supervised) < at(np.exp(outer) * supervised)
        low, high = np.where(left, low, inner), np.where(left, outer, high)
    return np.exp(0.5 * (low + high)) * supervised


def _best_loss(p: Values, *, N: Any, D: Any, supervised_loss: Any) -> Any:
    """The student's loss with the best teacher, see best_teacher_loss."""
    best = _best_teacher(p, N=N, D=D, supervised_loss=supervised_loss)
    return _student_loss(p, N=N, D=D, teacher_loss=best, supervised_loss=supervised_loss)


def _break(p: Values, *, supervised_loss: Any) -> Any:
    """d1·L_0: the teacher's loss at which what it passes on changes its slope."""
    return p["d1"] * np.asarray(supervised_loss)


@law(
    formula="L_T + L_T^(-c0)·(1 + (L_T/(L_0·d1))^(1/f1))^(-c1·f1)·(A/N^alpha + B/D^beta)^gamma, "
    "L_T = teacher_loss, L_0 = supervised_loss",
    reference="arXiv:2502.08606",
    unit="nats per token",
    powers=(("A", "N", "alpha"), ("B", "D", "beta")),
    positive=("teacher_loss", "supervised_loss"),
    falling=("N", "D"),
    start={
        "c0": (0.1, 4.0), "c1": (0.1, 4.0), "d1": (0.5, 2.0), "f1": (0.03, 1.0),
        "gamma": (0.3, 2.0),
    },
    quantities={
        "best_teacher_loss": _best_teacher,
        "loss_with_best_teacher": _best_loss,
        "gain": _gain,
        "break_of_teacher": _break,
    },
)  # fmt: skip
def distillation(
    N: Any, D: Any, teacher_loss: Any, supervised_loss: Any, *,
    c0: Positive, c1: Positive, d1: Positive, f1: Positive,
    A: Scale, alpha: Exponent, B: Scale, beta: Exponent, gamma: Exponent,
) -> Any:  # fmt: skip
    """L_S = L_T + L_T^(−c0)·(1 + (L_T/(L_0·d1))^(1/f1))^(−c1·f1)·(A/N^alpha + B/D^beta)^gamma.

    N: parameters of the student. D: tokens it is distilled on. teacher_loss, L_T: the teacher's
    loss. supervised_loss, L_0: the loss that the same student reaches on as many tokens without a
    teacher, measured or from a law such as ``chinchilla``. All losses in nats per token on the
    same held-out set. Output: the student's loss, above the teacher's, to which it falls as N and
    D grow. A, alpha, B, beta are not those of ``chinchilla``.

    What keeps the student off its teacher grows as L_T^(−c0) for strong teachers and falls as
    L_T^(−c0−c1) beyond the break L_T = d1·L_0, whose sharpness is 1/f1. So a student may do worse
    with a stronger teacher (the capacity gap): ``best_teacher_loss`` is found on a grid and
    refined, and lies at the grid's end where there is no lowest point inside.

    Nine parameters want students, tokens and teachers crossed, with teachers on both sides of
    the break; A, B and gamma are told apart only where size and tokens are scarce in turn.
    Source: Busbridge et al., arXiv:2502.08606.
    """
    import jax
    import jax.numpy as jnp

    log_teacher = jnp.log(teacher_loss)
    place = (log_teacher - jnp.log(supervised_loss) - jnp.log(d1)) / f1
    transfer = jnp.exp(-c0 * log_teacher - c1 * f1 * jax.nn.softplus(place))
    scarcity = power(A * power(N, -alpha) + B * power(D, -beta), gamma)
    return teacher_loss + transfer * scarcity
