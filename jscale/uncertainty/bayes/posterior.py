"""posterior: draws by Bayes' rule, with the scale of the noise estimated along with the parameters.

It is a different estimator from the fit, at which it starts: residuals in the objective's
space have a likelihood with a scale of its own, and parameters have priors by their roles. Where
the density is close enough to normal, importance sampling takes milliseconds; otherwise NUTS runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any

import numpy as np

from jscale._precision import float64_scope
from jscale.arguments import check_choice, check_seed
from jscale.errors import FitError, JscaleError, LawError, listing
from jscale.fitting.diagnostics import flat_names, natural_parameters
from jscale.fitting.notes import Note
from jscale.fitting.result import Fit
from jscale.fitting.statistics import robust_spread
from jscale.uncertainty.arviz import mixing
from jscale.uncertainty.bayes import notes as verdicts
from jscale.uncertainty.bayes.density import (
    DensityInputs,
    Mode,
    Spec,
    centred,
    coordinates_of_many,
    curves_of_many,
    given_arrays,
    log_joint_of_many,
)
from jscale.uncertainty.bayes.importance import RELIABLE, importance
from jscale.uncertainty.bayes.likelihoods import (
    COUNTED,
    NUISANCE,
    LikelihoodNoise,
    check_likelihood,
    counts_of,
)
from jscale.uncertainty.bayes.modes import find_modes, other_thetas, residuals_at, shares_of
from jscale.uncertainty.bayes.nuts import SamplerSettings, check_chains, nuts
from jscale.uncertainty.bayes.pooling import fit_at, pooled_problem, start_of
from jscale.uncertainty.bayes.priors import as_stated, make_priors, prior_moments
from jscale.uncertainty.bayes.result import Posterior, Sampled, extras_of
from jscale.uncertainty.draws import Call, no_spare_runs

METHODS = ("auto", "importance", "nuts")
_PREDICTIVE_DRAWS = 400
_FEWEST = 50
_REACH = 8.0
_SMALLEST = 1e-12


def posterior(
    fit: Fit,
    *,
    likelihood: str = "student_t",
    method: str = "auto",
    priors: Mapping[str, Any] | None = None,
    pool: Mapping[str, str] | None = None,
    trials: str | None = None,
    df: float = 3.0,
    draws: int = 1000,
    warmup: int = 1000,
    chains: int = 4,
    chain_method: str = "vectorized",
    seed: int = 0,
    progress: bool = False,
) -> Posterior:
    """Draw from the posterior of a fit's law.

    Parameters
    ----------
    fit : Fit
        The fit: its law, runs, and what it fixed, tied or gave per group. Its weights multiply the
        terms, scaled to a mean of one.
    likelihood : {"student_t", "normal", "binomial", "beta_binomial"}
        Of residuals in the objective's space, with a scale that is estimated; or of rates, whose
        number of trials is in the column ``trials``.
    method : {"auto", "importance", "nuts"}
        "importance" samples from a t around the mode (PSIS). "auto" takes it where Pareto's k < 0.7
        and at least two fifths of its 4000 or more points count, and otherwise NUTS; ``settings``
        say which it was and why.
    priors : mapping of str to tuple or NumPyro distribution, optional
        Priors by parameter, over the parameter's own value, in place of those of its role (see
        :func:`prior_summary`): ``{"E": ("lognormal", 0.5, 0.5)}``; also of ``"noise_scale"``.
    pool : mapping of str to str, optional
        ``{"E": "family"}`` gives each family its own E, drawn from a population whose mean and
        spread
        are estimated.
    trials : str, optional
        The column with the number of trials of each rate.
    df : float
        Degrees of freedom of "student_t".
    draws, warmup : int
        Draws and warm-up steps of each chain.
    chains : int
        The number of chains.
    chain_method : {"vectorized", "sequential", "parallel"}
        How chains run; "parallel" needs a device per chain.
    seed : int
        The same seed gives the same draws.
    progress : bool
        Whether to show progress.

    Returns
    -------
    Posterior
        chains × draws points. Draws that fail their checks are returned with notes that say so.

    Raises
    ------
    JscaleError
        For an unknown setting.
    LawError
        For priors or pools that do not suit the law.
    DataError
        For counts that are not whole numbers.
    FitError
        Where the density is zero at the fit.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> len(js.posterior(fit, draws=250))
    1000
    """
    sampler = SamplerSettings(draws, warmup, chains, chain_method, seed, progress)
    _check(likelihood, method, sampler, df, pool)
    if fit.problem.freedom < 1:
        raise no_spare_runs(fit)
    model = _model(fit, likelihood, priors, pool, trials, df)
    settings: dict[str, Any] = {
        "likelihood": likelihood,
        "draws": sampler.draws,
        "chains": sampler.chains,
        "seed": seed,
    }
    settings.update({"df": float(df)} if likelihood == "student_t" else {})
    settings.update({"pool": dict(pool)} if pool else {})
    settings.update({"trials": trials} if trials else {})
    settings.update({"priors": _described(priors)} if priors else {})
    with float64_scope():
        spec, given, start = model.spec, model.given, _start(fit, model)
        starts = start[None] if pool else _starts(fit, model, start)
        modes = find_modes(spec, starts, given)
        if pool:
            given, mode = centred(spec, given, modes[0])
            modes = (mode,)
        sampling = _sample(spec, given, modes, method, sampler)
        sampled = replace(model, given=given, z=sampling.z)
        drawn = _drawn(sampled, {**settings, **sampling.how}, trials)
        notes = [*sampling.notes, *_notes(drawn, sampled, model.given, seed, priors or {})]
    drawn = replace(
        drawn,
        stats=sampling.stats,
        checks=sampling.checks,
        notes=tuple(notes),
        call=_call(posterior, drawn.settings),
    )
    return drawn if sampling.how["method"] == "importance" else _with_mixing(drawn)


def _model(
    fit: Fit,
    likelihood: str,
    priors: Mapping[str, Any] | None,
    pool: Mapping[str, str] | None,
    trials: str | None,
    df: float,
) -> Sampled:
    """Return the model to sample, without points."""
    problem = pooled_problem(fit, pool) if pool else fit.problem
    space = problem.model.space
    made = make_priors(problem.layout, space, likelihood, priors, tuple(pool or ()))
    counts = counts_of(fit, problem, likelihood, trials)
    given = given_arrays(problem, counts, df, made.arrays)
    return Sampled(fit, problem, made, given, np.zeros((0, 0, made.spec.size)))


def _described(priors: Mapping[str, Any]) -> dict[str, Any]:
    """Return stated priors as plain values, a distribution as its name."""
    return {
        name: tuple(prior) if isinstance(prior, (tuple, list)) else type(prior).__name__
        for name, prior in priors.items()
    }


def _check(
    likelihood: str,
    method: str,
    sampler: SamplerSettings,
    df: float,
    pool: Mapping[str, str] | None,
) -> None:
    check_likelihood(likelihood)
    check_choice("method", method, METHODS)
    if method == "importance" and pool:
        raise JscaleError(
            'method="importance" is not for pool=: a spread over families is far from normal. '
            'Use method="nuts".'
        )
    for name, least in (("draws", _FEWEST), ("warmup", _FEWEST), ("chains", 1)):
        value = getattr(sampler, name)
        if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
            raise JscaleError(f"{name}={value!r} must be a whole number, {least} or more.")
    if isinstance(df, bool) or not (isinstance(df, Real) and 0 < df < np.inf):
        raise JscaleError(f"df={df!r} must be a positive number of degrees of freedom, such as 3.")
    check_seed(sampler.seed)
    check_chains(sampler.chains, sampler.chain_method)


def _start(fit: Fit, model: Sampled) -> np.ndarray:
    """Return the point z of the fit; raises an error where its joint density is zero."""
    spec = model.spec
    scale = _nuisance_start(fit, spec.likelihood, fit.residuals[fit.problem.used])
    start = start_of(spec, fit.problem.layout, fit.theta, scale, model.made.spread)
    start = _within_reach(start, model)
    if np.isfinite(log_joint_of_many(spec, start[None], model.given)[0]):
        return start
    for stated in spec.stated:
        _check_mass(stated.name, stated.distribution, fit, start)
    why = "its output leaves (0, 1)" if spec.likelihood in COUNTED else "it is NaN"
    raise FitError(
        f"The density of {fit.law.name} is zero at the fit: {why} at some run. "
        "Use a law whose output stays in range, or leave those runs out."
    )


def _starts(fit: Fit, model: Sampled, start: np.ndarray) -> np.ndarray:
    """Return points z (k, size): the fit's, and those of other optima of its objective."""
    starts = [start]
    for theta in other_thetas(fit):
        scale = _nuisance_start(fit, model.spec.likelihood, residuals_at(fit, theta))
        layout, spread = fit.problem.layout, model.made.spread
        start = start_of(model.spec, layout, theta, scale, spread)
        starts.append(_within_reach(start, model))
    return np.stack(starts)


