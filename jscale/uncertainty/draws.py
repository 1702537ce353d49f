"""Draws: samples of a law's parameters, the common input of everything that follows a fit.

A bootstrap and a Laplace sample are both draws. Predictions take draws, so that intervals are
computed by the same code, whatever the method.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from inspect import signature
from typing import Any, Protocol

import numpy as np
import pandas as pd

from jscale.arguments import check_level
from jscale.errors import FitError, JscaleError, listing, nearest
from jscale.fitting.notes import Note
from jscale.fitting.result import Fit
from jscale.uncertainty import intervals
from jscale.uncertainty.arviz import to_arviz
from jscale.uncertainty.groups import Group, parameter_group


def tails(level: float) -> tuple[float, float]:
    """Return the two quantiles of an equal-tailed interval at ``level``."""
    half = (1.0 - check_level(level)) / 2.0
    return half, 1.0 - half


def no_spare_runs(fit: Fit) -> FitError:
    """Build the error for a fit with as many parameters as independent runs."""
    return FitError(
        f"{fit.law.name} passes through its {fit.runs.n_independent} independent runs with "
        f"{len(fit.theta)} free parameters: no run is left to estimate errors. Add runs, fix or "
        "tie parameters, or take the point alone: predict(fit, …, method=None)."
    )


class NewRuns(Protocol):
    """Draws the errors of new runs around the curve, in the objective's space."""

    def draw(self, curves: np.ndarray, table: pd.DataFrame, seed: int) -> np.ndarray:
        """Return one error for each draw of the curve (R, m) at rows of inputs, shape (R, m)."""
        ...


@dataclass(frozen=True)
class Call:
    """The call that makes draws again, in Python: ``function(fit, **arguments)``.

    ``named`` says what an argument is that code cannot state, or what else it takes for granted;
    ``then`` is what follows the call, such as ``.for_new_group(3)``.
    """

    function: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    then: str = ""

    @classmethod
    def of(cls, function: Callable[..., Any], settings: Mapping[str, Any]) -> Call:
        """Return the call of a public function of jscale, with those settings that it takes."""
        known = signature(function).parameters
        arguments = {name: value for name, value in settings.items() if name in known}
        return cls(f"js.{function.__name__}", arguments)


