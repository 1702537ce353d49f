"""Notes on a posterior: whether its draws can be trusted, and the influence of the priors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from jscale.errors import listing
from jscale.fitting.notes import Note
from jscale.fitting.result import Fit
from jscale.model.supports import to_line

MIXED = 1.01
ENOUGH = 400
COUNTING = 0.4
_CONTRACTED = 0.8
_FAR_SDS = 3.0
_NEAR_SHARE = 0.5
_OTHER_MODES = 0.01


def notes_on_chains(
    divergences: int, many: int, rhat: np.ndarray, ess: np.ndarray, names: list[str]
) -> Iterable[Note]:
    """Notes on NUTS: divergences, chains that disagree, highly correlated draws.

    ``names`` are the quantities that vary: where R-hat is NaN, chains did not move.
    """
    if divergences:
        yield Note(
            "divergences",
            "warning",
            f"{divergences} of {many} transitions diverged.",
            "The sampler could not follow the density everywhere: tails may be missing.",
            "Fix or tie parameters that the data do not determine, give tighter priors "
            "(priors=…), or a longer warmup.",
        )
    unmixed = [f"{n} ({r:.3f})" for n, r in zip(names, rhat, strict=True) if not r <= MIXED]
    if unmixed:
        yield Note(
            "not-mixed",
            "warning",
            f"R-hat is above {MIXED} for {listing(unmixed, 24)}.",
            "The chains disagree: intervals are not reliable yet.",
            "Take a longer warmup and more draws (warmup=2000, draws=4000), or fix or tie "
            "parameters.",
        )
    few = [f"{n} ({e:.0f})" for n, e in zip(names, ess, strict=True) if not e >= ENOUGH]
    if few:
        yield few_draws(listing(few, 24))


def few_draws(which: str) -> Note:
    """Build the note on too few effective draws."""
    return Note(
        "few-effective-draws",
        "warning",
        f"Fewer than {ENOUGH} effective draws: {which}.",
        "Intervals have a large Monte Carlo error.",
        "Take more draws (draws=4000).",
    )


def notes_on_importance(k: float, share: float, many: int) -> Iterable[Note]:
    """Notes on importance sampling: a proposal too far from the posterior, few draws left.

    ``share`` is that of the ``many`` points that count, by their weights.
    """
    if not k < 0.7:
        yield Note(
            "importance-unreliable",
            "warning",
            f"Pareto's k of the weights is {k:.2f}.",
            "The posterior's tails lie too far from the normal approximation (0.7 is the limit).",
            'Use method="nuts".',
        )
    elif share < COUNTING:
        yield Note(
            "importance-uneven",
            "warning",
            f"The effective share of the points is {100 * share:.0f} % (k {k:.2f}).",
            "Few points carry the tails, which are then truncated: measured standard "
            "deviations were up to two fifths too small.",
            'Use method="nuts".',
        )
    if share * many < ENOUGH:
        yield few_draws(f"{share * many:.0f} of {many}, by their weights")


def notes_on_modes(settled: bool, shares: np.ndarray, walked: bool) -> Iterable[Note]:
    """Notes on a mode that was not reached, and on several; ``walked`` says that NUTS ran.

    ``shares`` (k,) are those of the modes by their normal approximations, the best first.
    """
    if not settled:
        yield Note(
            "mode-not-settled",
            "warning",
            "The search for the posterior's mode did not converge.",
            "Sampling starts away from it, or the posterior has none: draws may miss the bulk.",
            "Fix or tie parameters that the data do not determine, or give tighter priors "
            "(priors=…).",
        )
    other = 1.0 - float(shares[0])
    if other >= _OTHER_MODES:
        yield Note(
            "several-modes",
            "warning" if walked else "caution",
            f"The posterior has {len(shares)} modes; the best has about {100 * (1 - other):.0f}% "
            "of it.",
            "Chains start at the best mode and seldom cross to others."
            if walked
            else "Draws come from all of them: means and standard deviations say little.",
            "Look at draws.to_frame() for separate clouds; take a law with fewer parameters, or "
            "give tighter priors (priors=…).",
        )


def notes_on_priors(
    labels: tuple[str, ...],
    draws: np.ndarray,
    prior_mean: np.ndarray,
    prior_sd: np.ndarray,
    skip: frozenset[str],
    stated: frozenset[str] = frozenset(),
) -> Iterable[Note]:
    """Notes on parameters that the data hardly inform, or that lie far out in their prior.

    ``draws`` (S, size) and the priors' moments (size,) are by coordinate; ``skip`` names those
    that are not parameters, ``stated`` parameters whose prior the user has stated himself.
    """
    # The median resists the long tails of poorly determined coordinates.
    centre, sd = np.median(draws, axis=0), draws.std(axis=0)
    driven = [
        name
        for name, a, b in zip(labels, sd, prior_sd, strict=True)
        if name not in skip and a > _CONTRACTED * b
    ]
    given = [name for name in driven if name.split("[")[0] in stated]
    if given:
        yield Note(
            "prior-driven",
            "info",
            f"The data narrow the prior that you stated for {listing(given, 24)} by less than 20%.",
            "Their posterior is mostly the prior that you stated.",
            "Add runs that inform them, if the data should determine them.",
        )
    driven = [name for name in driven if name not in given]
    if driven:
        yield Note(
            "prior-driven",
            "caution",
            f"The data narrow the prior of {listing(driven, 24)} by less than 20%.",
            "Their posterior is mostly their prior.",
            f'Read js.prior_summary, state your own prior (priors={{"{driven[0].split("[")[0]}": '
            "…}), or add runs that inform them.",
        )
    far = [
        f"{name} ({abs(x - m) / s:.1f} prior standard deviations)"
        for name, x, m, s in zip(labels, centre, prior_mean, prior_sd, strict=True)
        if name not in skip and abs(x - m) > _FAR_SDS * s
    ]
    if far:
        yield Note(
            "prior-conflict",
            "caution",
            f"The posterior lies far out in its prior: {listing(far, 24)}.",
            "The prior pulls it away from the values that the data alone support.",
            "Check the units of the table and give a prior that allows such values (priors=…).",
        )


def note_on_prior_predictive(curves: np.ndarray, target: np.ndarray) -> list[Note]:
    """Note a prior whose curves (S, n) miss most runs (n,), in the objective's space."""
    # NaN where a drawn law leaves its range: such a curve reaches no run.
    low = np.min(np.where(np.isfinite(curves), curves, np.inf), axis=0)
    high = np.max(np.where(np.isfinite(curves), curves, -np.inf), axis=0)
    near = float(np.mean((target >= low) & (target <= high)))
    if near >= _NEAR_SHARE:
        return []
    return [
        Note(
            "prior-far-from-data",
            "warning",
            f"Curves drawn from the prior come near only {100 * near:.0f}% of the runs.",
            "Under the prior such data are nearly impossible, and the posterior is a compromise.",
            "Check the units of the table, and the priors: js.prior_summary(fit).",
        )
    ]


