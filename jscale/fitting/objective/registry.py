"""The registry of objectives: a class by its name, and an objective from its text or file.

Classes of other packages are found by the entry-point group ``jscale.objectives``: importing
their module registers them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from inspect import get_annotations, signature
from typing import Any, TypeVar

from jscale.arguments import check_choice
from jscale.errors import JscaleError, listing
from jscale.fitting.objective.base import REGISTERED, Objective, given_fields

ENTRY_POINTS = "jscale.objectives"
# The one shape parameter, under the name that it had in files before objectives were classes.
_OLD_SHAPE = "shape"

Loss = TypeVar("Loss", bound=Objective)


def register_objective(name: str) -> Callable[[type[Loss]], type[Loss]]:
    """Register a class of objectives under a name, for this process.

    The objective then serves :func:`jscale.fit` and all that follows from a fit: it is printed
    with its numbers, saved, loaded, and stated by the recipe of a report.

    Parameters
    ----------
    name : str
        The name: ``objective="name"`` makes the objective with its default numbers.

    Returns
    -------
    callable
        A class decorator, which returns the class itself.

    Raises
    ------
    JscaleError
        For a name that is not an identifier or is taken by another class, a class that is not a
        subclass of :class:`jscale.Objective` or has no ``rho``, and fields that are not those
        of a dataclass.

    Notes
    -----
    Defining the same class again, as in a notebook, replaces it. A package registers its
    objectives for every process, the command line included, by the entry-point group
    ``jscale.objectives``: ``cauchy = "my_package.losses:Cauchy"``.

    Examples
    --------
    >>> import jax.numpy as jnp, jscale as js
    >>> @js.register_objective("log_cosh")
    ... class LogCosh(js.Objective):
    ...     '''rho(r) = delta²·ln cosh(r/delta).'''
    ...     @staticmethod
    ...     def rho(r, delta):
    ...         return delta**2 * (jnp.logaddexp(r / delta, -r / delta) - jnp.log(2.0))
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"], objective="log_cosh")
    >>> fit.settings.objective.code
    "js.objectives.get('log_cosh', delta=0.001, space='log')"
    """
    if not (isinstance(name, str) and name.isidentifier()):
        raise JscaleError(
            f"{name!r} cannot be the name of an objective; give a word, such as "
            '@js.register_objective("cauchy").'
        )

    def register(cls: type[Loss]) -> type[Loss]:
        _check_class(name, cls)
        given = given_fields(cls)
        shape = tuple(field for field in given if field not in ("delta", "space"))
        _check_formula(cls, shape)
        cls.kind, cls.given, cls.shape_names = name, given, shape
        REGISTERED[name] = cls
        return cls

    return register


def _check_class(name: str, cls: Any) -> None:
    if not (isinstance(cls, type) and issubclass(cls, Objective)):
        raise JscaleError(
            f"{getattr(cls, '__name__', cls)!r} is not a class of objectives: derive it from "
            "js.Objective."
        )
    known = REGISTERED.get(name)
    if known is not None and _place(known) != _place(cls):
        raise JscaleError(f"An objective named {name!r} is registered already; choose another.")
    fields = set(given_fields(cls)) | {"delta", "space"}
    plain = [
        field
        for field, annotation in get_annotations(cls).items()
        if field not in fields and "ClassVar" not in str(annotation)
    ]
    if plain:
        raise JscaleError(
            f"{cls.__name__} has {listing(plain)} without being a dataclass: put "
            "@dataclass(frozen=True) under @js.register_objective."
        )


def _check_formula(cls: type[Objective], shape: tuple[str, ...]) -> None:
    """Raise JscaleError unless a class defines its formula, as a function of its numbers."""
    names = ("r", "delta", *shape)
    if _function(cls.terms) is not _function(Objective.terms):
        if "rho" in vars(cls) and "terms" not in vars(cls):
            raise JscaleError(
                f"{cls.__name__} inherits terms written by hand, which its rho would not change: "
                "derive it from js.Objective."
            )
        return
    if not hasattr(cls, "rho"):
        raise JscaleError(
            f"{cls.__name__} has no formula: define rho({', '.join(names)}) as a static method."
        )
    try:
        signature(cls.rho).bind(*names)
    except TypeError as error:
        raise JscaleError(
            f"{cls.__name__}.rho must be a static method of ({', '.join(names)}): {error}."
        ) from error


def _function(method: Any) -> Any:
    """Return the function behind a class method, or a static method itself."""
    return getattr(method, "__func__", method)


def _place(cls: type) -> tuple[str, str]:
    return cls.__module__, cls.__qualname__


def names() -> list[str]:
    """Return the names of all registered objectives, those of other packages included.

    Returns
    -------
    list of str
        Names, in the order of registration.

    Examples
    --------
    >>> import jscale as js
    >>> "pseudo_huber" in js.objectives.names()
    True
    """
    return list(dict.fromkeys([*REGISTERED, *(p.name for p in entry_points(group=ENTRY_POINTS))]))


def find(name: str) -> type[Objective]:
    """Return the class registered under a name.

    Parameters
    ----------
    name : str
        The name, such as "huber".

    Returns
    -------
    type
        A subclass of :class:`jscale.Objective`.

    Raises
    ------
    JscaleError
        For an unknown name, with the nearest known one.
    """
    if name not in REGISTERED:
        for point in entry_points(group=ENTRY_POINTS):
            if point.name == name:
                point.load()
    check_choice("objective", name, REGISTERED)
    return REGISTERED[name]


def get(name: str, **numbers: Any) -> Objective:
    """Return an objective by the name of its class.

    Parameters
    ----------
    name : str
        The name under which the class is registered.
    **numbers : float or str
        Fields of the class: ``delta``, ``space``, and its shape parameters.

    Returns
    -------
    Objective
        The objective, its other fields at their defaults.

    Raises
    ------
    JscaleError
        For an unknown name or field, or a number that the class refuses.

    Examples
    --------
    >>> import jscale as js
    >>> js.objectives.get("huber", delta=0.01) == js.huber(0.01)
    True
    """
    cls = find(name)
    unknown = [field for field in numbers if field not in cls.given]
    if unknown:
        raise JscaleError(f"{name} has no {listing(unknown)}; it takes {listing(cls.given)}.")
    return cls(**numbers)


def as_objective(objective: Objective | str, space: str = "log") -> Objective:
    """Return an objective, given one or the name of its class.

    Parameters
    ----------
    objective : Objective or str
        An objective, returned as it is, or a name.
    space : {"log", "linear", "logit"}
        The space of an objective that is given by name.

    Returns
    -------
    Objective
        The objective.

    Raises
    ------
    JscaleError
        For an unknown name, or something that is neither.
    """
    if isinstance(objective, Objective):
        return objective
    if not isinstance(objective, str):
        raise JscaleError(
            f"objective={objective!r} is not known; use {listing(names(), 10)}, or one made by "
            "js.huber(delta=1e-3)."
        )
    return get(objective, space=space)


def from_document(document: Mapping[str, Any]) -> Objective:
    """Return the objective of a saved fit, also of one written before objectives were classes.

    Parameters
    ----------
    document : mapping
        The kind and the numbers, as :meth:`Objective.as_document` gives them.

    Returns
    -------
    Objective
        The objective.

    Raises
    ------
    JscaleError
        For a kind that is not registered here, or numbers that its class refuses.
    """
    numbers = dict(document)
    kind = numbers.pop("kind")
    if kind not in names():
        raise JscaleError(
            f"The fit was made with the objective {kind!r}, which is not registered here. Import "
            f'or define its class first: @js.register_objective("{kind}").'
        )
    cls = find(kind)
    if _OLD_SHAPE in numbers and _OLD_SHAPE not in cls.given:
        shape = numbers.pop(_OLD_SHAPE)
        numbers.update(dict.fromkeys(cls.shape_names[:1], shape))
        # Files of that time gave a delta to objectives that have none.
        numbers = {name: value for name, value in numbers.items() if name in cls.given}
    return get(kind, **numbers)