def _within_reach(start: np.ndarray, model: Sampled) -> np.ndarray:
    """Clip coordinates that priors by role make absurd, such as the log of a floor fitted to 0.

    From hundreds of standard deviations away, the search for the mode would end before it returns.
    """
    stated = {prior.name for prior in model.spec.stated}
    # A stated prior may be as far out as the user likes: it is not clipped.
    by_role = [label.split("[")[0] not in stated for label in model.spec.labels]
    mean, reach = model.given.mean, _REACH * model.given.sd
    return np.where(by_role, np.clip(start, mean - reach, mean + reach), start)


def _nuisance_start(fit: Fit, likelihood: str, residuals: np.ndarray) -> float | None:
    """Return the logarithm of the scale that residuals (n,) suggest."""
    if NUISANCE[likelihood] is None:
        return None
    if likelihood in COUNTED:
        return 4.0
    scale = robust_spread(residuals)
    if scale < _SMALLEST:
        raise FitError(
            f"{fit.law.name} passes through most runs exactly (median residual {scale:.1e}): there "
            "is no noise whose scale could be estimated. Check that the losses were measured."
        )
    return float(np.log(scale))


def _check_mass(name: str, distribution: Any, fit: Fit, start: np.ndarray) -> None:
    """Raise LawError for a prior that gives the fit's own value no density."""
    by_name = dict(zip(map(str, fit.params.index), fit.params.to_numpy(), strict=True))
    labels = [x for x in by_name if x.split("[")[0] == name]
    values = np.array([by_name[x] for x in labels]) if labels else np.exp(start[-1:])
    inside = bool(np.asarray(distribution.support(values)).all())
    if not (inside and np.isfinite(np.asarray(distribution.log_prob(values))).all()):
        raise LawError(
            f"priors[{name!r}] has no mass at the data: the fit puts {name} at "
            f"{listing([f'{v:.4g}' for v in values])}. Give a prior that allows it."
        )


