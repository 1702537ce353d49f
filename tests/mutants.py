"""Faults planted one at a time, to prove that the quick tests find what they are there to find.

``python -m tests.mutants`` plants each fault in a copy of the repository and runs the quick tests
there: first the files in which it should be found, then, if they pass, all the others. It ends with
an error if a fault survives, and writes ``mutants_result.txt``. ``--only NAME`` (several times) runs
some, ``--out FILE`` writes elsewhere. It takes about half an hour, so the gate does not run it;
``test_mutants.py`` checks there that every fault can still be planted and that the result is whole.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULT = Path(__file__).with_name("mutants_result.txt")
PARTS = ("jscale", "tests", "benchmarks", "notebooks", ".ci")
FILES = ("pyproject.toml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE")


@dataclass(frozen=True)
class Mutant:
    """A fault: in ``file``, the text ``old``, which occurs once, becomes ``new``.

    ``fault`` says in words what is wrong then; ``killers`` are the quick tests to run first.
    """

    name: str
    file: str
    old: str
    new: str
    fault: str
    killers: tuple[str, ...]

    def planted(self, text: str) -> str:
        """The file's text with the fault; raises ValueError unless ``old`` occurs exactly once."""
        count = text.count(self.old)
        if count != 1:
            raise ValueError(
                f"mutant {self.name}: {self.old!r} occurs {count} times in {self.file}; it must "
                "occur once. The code has changed: write the fault again."
            )
        return text.replace(self.old, self.new)


