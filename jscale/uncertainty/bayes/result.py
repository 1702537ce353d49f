"""Posterior: draws of a posterior or a prior, and what they carry besides the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from jscale._precision import float64_scope
from jscale.errors import JscaleError, PredictionError, listing, nearest
from jscale.fitting.diagnostics import flat_names, natural_parameters
from jscale.fitting.objective import from_space
from jscale.fitting.problem import Problem
from jscale.fitting.result import Fit
from jscale.uncertainty.bayes import notes as verdicts
from jscale.uncertainty.bayes.density import DensityInputs, Spec, curves_of_many, pointwise_of_many
from jscale.uncertainty.bayes.likelihoods import NUISANCE
from jscale.uncertainty.bayes.pooling import fit_at
from jscale.uncertainty.bayes.prior_summary import table_of
from jscale.uncertainty.bayes.priors import Priors
from jscale.uncertainty.draws import Draws, tails
from jscale.uncertainty.groups import Group, parameter_group
from jscale.uncertainty.intervals import check_kind


@dataclass(frozen=True, eq=False)
class Sampled:
    """The source of a posterior: its model, its arrays, and the points z themselves."""

    source: Fit
    problem: Problem
    made: Priors
    given: DensityInputs
    z: np.ndarray

    @property
    def spec(self) -> Spec:
        """The static part of the compiled programs."""
        return self.made.spec

    @property
    def flat(self) -> np.ndarray:
        """All points, chains one after another: (draws, size)."""
        return self.z.reshape(-1, self.spec.size)


@dataclass(frozen=True, eq=False)
class Posterior(Draws):
    """Draws of a posterior, or of a prior (``method="prior"``).

    ``post["noise_scale"]`` is a labelled array, as any parameter is.

    Attributes
    ----------
    fit, values, names, method, settings, failed, unsettled, switched, notes, noise : various
        As for :class:`Draws`.
    resampled, from_prior, call : various
        As for :class:`Draws`.
    likelihood : str
        The likelihood.
    extras : mapping of str to ndarray, shape (chain, draw)
        The noise's scale (``noise_scale``) or a beta-binomial's ``concentration``, and for each
        pooled parameter the population's ``E[mean]`` and ``E[spread]`` (of the logarithm, for a
        positive parameter).
    stats : mapping of str to ndarray, shape (chain, draw)
        Statistics of the sampler.
    checks : mapping of str to float
        The figures that the notes are written from.
    sampled : Sampled or None
        What it was sampled from.
    """

    likelihood: str = "student_t"
    extras: Mapping[str, np.ndarray] = field(default_factory=dict)
    stats: Mapping[str, np.ndarray] = field(default_factory=dict)
    checks: Mapping[str, float] = field(default_factory=dict)
    sampled: Sampled | None = None

    def __getitem__(self, name: str) -> Any:
        """Return draws of a parameter, or of one of ``extras``, as a (chain, draw) DataArray."""
        if name not in self.extras:
            if name not in self.names:
                known = (*self.names, *self.extras)
                hint = nearest(name, known)
                raise JscaleError(f"No parameter {name!r}.{hint} There are {listing(known, 24)}.")
            return super().__getitem__(name)
        import xarray

        return xarray.DataArray(self.extras[name], dims=("chain", "draw"), name=name)

    @property
    def scale(self) -> np.ndarray | None:
        """The noise's scale (chain, draw), or None where the likelihood has none."""
        return self.extras.get("noise_scale")

    @property
    def passed(self) -> bool:
        """Whether the checks passed: no note warns against trusting the draws."""
        return not verdicts.failed(self.notes)

    @cached_property
    def prior(self) -> pd.DataFrame | None:
        """The priors used, as :func:`prior_summary` shows them; None for a new group."""
        return None if self.sampled is None else table_of(self.sampled.made, self.sampled.problem)

    @cached_property
    def log_likelihood(self) -> np.ndarray | None:
        """The log likelihood of each row with weight (chain, draw, rows); None for a prior.

        Densities are of the output in the objective's space (of ln loss, by default).
        """
        if self.sampled is None or self.from_prior:
            return None
        problem, z = self.sampled.problem, self.sampled.z
        with float64_scope():
            rows = pointwise_of_many(self.sampled.spec, self.sampled.flat, self.sampled.given)
        kept = rows[:, : problem.n][:, problem.used]
        return kept.reshape(*z.shape[:2], -1)

    def groups(self) -> dict[str, Group]:
        """Return the draws as groups of labelled arrays, by the names that ArviZ gives them.

        Returns
        -------
        dict of str to Group
            Those of :meth:`jscale.Draws.groups` (``prior`` in place of ``posterior`` for draws
            from a prior), with ``extras`` among the parameters; ``log_likelihood`` and the
            ``posterior_predictive`` (``prior_predictive``) distribution of each row with weight,
            where there are any; and ``sample_stats`` of a sampler.
        """
        name = "prior" if self.from_prior else "posterior"
        parameters = parameter_group(self.fit.problem.layout, self.values, self.extras)
        groups = {name: parameters, "observed_data": self._observed()}
        chains, draws = self.values.shape[:2]
        coords = {"chain": np.arange(chains), "draw": np.arange(draws)}
        # Either is None where it does not apply: before data, or for a new family.
        by_row = {"log_likelihood": self.log_likelihood, f"{name}_predictive": self.replicated()}
        for group, values in by_row.items():
            if values is not None:
                variables = {self.fit.law.output: (("chain", "draw", "row"), values)}
                groups[group] = Group(variables, {**coords, "row": self._row_labels()})
        if self.stats:
            stats = {k: (("chain", "draw"), np.asarray(v)) for k, v in self.stats.items()}
            groups["sample_stats"] = Group(stats, coords)
        return self._with_attributes(groups)

    def replicated(self, seed: int = 0) -> np.ndarray | None:
        """Draw each fitted row's output again, each with an error.

        This is the posterior (or prior) predictive distribution at the fitted inputs.

        Parameters
        ----------
        seed : int
            The seed of the errors.

        Returns
        -------
        ndarray, shape (chain, draw, rows with weight), or None
            None for a new group, of which no row was fitted.
        """
        if self.sampled is None or self.noise is None:
            return None
        problem, z, space = self.sampled.problem, self.sampled.z, self.sampled.spec.space
        with float64_scope():
            curves = curves_of_many(self.sampled.spec, self.sampled.flat, self.sampled.given)
        curves = curves[:, : problem.n][:, problem.used]
        table = self.fit.runs.frame.loc[problem.used]
        with float64_scope(), np.errstate(over="ignore"):
            new = np.asarray(from_space(curves + self.noise.draw(curves, table, seed), space))
        return new.reshape(*z.shape[:2], -1)

    def summary(self, level: float = 0.9, *, kind: str = "percentile") -> pd.DataFrame:
        """Return median, standard deviation and interval of all draws, and the fit's estimate.

        Parameters
        ----------
        level : float
            The level of the interval.
        kind : {"percentile"}
            The kind of interval; others are a bootstrap's.

        Returns
        -------
        DataFrame
            One row per parameter. ``fit`` is the estimate of the fit that the posterior was made
            from,
            NaN for what it does not have and for a new group, of which no run was fitted.
        """
        check_kind(kind, self.resampled, self.method)
        names = [*self.names, *self.extras]
        flat = np.column_stack([self.flat, *(v.ravel() for v in self.extras.values())])
        low, high = np.quantile(flat, tails(level), axis=0)
        percent = f"{100 * level:g}%"
        fitted = self.sampled.source.params if self.sampled else pd.Series(dtype=np.float64)
        return pd.DataFrame(
            {
                "estimate": np.median(flat, axis=0),
                "sd": flat.std(axis=0, ddof=1),
                f"low_{percent}": low,
                f"high_{percent}": high,
                "fit": fitted.reindex(names).to_numpy(),
            },
            index=pd.Index(names, name="parameter"),
        )

    @property
    def centred_on_fit(self) -> bool:
        """A posterior is another estimator than the fit: its curve is its own median."""
        return False

    def for_new_group(self, seed: int = 0) -> Posterior:
        """Return draws for a family that is not among the runs, drawn from the population.

        Parameters
        ----------
        seed : int
            The seed of the new families' own parameters; each draw has its own family.

        Returns
        -------
        Posterior
            Draws of the new family's parameters.

        Raises
        ------
        PredictionError
            Where nothing is pooled.
        JscaleError
            Where other parameters differ by the same column without being pooled.
        """
        sampled = self.sampled
        if sampled is None or not sampled.spec.pooled:
            raise PredictionError(
                'A new family (new="family", for_new_group) needs a pooled posterior; this one '
                "has not learnt how families differ. Pool a parameter: "
                f'js.posterior(fit, pool={{"{self.fit.law.names[0]}": "<column>"}}).'
            )
        return _new_group(self, sampled, seed)

    def __repr__(self) -> str:
        chains, many = self.values.shape[:2]
        bad = verdicts.failed(self.notes)
        verdict = f"NOT to be trusted: {listing(bad)}" if bad else "checks passed"
        if self.from_prior:
            verdict = "no data used"
        figures = f"; {verdicts.checks_table(self.checks)}" if self.checks else ""
        table = self.summary().to_string(float_format=lambda v: f"{v:.5g}")
        notes = "".join(f"\n{note}" for note in self.notes)
        return (
            f"Posterior({self.method}, {self.likelihood}, {chains} × {many} draws; "
            f"{verdict}{figures})\n{table}{notes}"
        )


