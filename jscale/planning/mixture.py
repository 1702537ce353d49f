"""best_mixture: the data shares with the lowest predicted loss, and their uncertainty."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jscale._precision import float64_scope
from jscale.arguments import check_level
from jscale.errors import PredictionError, listing, nearest
from jscale.fitting.domain import check_domain
from jscale.fitting.notes import Note
from jscale.fitting.result import Fit
from jscale.fitting.solver.compilation import programs
from jscale.fitting.table import FitTable
from jscale.model.law import Law
from jscale.planning.simplex import inner_starts, minimise
from jscale.planning.targets import Target, targets_of
from jscale.uncertainty.draws import Draws, tails

_UNSOLVED = 1e-6
_OUTSIDE = 1e-6
TOTAL = "weighted"


@dataclass(frozen=True, eq=False)
class BestMixture:
    """The mixture with the lowest predicted loss.

    Attributes
    ----------
    shares : DataFrame
        One row per domain: ``share``, its interval ``low`` to ``high`` (equal-tailed, over the
        optima
        of all draws), ``at_limit``, the share of draws in which it is as low as it may be, and
        ``fitted_low`` to ``fitted_high``, the range of the fitted runs (NaN where unknown).
    losses : DataFrame
        One row per target, and ``weighted`` for their mean: the ``loss`` at that mixture, with the
        interval of the curve.
    regret : float
        The upper bound, at ``level``, of how much lower the weighted loss could be at the draw's
        own
        optimum: what not knowing the best mixture may cost.
    samples : ndarray, shape (draws, domains)
        The optima.
    level : float
        The level of the intervals. Columns of intervals are absent for a point estimate alone.
    method : str
        Where the draws came from.
    settings : mapping
        All that is needed to compute it again.
    notes : tuple of Note
        What to know about it.
    """

    shares: pd.DataFrame
    losses: pd.DataFrame
    regret: float
    samples: np.ndarray
    level: float
    method: str
    settings: Mapping[str, Any]
    notes: tuple[Note, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table of shares.

        Returns
        -------
        DataFrame
            One row per domain.
        """
        return self.shares.copy()

    def _title(self) -> str:
        what = f"Best mixture: {100 * self.level:g}% confidence intervals by {self.method}"
        if not len(self.samples):
            return "Best mixture: the point alone"
        return f"{what}; regret at most {self.regret:.3g}"

    def __repr__(self) -> str:
        tables = [
            t.to_string(float_format=lambda v: f"{v:.4g}") for t in (self.shares, self.losses)
        ]
        return "\n\n".join([self._title(), *tables, *map(str, self.notes)])

    def _repr_html_(self) -> str:
        tables = [t.to_html(float_format=lambda v: f"{v:.4g}") for t in (self.shares, self.losses)]
        notes = "".join(f"<li>{html.escape(str(note))}</li>" for note in self.notes)
        return f"<p>{html.escape(self._title())}</p>{''.join(tables)}<ul>{notes}</ul>"


