"""information: AICc and BIC of fits, where the objective is a likelihood with a fitted scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from jscale.data.checks import rows_at
from jscale.errors import DataError, JscaleError, listing
from jscale.fitting.objective import rounding_error, with_likelihood
from jscale.fitting.result import Fit


def information(fits: Iterable[Fit] | Mapping[str, Fit]) -> pd.DataFrame:
    """Rank fits to the same rows by information criteria, the lowest AICc first.

    AICc = −2 ln L + 2k + 2k(k + 1)/(n − k − 1), infinite where n ≤ k + 1, and
    BIC = −2 ln L + k ln n; n counts the rows with weight, k the free parameters and the scale.

    Parameters
    ----------
    fits : iterable of Fit, or mapping of str to Fit
        Fits to the same rows; the keys of a mapping name them.

    Returns
    -------
    pandas.DataFrame
        A row per fit, by the law's name (with the objective, then a number, where names repeat):
        ``log_likelihood``, ``parameters`` (k), ``rows`` (n), ``aicc``, ``bic``, how far each lies
        above the lowest (``aicc_behind``, ``bic_behind``), and ``akaike_weight``, proportional to
        exp(−aicc_behind/2); NaN where every AICc is infinite.

    Raises
    ------
    JscaleError
        Where there is no likelihood with a fitted scale: an objective without one, a scale that
        was given, unequal weights of "student_t", a fit that passes through every row.
    DataError
        For fits to other rows, outputs or units, and for rows that are not independent.

    See Also
    --------
    rollout : Compare laws by their predictions of runs that they have not seen.

    Notes
    -----
    This is a ranking in-sample: it says nothing about how a law extrapolates, which is what a
    scaling law is for. Prefer :func:`rollout` wherever there are runs to hold out.

    ln L is of the observed output itself, at the scale of largest likelihood, so that fits in
    log, linear and logit space can be compared. Errors are normal for "least_squares" and Laplace
    for "least_absolute", the scale of a row with weight w being σ/√w and b/w; they are Student-t,
    its degrees of freedom given, for "student_t". Other objectives take part where their class
    defines ``log_likelihood``.

    References
    ----------
    Hurvich and Tsai 1989, doi:10.1093/biomet/76.2.297 (AICc); Schwarz 1978,
    doi:10.1214/aos/1176344136 (BIC).

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> small = table[table["split"] == "fit"]
    >>> fits = [js.fit(law, small, objective="student_t") for law in ("chinchilla", "farseer")]
    >>> js.information(fits)["parameters"].to_dict()
    {'farseer': 10, 'chinchilla': 6}
    """
    named = _named(fits)
    for name, fit in named.items():
        _check_likelihood(name, fit)
        _check_independent(name, fit)
    first, *others = named
    for name in others:
        _check_same(first, named[first], name, named[name])
    rows = {name: _criteria(fit, _log_likelihood(name, fit)) for name, fit in named.items()}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("law")
    for column in ("aicc", "bic"):
        with np.errstate(invalid="ignore"):  # inf − inf
            table[f"{column}_behind"] = table[column] - table[column].min()
    share = np.exp(-0.5 * table["aicc_behind"].to_numpy())
    table["akaike_weight"] = share / share.sum()
    return table.sort_values("aicc", kind="stable")


def _named(fits: Any) -> dict[str, Fit]:
    if isinstance(fits, Fit) or not isinstance(fits, Iterable):
        raise JscaleError(f"fits must be several fits, [fit, other], not {type(fits).__name__}.")
    items = list(fits.items() if isinstance(fits, Mapping) else enumerate(fits))
    if not items:
        raise JscaleError("There is no fit to rank: give one or more, js.information([fit, other])")
    for key, fit in items:
        if not isinstance(fit, Fit):
            raise JscaleError(
                f"fits[{key!r}] is {type(fit).__name__}, not a Fit: give results of js.fit."
            )
    if isinstance(fits, Mapping):
        return {str(key): fit for key, fit in items}
    return _names([fit for _, fit in items])


def _names(fits: list[Fit]) -> dict[str, Fit]:
    """Name fits by law; where names repeat, add the objective, then a number."""
    names = [fit.law.name for fit in fits]
    longer = [f"{fit.law.name}, {fit.settings.objective}" for fit in fits]
    names = [long if names.count(n) > 1 else n for n, long in zip(names, longer, strict=True)]
    named: dict[str, Fit] = {}
    for i, (name, fit) in enumerate(zip(names, fits, strict=True)):
        number = names[: i + 1].count(name)
        named[name if number == 1 else f"{name} {number}"] = fit
    return named


def _check_likelihood(name: str, fit: Fit) -> None:
    objective = fit.settings.objective
    why = objective.no_likelihood(_weights(fit))
    if why:
        raise JscaleError(
            f"{name} was fitted by {objective}, {why}. Use an objective that is the likelihood of "
            f"its errors ({listing(with_likelihood(), 10)}), or compare predictions of runs that "
            "the laws have not seen, whatever the objective: js.rollout."
        )


def _check_independent(name: str, fit: Fit) -> None:
    units = fit.problem.units[fit.problem.used]
    count = len(np.unique(units))
    if count == len(units):
        return
    if fit.runs.run is None:
        raise DataError(
            f"{name}: {len(units) - count} of {len(units)} rows repeat another one in every "
            "number, so they are not independent. Drop them with df.drop_duplicates(), or, if "
            'they are different runs, name each: Runs.from_frame(df, run="<column>").'
        )
    raise DataError(
        f"{name}: {len(units)} rows belong to {count} runs. Errors within a run are correlated, so "
        "the product of their densities is not a likelihood. Compare predictions of whole runs, "
        "js.rollout, or keep the end of each run, js.checkpoints(runs, final_only=True)."
    )


_SAME = "Likelihoods can be compared only for the same numbers: fit each law to the same Runs."


def _check_same(first: str, one: Fit, name: str, other: Fit) -> None:
    """Raise DataError unless two fits are to the same data."""
    for what, a, b in (
        ("output", one.runs.output, other.runs.output),
        ("loss unit", one.runs.loss_unit, other.runs.loss_unit),
    ):
        if a != b:
            raise DataError(f"The {what} of {first} is {a!r}, that of {name} {b!r}. {_SAME}")
    rows, others = (fit.runs.frame.index[fit.problem.used] for fit in (one, other))
    if not rows.equals(others):
        alone = [*_alone(first, rows, others), *_alone(name, others, rows)]
        how = "; ".join(alone) or "the labels are the same but come in another order or number"
        raise DataError(
            f"{first} was fitted to {len(rows)} rows and {name} to {len(others)}, not the same "
            f"ones: {how}. {_SAME}"
        )
    y, z = _observed(one), _observed(other)
    if (y != z).any():
        pairs = np.array([f"{u:.6g} and {v:.6g}" for u, v in zip(y, z, strict=True)], dtype=object)
        raise DataError(
            f"{one.runs.output} is not the same for {first} and {name} in "
            f"{rows_at(one.runs.frame.loc[one.problem.used], y != z, pairs)}. {_SAME}"
        )


def _alone(name: str, rows: pd.Index, others: pd.Index) -> list[str]:
    """Say which row labels only one of two fits has."""
    only = rows.difference(others, sort=False)
    return [f"only {name} has row {listing([repr(label) for label in only])}"] if len(only) else []


def _weights(fit: Fit) -> np.ndarray:
    """The weights of the rows that have one."""
    problem = fit.problem
    return problem.weights[: problem.n][problem.used]


def _observed(fit: Fit) -> np.ndarray:
    return fit.runs[fit.runs.output][fit.problem.used]


def _log_likelihood(name: str, fit: Fit) -> float:
    """The logarithm of the density of the observed outputs, at the fit and its scale."""
    objective, used = fit.settings.objective, fit.problem.used
    r, w, n = fit.residuals[used], _weights(fit), int(used.sum())
    target = np.asarray(fit.problem.data.target)[: len(used)][used]
    if np.max(np.abs(r)) <= 4 * np.max(rounding_error(target, objective.space, w)):
        raise JscaleError(
            f"{name} passes through all {n} rows: its scale is zero and its likelihood infinite. "
            "Add runs, or fix or tie parameters."
        )
    total = fit.settings.solved.log_likelihood(r, w)
    return total + _log_jacobian(_observed(fit), objective.space)


def _log_jacobian(y: np.ndarray, space: str) -> float:
    """Σ ln of the slope of the space's map at outputs (n,): from densities of residuals to y's."""
    if space == "log":
        return float(-np.sum(np.log(y)))
    return float(-np.sum(np.log(y) + np.log1p(-y))) if space == "logit" else 0.0


def _criteria(fit: Fit, log_likelihood: float) -> dict[str, float]:
    k, n = fit.problem.layout.size + 1, int(fit.problem.used.sum())
    spare = n - k - 1
    aicc = -2 * log_likelihood + 2 * k + 2 * k * (k + 1) / spare if spare > 0 else np.inf
    return {
        "log_likelihood": log_likelihood,
        "parameters": k,
        "rows": n,
        "aicc": float(aicc),
        "bic": float(-2 * log_likelihood + k * np.log(n)),
    }
