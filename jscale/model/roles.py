"""Roles of parameters, which determine support, automatic starts and prior.

A law annotates each parameter with a role (``E: Floor``). The aliases below are
``Annotated[Any, Role(...)]``, which type checkers accept and which leave the law a plain function.
A role contains only names and numbers. Supports and priors never depend on the observed losses;
starts may.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, nan
from typing import Annotated, Any

from jscale.errors import LawError

POSITIVE, REAL, FRACTION = "positive", "real", "fraction"


@dataclass(frozen=True)
class Role:
    """The role of a parameter.

    Parameters
    ----------
    name : str
        Name of the role.
    support : {"positive", "real", "fraction"}
        Where values lie; "fraction" is the open unit interval.
    start : (float, float)
        Range from which automatic starts are drawn, in the unit ``unit``.
    unit : {"plain", "lowest", "typical", "log-typical", "range"}
        Plain numbers, multiples of the lowest output, multiples of the median output, numbers
        added to the logarithm of the median output, or 0 to 1 along the logarithm of an input.
    log : bool
        Whether starts are drawn log-uniformly.
    prior : (str, float, float)
        Name of a distribution and its two numbers, in centred units.
    meaning : str
        The role in words.
    """

    name: str
    support: str
    start: tuple[float, float]
    unit: str = "plain"
    log: bool = False
    prior: tuple[str, float, float] = ("normal", 0.0, 1.0)
    meaning: str = ""


FLOOR = Role(
    "floor",
    POSITIVE,
    (0.1, 0.98),
    "lowest",
    prior=("lognormal", 0.5, 1.0),
    meaning="irreducible loss",
)
SCALE = Role(
    "scale",
    POSITIVE,
    (0.02, 2.0),
    "typical",
    log=True,
    prior=("lognormal", -1.0, 1.5),
    meaning="amplitude of a term",
)
LOG_SCALE = Role(
    "log_scale",
    REAL,
    (-4.0, 0.7),
    "log-typical",
    prior=("normal", -1.0, 1.5),
    meaning="logarithm of an amplitude",
)
EXPONENT = Role(
    "exponent",
    POSITIVE,
    (0.05, 1.2),
    log=True,
    prior=("lognormal", -1.0, 0.7),
    meaning="exponent of a power",
)
LOCATION = Role(
    "location",
    POSITIVE,
    (0.05, 0.95),
    "range",
    prior=("lognormal", 0.0, 2.0),
    meaning="position along an input's axis",
)
SLOPE = Role(
    "slope", REAL, (-0.8, 0.8), prior=("normal", 0.0, 0.5), meaning="rate of change of any sign"
)
POSITIVE_ROLE = Role(
    "positive",
    POSITIVE,
    (0.1, 10.0),
    log=True,
    prior=("lognormal", 0.0, 1.5),
    meaning="positive number",
)
REAL_ROLE = Role("real", REAL, (-2.0, 2.0), prior=("normal", 0.0, 2.0), meaning="any number")
FRACTION_ROLE = Role(
    "fraction", FRACTION, (0.05, 0.95), prior=("normal", 0.0, 1.5), meaning="number between 0 and 1"
)

Floor = Annotated[Any, FLOOR]
Scale = Annotated[Any, SCALE]
LogScale = Annotated[Any, LOG_SCALE]
Exponent = Annotated[Any, EXPONENT]
Location = Annotated[Any, LOCATION]
Slope = Annotated[Any, SLOPE]
Positive = Annotated[Any, POSITIVE_ROLE]
Real = Annotated[Any, REAL_ROLE]
Fraction = Annotated[Any, FRACTION_ROLE]

ROLE_ALIASES: dict[str, Any] = {
    "Floor": Floor,
    "Scale": Scale,
    "LogScale": LogScale,
    "Exponent": Exponent,
    "Location": Location,
    "Slope": Slope,
    "Positive": Positive,
    "Real": Real,
    "Fraction": Fraction,
}


def with_start(name: str, role: Role, given: Any) -> Role:
    """Return a role with another range for automatic starts.

    Parameters
    ----------
    name : str
        Name of the parameter, for the error message.
    role : Role
        The role to change.
    given : (float, float)
        Lowest and highest start, in plain numbers (or in 0 to 1 for a role of unit "range").

    Returns
    -------
    Role
        The changed role.

    Raises
    ------
    LawError
        If the range is not two rising numbers within the role's support.
    """
    limits = {POSITIVE: (0.0, inf), FRACTION: (0.0, 1.0)}.get(role.support, (-inf, inf))
    try:
        low, high = (float(v) for v in given)
    except (TypeError, ValueError):
        low, high = nan, nan
    lowest, highest = (-inf, inf) if role.unit == "range" else limits
    if not (lowest < low <= high < highest):
        raise LawError(
            f"start[{name!r}] is {given!r}; it must be two numbers, low and high, "
            f'within ({lowest:g}, {highest:g}): start={{"{name}": (0.1, 0.9)}}.'
        )
    unit = "range" if role.unit == "range" else "plain"
    return replace(role, start=(low, high), unit=unit)