def best_mixture(
    source: Fit | Draws | FitTable | Mapping[Any, Fit | Draws],
    weights: Mapping[Any, float] | None = None,
    *,
    limits: Mapping[str, tuple[float, float]] | None = None,
    level: float = 0.9,
    method: str | None = "auto",
    seed: int = 0,
    **inputs: Any,
) -> BestMixture:
    """Find the shares of data at which the weighted mean of predicted losses is lowest.

    Parameters
    ----------
    source : Fit, Draws, FitTable, or mapping of targets to Fits or Draws
        A law whose shares are a simplex (``mixing``), with or without parameters ``per=`` target;
        or
        a table of ``fit_many(…, by="target")``.
    weights : mapping of target to float, optional
        The weight of each target: equal by default, 0 for one that is left out.
    limits : mapping of str to (float, float), optional
        The lowest and highest share of a domain, such as the available share:
        ``{"r_code": (0.0, 0.2)}``.
    level : float
        The level of the intervals.
    method : str or None
        How a Fit is drawn, as for :func:`jscale.predict`; None is the point estimate alone.
    seed : int
        The seed of those draws. Draws of several sources are paired in order: resamples of one seed
        and the same runs are paired correctly, and draws of any other kind that are given must each
        have their own seed.
    **inputs
        The law's other inputs (N=…, D=…).

    Returns
    -------
    BestMixture
        The shares with their intervals, the losses there, and what not knowing better may cost.

    Raises
    ------
    LawError
        For a law without a simplex, or sources that do not fit together.
    PredictionError
        For weights, limits or inputs that are not usable.

    Notes
    -----
    The minimum is found for the estimate and again for each draw, by Newton's method with a
    barrier,
    from the middle and from near each corner. For a convex sum (``mixing`` is; the note
    ``mixture-unsolved`` says where that is not shown) nothing is lower. For one target alone,
    ``mixing`` has its optimum at a corner. The law does not know mixtures unlike those fitted: the
    note ``outside-design`` says where the optimum lies beyond them. The coverage of the intervals
    of
    shares has not been measured.

    Examples
    --------
    >>> import numpy as np, pandas as pd, jscale as js
    >>> web = np.linspace(0.05, 0.95, 12)
    >>> table = pd.DataFrame({"r_web": web, "r_code": 1 - web})
    >>> truth = {"prose": {"c": 2.0, "k_web": 0.5, "k_code": 1.5},
    ...          "programs": {"c": 1.0, "k_web": 1.6, "k_code": 0.4}}
    >>> fits = {target: js.fit("mixing:web,code", js.simulate(
    ...     "mixing:web,code", planted, table, noise=0.002)) for target, planted in truth.items()}
    >>> best_mixture(fits, method=None).shares["share"].round(1).to_dict()
    {'r_web': 0.4, 'r_code': 0.6}
    """
    check_level(level)
    targets, origin = targets_of(source, method, seed)
    names = targets[0].law.simplex
    weight = _weights([t.name for t in targets], weights)
    counted = [(t, w) for t, w in zip(targets, weight, strict=True) if w > 0]
    targets, weight = [t for t, _ in counted], np.array([w for _, w in counted])
    given = _inputs(targets, inputs)
    low, high = _limits(names, limits or {})
    lanes = _lanes(targets)
    mixtures, gap = _solve(targets, lanes, weight, given, low, high)
    at_best = _losses(targets, lanes, given, names, np.broadcast_to(mixtures[0], mixtures.shape))
    losses = _losses(targets, lanes, given, names, mixtures) @ weight
    regret = (at_best @ weight - losses)[1:]
    shares = _shares(targets, mixtures, low, level)
    settings = {
        **origin.settings,
        "weights": {t.name: float(w) for t, w in counted},
        "inputs": given,
        "limits": {n: (float(a), float(b)) for n, a, b in zip(names, low, high, strict=True)},
    }
    return BestMixture(
        shares=shares,
        losses=_loss_table(targets, np.column_stack([at_best, at_best @ weight]), level),
        regret=float(np.quantile(regret, level)) if len(regret) else float("nan"),
        samples=mixtures[1:],
        level=float(level),
        method=origin.method,
        settings=settings,
        notes=tuple(_notes(shares, gap, losses)),
    )


def _weights(names: Sequence[Any], given: Mapping[Any, float] | None) -> np.ndarray:
    """Return each target's weight, their sum 1; raises PredictionError."""
    if given is None:
        return np.full(len(names), 1.0 / len(names))
    unknown = [key for key in given if key not in names]
    if unknown:
        raise PredictionError(
            f"weights has {listing([repr(u) for u in unknown])}, which is not a target."
            f"{nearest(str(unknown[0]), map(str, names))} Targets are {listing(names, 20)}."
        )
    weight = np.array([float(given.get(name, 0.0)) for name in names])
    if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.sum() > 0):
        raise PredictionError(
            f"weights must be 0 or more, and one of them above 0, not {dict(given)!r}."
        )
    return weight / weight.sum()


