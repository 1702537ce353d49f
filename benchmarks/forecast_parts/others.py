"""Other ways of forecasting the same questions: laws, an ensemble, lines, wider intervals."""

from __future__ import annotations

import pickle
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

import jscale as js
from benchmarks.forecast_parts.corpus import Sweeps
from benchmarks.forecast_parts.rolling_ensemble import ensemble
from benchmarks.forecast_parts.scores import LEVELS, weighted
from jscale.discrepancy.questions import Question
from jscale.prediction.learn_prior import Answer


@dataclass(frozen=True, eq=False)
class Asked:
    """A question of a part of a data set: runs to fit, and larger ones to forecast."""

    data_set: str
    part: str
    question: Question
    small: pd.DataFrame
    large: pd.DataFrame

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies the question."""
        return self.data_set, self.part, self.question.name

    def labelled(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return rows with the columns that name the question."""
        return rows.assign(
            data_set=self.data_set, part=self.part, question=self.question.name,
            kind=self.question.kind, runs=len(self.small),
        )  # fmt: skip


def chosen(answers: Sequence[Answer], sweeps: Sweeps, most: int) -> list[Asked]:
    """Return about ``most`` of the answers' questions of larger runs, spread over data sets."""
    found = []
    for data_set, parts in sweeps.items():
        own = [a for a in answers if a.data_set == data_set and a.question.kind == "beyond"]
        count = min(max(most // len(sweeps), 1), len(own))
        # Spread over parts and cuts; the same ones whenever as many are asked.
        places = np.unique(np.linspace(0, len(own) - 1, count).round().astype(int))
        found += [asked_of(own[i], parts[own[i].part]) for i in places]
    return found


def asked_of(answer: Answer, table: pd.DataFrame) -> Asked:
    """Return the runs of an answer's question: those to fit, and those it forecast."""
    held, count = answer.question.held, len(answer.measured)
    if len(held) > count:
        # Answers keep some of many larger runs, drawn so: the others are judged on the same.
        held = np.sort(np.random.default_rng(0).choice(held, count, replace=False))
    assert np.allclose(np.log(table["loss"].to_numpy()[held]), answer.measured)
    small, large = table.iloc[answer.question.fit], table.iloc[held]
    return Asked(answer.data_set, answer.part, answer.question, small, large)


def answered(asked: Sequence[Asked], cache: Path | None) -> dict[str, list[pd.DataFrame]]:
    """Return what each way forecasts of the questions; a cache keeps it from call to call."""
    kept: dict[tuple[str, str, str], dict[str, pd.DataFrame | None]] = {}
    if cache is not None and cache.exists():
        kept = pickle.loads(cache.read_bytes())
    found: dict[str, list[pd.DataFrame]] = {name: [] for name in WAYS}
    for each in asked:
        if each.key not in kept:
            started = time.perf_counter()
            kept[each.key] = {name: way(each.small, each.large) for name, way in WAYS.items()}
            seconds = time.perf_counter() - started
            print(f"{each.key}: {len(each.small)} runs, {seconds:.0f} s", file=sys.stderr)
            if cache is not None:
                cache.write_bytes(pickle.dumps(kept))
        for name, rows in kept[each.key].items():
            if rows is not None:
                found[name].append(each.labelled(rows))
    return found


def by_compare(
    law: str, small: pd.DataFrame, large: pd.DataFrame, resamples: int = 200
) -> pd.DataFrame | None:
    """Return rows by a law's draws or an ensemble ("auto"), None where it cannot be fitted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            source = (
                ensemble(small, resamples=resamples)
                if law == "auto"
                else js.bootstrap(js.fit(law, small), resamples, kind="bayesian")
            )
            frames = {level: js.predict(source, large[["N", "D"]], level=level / 100).frame
                      for level in LEVELS}  # fmt: skip
        except js.JscaleError:
            return None
    measured = np.log(large["loss"].to_numpy())
    table = pd.DataFrame({"measured": measured})
    table["median"] = np.log(frames[95]["curve"].to_numpy())
    for level, frame in frames.items():
        table[f"low{level}"] = np.log(frame["prediction_low"].to_numpy())
        table[f"high{level}"] = np.log(frame["prediction_high"].to_numpy())
    table["distance"] = (large["C"] / small["C"].max()).to_numpy()
    return _with_density(table)


def _with_density(table: pd.DataFrame) -> pd.DataFrame:
    """Return rows with the log density of a normal as wide as their 80 % intervals."""
    sd = np.maximum((table["high80"] - table["low80"]) / 2.563, 1e-6)
    z = (table["measured"] - table["median"]) / sd
    return table.assign(log_score=-0.5 * z**2 - np.log(sd) - 0.5 * np.log(2 * np.pi))


def frontier_line(small: pd.DataFrame, large: pd.DataFrame) -> pd.DataFrame | None:
    """Return rows by a power law through the compute frontier, its residuals' normal interval."""
    order = small.sort_values("C", kind="stable")
    best = order[order["loss"] <= order["loss"].cummin()]
    if len(best) < 3:
        return None
    x, y = np.log(best["C"].to_numpy()), np.log(best["loss"].to_numpy())
    slope, level = np.polyfit(x, y, 1)
    spare = max(len(x) - 2, 1)
    noise = float(np.sqrt(np.sum((y - slope * x - level) ** 2) / spare))
    at = np.log(large["C"].to_numpy())
    lever = 1 + 1 / len(x) + (at - x.mean()) ** 2 / max(float(np.sum((x - x.mean()) ** 2)), 1e-12)
    sd = np.maximum(noise * np.sqrt(lever), 1e-6)
    from scipy.stats import norm

    table = pd.DataFrame({"measured": np.log(large["loss"].to_numpy())})
    table["median"] = slope * at + level
    for share in LEVELS:
        half = norm.ppf(0.5 + share / 200) * sd
        table[f"low{share}"] = table["median"] - half
        table[f"high{share}"] = table["median"] + half
    table["log_score"] = norm.logpdf(table["measured"], table["median"], sd)
    table["distance"] = (large["C"] / small["C"].max()).to_numpy()
    return table


def conformal(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows whose intervals are widened until those of all other data sets are covered.

    Split conformal widening: each half-width is multiplied by the factor that covers the level in
    the rows of the other data sets, weighing alike.
    """
    parts = []
    for data_set in rows["data_set"].unique():
        own = rows[rows["data_set"] == data_set].copy()
        others = rows[rows["data_set"] != data_set]
        for level in LEVELS:
            half = np.maximum(others[f"high{level}"] - others["median"], 1e-9)
            ratio = np.abs(others["measured"] - others["median"]) / half
            factor = _quantile(ratio.to_numpy(), others["weight"].to_numpy(), level / 100)
            for end in ("low", "high"):
                column = f"{end}{level}"
                own[column] = own["median"] + factor * (own[column] - own["median"])
        parts.append(_with_density(own))
    return pd.concat(parts, ignore_index=True)


def quantile_widened(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the same by a factor that depends on the distance: a regression of its quantile.

    ln factor = a + b·ln(distance), by the pinball loss on the other data sets.
    """
    from scipy.optimize import minimize

    parts = []
    for data_set in rows["data_set"].unique():
        own = rows[rows["data_set"] == data_set].copy()
        others = rows[rows["data_set"] != data_set]
        w = (others["weight"] / others["weight"].sum()).to_numpy()
        x = np.log(np.maximum(others["distance"].to_numpy(), 1.0))
        for level in LEVELS:
            half = np.maximum(others[f"high{level}"] - others["median"], 1e-9)
            off = np.abs(others["measured"] - others["median"]).to_numpy()
            target = np.log(np.maximum(off / half.to_numpy(), 1e-3))
            share = level / 100

            def loss(p, x=x, target=target, share=share, w=w):
                gap = target - p[0] - p[1] * x
                return float(w @ np.maximum(share * gap, (share - 1) * gap))

            a, b = minimize(loss, [0.5, 0.1], method="Nelder-Mead").x
            factor = np.exp(a + b * np.log(np.maximum(own["distance"], 1.0)))
            for end in ("low", "high"):
                column = f"{end}{level}"
                own[column] = own["median"] + factor * (own[column] - own["median"])
        parts.append(_with_density(own))
    return pd.concat(parts, ignore_index=True)


def _quantile(values: np.ndarray, weights: np.ndarray, level: float) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][min(int(np.searchsorted(total, level)), len(values) - 1)])


WAYS = {
    "chinchilla": partial(by_compare, "chinchilla"),
    "auto": partial(by_compare, "auto"),
    "frontier line": frontier_line,
}


def shared(
    methods: Mapping[str, pd.DataFrame], questions: Sequence[tuple[str, str, str]]
) -> dict[str, pd.DataFrame]:
    """Return each method's rows of the questions that all of them answered, weighted anew."""
    common = set(questions)
    for rows in methods.values():
        common &= set(_keys(rows))
    return {
        name: weighted(rows[[key in common for key in _keys(rows)]])
        for name, rows in methods.items()
    }


def count(rows: pd.DataFrame) -> int:
    """Return the number of questions that rows belong to."""
    return len(set(_keys(rows)))


def _keys(rows: pd.DataFrame) -> list[tuple[str, str, str]]:
    return list(zip(rows["data_set"], rows["part"], rows["question"], strict=True))
