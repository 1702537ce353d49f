"""How well larger runs are predicted from smaller ones, by law, by "auto", and by plain SciPy.

For each question, every law with fewer parameters than runs is fitted to the small runs and
predicts the large ones. The tables show the median absolute relative error, the mean 90% interval
score relative to the measured loss, and the share of runs inside 80 and 95% prediction intervals,
alongside SciPy's curve_fit of the same law and a power law through the compute frontier. Intervals
of laws are within them, by bootstrap. "auto" is the forecast of the small runs; "chosen" is the
single law that did best at rolling origins within them, which one would choose without the large
runs. The 24 image tasks with their authors' split and the
constants of the law of over-training follow.

    python -m benchmarks.extrapolation
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np
import pandas as pd

import jscale as js
from benchmarks.extrapolation_parts import questions
from benchmarks.extrapolation_parts.questions import Question
from benchmarks.extrapolation_parts.scipy_way import (
    broken_by_scipy,
    fitted_curve,
    frontier_line,
    one_break,
)
from benchmarks.forecast_parts.law_weights import weights_within
from benchmarks.machine import header
from jscale.data import published_splits

LEVELS = (0.8, 0.95)


def median_error(predicted: np.ndarray | None, measured: pd.Series) -> float:
    """Return the median absolute relative error in percent, NaN without a prediction."""
    if predicted is None:
        return float("nan")
    return 100 * float(np.median(np.abs(predicted / measured.to_numpy() - 1)))


def laws_table(found: js.Comparison) -> pd.DataFrame:
    """Return error, score and coverage of each law of a comparison."""
    inside = found.coverage(LEVELS)
    return pd.DataFrame(
        {
            "error %": 100 * found.table["median_error"],
            "score %": 100 * found.table["interval_score"],
            "in 80%": inside[0.8],
            "in 95%": inside[0.95],
        }
    )


def chosen(within: pd.DataFrame, by: str) -> str:
    """Return the law that did best within the small runs, by "score" or by "error"."""
    asked = within[within["why"] != "too few runs"]
    values = asked[by].dropna()
    return str((values if len(values) else asked["error"]).idxmin())


def ask(question: Question, resamples: int) -> tuple[js.Comparison, pd.DataFrame, pd.DataFrame]:
    """Compare all laws and "auto" on one question, alongside SciPy's errors.

    Returns the comparison, the table to show, and the laws' scores within the small runs.
    """
    table = question.whole
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what they say is in the notes
        runs = js.Runs.from_frame(table)
        held = table["held"].to_numpy()
        found = js.compare("auto", runs, holdout=held, resamples=resamples)
        (within,) = weights_within(runs, [np.flatnonzero(~held)], resamples)
        shown = laws_table(found)
        measured = question.large["loss"]
        shown["SciPy %"] = [
            median_error(fitted_curve(name, question.small, question.large), measured)
            if name != "auto"
            else np.nan
            for name in shown.index
        ]
        line = median_error(frontier_line(question.small, question.large), measured)
    shown.loc["frontier line"] = [np.nan] * 4 + [line]
    return found, shown, within


def paired(found: js.Comparison, within: pd.DataFrame) -> dict[str, object]:
    """Return the scores of "auto" alongside those of the chosen law."""
    by_score, by_error = chosen(within, "score"), chosen(within, "error")
    table = found.table
    return {
        "by score": by_score,
        "score, auto / chosen": table.loc["auto", "interval_score"]
        / table.loc[by_score, "interval_score"],
        "by error": by_error,
        "error, auto / chosen": table.loc["auto", "median_error"]
        / table.loc[by_error, "median_error"],
        "auto's error %": 100 * table.loc["auto", "median_error"],
        "chosen's error %": 100 * table.loc[by_error, "median_error"],
    }


def geometric(ratios: pd.Series) -> str:
    """Return the geometric mean of ratios with its standard error over questions.

    Factors above ten count as ten, so that an infinite score does not dominate.
    """
    logs = np.log(np.clip(ratios.to_numpy(dtype=float), 0.1, 10.0))
    error = logs.std(ddof=1) / np.sqrt(len(logs))
    return f"{np.exp(logs.mean()):.3f} (standard error {100 * error:.0f}%)"


def surfaces(resamples: int) -> None:
    """Print a table per question on runs of N and D, and the paired comparison."""
    rows = {}
    for question in questions.surfaces():
        found, shown, within = ask(question, resamples)
        print(
            f"\n{question.name}: {len(question.small)} runs predict {len(question.large)}, up to "
            f"{question.factor:.3g} times the compute"
        )
        print(shown.to_string(float_format=lambda v: f"{v:.3g}", na_rep="-"))
        rows[question.name] = paired(found, within)
    table = pd.DataFrame.from_dict(rows, orient="index")
    print(
        "\nAUTO AND THE LAW THAT ONE WOULD HAVE CHOSEN (by its score or its error within the small "
        "runs)"
    )
    print(table.to_string(float_format=lambda v: f"{v:.3g}"))
    summary(table)


def summary(table: pd.DataFrame) -> None:
    """Print the mean ratios."""
    print(
        f"auto / chosen, geometric mean of {len(table)}: interval score "
        f"{geometric(table['score, auto / chosen'])}, median error "
        f"{geometric(table['error, auto / chosen'])}"
    )


def image_tasks(resamples: int) -> None:
    """Print the image tasks: laws, auto, and the law with one break alongside SciPy's fit."""
    table = questions.tasks()
    if table is None:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        runs = js.Runs.from_frame(table, loss_unit="other")
        found = js.compare(
            "auto", runs, holdout=table["held"].to_numpy(), by="task", resamples=resamples
        )
        print(f"\nIMAGE TASKS: {table['task'].nunique()} curves, the authors' own split")
        print(laws_table(found).to_string(float_format=lambda v: f"{v:.3g}"))
        tasks = table["task"].unique()
        sets = [np.flatnonzero((table["task"] == x) & ~table["held"]) for x in tasks]
        within = dict(zip(tasks, weights_within(runs, sets, resamples), strict=True))
        rows = {str(task): of_task(found, str(task), own) for task, own in within.items()}
        summary(pd.DataFrame.from_dict(rows, orient="index"))
        errors = pd.DataFrame({task: broken(part) for task, part in table.groupby("task")}).T
    print("RMSLE of the law with one break, mean and median over tasks:")
    print(
        errors.drop(columns=["ours lower", "rises"])
        .agg(["mean", "median"])
        .T.to_string(float_format=lambda v: f"{v:.4f}")
    )
    print(
        f"squared error of the fitted runs: ours at or below SciPy's in "
        f"{int(errors['ours lower'].sum())} of {len(errors)} tasks; lower in SciPy's with a curve "
        f"that first rises (c0 < 0, which ours excludes): {int(errors['rises'].sum())}"
    )