def note_on_disagreement(fit: Fit, names: tuple[str, ...], draws: np.ndarray) -> list[Note]:
    """Note parameters whose median (of draws (S, q)) lies over a standard error from the fit's."""
    median = np.median(draws, axis=0)
    # A pooled posterior has parameters that the fit lacks: NaN here, and skipped below.
    estimate = fit.params.reindex(list(names)).to_numpy(dtype=np.float64)
    error = fit.stderr.reindex(list(names)).to_numpy(dtype=np.float64)
    line = [_on_line(fit, name) for name in names]
    apart = [
        f"{name} {m:.4g} (posterior), {e:.4g} ± {s:.2g} (fit)"
        for name, m, e, s, log in zip(names, median, estimate, error, line, strict=True)
        if np.isfinite(e) and 0 < s < np.inf and _apart(m, e, s, log)
    ]
    if not apart:
        return []
    return [
        Note(
            "estimators-disagree",
            "caution",
            f"Posterior and fit differ by over a standard error: {listing(apart, 24)}.",
            "They weight large residuals differently, and the prior has an influence too.",
            "Look for outliers (fit.notes), and read predictions of both.",
        )
    ]


def _on_line(fit: Fit, name: str) -> bool:
    """Whether a parameter is positive, so that distances are of logarithms."""
    return fit.law.role(name.split("[")[0]).support == "positive"


def _apart(median: float, estimate: float, error: float, log: bool) -> bool:
    if log and estimate > 0:
        line = to_line(np.array([median, estimate]), "positive")
        return bool(abs(line[0] - line[1]) > error / estimate)
    return bool(abs(median - estimate) > error)


def note_on_rows(units: np.ndarray) -> list[Note]:
    """Note rows (n,) that share a run: the likelihood treats all rows as independent."""
    rows, independent = len(units), len(np.unique(units))
    if independent >= rows:
        return []
    return [
        Note(
            "rows-share-a-run",
            "warning",
            f"{rows} rows come from {independent} independent runs.",
            "The likelihood treats rows as independent: intervals are too narrow.",
            "Keep one row per run, or use js.bootstrap(fit), which resamples whole runs.",
        )
    ]


def failed(notes: tuple[Note, ...]) -> list[str]:
    """Return the codes of the notes that advise against trusting the draws."""
    return [note.code for note in notes if note.severity == "warning"]


def checks_table(checks: Mapping[str, float]) -> str:
    """Return the figures of the checks as one line of text."""
    return ", ".join(f"{k} {v:.4g}" for k, v in checks.items())