def extras_of(sampled: Sampled) -> dict[str, np.ndarray]:
    """Return the quantities drawn besides the law's parameters, each (chain, draw).

    Call inside the float64 scope.
    """
    fit, spec, z = sampled.source, sampled.spec, sampled.z
    extras: dict[str, np.ndarray] = {}
    if spec.pooled:
        # A population's mean is that of a family with offset zero.
        theta = _at_population(sampled, np.zeros((len(sampled.flat), len(spec.pooled))))
        natural = natural_parameters(fit.problem, theta)
        names = flat_names(fit.problem.layout)
        for name in spec.pooled:
            mean = natural[:, names.index(name)]
            extras[f"{name}[mean]"] = mean.reshape(z.shape[:2])
            extras[f"{name}[spread]"] = np.exp(z[:, :, spec.population(name) + 1])
    nuisance = NUISANCE[spec.likelihood]
    if nuisance:
        extras[nuisance] = np.exp(z[:, :, -1])
    return extras


def _at_population(sampled: Sampled, offset: np.ndarray) -> np.ndarray:
    """Return coordinates (S, p) of the fit's own layout: pooled ones at mean + spread·offset."""
    layout, spec, z = sampled.source.problem.layout, sampled.spec, sampled.flat
    theta = np.empty((len(z), layout.size))
    for slot in layout.slots:
        if slot.name in spec.pooled:
            at = spec.population(slot.name)
            deviate = offset[:, spec.pooled.index(slot.name)]
            theta[:, slot.first] = z[:, at] + np.exp(z[:, at + 1]) * deviate
        else:
            wider = spec.layout.slot(slot.name)
            assert wider is not None
            theta[:, slot.where] = z[:, wider.where]
    return theta


def _new_group(post: Posterior, sampled: Sampled, seed: int) -> Posterior:
    fit, spec = sampled.source, sampled.spec
    columns = {spec.layout.column(name) for name in spec.pooled}
    stuck = [n for n, c in fit.settings.per.items() if c in columns]
    if stuck:
        raise JscaleError(
            f"{listing(stuck)} differs by group without being pooled, so it is unknown "
            "for a new one. Pool it too, or share it in the fit."
        )
    flat = sampled.flat
    offset = np.random.default_rng((seed, 1)).standard_normal((len(flat), len(spec.pooled)))
    theta = _at_population(sampled, offset)
    with float64_scope():
        values = natural_parameters(fit.problem, theta)
        described = fit_at(
            fit, fit.problem, np.median(theta, axis=0), np.cov(theta.T), fit.settings.per
        )
    call = post.call and replace(post.call, then=f".for_new_group({seed!r})")
    return replace(
        post,
        fit=described,
        values=values.reshape(*post.values.shape[:2], -1),
        names=flat_names(fit.problem.layout),
        settings={**post.settings, "new_group_seed": seed},
        method=f"{post.method}, a new group",
        sampled=None,
        call=call,
    )
