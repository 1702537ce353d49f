"""forecast: laws weighted under a learnt prior, each with a discrepancy.

    ln y = ln f(x; θ) + δ(x) + ε

f is a law, δ a Gaussian process over the logarithms of the inputs by which the truth may depart
from it, and ε the noise of a run. An interval that allows only for the uncertainty within a law is
too narrow far from the runs, since no law is exactly right; δ has the size of the departures seen
in past sweeps.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from jscale.arguments import check_count, check_level, check_seed
from jscale.data.runs import Runs
from jscale.discrepancy.experts import Curves, Solved, predict
from jscale.discrepancy.mixture import Normals
from jscale.discrepancy.prior import ForecastPrior
from jscale.discrepancy.sampling import central_function, draw_functions
from jscale.errors import PredictionError
from jscale.fitting.notes import Note
from jscale.fitting.points import Points, input_table
from jscale.fitting.result import Fit
from jscale.prediction.components import Component
from jscale.prediction.forecast_beyond import SOURCES
from jscale.prediction.forecast_choices import DRAWS, Choices, Unsolved
from jscale.prediction.forecast_influence import influence_on
from jscale.prediction.forecast_members import AUTO, checked_runs, table_of
from jscale.prediction.forecast_noise import SolvedLaws, solve_laws
from jscale.prediction.forecast_notes import measured_coverage, notes_on
from jscale.prediction.forecast_reference import reference_of
from jscale.prediction.mixture_predictive import MixturePredictive
from jscale.prediction.named_law import LawMember
from jscale.prediction.newruns import KNOWN, NewRun
from jscale.prediction.prediction import Prediction, predicted
from jscale.uncertainty.noise.trend import Trend, log_axis

# Experts below this share of the largest weight are left out of mixtures.
_NEGLIGIBLE = 1e-7
_NUMBERS_AT_ONCE = 30_000_000


@dataclass(frozen=True, eq=False)
class Forecast:
    """Weighted laws with their discrepancies, fitted to all runs.

    Predict with :func:`jscale.predict` (or :meth:`predict`), plan with :func:`jscale.allocate`,
    :func:`jscale.required` and :func:`jscale.crossover`.

    Attributes
    ----------
    runs : Runs
        The runs that it was fitted to.
    laws : tuple of LawMember
        The laws with their priors.
    experts : tuple of Solved
        For each law, its parameters under every kernel, noise and prior.
    prior : ForecastPrior or None
        The learnt prior, None for the weak one.
    response : str
        What the laws describe: the outcome itself ("plain"), or odds.
    notes : tuple of Note
        What to know before trusting the forecast.
    settings : mapping
        All that is needed to make it again, as plain values.
    fit : Fit, optional
        The fit whose law this forecast is of, if it was made for one.
    trend : Trend, optional
        How the noise of a run falls with its compute, where the runs show that it does.
    """

    runs: Runs
    laws: tuple[LawMember, ...]
    experts: tuple[Solved, ...]
    prior: ForecastPrior | None
    response: str
    settings: Mapping[str, Any]
    fit: Fit | None = None
    trend: Trend | None = None

    @cached_property
    def log_weights(self) -> tuple[np.ndarray, ...]:
        """Log weights (K, G, P) of each law's experts, normalised over all laws."""
        each = []
        for solved in self.experts:
            prior, n = solved.member.prior, len(solved.observations)
            evidence = np.where(np.isfinite(solved.lanes.evidence), solved.lanes.evidence, -np.inf)
            eta = prior.temperature(n, solved.scale)
            each.append(eta * evidence + prior.log_weights(n, solved.scale))
        top = max(float(log.max()) for log in each)
        total = top + np.log(sum(float(np.exp(log - top).sum()) for log in each))
        return tuple(log - total for log in each)

    @property
    def weights(self) -> pd.Series:
        """The weight of each law; weights sum to one."""
        total = [float(np.exp(log).sum()) for log in self.log_weights]
        names = [member.law.name for member in self.laws]
        return pd.Series(total, pd.Index(names, name="law"), name="weight")

    def to_frame(self) -> pd.DataFrame:
        """Return one row per expert with weight.

        Returns
        -------
        DataFrame
            Its ``law``, ``prior``, the ``length`` (in e-folds) and ``amplitude`` of its kernel's
            first component, the number of ``components``, the ``noise`` of a run and ``weight``.
        """
        rows = []
        for member, solved, logs in zip(self.laws, self.experts, self.log_weights, strict=True):
            prior = solved.member.prior
            for (k, g, p), log in np.ndenumerate(logs):
                kernel = prior.kernels[k]
                rows.append(
                    {
                        "law": member.law.name,
                        "prior": prior.variants[p].name,
                        "length": kernel[0].length,
                        "amplitude": kernel[0].amplitude,
                        "components": len(kernel),
                        "noise": float(np.sqrt(solved.table.noise[g])),
                        "weight": float(np.exp(log)),
                    }
                )
        table = pd.DataFrame(rows).sort_values("weight", ascending=False, kind="stable")
        return table.loc[table["weight"] > 1e-4].reset_index(drop=True)

    @cached_property
    def fitted(self) -> np.ndarray:
        """The median curve at the runs (n,)."""
        columns = [name for name in self.runs.frame if name in self.reference.law.inputs]
        groups = [column for column, _ in self.reference.problem.layout.groups]
        return (
            self.mixture(self.runs.frame.loc[:, [*columns, *groups]]).frame(0.5)["curve"].to_numpy()
        )

    # What a predictor has (jscale.prediction.predictor)

    @property
    def reference(self) -> Fit:
        """A description of the law with the most weight at its most probable parameters."""
        return self._reference

    @cached_property
    def _reference(self) -> Fit:
        if self.fit is not None:
            return self.fit
        place = int(np.argmax(self.weights.to_numpy()))
        return reference_of(self.laws[place], self.experts[place], self.runs)

    @property
    def method(self) -> str:
        """The laws with weight."""
        if len(self.laws) == 1:
            return f"{self.laws[0].law.name} with its discrepancy"
        parts = [f"{name} {w:.2f}" for name, w in self.weights.items() if w >= 0.005]
        return f"forecast ({', '.join(parts)}; with discrepancy)"

    @property
    def notes(self) -> tuple[Note, ...]:
        """What to know before trusting the forecast."""
        return self._notes

    @cached_property
    def _notes(self) -> tuple[Note, ...]:
        return tuple(notes_on(self))

    @property
    def resamples(self) -> None:
        """None: draws of a forecast are not refits."""
        return None

    @property
    def components(self) -> tuple[Component, ...]:
        """Joint draws of the function, for plans: one component per law."""
        return self._components

    @cached_property
    def _components(self) -> tuple[Component, ...]:
        return self._drawn(int(self.settings["draws"]), int(self.settings["seed"]))

    def _drawn(self, draws: int, seed: int) -> tuple[Component, ...]:
        made = []
        for i, (member, solved, logs) in enumerate(
            zip(self.laws, self.experts, self.log_weights, strict=True)
        ):
            weight = float(np.exp(logs).sum())
            if weight < 1e-3:
                continue
            rng = np.random.default_rng((seed, 5, i))
            function, flat = draw_functions(solved, np.exp(logs), draws, rng, self.response)
            fit = reference_of(member, solved, self.runs)
            point = central_function(solved, np.exp(logs))
            made.append(Component(member.law.name, function, point, flat, fit, weight))
        return tuple(made)

    def sampler(self, new_run: NewRun, seed: int) -> ForecastSampler:
        """Return what predicts the curve and new runs.

        Parameters
        ----------
        new_run : NewRun
            What is asked of new runs.
        seed : int
            Without effect: nothing is drawn.

        Returns
        -------
        ForecastSampler
            The forecast's mixture of normals at points.

        Raises
        ------
        PredictionError
            For a new family, or a noise that is given: a forecast has its own.
        """
        if new_run.new != "run":
            raise PredictionError(
                f"new={new_run.new!r}: a forecast predicts new runs of the fitted families. "
                'Predict from draws instead: js.predict(js.draws(fit), …, new="family").'
            )
        if new_run.given is not None:
            raise PredictionError(
                "noise=…: a forecast has its own noise. Add known errors by "
                "known_error=…, or predict from draws of a fit."
            )
        return ForecastSampler(self)

    # Predictions

    def predict(self, where: Any = None, *, level: float = 0.9, **inputs: Any) -> Prediction:
        """Predict the curve and new runs at given inputs.

        Parameters
        ----------
        where : DataFrame, Runs or mapping, optional
            The points, as a table; or give inputs by name.
        level : float
            The level of both intervals.
        **inputs
            Inputs by name, numbers or arrays that broadcast; ``known_error`` as for
            :func:`jscale.predict`.

        Returns
        -------
        Prediction
            The median curve, both intervals, and how far past the runs each point lies.
        """
        check_level(level)
        known = inputs.pop("known_error", None)
        new_run = NewRun.asked("run", known, None)
        return predicted(self, where, inputs, level=level, new_run=new_run, known_error=known)

    def sample(
        self, where: Any = None, draws: int = DRAWS, *, seed: int = 0, **inputs: Any
    ) -> np.ndarray:
        """Draw the function jointly at many points.

        Parameters
        ----------
        where : DataFrame, Runs or mapping, optional
            The m points, as a table; or give inputs by name.
        draws : int
            The number of draws.
        seed : int
            The seed of the draws.
        **inputs
            Inputs by name.

        Returns
        -------
        ndarray, shape (draws, m)
            The outcome along each drawn curve, without the noise of runs.
        """
        count, seed = check_count("draws", draws, str(DRAWS)), check_seed(seed)
        table = input_table(self.reference, where, inputs)
        parts = self._drawn(count, seed)
        shares = np.array([part.weight for part in parts])
        owner = np.random.default_rng((seed, 6)).choice(len(parts), count, p=shares / shares.sum())
        values = np.empty((count, len(table)))
        for i, part in enumerate(parts):
            rows = owner == i
            if rows.any():
                values[rows] = part.at(table, part.flat[rows])
        return values

    def contribution(self, where: Any = None, **inputs: Any) -> pd.DataFrame:
        """Return how much of a prediction interval comes from what, as shares of its variance.

        Parameters
        ----------
        where : DataFrame, Runs or mapping, optional
            The m points, as a table; or give inputs by name.
        **inputs
            Inputs by name.

        Returns
        -------
        DataFrame
            The inputs, and the shares ``noise`` (of a run), ``parameters`` (of the law),
            ``discrepancy`` (the departure from the law) and ``choice`` (of the law and of
            hyperparameters), adding up to one; ``mostly`` names the largest in words.
        """
        table = input_table(self.reference, where, inputs)
        weights, mean, bend, inside, noise = _pooled(self, self._curves(table), table)
        middle = weights @ mean
        sources = {
            "noise": weights @ noise,
            "parameters": weights @ inside,
            "discrepancy": weights @ bend,
            "choice": weights @ (mean - middle) ** 2,
        }
        total = sum(sources.values())
        shares = pd.DataFrame({name: value / total for name, value in sources.items()}, table.index)
        largest = shares.idxmax(axis=1).map(SOURCES)
        return pd.concat([table, shares, largest.rename("mostly")], axis=1)

    def influence(self, where: Any = None, **inputs: Any) -> pd.DataFrame:
        """Return how each fitted run moves and narrows the curve at points.

        Given the weights of its laws, kernels and noises, which are held here, a forecast is a
        linear function of the logarithms of the outcomes (to first order in the parameters).

        Parameters
        ----------
        where : DataFrame, Runs or mapping, optional
            The m points, as a table; or give inputs by name.
        **inputs
            Inputs by name.

        Returns
        -------
        DataFrame
            One row per point and fitted run: ``derivative``, of the logarithm of the curve by
            that of the run's outcome (0.3: an outcome 1% higher raises the curve by 0.3%), and
            ``narrowing``, the share by which the curve's variance is smaller with the run than
            without it.

        Examples
        --------
        >>> import jscale as js
        >>> table = js.datasets.load("stdlib_lm")
        >>> fc = js.forecast(table[table["split"] == "fit"])
        >>> found = fc.influence(N=3e5, D=5e6)
        >>> found.nlargest(3, "narrowing").columns.tolist()
        ['derivative', 'narrowing']
        """
        return influence_on(self, input_table(self.reference, where, inputs))

    def at(self, table: pd.DataFrame) -> list[tuple[Solved, Points]]:
        """Return each law's experts and a table's points as that law takes them.

        Parameters
        ----------
        table : DataFrame
            The points, as :meth:`ForecastSampler.table` checks them.

        Returns
        -------
        list of (Solved, Points)
            One pair for each law.
        """
        return [
            (solved, Points.in_table(reference_of(member, solved, self.runs), table))
            for member, solved in zip(self.laws, self.experts, strict=True)
        ]

    def _curves(self, table: pd.DataFrame) -> list[Curves]:
        """Return the curves of each law's experts at a table's points."""
        found = []
        for solved, points in self.at(table):
            # Whitened covariances between runs and points are held for every kernel and noise.
            kernels, noises = solved.log_weights.shape[:2]
            held = kernels * noises * len(solved.observations)
            step = int(np.clip(_NUMBERS_AT_ONCE // held, 16, max(len(table), 16)))
            found.append(
                joined([predict([solved], [piece])[0] for piece in pieces_of(points, step)])
            )
        return found

    def mixture(self, table: pd.DataFrame) -> MixturePredictive:
        """Return the distributions of the curve and of new runs at points.

        Parameters
        ----------
        table : DataFrame
            The points, as :meth:`ForecastSampler.table` checks them.

        Returns
        -------
        MixturePredictive
            A mixture of normals each, in the logarithm of what the laws describe.
        """
        return mixture_of(self, self._curves(table), table)

    def __repr__(self) -> str:
        learnt = "weak" if self.prior is None else f"learnt, {self.prior.digest}"
        head = (
            f"Forecast of {self.runs.output} from {self.runs.n_independent} runs (prior: {learnt})"
        )
        weights = ", ".join(f"{name} {w:.2f}" for name, w in self.weights.items())
        scale = f"noise of a run {100 * self.experts[0].scale:.2g}%"
        return "\n".join([head, f"laws: {weights}; {scale}", *map(str, self.notes)])

    def _repr_html_(self) -> str:
        head, *rest = (html.escape(line) for line in repr(self).split("\n"))
        items = "".join(f"<li>{line}</li>" for line in rest)
        return f"<p><b>{head}</b></p><ul>{items}</ul>"


def mixture_of(
    forecast: Forecast, curves: Sequence[Curves], table: pd.DataFrame
) -> MixturePredictive:
    """Return a forecast's distributions at a table's points, from the curves of each law there."""
    weights, mean, bend, inside, noise = _pooled(forecast, curves, table)
    kept = weights > _NEGLIGIBLE * weights.max()
    weights, mean = weights[kept] / weights[kept].sum(), mean[kept]
    curve, noise = (bend + inside)[kept], noise[kept]
    of_curve = Normals(weights, mean, np.sqrt(curve))
    made = MixturePredictive(of_curve, of_curve, forecast.laws[0].member.space, forecast.response)
    known = 0.0
    if KNOWN in table:
        median = made.outcome(of_curve.quantile(0.5))
        known = (table[KNOWN].to_numpy() * made.slope(median)) ** 2
    return replace(made, new=Normals(weights, mean, np.sqrt(curve + noise + known)))


def pieces_of(points: Points, step: int) -> Iterator[tuple[Any, Any]]:
    """Yield the inputs and codes of points, so many at a time."""
    for first in range(0, len(points), step):
        piece = slice(first, first + step)
        codes = {name: code[piece] for name, code in points.codes.items()}
        yield tuple(x[piece] for x in points.inputs), codes


def joined(pieces: Sequence[Curves]) -> Curves:
    """Return the curves at all points, predicted piece by piece."""
    if len(pieces) == 1:
        return pieces[0]
    mean, bend, parameters = (
        np.concatenate(arrays, axis=-1)
        for arrays in zip(*((p.mean, p.bend, p.parameters) for p in pieces), strict=True)
    )
    return Curves(mean, bend, parameters, pieces[0].noise)


def _pooled(
    forecast: Forecast, curves: Sequence[Curves], table: pd.DataFrame
) -> tuple[np.ndarray, ...]:
    """Return (weights (S,), mean, bend, parameters, noise (S, m)) of the experts of all laws."""
    parts = [
        _flat(each, np.exp(logs)) for each, logs in zip(curves, forecast.log_weights, strict=True)
    ]
    weights, mean, bend, inside, noise = (np.concatenate(x) for x in zip(*parts, strict=True))
    if forecast.trend is not None:
        noise = noise * forecast.trend.factor(log_axis(table, forecast.trend.column)) ** 2
    return weights, mean, bend, inside, noise


def _flat(curves: Curves, weights: np.ndarray) -> tuple[np.ndarray, ...]:
    m = curves.mean.shape[-1]
    noise = np.broadcast_to(curves.noise[None, :, None, None], curves.mean.shape)
    finite = np.isfinite(curves.mean) & np.isfinite(curves.variance)
    usable = np.asarray(finite.all(axis=-1))
    weights = np.where(usable, weights, 0.0).ravel()
    arrays = (curves.mean, curves.bend, curves.parameters, noise)
    return (weights, *(np.where(usable[..., None], x, 1.0).reshape(-1, m) for x in arrays))


@dataclass(frozen=True, eq=False)
class ForecastSampler:
    """Predicts the curve and new runs of a forecast by its mixture of normals."""

    predictor: Forecast
    rows_at_once: int | None = 256

    @property
    def notes(self) -> tuple[Note, ...]:
        """The forecast's notes."""
        return self.predictor.notes

    def table(self, where: Any, inputs: Mapping[str, Any]) -> pd.DataFrame:
        """Check inputs of the law with the most weight."""
        return input_table(self.predictor.reference, where, inputs)

    def beyond(self, past: np.ndarray) -> str:
        """Return the measured coverage of real runs equally far past the fitted ones."""
        return measured_coverage(self.predictor, past)

    def predictive(self, table: pd.DataFrame, seed: int) -> MixturePredictive:
        """Return the distributions at a table's rows; nothing is drawn, whatever the seed."""
        return self.predictor.mixture(table)


def forecast(
    data: Runs | pd.DataFrame,
    laws: Sequence[Any] | Any = AUTO,
    *,
    prior: Any = "default",
    response: str = AUTO,
    draws: int = DRAWS,
    seed: int = 0,
    known_error: str | None = None,
    **columns: Any,
) -> Forecast:
    """Forecast larger runs: laws weighed, each with the chance that it bends.

    The logarithm of the outcome is ln f(x; θ) + δ(x) + ε: a law whose parameters θ have a prior
    learnt from past sweeps, a Gaussian process δ over the logarithms of the inputs, and noise.
    Parameters follow by generalised least squares under the covariance of δ + ε, and δ's
    posterior mean follows the drift that the runs show (universal kriging). Kernels, noises,
    priors and laws are averaged by their evidence and learnt weights. Where a test finds that the
    noise of runs falls with their compute (``noise-varies``), they are weighed by it, and a new
    run has the noise of its size. Rows of one run (``run=``) share half of their noise.

    Parameters
    ----------
    data : Runs or DataFrame
        Three or more runs.
    laws : "auto", or one or more laws or names
        "auto" takes the law of Hoffmann et al. for runs that vary in N and D, and a power law
        with a constant and at most one break for runs of one input.
    prior : "default", "weak", path, ForecastPrior or None
        The learnt prior. The default one was learnt from losses of language models; other
        outcomes, and laws without a training corpus, get the weak prior, as does None.
        :func:`jscale.learn_prior` learns one from your own sweeps.
    response : {"auto", "plain", "odds", "odds of failure"}
        What laws describe: the outcome itself, or for an outcome between 0 and 1 its odds, so
        that no interval leaves that range.
    draws : int
        How many functions plans draw.
    seed : int
        The seed of those draws.
    known_error : str, optional
        A column with the known standard deviation of each outcome's logarithm, of evaluation say,
        which comes on top of the noise that is estimated.
    **columns
        Names of columns, as for :meth:`jscale.Runs.from_frame`.

    Returns
    -------
    Forecast
        The laws with their weights, and what :func:`jscale.predict` and plans need of them.

    Raises
    ------
    DataError
        For fewer than three runs, columns that no law fits, mixed units of loss, or known errors
        that are none.
    LawError
        For laws of different outputs, or one named twice.
    FileError
        For a prior that is damaged or of another version.

    Notes
    -----
    Up to a few hundred runs it is exact. Beyond, kernels are chosen on some of the runs and their
    covariances have low rank, which moves the median by under 1% of the interval's half width and
    the width by as much in simulations; past some thousand rows the table is thinned
    (benchmarks/results/forecast_size.txt).

    Curves are not forced to fall. On 11 public tables the median fell everywhere along C and, but
    for a rise of 0.2% on one of them, along D, in range and to ten times beyond. Along N at fixed D
    it rose by over 0.1% on 3 tables in range and on 5 beyond: by 19% where larger models of few
    tokens were indeed worse, elsewhere by at most 9%. Of drawn curves 8 to 37% rise somewhere by
    over 0.1%.

    References
    ----------
    Kennedy and O'Hagan, Bayesian calibration of computer models, JRSS B 63, 2001.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fc = js.forecast(table[table["split"] == "fit"])
    >>> js.predict(fc, N=3e5, D=5e6).frame.columns.tolist()[:3]
    ['N', 'D', 'curve']
    """
    choices = Choices.checked(laws, prior, response, draws, seed, known_error)
    asked = choices.of(checked_runs(table_of(choices.laws, data, columns)))
    (solved,) = solve_laws([(asked.laws, asked.runs)])
    return forecast_of(asked, solved)


def forecast_of(asked: Unsolved, solved: SolvedLaws) -> Forecast:
    """Return the forecast of some runs whose laws have been solved."""
    return Forecast(
        asked.runs,
        solved.laws,
        solved.experts,
        asked.prior,
        asked.response,
        asked.settings,
        trend=solved.trend,
    )