@dataclass(frozen=True, eq=False)
class Draws:
    """Draws of a fit's parameters, from :func:`jscale.draws`, :func:`jscale.bootstrap` and others.

    Attributes
    ----------
    fit : Fit
        The fit.
    values : ndarray, shape (chain, draw, parameter)
        The law's own parameters.
    names : tuple of str
        The parameters, in the order of ``values``.
    method : str
        What the draws came from, in words.
    settings : mapping
        How they were made, seed included.
    failed : int
        How many draws were left out because their refit ended nowhere finite.
    unsettled : int
        How many were kept although their refit had not converged.
    switched : int
        How many of the resamples ended in another basin than the fit.
    notes : tuple of Note
        What to know before trusting them.
    noise : NewRuns or None
        Draws the errors of new runs, where the draws came with a noise of their own (a
        posterior's); without, it is estimated from the fit's residuals.
    resampled : bool
        Whether they are refits of resampled or reweighted runs.
    from_prior : bool
        Whether they are drawn from a prior, before any run is seen.
    call : Call or None
        The call that makes them again; None where no code can.
    """

    fit: Fit
    values: np.ndarray
    names: tuple[str, ...]
    method: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    failed: int = 0
    unsettled: int = 0
    switched: int = 0
    notes: tuple[Note, ...] = ()
    noise: NewRuns | None = None
    resampled: bool = False
    from_prior: bool = False
    call: Call | None = None

    def __len__(self) -> int:
        return self.values.shape[0] * self.values.shape[1]

    def __getitem__(self, name: str) -> Any:
        """Return a parameter's draws as a labelled (chain, draw) array (xarray.DataArray)."""
        import xarray

        if name not in self.names:
            hint = nearest(name, self.names)
            raise JscaleError(f"No parameter {name!r}.{hint} There are {listing(self.names, 24)}.")
        column = self.values[:, :, self.names.index(name)]
        return xarray.DataArray(column, dims=("chain", "draw"), name=name)

    @property
    def flat(self) -> np.ndarray:
        """All draws, chains one after another: (draws, parameter)."""
        return self.values.reshape(-1, len(self.names))

    @property
    def centred_on_fit(self) -> bool:
        """Whether the draws scatter around the fit's estimate.

        Otherwise they come from another estimator, whose curve is their own median.
        """
        return True

    def for_new_group(self, seed: int = 0) -> Draws | None:
        """Return draws for a family that is not among the runs, where the draws know of any.

        Parameters
        ----------
        seed : int
            The seed of the new families' own parameters.

        Returns
        -------
        Draws or None
            None where nothing was learnt of how families differ; only a pooled posterior has.
        """
        return None

    def to_frame(self) -> pd.DataFrame:
        """Return one row per draw and one column per parameter.

        Returns
        -------
        DataFrame
            The draws, chains one after another.
        """
        return pd.DataFrame(self.flat, columns=list(self.names))

    def groups(self) -> dict[str, Group]:
        """Return the draws as groups of labelled arrays, by the names that ArviZ gives them.

        Returns
        -------
        dict of str to Group
            ``posterior``, with one variable per parameter; and ``observed_data``, the output of
            the rows with weight.
        """
        parameters = parameter_group(self.fit.problem.layout, self.values)
        return self._with_attributes({"posterior": parameters, "observed_data": self._observed()})

    def _observed(self) -> Group:
        """Return the output of the rows with weight."""
        output, used = self.fit.law.output, self.fit.problem.used
        observed = np.asarray(self.fit.runs[output], dtype=np.float64)[used]
        return Group({output: (("row",), observed)}, {"row": self._row_labels()})

    def _row_labels(self) -> list[str]:
        """Return the labels of the rows with weight, as text."""
        return [str(label) for label in self.fit.runs.frame.index[self.fit.problem.used]]

    def _with_attributes(self, groups: Mapping[str, Group]) -> dict[str, Group]:
        """Return groups with attributes that describe the draws, as plain text and numbers."""
        # Attributes of files hold plain values only.
        plain = {k: v for k, v in self.settings.items() if isinstance(v, (str, int, float))}
        # NetCDF has no type for bool.
        numbers = {f"setting_{k}": int(v) if isinstance(v, bool) else v for k, v in plain.items()}
        attributes = {
            "inference_library": "jscale",
            "inference_library_version": self.fit.provenance.get("jscale", ""),
            "law": self.fit.law.name,
            "method": self.method,
            "data_digest": self.fit.runs.digest,
            "notes": "\n".join(map(str, self.notes)),
            **numbers,
        }
        return {name: replace(group, attributes=attributes) for name, group in groups.items()}

    def to_arviz(self) -> Any:
        """Return the draws as ArviZ holds them.

        Returns
        -------
        arviz.InferenceData or xarray.DataTree
            The first on ArviZ 0.x, the second on 1.x.
        """
        return to_arviz(self)

    def interval(self, level: float = 0.9, *, kind: str = "percentile") -> pd.DataFrame:
        """Return intervals at ``level``: columns ``low`` and ``high``, a row per parameter.

        Parameters
        ----------
        level : float, default 0.9
            The level.
        kind : {"percentile", "bca"}
            "percentile" cuts equal tails off the draws. "bca" (for a bootstrap) moves the two
            quantiles by the share of draws below the estimate and by the skewness of the runs'
            influences: better where draws are biased or errors grow with the parameter. Near least
            absolute deviations, where few residuals lie inside the objective's delta, influences
            are taken with the smoothed curvature of the standard errors.

        Returns
        -------
        DataFrame
            The intervals.

        Raises
        ------
        JscaleError
            For a level outside (0, 1), an unknown kind, or "bca" of draws that are not a
            bootstrap's or lie on one side of the estimate.
        NotDifferentiable
            For "bca" where the data do not determine the parameters.

        References
        ----------
        Efron, JASA 82, 1987.
        """
        quantiles = tails(level)
        intervals.check_kind(kind, self.resampled, self.method)
        if kind == "bca":
            moves = intervals.influences(self.fit, self.settings.get("cluster"))
            skew = intervals.acceleration(moves)
            estimate = self.fit.params.to_numpy()
            low, high = intervals.bca(self.flat, estimate, skew, quantiles, self.names)
        else:
            low, high = np.quantile(self.flat, quantiles, axis=0)
        return pd.DataFrame(
            {"low": low, "high": high}, index=pd.Index(self.names, name="parameter")
        )

    def summary(self, level: float = 0.9, *, kind: str = "percentile") -> pd.DataFrame:
        """Return estimate, standard deviation, and the interval at ``level`` per parameter.

        Parameters
        ----------
        level : float, default 0.9
            The level.
        kind : {"percentile", "bca"}
            The kind of interval: see :meth:`interval`.

        Returns
        -------
        DataFrame
            A row per parameter.
        """
        percent = f"{100 * check_level(level):g}%"
        frame = pd.DataFrame(
            {"estimate": self.fit.params.to_numpy(), "sd": self.flat.std(axis=0, ddof=1)},
            index=pd.Index(self.names, name="parameter"),
        )
        bounds = self.interval(level, kind=kind)
        frame[f"low_{percent}"], frame[f"high_{percent}"] = bounds["low"], bounds["high"]
        return frame

    def __repr__(self) -> str:
        trouble = f", {self.failed} failed" if self.failed else ""
        trouble += f", {self.unsettled} not converged" if self.unsettled else ""
        trouble += f", {self.switched} in another basin" if self.switched else ""
        head = f"{type(self).__name__}({self.method}, {len(self)} draws{trouble})"
        if "chosen" in self.settings:
            head += f"\nchosen: {self.settings['chosen']}"
        table = self.summary().to_string(float_format=lambda v: f"{v:.5g}")
        notes = "".join(f"\n{note}" for note in self.notes)
        return f"{head}\n{table}{notes}"