MUTANTS = (
    Mutant(
        "law-sign", "jscale/laws/loss_surfaces.py",
        "return E + A * power(N, -alpha) + B * power(D, -beta)",
        "return E + A * power(N, -alpha) - B * power(D, -beta)",
        "The data term of the Chinchilla law has the wrong sign.",
        ("tests/laws/test_loss_surfaces.py", "tests/golden/test_chinchilla.py"),
    ),
    Mutant(
        "flop-rule", "jscale/data/flops.py",
        "return 6.0 * np.asarray(N", "return 2.0 * np.asarray(N",
        "Training compute is 2·N·D.",
        ("tests/data/test_flops.py",),
    ),
    Mutant(
        "unit", "jscale/data/units.py",
        '"bits": lambda v: v * np.log(2.0),', '"bits": lambda v: v,',
        "Bits are taken for nats.",
        ("tests/data/test_units.py",),
    ),
    Mutant(
        "perplexity", "jscale/data/validation.py",
        'to_unit(values[reading.output], "perplexity", "nats")', "values[reading.output]",
        "Losses given as perplexities are not converted.",
        ("tests/data/test_validation.py", "tests/data/test_runs.py"),
    ),
    Mutant(
        "delta",
        "jscale/fitting/objective/base.py",
        "return float(self.delta)",
        "return 1e-3",
        "The scale delta of an objective is ignored.",
        ("tests/fitting/objective", "tests/conformance/test_objectives.py"),
    ),
    Mutant(
        "padding", "jscale/fitting/build.py",
        "padded = np.zeros(rows)", "padded = np.ones(rows)",
        "Rows that only pad a table to its size bucket count in the fit.",
        ("tests/fitting/test_build.py", "tests/fitting/test_fit.py"),
    ),
    Mutant(
        "weights", "jscale/fitting/build.py",
        "weight = _weights(runs, settings.weights)", "weight = np.ones(len(runs))",
        "Weights of runs are ignored.",
        ("tests/fitting/test_build.py", "tests/fitting/test_fit.py"),
    ),
    Mutant(
        "fixed", "jscale/fitting/build.py",
        "fixed=exact,", "fixed={name: np.ones(()) for name in exact},",
        "A fixed parameter is held at 1 instead of the value that was given.",
        ("tests/fitting/test_build.py", "tests/fitting/test_fit.py"),
    ),
    Mutant(
        "tie", "jscale/model/layout.py",
        "values.update({alias: values[leader] for alias, leader in self.ties})",
        "values.update({alias: values[leader] * 1.01 for alias, leader in self.ties})",
        "Tied parameters are not equal.",
        ("tests/model/test_layout.py",),
    ),
    Mutant(
        "centring", "jscale/model/layout.py",
        "factor = jnp.exp(-sign * values[exponent] * centre[x])",
        "factor = jnp.exp(sign * values[exponent] * centre[x])",
        "Amplitudes are centred in the wrong direction.",
        ("tests/model/test_layout.py",),
    ),
    Mutant(
        "space", "jscale/fitting/build.py",
        'return np.log(y) - np.log1p(-y) if space == "logit" else y', "return y",
        "Residuals in logit space are taken of the plain observations.",
        ("tests/fitting/test_build.py", "tests/fitting/test_fit.py"),
    ),
    Mutant(
        "failed-lane", "jscale/fitting/solver/gauss_newton.py",
        "np.where(np.isfinite(self.objective), self.objective, np.inf)",
        "np.where(np.isfinite(self.objective), self.objective, -np.inf)",
        "A lane that ended nowhere finite is taken for the best.",
        ("tests/fitting/solver/test_gauss_newton.py", "tests/fitting/solver/test_engine.py"),
    ),
    Mutant(
        "smoothing", "jscale/fitting/diagnostics.py",
        "H = (J * (w * smoothed_curvature(problem.objective, r))[:, None]).T @ J",
        "H = (J * w[:, None]).T @ J",
        "Standard errors take the curvature of squares under every objective.",
        ("tests/fitting/test_diagnostics.py",),
    ),
    Mutant(
        "sandwich", "jscale/fitting/diagnostics.py",
        "sandwich = len(by_run) / (len(by_run) - p) * scores.T @ scores",
        "sandwich = inverse * np.mean(psi**2) / np.outer(size, size)",
        "Standard errors take all runs to err alike and independently: no sandwich.",
        ("tests/fitting/test_diagnostics.py",),
    ),
    Mutant(
        "freedom", "jscale/fitting/diagnostics.py",
        "sandwich = len(by_run) / (len(by_run) - p) * scores.T @ scores",
        "sandwich = scores.T @ scores",
        "Standard errors do not count the fitted parameters.",
        ("tests/fitting/test_diagnostics.py",),
    ),
    Mutant(
        "runs-as-rows", "jscale/fitting/diagnostics.py",
        "by_run = sums_by(J * (w * psi)[:, None], problem.units[used])",
        "by_run = J * (w * psi)[:, None]",
        "Standard errors take rows of one run for independent runs.",
        ("tests/fitting/test_diagnostics.py",),
    ),
    Mutant(
        "leverage", "jscale/fitting/diagnostics.py",
        "residual = -optimum.residual[problem.used] / np.sqrt(spare)",
        "residual = -optimum.residual[problem.used]",
        "Errors of new runs are not corrected for the fit's bending towards its own runs.",
        ("tests/fitting/test_diagnostics.py", "tests/uncertainty/noise/test_model.py"),
    ),
    Mutant(
        "label-by-position", "jscale/fitting/points.py",
        "return column.astype(str).map(places).to_numpy(dtype=np.int32)",
        "return pd.factorize(column.astype(str))[0].astype(np.int32)",
        "Groups of a table to predict at are matched by the order in which they come.",
        ("tests/prediction/test_predict.py",),
    ),
    Mutant(
        "save", "jscale/io/encoding.py",
        "return value if isinstance(value, (str, int, float, bool)) else str(value)",
        "value = float(f'{value:.12g}') if isinstance(value, float) else value\n"
        "    return value if isinstance(value, (str, int, float, bool)) else str(value)",
        "Saved numbers are cut to twelve digits.",
        ("tests/io/test_encoding.py", "tests/io/test_fits.py"),
    ),
    Mutant(
        "level", "jscale/uncertainty/draws.py",
        "half = (1.0 - check_level(level)) / 2.0", "half = 1.0 - check_level(level)",
        "A 90% interval is cut at the 10% and 90% quantiles.",
        ("tests/uncertainty/test_draws.py", "tests/uncertainty/test_intervals.py"),
    ),
    Mutant(
        "one-sided", "jscale/uncertainty/draws.py",
        "return half, 1.0 - half", "return 0.0, 1.0 - 2.0 * half",
        "Intervals leave out one tail alone.",
        ("tests/uncertainty/test_draws.py", "tests/uncertainty/test_intervals.py"),
    ),
    Mutant(
        "bca", "jscale/uncertainty/intervals.py",
        "z / (1.0 - skew * z)", "z",
        "BCa intervals are not accelerated.",
        ("tests/uncertainty/test_intervals.py",),
    ),
    Mutant(
        "seed", "jscale/uncertainty/bootstrap.py",
        "RandomResamples(fit.problem, kind, units, fit.theta, seed, lbfgs)",
        "RandomResamples(fit.problem, kind, units, fit.theta, 0, lbfgs)",
        "The bootstrap ignores its seed.",
        ("tests/uncertainty/test_bootstrap.py",),
    ),
    Mutant(
        "cluster", "jscale/data/resampling.py",
        "unit = run_numbers(runs) if cluster is None else pd.factorize(runs.frame[cluster])[0]",
        "unit = run_numbers(runs)",
        "The bootstrap draws rows where clusters were asked for.",
        ("tests/data/test_resampling.py", "tests/uncertainty/test_bootstrap.py"),
    ),
    Mutant(
        "strata", "jscale/data/resampling.py",
        "stratum = runs.frame.groupby(columns, sort=False).ngroup().to_numpy()",
        "stratum = np.zeros(len(runs), dtype=int)",
        "The bootstrap draws across groups.",
        ("tests/data/test_resampling.py", "tests/uncertainty/test_bootstrap.py"),
    ),
    Mutant(
        "profile", "jscale/uncertainty/profile.py",
        "return float(stdtrit(freedom, 0.5 * (1.0 + level)))",
        "return float(stdtrit(freedom, level))",
        "Profile intervals are at the wrong level.",
        ("tests/uncertainty/test_profile.py",),
    ),
    Mutant(
        "jackknife", "jscale/uncertainty/jackknife.py",
        "return n / (n - p) * by_run.T @ by_run", "return by_run.T @ by_run",
        "The jackknife does not count the fitted parameters.",
        ("tests/uncertainty/test_jackknife.py",),
    ),
    Mutant(
        "pareto-k", "jscale/uncertainty/bayes/importance.py",
        "return self.k < RELIABLE", "return True",
        "Importance sampling is trusted whatever Pareto's k says.",
        ("tests/uncertainty/bayes/test_importance.py", "tests/uncertainty/bayes"),
    ),
    Mutant(
        "prior", "jscale/uncertainty/bayes/density.py",
        "total = jnp.sum(given.weights * terms) + log_prior(spec, z, given)",
        "total = jnp.sum(given.weights * terms)",
        "The posterior leaves out the prior.",
        ("tests/uncertainty/bayes",),
    ),
    Mutant(
        "new-run-noise", "jscale/prediction/one_law.py",
        "new = curve[1:] + errors_of(self.noise, curve[1:], table, seed)", "new = curve[1:]",
        "Prediction intervals leave out the noise of a new run.",
        ("tests/prediction/test_predict.py",),
    ),
    Mutant(
        "swapped-intervals",
        "jscale/prediction/predictive.py",
        '"confidence_high": bounds[2],',
        '"confidence_high": ends[1],',
        "The upper end of a confidence interval is that of a prediction interval.",
        ("tests/prediction/test_predictive.py", "tests/prediction/test_predict.py"),
    ),
    Mutant(
        "extrapolation", "jscale/prediction/extrapolation.py",
        'return training_flops(table["N"], table["D"]) / largest',
        'return largest / training_flops(table["N"], table["D"])',
        "How far a prediction extrapolates is told upside down.",
        ("tests/prediction/test_extrapolation.py", "tests/prediction/test_predict.py"),
    ),
    Mutant(
        "held-out-leak", "jscale/comparison/splits.py",
        "return Split(label, np.flatnonzero(fit), np.flatnonzero(test))",
        "return Split(label, np.flatnonzero(fit | test), np.flatnonzero(test))",
        "Laws are compared on runs that they were fitted to.",
        ("tests/comparison/test_splits.py",),
    ),
    Mutant(
        "forecasts-mixed-up", "jscale/prediction/forecast_sets.py",
        "return [found[i] for i in range(len(solved))]",
        "return [found[i] for i in reversed(range(len(solved)))]",
        "Forecasts of many sets go to the wrong sets.",
        ("tests/prediction/test_forecast_sets.py", "tests/comparison/test_compare.py"),
    ),
    Mutant(
        "discrepancy", "jscale/discrepancy/experts.py",
        "return self.bend + self.parameters", "return self.parameters",
        "Forecasts leave out the chance that the law bends.",
        ("tests/discrepancy/test_experts.py", "tests/prediction/test_predict.py"),
    ),
    Mutant(
        "within-by-default", "jscale/prediction/sources.py",
        "elif discrepancy:", "elif not discrepancy:",
        "A fit predicts within its law unless asked not to.",
        ("tests/prediction/test_sources.py",),
    ),
    Mutant(
        "bounded-score", "jscale/prediction/named_law.py",
        'return "logit"', 'return "log"',
        "Intervals of a score leave the range from 0 to 1.",
        ("tests/prediction/test_named_law.py",),
    ),
    Mutant(
        "known-error", "jscale/prediction/forecast.py",
        "np.sqrt(curve + noise + known)", "np.sqrt(curve + noise)",
        "Known errors of new runs are not added.",
        ("tests/prediction/test_forecast.py",),
    ),
    Mutant(
        "budget", "jscale/planning/optimum.py",
        "rest = (place.budget - spent) / cost.exponents[last]",
        "rest = (place.budget - spent + 0.05) / cost.exponents[last]",
        "A plan spends 5% more than its budget.",
        ("tests/planning/test_optimum.py", "tests/planning/test_allocate.py"),
    ),
    Mutant(
        "noise-size", "jscale/simulation/noise.py",
        "error = self.sd * self._growth(frame)", "error = self.sd**2 * self._growth(frame)",
        "Simulated noise has the variance in place of the standard deviation.",
        ("tests/simulation/test_noise.py", "tests/simulation/test_simulate.py"),
    ),
)  # fmt: skip