@dataclass(frozen=True, eq=False)
class _Sampling:
    """Points z (chain, draw, size), and how they were sampled."""

    z: np.ndarray
    how: dict[str, Any]
    checks: dict[str, float]
    stats: dict[str, np.ndarray]
    notes: list[Note]


def _sample(
    spec: Spec, given: DensityInputs, modes: tuple[Mode, ...], method: str, sampler: SamplerSettings
) -> _Sampling:
    """Sample by importance where requested or reliable, otherwise by NUTS."""
    why, many, mode = "requested", sampler.draws * sampler.chains, modes[0]
    unsettled = "" if mode.settled else "the search for the mode did not converge"
    if method == "auto" and (unsettled or spec.pooled):
        why = unsettled or "a spread over families is far from normal"
    elif method != "nuts":
        rng = np.random.default_rng(sampler.seed)
        weighted = importance(spec, given, mode, many, rng, modes[1:])
        quality = f"Pareto's k {weighted.k:.2f}, effective share {weighted.share:.2f}"
        if method == "importance" or weighted.reliable:
            z = weighted.resampled(many, rng).reshape(sampler.chains, sampler.draws, spec.size)
            how = {
                "method": "importance",
                "why": quality if method == "auto" else f"{why}; {quality}",
                "resampling": "systematic",
                "rounds": weighted.rounds,
            }
            checks = {
                "pareto_k": weighted.k,
                "effective_share": weighted.share,
                "min_ess": min(weighted.share * len(weighted.z), many),
            }
            notes = [
                *verdicts.notes_on_importance(weighted.k, weighted.share, len(weighted.z)),
                *verdicts.notes_on_modes(mode.settled, shares_of(modes), walked=False),
            ]
            return _Sampling(z, how, checks, {}, notes)
        why = f"importance sampling had {quality} (limits {RELIABLE} and {verdicts.COUNTING})"
    run = nuts(spec, given, mode, sampler)
    how = {
        "method": "nuts",
        "why": why,
        "warmup": sampler.warmup,
        "chain_method": sampler.chain_method,
        "target_accept": run.accept,
        "thinning": run.thinning,
    }
    checks = {"divergences": float(run.divergences)}
    notes = list(verdicts.notes_on_modes(mode.settled, shares_of(modes), walked=True))
    return _Sampling(run.z, how, checks, run.stats, notes)


def _drawn(sampled: Sampled, settings: dict[str, Any], trials: str | None) -> Posterior:
    """Turn points z into a Posterior, without checks and notes. Call in the float64 scope."""
    fit, problem, spec, given = sampled.source, sampled.problem, sampled.spec, sampled.given
    theta = coordinates_of_many(spec, sampled.flat, given)
    values = natural_parameters(problem, theta).reshape(*sampled.z.shape[:2], -1)
    described, extras = fit, extras_of(sampled)
    if spec.pooled:
        per = {**fit.settings.per, **settings["pool"]}
        described = fit_at(fit, problem, np.median(theta, axis=0), np.cov(theta.T), per)
    name = NUISANCE[spec.likelihood]
    nuisance = np.ones(len(theta)) if name is None else extras[name].ravel()
    counted = None
    if trials is not None:
        counted = trials, float(np.median(np.asarray(given.counts[1])[: problem.n]))
    noise = LikelihoodNoise(spec.likelihood, spec.space, float(given.df), nuisance, counted)
    return Posterior(
        described,
        values,
        flat_names(problem.layout),
        f"posterior ({settings['method']})",
        settings,
        noise=noise,
        likelihood=spec.likelihood,
        extras=extras,
        sampled=sampled,
    )


