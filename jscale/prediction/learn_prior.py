"""learn_prior: a forecast's prior, learnt from past sweeps."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jscale.arguments import check_seed
from jscale.data.runs import Runs
from jscale.discrepancy.experts import Solved, predict, solve_each
from jscale.discrepancy.exponents import Told, learn_exponents, told_by
from jscale.discrepancy.families import ONE_AXIS, SURFACE
from jscale.discrepancy.learning import Record, learn_family
from jscale.discrepancy.mixture import Normals
from jscale.discrepancy.prior import FamilyPrior, ForecastPrior, as_prior, default_prior
from jscale.discrepancy.questions import Question, questions
from jscale.discrepancy.response import PLAIN
from jscale.errors import DataError, DataWarning, listing, outside
from jscale.fitting.provenance import provenance
from jscale.prediction.forecast_members import checked_runs, members_of, size_of, table_of
from jscale.prediction.named_law import LawMember

HELD = "held"
_MOST_HELD = 24
_AT_ONCE = 48
_NEGLIGIBLE = 1e-7
_ENOUGH = "A question takes four runs below a cut of compute, and larger ones beyond."


@dataclass(frozen=True, eq=False)
class Answer:
    """A question from a sweep, and every expert's prediction of the larger runs.

    ``mean`` and ``variance`` (K, G, P, m) are of a new run; ``measured`` (m,) is in the space and
    ``distance`` (m,) says how many times past the fitted runs' largest size each lies. ``runs``
    and ``scale`` are the number of fitted runs and their noise's scale.
    """

    data_set: str
    part: str
    family: str
    question: Question
    runs: int
    scale: float
    evidence: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    measured: np.ndarray
    distance: np.ndarray

    @property
    def record(self) -> Record:
        """The answer as a record for learning a prior."""
        density = -0.5 * np.log(2.0 * np.pi * self.variance)
        density = density - 0.5 * (self.measured - self.mean) ** 2 / self.variance
        return Record(self.data_set, self.part, self.runs, self.scale, self.evidence, density)

    def mixture(self, prior: FamilyPrior) -> Normals:
        """Return the predictive distribution of the larger runs under a prior."""
        evidence = np.where(np.isfinite(self.evidence), self.evidence, -np.inf)
        eta = prior.temperature(self.runs, self.scale)
        logs = eta * (evidence - evidence.max()) + prior.log_weights(self.runs, self.scale)
        weights = np.exp(logs - logs.max())
        usable = np.isfinite(self.mean).all(axis=-1) & np.isfinite(self.variance).all(axis=-1)
        kept = usable & (weights > _NEGLIGIBLE)
        sd = np.sqrt(self.variance[kept].astype(np.float64))
        total = weights[kept] / weights[kept].sum()
        return Normals(total, self.mean[kept].astype(np.float64), sd)


def learn_prior(
    sweeps: Mapping[str, Any], *, start: Any = "default", seed: int = 0
) -> ForecastPrior:
    """Learn a forecast's prior from past sweeps.

    Every sweep is asked questions: from its runs below a cut, what are the larger ones? The
    weights of kernels, noises and priors are those with which forecasts would have given the
    larger runs the highest density, ln y taken in nats. Before, the usual values of exponents
    move towards those of the sweeps' fits, the start counting for eight sweeps. Data sets weigh
    alike.

    Parameters
    ----------
    sweeps : mapping of str to Runs, DataFrame, or mapping of those
        A data set each, by name: its runs, or a mapping of its parts (families, settings). A
        part with a boolean column ``held`` is asked for those rows from the others; other parts
        are cut at several budgets.
    start : "default", path or ForecastPrior
        The prior whose kernels, noises and parameters are taken, and whose exponents are moved.
    seed : int
        The seed of the runs that are drawn where questions keep few.

    Returns
    -------
    ForecastPrior
        The learnt prior. Give it to ``js.forecast(…, prior=…)``, or save it: ``prior.save(path)``.

    Raises
    ------
    DataError
        For no sweep, a sweep of fewer than three runs, or none that is large enough to ask
        anything of.

    Warns
    -----
    DataWarning
        For sweeps that are too small to ask anything of.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> prior = js.learn_prior({"mine": table[table["split"] == "fit"]})  # doctest: +SKIP
    >>> js.forecast(table, prior=prior)  # doctest: +SKIP
    """
    first = as_prior(start) or default_prior()
    check_seed(seed)
    if not isinstance(sweeps, Mapping) or not sweeps:
        raise DataError('sweeps must map names to runs: {"our 2025 sweep": df}.')
    first = with_exponents(first, sweeps)
    answers = answers_of(sweeps, first, seed)
    _warn_of_silent(sweeps, answers)
    families = {
        name: relearnt(prior, [a for a in answers if a.family == name])
        for name, prior in first.families.items()
    }
    learnt = {"data_sets": digests(sweeps), "questions": len(answers), "versions": provenance()}
    return ForecastPrior(families, learnt)


def parts_of(sweeps: Mapping[str, Any]) -> Iterator[tuple[str, str, Runs]]:
    """Yield each part of each sweep, with the names of both."""
    for data_set, sweep in sweeps.items():
        parts = sweep if isinstance(sweep, Mapping) else {"all": sweep}
        for part, data in parts.items():
            try:
                runs = checked_runs(table_of(None, data, {}))
            except DataError as error:
                raise DataError(f"sweep {_named(data_set, part)}: {error}") from error
            yield data_set, str(part), runs


def _named(data_set: str, part: Any) -> str:
    return repr(data_set) if part == "all" else f"{data_set!r} (part {part!r})"


def _warn_of_silent(sweeps: Mapping[str, Any], answers: Sequence[Answer]) -> None:
    silent = [name for name in sweeps if name not in {answer.data_set for answer in answers}]
    if silent:
        warnings.warn(
            f"{len(silent)} of {len(sweeps)} sweeps are too small to ask anything of, and tell "
            f"exponents alone: {listing(silent)}. {_ENOUGH}",
            DataWarning,
            stacklevel=outside(),
        )


def with_exponents(prior: ForecastPrior, sweeps: Mapping[str, Any]) -> ForecastPrior:
    """Return a prior whose exponents have moved towards those of sweeps."""
    told: dict[str, list[Told]] = {}
    for data_set, _, runs in parts_of(sweeps):
        try:
            (law,) = members_of(None, runs, prior, PLAIN)
        except DataError:
            continue  # these runs do not vary in their inputs
        (solved,) = solve_each([law.member], [law.observations], screen=False)
        told.setdefault(_family_of(law), []).extend(told_by(solved, data_set))
    families = {
        name: learn_exponents(family, told.get(name, [])) for name, family in prior.families.items()
    }
    return ForecastPrior(families, prior.provenance)


def _family_of(law: LawMember) -> str:
    return SURFACE if len(law.law.inputs) == 2 else ONE_AXIS


def digests(sweeps: Mapping[str, Any]) -> dict[str, str]:
    """Return a digest of each data set's runs, in short."""
    text: dict[str, str] = {}
    for data_set, _, runs in parts_of(sweeps):
        text[data_set] = text.get(data_set, "") + runs.digest
    return {name: hashlib.sha256(t.encode()).hexdigest()[:16] for name, t in text.items()}


