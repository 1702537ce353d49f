"""The registry of uncertainty methods: how a fit's parameters are drawn, by name.

Whatever takes ``method=`` (:func:`jscale.draws`, predictions, plans, :func:`jscale.fit_many`,
:func:`jscale.compare`, the command line) and whatever lists the choices reads this registry. The
methods themselves are registered where they are written, in the rooms above; those of other
packages are found by the entry-point group ``jscale.methods``: importing their module registers
them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Protocol, TypeVar

import numpy as np

from jscale.arguments import check_choice
from jscale.data.resampling import Units
from jscale.errors import JscaleError, listing

ENTRY_POINTS = "jscale.methods"
# The choice among the methods by what suits a fit.
AUTO = "auto"


class Draw(Protocol):
    """Draws the parameters of a fit."""

    def __call__(self, fit: Any, draws: int, seed: int, progress: bool, /) -> Any:
        """Return ``draws`` Draws of a Fit, with a progress bar if ``progress``."""
        ...


class Weigh(Protocol):
    """Draws the weights of resamples."""

    def __call__(self, units: Units, resamples: int, rng: np.random.Generator, /) -> np.ndarray:
        """Return how much each row weighs in each resample (resamples, n).

        All rows of a unit weigh alike, and weights add up to about n.
        """
        ...


class Approximate(Protocol):
    """Draws coordinates around an optimum."""

    def __call__(
        self,
        theta: np.ndarray,
        covariance: np.ndarray,
        freedom: int,
        count: int,
        rng: np.random.Generator,
        /,
    ) -> np.ndarray:
        """Return coordinates (count, p), given the optimum (p,) and its covariance (p, p)."""
        ...


Drawing = TypeVar("Drawing", bound=Callable[..., Any])


@dataclass(frozen=True)
class Method:
    """An uncertainty method, as :func:`jscale.register_method` registers it.

    Attributes
    ----------
    name : str
        What ``method=`` calls it.
    draw : callable
        The function ``(fit, draws, seed, progress) -> Draws``.
    words : str
        What it does, in a few words, for help texts.
    resampled : bool
        Whether its draws are refits of resampled or reweighted runs. Those of two fits to common
        runs, by one seed, are compared draw by draw.
    weigh : callable or None
        How rows weigh in the resamples of many sets at once.
    approximate : callable or None
        How coordinates of many sets at once are drawn around their optima.
    """

    name: str
    draw: Draw
    words: str
    resampled: bool = False
    weigh: Weigh | None = None
    approximate: Approximate | None = None

    @property
    def batched(self) -> bool:
        """Whether it draws many sets of rows in one batch."""
        return self.weigh is not None or self.approximate is not None

    @property
    def place(self) -> str:
        """Where its function is defined, as ``module:name``."""
        return f"{self.draw.__module__}:{getattr(self.draw, '__qualname__', '')}"


METHODS: dict[str, Method] = {}


def register_method(
    name: str,
    *,
    words: str,
    resampled: bool = False,
    weigh: Weigh | None = None,
    approximate: Approximate | None = None,
) -> Callable[[Drawing], Drawing]:
    """Register a function that draws a fit's parameters as an uncertainty method.

    The method then serves wherever ``method=`` is an argument: :func:`jscale.draws`,
    :func:`jscale.predict`, plans, reports and the command line (``--method``). With ``weigh`` or
    ``approximate`` it also serves :func:`jscale.fit_many` and :func:`jscale.compare`, which draw
    many sets of rows in one batch.

    Parameters
    ----------
    name : str
        What ``method=`` calls it.
    words : str
        What it does, in a few words: "refits of resampled runs".
    resampled : bool, default False
        Whether its draws are refits of resampled or reweighted runs.
    weigh : callable, optional
        A function ``(units, resamples, rng) -> weights (resamples, n)`` of rows; the sets are
        refitted with them.
    approximate : callable, optional
        A function ``(theta, covariance, freedom, count, rng) -> coordinates (count, p)``, which
        draws around an optimum without refitting.

    Returns
    -------
    callable
        A decorator of a function ``(fit, draws, seed, progress) -> Draws``, which returns the
        function itself.

    Raises
    ------
    JscaleError
        For a name that is not an identifier or is taken by another function, no words, or both
        ``weigh`` and ``approximate``. Defining the same function again, as in a notebook, replaces
        it.

    Examples
    --------
    >>> import jscale as js
    >>> @js.register_method("wild", words="refits of residuals with random signs", resampled=True)
    ... def wild(fit, draws, seed, progress):
    ...     return js.bootstrap(fit, draws, kind="wild", seed=seed, progress=progress)
    >>> table = js.datasets.load("stdlib_lm")
    >>> small = table[table["split"] == "fit"]
    >>> fit = js.fit("chinchilla", small, objective=js.pseudo_huber(1e-2))
    >>> js.draws(fit, "wild", resamples=50).method
    'bootstrap (wild)'
    >>> js.methods.unregister("wild")
    """
    if not (isinstance(name, str) and name.isidentifier()) or name in (AUTO, "none"):
        raise JscaleError(
            f"{name!r} cannot be the name of a method; give a word, such as "
            '@js.register_method("wild", words="…").'
        )
    if not (isinstance(words, str) and words.strip()):
        raise JscaleError(
            f"words={words!r} must say in a few words what {name} does, for help texts: "
            'words="refits of resampled runs".'
        )
    if weigh is not None and approximate is not None:
        raise JscaleError(
            f"{name} has both weigh and approximate: give the one by which many sets of rows are "
            "drawn at once."
        )

    def register(function: Drawing) -> Drawing:
        method = Method(name, function, words.strip(), resampled, weigh, approximate)
        known = METHODS.get(name)
        if known is not None and known.place != method.place:
            raise JscaleError(f"A method named {name!r} is registered already; choose another.")
        METHODS[name] = method
        return function

    return register


def unregister(name: str) -> None:
    """Take a method out of the registry.

    Parameters
    ----------
    name : str
        A registered name.

    Raises
    ------
    JscaleError
        For a name that is not registered.

    Examples
    --------
    >>> import jscale as js
    >>> @js.register_method("mine", words="draws of my own")
    ... def mine(fit, draws, seed, progress):
    ...     return js.laplace(fit, draws, seed=seed)
    >>> js.methods.unregister("mine")
    >>> "mine" in js.methods.names()
    False
    """
    check_choice("method", name, METHODS)
    del METHODS[name]


def names(*, batched: bool = False) -> list[str]:
    """Return the names of all methods, those of other packages included.

    Parameters
    ----------
    batched : bool, default False
        Only those that draw many sets of rows in one batch, among the methods loaded so far.

    Returns
    -------
    list of str
        Names, in the order of registration.

    Examples
    --------
    >>> import jscale as js
    >>> js.methods.names()[:4]
    ['bayesian', 'bootstrap', 'laplace', 'jackknife']
    """
    if batched:
        return [name for name, method in METHODS.items() if method.batched]
    return list(dict.fromkeys([*METHODS, *(p.name for p in entry_points(group=ENTRY_POINTS))]))


def get(
    name: Any, *, error: type[JscaleError] = JscaleError, others: tuple[str, ...] = ()
) -> Method:
    """Return the method of a name.

    Parameters
    ----------
    name : str
        The name, such as "bootstrap".
    error : type of JscaleError, optional
        The class of the exception.
    others : tuple of str, optional
        What else may be named where the name is given, for the message.

    Returns
    -------
    Method
        The method.

    Raises
    ------
    JscaleError
        For an unknown name, with the nearest known one.

    Examples
    --------
    >>> import jscale as js
    >>> js.methods.get("bootstrap").resampled
    True
    """
    _load(name)
    check_choice("method", name, [*others, *METHODS], error=error)
    return METHODS[name]


def _load(name: Any) -> None:
    """Import the package that registers a method, where it is not registered yet."""
    for point in entry_points(group=ENTRY_POINTS) if name not in METHODS else ():
        if point.name == name:
            point.load()


def get_batched(name: Any) -> Method:
    """Return a method that draws many sets of rows in one batch.

    Parameters
    ----------
    name : str
        The name, such as "bootstrap".

    Returns
    -------
    Method
        The method.

    Raises
    ------
    JscaleError
        For an unknown name, or a method that draws one fit at a time.

    Examples
    --------
    >>> import jscale as js
    >>> js.methods.get_batched("bayesian").name
    'bayesian'
    """
    _load(name)
    method = METHODS.get(name)
    if method is None:
        check_choice("method", name, names(batched=True))
    elif not method.batched:
        raise JscaleError(
            f"method={name!r} draws one fit at a time; many are drawn at once by "
            f"{listing(names(batched=True))}. Use one of these, or draw fits one by one: "
            f"js.draws(fit, {name!r})."
        )
    return METHODS[name]


def in_words(auto: str = "what suits the fit") -> str:
    """Return all choices of a method with what they do, for help texts.

    Parameters
    ----------
    auto : str
        What "auto" does.

    Returns
    -------
    str
        Names, each with its words in brackets.

    Examples
    --------
    >>> import jscale as js
    >>> js.methods.in_words().partition(",")[0]
    'auto (what suits the fit)'
    """
    others = [f"{name} ({method.words})" for name, method in METHODS.items()]
    return f"{AUTO} ({auto}), {', '.join(others[:-1])} or {others[-1]}"