def _notes(
    drawn: Posterior, sampled: Sampled, offsets: DensityInputs, seed: int, priors: Mapping[str, Any]
) -> list[Note]:
    """Notes on the influence of the priors, and on how posterior and fit compare.

    ``offsets`` are the arrays under which the prior's draws are families' offsets.
    """
    spec, problem = sampled.spec, sampled.problem
    by_name = dict(zip(drawn.names, drawn.flat.T, strict=True))
    stated = as_stated(sampled.made, sampled.flat, by_name)
    hidden = frozenset(x for x in spec.layout.labels if x.split("[")[0] in spec.pooled)
    by_user, moments = frozenset(priors), prior_moments(sampled.made)
    notes = [*verdicts.notes_on_priors(spec.labels, stated, *moments, hidden, by_user)]
    # The prior predictive distribution, by which an unsuitable prior shows.
    z = sampled.made.draw(problem, _PREDICTIVE_DRAWS, seed)
    curves = curves_of_many(spec, z, offsets)[:, : problem.n][:, problem.used]
    target = np.asarray(problem.data.target)[: problem.n][problem.used]
    notes += verdicts.note_on_prior_predictive(curves, target)
    notes += verdicts.note_on_disagreement(sampled.source, drawn.names, drawn.flat)
    return notes + verdicts.note_on_rows(problem.units[problem.used])


def _with_mixing(post: Posterior) -> Posterior:
    """Add R-hat and effective draws of NUTS' chains, with their notes."""
    extras = [v[:, :, None] for v in post.extras.values()]
    values = np.concatenate([post.values, *extras], axis=2)
    # Fixed parameters are constant: R-hat has no meaning for them.
    free = np.ptp(values, axis=(0, 1)) > 0
    rhat, ess = mixing(values[:, :, free])
    names = [x for x, varies in zip([*post.names, *post.extras], free, strict=True) if varies]
    divergences = int(post.checks["divergences"])
    notes = verdicts.notes_on_chains(divergences, len(post), rhat, ess, names)
    checks = {**post.checks, "max_rhat": float(np.nanmax(rhat)), "min_ess": float(np.nanmin(ess))}
    return replace(post, checks=checks, notes=(*notes, *post.notes))


def prior(
    fit: Fit,
    *,
    likelihood: str = "student_t",
    priors: Mapping[str, Any] | None = None,
    trials: str | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Posterior:
    """Draw from the prior, as draws that everything takes: ``predict(prior(fit), …)``.

    Parameters
    ----------
    fit : Fit
        The fit: its law, what it fixed, tied or gave per group, and the inputs that centre the
        priors. Its losses are not used.
    likelihood, priors, trials : optional
        As for :func:`posterior`.
    draws : int
        The number of draws.
    seed : int
        The same seed gives the same draws.

    Returns
    -------
    Posterior
        Draws whose ``method`` is "prior".

    Raises
    ------
    LawError
        For priors that do not suit the law.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> js.prior(fit, draws=500).method
    'prior'
    """
    _check(
        likelihood, "auto", SamplerSettings(draws, _FEWEST, 1, "vectorized", seed, False), 3.0, None
    )
    model = _model(fit, likelihood, priors, None, trials, 3.0)
    settings = {"method": "prior", "likelihood": likelihood, "draws": draws, "seed": seed}
    with float64_scope():
        z = model.made.draw(model.problem, draws, seed)[None]
        drawn = _drawn(replace(model, z=z), settings, trials)
    others = {"trials": trials} if trials else {}
    others |= {"priors": _described(priors)} if priors else {}
    call = _call(prior, {**settings, **others})
    return replace(drawn, method="prior", from_prior=True, call=call)


def _call(function: Callable[..., Any], settings: Mapping[str, Any]) -> Call:
    """Return the call that draws again; priors that are distributions only their code can state."""
    call = Call.of(function, settings)
    priors = call.arguments.get("priors", {})
    if any(isinstance(described, str) for described in priors.values()):
        return replace(call, named={"priors": f"as given: {priors!r}"})
    return call