def copied(to: Path) -> Path:
    """Copy what the tests need, as it is now, without what is generated."""
    skipped = shutil.ignore_patterns("__pycache__", ".*_cache", "*.pyc")
    for part in PARTS:
        shutil.copytree(ROOT / part, to / part, ignore=skipped)
    for name in FILES:
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, to / name)
    return to


def run_tests(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run pytest in a copy; return its exit status and what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--tb=line", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def present(folder: Path, killers: tuple[str, ...]) -> list[str]:
    """The files of tests that exist: others may have been moved since."""
    return [name for name in killers if (folder / name).exists()]


def killer_of(status: int, printed: str) -> str | None:
    """The test that failed, None if all passed; raises RuntimeError if tests could not run.

    A file that cannot be collected proves nothing: it may be broken without the fault, too.
    """
    failed = re.search(r"^(?:FAILED|ERROR) (\S+::\S+)", printed, re.MULTILINE)
    if failed:
        return failed[1]
    if status not in (0, 5):
        raise RuntimeError(printed[-3000:])
    return None


def try_one(mutant: Mutant, folder: Path) -> str | None:
    """Plant a fault in a copy and return the quick test that finds it, if one does."""
    path = folder / mutant.file
    text = path.read_text(encoding="utf-8")
    path.write_text(mutant.planted(text), encoding="utf-8")
    try:
        first = present(folder, mutant.killers)
        found = killer_of(*run_tests(folder, "-n", "0", *first)) if first else None
        return found or killer_of(*run_tests(folder))
    finally:
        path.write_text(text, encoding="utf-8")


def line_of(mutant: Mutant, killer: str | None) -> str:
    """A line of the result."""
    caught = f"caught by {killer}" if killer else "SURVIVED"
    return f"{mutant.name}\t{mutant.file}\t{mutant.fault}\t{caught}\n"


def main() -> int:
    """Try the faults and write which test caught each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", action="append", help="a fault by name; may be repeated")
    parser.add_argument("--out", type=Path, help="where to write the result")
    parser.add_argument("--sound", action="store_true", help="first check that all tests pass")
    options = parser.parse_args()
    chosen = [m for m in MUTANTS if not options.only or m.name in options.only]
    out = options.out or (None if options.only else RESULT)
    lines = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = copied(Path(temporary))
        if options.sound:
            files = sorted({name for m in chosen for name in present(folder, m.killers)})
            sound = killer_of(*run_tests(folder, "-n", "0", *files))
            if sound:
                print(f"without any fault {sound} fails: nothing can be proven", file=sys.stderr)
                return 2
        for mutant in chosen:
            lines.append(line_of(mutant, try_one(mutant, folder)))
            print(lines[-1], end="", flush=True)
    survived = sum("SURVIVED" in line for line in lines)
    print(f"{len(lines) - survived} of {len(lines)} faults caught")
    if out:
        out.write_text("".join(lines), encoding="utf-8")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