def of_task(found: js.Comparison, task: str, own: pd.DataFrame) -> dict[str, object]:
    """Return the scores of "auto" and of the chosen law for one task of a comparison by task.

    ``own`` are the laws' scores within the task's fitted runs.
    """
    rows = found.rows[found.rows["split"] == task].groupby("law")
    score, error = rows["interval_score"].mean(), rows["absolute_error"].median()
    return {
        "score, auto / chosen": score["auto"] / score[own["score"].idxmin()],
        "error, auto / chosen": error["auto"] / error[own["error"].idxmin()],
    }


def broken(part: pd.DataFrame) -> dict[str, float]:
    """Fit one break to a task by SciPy and by jscale; return errors on the held-out part."""
    small, large = part[~part["held"]], part[part["held"]]
    x, y = small["D"].to_numpy(dtype=float), small["loss"].to_numpy()
    at, target = large["D"].to_numpy(dtype=float), np.log(large["loss"].to_numpy())
    theta, lowest = broken_by_scipy(x, y)

    def rmsle(logs: np.ndarray) -> float:
        return float(np.sqrt(np.mean((logs - target) ** 2)))

    errors = {"SciPy, grid and curve_fit": rmsle(one_break(at, *theta))}
    for objective in ("least_squares", "huber", "student_t"):
        fit = js.fit("broken:1:D", small[["D", "loss"]], objective=objective, loss_unit="other")
        errors[f"ours, {objective}"] = rmsle(np.log(np.asarray(fit.law(at, **fit.params))))
        if objective == "least_squares":
            lower = float(np.mean(fit.residuals**2)) <= lowest * (1 + 1e-9)
    return {**errors, "ours lower": float(lower), "rises": float(not lower and theta[2] < 0)}


def overtraining() -> None:
    """Print the constants of the law of over-training from five small runs."""
    print("\nTHE LAW OF OVER-TRAINING from five small runs, least squares of the loss itself:")
    for dataset in ("c4_original", "rw_original"):
        try:
            five, _, large = published_splits.overtraining(dataset)
        except js.DatasetError:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = js.fit("chinchilla_tied", five, objective=js.least_squares("linear"))
        E, A, B, alpha = fit.params[["E", "A", "B", "alpha"]]
        eta = alpha / 2
        off = 100 * (np.asarray(fit.law(large["N"], large["D"], **fit.params)) / large["loss"] - 1)
        print(
            f"  {dataset}: E {E:.6f}, eta {eta:.6f} (b = {-alpha:.6f}), a {A * 6**eta:.5g}, "
            f"b {B * 6**eta:.5g}; errors at 1.4B and 6.9B "
            f"{', '.join(f'{e:+.2f}%' for e in off)}"
        )


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resamples", type=int, default=500)
    arguments = parser.parse_args()
    print(header())
    print(f"{arguments.resamples} resamples per fit")
    surfaces(arguments.resamples)
    image_tasks(arguments.resamples)
    overtraining()


if __name__ == "__main__":
    main()