def _run_counts(sweeps: Mapping[str, Any]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for data_set, _, runs in parts_of(sweeps):
        counts[data_set] = counts.get(data_set, 0) + runs.n_independent
    return counts


def answers_of(sweeps: Mapping[str, Any], prior: ForecastPrior, seed: int = 0) -> list[Answer]:
    """Answer the questions of every sweep; raises DataError if there are none."""
    posed = list(_posed(sweeps, prior, seed))
    if not posed:
        counts = ", ".join(f"{name} {n}" for name, n in _run_counts(sweeps).items())
        raise DataError(
            f"These sweeps are too small to learn from (runs: {counts}). {_ENOUGH} Add sweeps, or "
            "larger runs."
        )
    # In batches, since the decorrelating bases of all questions would fill the memory.
    posed.sort(key=lambda p: (p.member.law.name, len(p.member.observations)))
    answers = []
    for first in range(0, len(posed), _AT_ONCE):
        part = posed[first : first + _AT_ONCE]
        solved = solve_each(
            [p.member.member for p in part], [p.member.observations for p in part], screen=False
        )
        answers += [_answer(p, s, seed) for p, s in zip(part, solved, strict=True)]
    return answers


@dataclass(frozen=True, eq=False)
class _Posed:
    data_set: str
    part: str
    question: Question
    runs: Runs
    member: LawMember


def _posed(sweeps: Mapping[str, Any], prior: ForecastPrior, seed: int) -> Iterator[_Posed]:
    for data_set, part, runs in parts_of(sweeps):
        size = size_of(runs).astype(np.float64)
        parameters = np.asarray(runs["N"]) if "N" in runs.inputs else None
        # Seeded by the part's own name, so that adding a sweep changes no other part's questions.
        draw_seed = int(hashlib.sha256(f"{data_set}|{part}|{seed}".encode()).hexdigest()[:8], 16)
        for question in _questions_of(runs, size, parameters, draw_seed):
            mask = np.zeros(len(runs), dtype=bool)
            mask[question.fit] = True
            try:
                (member,) = members_of(None, runs.where(mask), prior, PLAIN)
            except DataError:
                continue  # the remaining runs do not vary in their inputs
            yield _Posed(data_set, part, question, runs, member)


def _questions_of(
    runs: Runs, size: np.ndarray, parameters: np.ndarray | None, seed: int
) -> Iterator[Question]:
    """Yield a part's questions: its own split where it has a column ``held``."""
    if HELD not in runs.frame:
        yield from questions(size, parameters, seed)
        return
    held = runs.frame[HELD].to_numpy(dtype=bool)
    yield Question("its own split", "beyond", np.flatnonzero(~held), np.flatnonzero(held))


def _answer(posed: _Posed, solved: Solved, seed: int) -> Answer:
    held = posed.question.held
    if len(held) > _MOST_HELD:
        held = np.sort(np.random.default_rng(seed).choice(held, _MOST_HELD, replace=False))
    runs, names = posed.runs, posed.member.law.inputs
    inputs = tuple(np.asarray(runs[name], dtype=np.float64)[held] for name in names)
    (curves,) = predict([solved], [(inputs, {})])
    noise = curves.noise[None, :, None, None]
    measured = np.log(np.asarray(runs[runs.output], dtype=np.float64)[held])
    size = size_of(runs).astype(np.float64)
    distance = size[held] / size[posed.question.fit].max()
    family = _family_of(posed.member)
    n, evidence = len(solved.observations), solved.lanes.evidence
    spread = (curves.variance + noise).astype(np.float32)
    return Answer(
        posed.data_set,
        posed.part,
        family,
        posed.question,
        n,
        solved.scale,
        evidence,
        curves.mean.astype(np.float32),
        spread,
        measured,
        distance,
    )


def without(answers: Sequence[Answer], data_set: str) -> list[Answer]:
    """Return the answers of all data sets but one."""
    return [answer for answer in answers if answer.data_set != data_set]


def relearnt(family: FamilyPrior, answers: Sequence[Answer]) -> FamilyPrior:
    """Return a family's prior with weights learnt from answers; unchanged where there are none."""
    return learn_family(family, [a.record for a in answers], family) if answers else family
