"""Distillation: the law's limits, and the best teacher."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from tests.laws.numeric import lowest

OWN = {
    "c0": 1.5,
    "c1": 1.2,
    "d1": 0.95,
    "f1": 0.1,
    "A": 3e4,
    "alpha": 0.5,
    "B": 4e5,
    "beta": 0.55,
    "gamma": 0.7,
}
STUDENT = {"N": 1e9, "D": 2e10, "supervised_loss": 2.4}


def loss(teacher: object, constants: dict[str, float] = OWN, **student: float) -> np.ndarray:
    return js.laws.get("distillation")(teacher_loss=teacher, **{**STUDENT, **student}, **constants)


def test_the_formula_by_hand() -> None:
    scarce = (3e4 / 1e9**0.5 + 4e5 / 2e10**0.55) ** 0.7
    for teacher in (1.8, 2.28, 3.0):
        broken = (1 + (teacher / (2.4 * 0.95)) ** 10) ** -0.12
        assert loss(teacher) == pytest.approx(teacher + teacher**-1.5 * broken * scarce, rel=1e-13)


def test_endless_students_reach_their_teacher() -> None:
    assert loss(2.0, N=1e30, D=1e30) == pytest.approx(2.0, rel=1e-6)
    assert loss(2.0, N=1e30) > 2.0 + 1e-3


def test_slopes_on_both_sides_of_the_break() -> None:
    """ln(L_S − L_T) falls with ln L_T at c0 for strong teachers and at c0 + c1 for weak ones."""
    for teachers, slope in (((0.2, 0.21), 1.5), ((20.0, 21.0), 2.7)):
        left = np.log(loss(np.array(teachers)) - teachers)
        assert np.diff(left) / np.diff(np.log(teachers)) == pytest.approx(-slope, rel=1e-6)
    at = js.laws.get("distillation").quantities["break_of_teacher"](OWN, supervised_loss=2.4)
    assert at == pytest.approx(2.28, rel=1e-15)


@pytest.mark.parametrize("N", [1e8, 1e9, 1e10])
def test_the_best_teacher(N: float) -> None:
    law = js.laws.get("distillation")
    student = {**STUDENT, "N": N}
    teacher, least = lowest(lambda t: loss(t, N=N), 0.5, 4.0)
    best = law.quantities["best_teacher_loss"](OWN, **student)
    assert best == pytest.approx(teacher, rel=1e-5)
    assert law.quantities["loss_with_best_teacher"](OWN, **student) == pytest.approx(
        least, rel=1e-10
    )
    assert loss(0.9 * best, N=N) > least
    assert law.quantities["gain"](OWN, teacher_loss=teacher, **student) == pytest.approx(
        2.4 - least
    )


def test_the_best_teacher_is_the_lower_of_two_valleys() -> None:
    """A sharp break makes a second valley; the lower one is taken, over draws and students."""
    sharp = {**OWN, "f1": 0.005, "c1": 6.0, "c0": 0.5}
    teachers = np.geomspace(0.12, 9.6, 200_001)
    draws = {name: np.array([[value], [value * 1.02]]) for name, value in sharp.items()}
    N = np.array([1e8, 1e9, 1e10])
    best = js.laws.get("distillation").quantities["best_teacher_loss"](
        draws, N=N, D=2e10, supervised_loss=2.4
    )
    assert best.shape == (2, 3)
    for draw, row in enumerate(best):
        constants = {name: float(value[draw, 0]) for name, value in draws.items()}
        for size, teacher in zip(N, row, strict=True):
            curve = loss(teachers, constants, N=size)
            valleys = np.flatnonzero((curve[1:-1] < curve[:-2]) & (curve[1:-1] < curve[2:]))
            assert len(valleys) >= 1
            assert teacher == pytest.approx(teachers[curve.argmin()], rel=1e-4)


@pytest.mark.parametrize("column", ["teacher_loss", "supervised_loss", "N"])
def test_losses_and_sizes_must_be_positive(column: str) -> None:
    frame = pd.DataFrame({"N": np.geomspace(1e8, 1e10, 20), "D": 2e10, "supervised_loss": 2.4})
    frame["teacher_loss"] = np.linspace(1.8, 3.0, 20)
    frame["loss"] = loss(frame["teacher_loss"].to_numpy(), N=frame["N"].to_numpy())
    frame.loc[4, column] = 0.0
    with pytest.raises(
        js.DataError,
        match=rf"{column}.*(zero or negative|positive).*row 4|{column}.*zero or negative.*row 4",
    ):
        js.fit("distillation", frame)