def _inputs(targets: Sequence[Target], given: Mapping[str, Any]) -> dict[str, float]:
    """Return the inputs other than the shares; raises PredictionError."""
    wanted = [x for t in targets for x in t.law.inputs if x not in t.law.simplex]
    wanted = list(dict.fromkeys(wanted))
    unknown = [name for name in given if name not in wanted]
    missing = [name for name in wanted if name not in given]
    if unknown or missing:
        call = ", ".join(["best_mixture(fits", *(f"{name}=…" for name in wanted)])
        raise PredictionError(
            (f"{listing(missing)} is missing. " if missing else "")
            + (f"{listing(unknown)} is not an input besides the shares. " if unknown else "")
            + f"Call {call})."
        )
    inputs = {}
    for name in wanted:
        value = np.asarray(given[name])
        if value.shape != () or value.dtype.kind not in "iuf" or not np.isfinite(value):
            raise PredictionError(f"{name}={given[name]!r} must be one finite number.")
        inputs[name] = float(value)
    for target in targets:
        simplex = target.law.simplex
        row = pd.DataFrame([{**inputs, **dict.fromkeys(simplex, 1.0 / len(simplex))}])
        check_domain(target.law, row, PredictionError, lambda _: "Ask within the limit.")
    return inputs


def _limits(
    names: Sequence[str], given: Mapping[str, tuple[float, float]]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest share of each domain; raises PredictionError."""
    unknown = [name for name in given if name not in names]
    if unknown:
        raise PredictionError(
            f"limits names {listing(unknown)}, which is not a share.{nearest(unknown[0], names)} "
            f"Shares are {listing(names, 20)}."
        )
    bounds = np.array([given.get(name, (0.0, 1.0)) for name in names], dtype=np.float64)
    for name, (least, most) in zip(names, bounds, strict=True):
        if not 0 <= least < most <= 1:
            raise PredictionError(
                f"limits[{name!r}] is ({least:g}, {most:g}); the lowest must be below the highest, "
                "both within 0 and 1."
            )
    low, high = bounds.T
    if not low.sum() < 1 < high.sum():
        raise PredictionError(
            f"No mixture keeps the limits: the lowest shares add up to {low.sum():g}, the highest "
            f"to {high.sum():g}; 1 must lie between."
        )
    return low, high


def _lanes(targets: Sequence[Target]) -> list[np.ndarray]:
    """Return each target's parameters (1 + R, q), the estimate first; lanes without NaN in any."""
    count = min(len(t.samples) for t in targets)
    lanes = [np.concatenate([t.point[None], t.samples[:count]]) for t in targets]
    usable = np.all([np.isfinite(lane).all(axis=1) for lane in lanes], axis=0)
    return [lane[usable] for lane in lanes]


@programs
def _program(laws: tuple[Law, ...], names: tuple[str, ...]) -> Callable[..., Any]:
    """Return a compiled program: parameters by target (R, q), starts (s, k) to optima."""
    import jax
    import jax.numpy as jnp

    def one(params: Any, weight: Any, given: Any, starts: Any, low: Any, high: Any) -> Any:
        def loss(shares: Any) -> Any:
            mixed = {**given, **{name: shares[j] for j, name in enumerate(names)}}
            losses = [
                law.evaluate({**mixed, **dict(zip(law.names, parameters, strict=True))})
                for law, parameters in zip(laws, params, strict=True)
            ]
            return jnp.dot(jnp.stack(losses), weight)

        ends = jax.vmap(lambda start: minimise(loss, start, low, high))(starts)
        best = jnp.argmin(jnp.where(jnp.isfinite(ends.value), ends.value, jnp.inf))
        return ends.shares[best], ends.gap[best]

    return jax.jit(jax.vmap(one, (0, None, None, None, None, None)))


def _solve(
    targets: Sequence[Target],
    lanes: list[np.ndarray],
    weight: np.ndarray,
    given: dict[str, float],
    low: np.ndarray,
    high: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the optimum of each lane (1 + R, k), and its gap (1 + R,)."""
    # A share that the lower limits of the others already keep below its limit needs no barrier.
    cap = np.where(high < 1, high, 2.0)
    names = targets[0].law.simplex
    with float64_scope():
        run = _program(tuple(t.law for t in targets), names)
        shares, gap = run(tuple(lanes), weight, given, inner_starts(low, high), low, cap)
        return np.asarray(shares), np.asarray(gap)


def _losses(
    targets: Sequence[Target],
    lanes: list[np.ndarray],
    given: Mapping[str, float],
    names: Sequence[str],
    shares: np.ndarray,
) -> np.ndarray:
    """Return each target's loss at one mixture per lane: (1 + R, targets)."""
    columns = []
    for target, lane in zip(targets, lanes, strict=True):
        mixed = {name: shares[:, j] for j, name in enumerate(names)}
        parameters = {name: lane[:, i] for i, name in enumerate(target.law.names)}
        rest = {x: given[x] for x in target.law.inputs if x in given}
        columns.append(np.broadcast_to(target.law(**rest, **mixed, **parameters), len(lane)))
    return np.stack(columns, axis=1)


def _bounded(values: np.ndarray, level: float) -> dict[str, np.ndarray]:
    """Return the interval of each column over the draws, which follow the estimate's row."""
    if len(values) < 2:
        return {}
    low, high = np.quantile(values[1:], tails(level), axis=0)
    return {"low": low, "high": high}


def _shares(
    targets: Sequence[Target], mixtures: np.ndarray, low: np.ndarray, level: float
) -> pd.DataFrame:
    table = {"share": mixtures[0], **_bounded(mixtures, level)}
    if len(mixtures) > 1:
        table["at_limit"] = np.mean(mixtures[1:] <= low, axis=0)
    least = np.max([t.fitted[0] for t in targets], axis=0)
    most = np.min([t.fitted[1] for t in targets], axis=0)
    index = pd.Index(targets[0].law.simplex, name="domain")
    return pd.DataFrame({**table, "fitted_low": least, "fitted_high": most}, index=index)


def _loss_table(targets: Sequence[Target], losses: np.ndarray, level: float) -> pd.DataFrame:
    index = pd.Index([*(t.name for t in targets), TOTAL], name="target")
    return pd.DataFrame({"loss": losses[0], **_bounded(losses, level)}, index=index)


def _notes(shares: pd.DataFrame, gap: np.ndarray, loss: np.ndarray) -> list[Note]:
    notes = []
    share, low, high = (shares[c].to_numpy() for c in ("share", "fitted_low", "fitted_high"))
    out = (share < low - _OUTSIDE) | (share > high + _OUTSIDE)
    if out.any():
        outer = zip(shares.index[out], share[out], strict=True)
        seen = [f"{name} = {value:.3g}" for name, value in outer]
        notes.append(
            Note(
                "outside-design",
                "caution",
                f"The best mixture has {listing(seen, 20)}, outside the shares of the fitted runs.",
                "The law is untested there, and the intervals do not allow for its being wrong.",
                "Train a run there, or keep within the design by limits=.",
            )
        )
    unsolved = ~(gap <= _UNSOLVED * np.abs(loss))  # NaN counts as unsolved
    if unsolved.any():
        notes.append(
            Note(
                "mixture-unsolved",
                "warning",
                f"In {int(unsolved.sum())} of {len(gap)} lanes no bound shows that the mixture is "
                f"optimal (gap up to {gap.max():.3g}).",
                "The predicted loss is not convex there, or the search has not ended.",
                "Compare the loss at other mixtures: predict(fit, …).",
            )
        )
    return notes
