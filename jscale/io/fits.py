"""Fits saved as versioned JSON files, with every number exact.

The file holds the runs, the settings, the seed and the law's name, so that a loaded fit can be
predicted from, bootstrapped and fitted again. A custom law is found by its module and name, or
given to :func:`jscale.load`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jscale._precision import float64_scope
from jscale.data.doubts import Doubt
from jscale.data.runs import Runs
from jscale.errors import FileError, JscaleError, listing
from jscale.fitting.diagnostics import flat_names, flatten
from jscale.fitting.notes import Note
from jscale.fitting.objective import from_document
from jscale.fitting.result import Fit
from jscale.fitting.settings import Settings
from jscale.io.encoding import decode, encode, table_document, table_from
from jscale.io.laws import check_law, find_law, with_saved_starts
from jscale.model.law import Law

FORMAT, VERSION = "jscale.fit", 1


def read_fit(document: dict[str, Any], path: Path, law: Law | None) -> Fit:
    """Return the fit that a document holds; raises FileError or LawError."""
    try:
        law = with_saved_starts(law or find_law(document["law"]), document["law"]["starts"])
        fit = _from_document(decode(document), law)
    except JscaleError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        problem = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise FileError(
            f"{str(path)!r} is a damaged saved fit: {problem}. Save it again: js.save(fit, path)."
        ) from error
    check_law(fit, document["law"]["digest"])
    _check_numbers(fit, str(path))
    _check_objective(fit, str(path))
    return fit


def as_document(fit: Fit) -> dict[str, Any]:
    """Return a fit as a tree of dicts, lists, strings and finite numbers."""
    s, function = fit.settings, fit.law.function
    document = {
        "format": FORMAT,
        "version": VERSION,
        "law": {
            "name": fit.law.name,
            "where": f"{function.__module__}:{function.__qualname__}",
            "digest": fit.law.digest,
            "starts": {p.name: p.role.start for p in fit.law.parameters},
        },
        "settings": {
            "objective": s.objective.as_document(),
            "fixed": dict(s.fixed),
            "tie": s.tie,
            "per": dict(s.per),
            "weights": s.weights,
            "starts": s.starts,
            "seed": s.seed,
            "solver": s.solver,
            "scale": s.scale,
        },
        "params": fit.params.to_dict(),
        "stderr": fit.stderr.to_dict(),
        "covariance": fit.covariance.to_numpy(),
        "derived": {str(k): [r["estimate"], r["error"]] for k, r in fit.derived.iterrows()},
        "objective": fit.objective,
        "fitted": fit.fitted,
        "residuals": fit.residuals,
        "theta": fit.theta,
        "theta_covariance": fit.theta_covariance,
        "agree": fit.agree,
        "search": {name: fit.search[name].tolist() for name in fit.search},
        "condition": fit.condition,
        "notes": [vars(note) for note in fit.notes],
        "provenance": {**fit.provenance, "data_digest": fit.runs.digest},
        "runs": runs_document(fit.runs),
    }
    return encode(document)


def runs_document(runs: Runs) -> dict[str, Any]:
    """Return runs as a tree of dicts, lists, strings and numbers."""
    return {
        "frame": table_document(runs.frame),
        "inputs": runs.inputs,
        "output": runs.output,
        "run": runs.run,
        "group": runs.group,
        "weight": runs.weight,
        "loss_unit": runs.loss_unit,
        "count": runs.count,
        "doubts": [d._asdict() for d in runs.doubts],
        "source": runs.source,
        "dropped": table_document(runs.dropped),
    }


def _from_document(document: dict[str, Any], law: Law) -> Fit:
    s = document["settings"]
    names = pd.Index(list(document["params"]), name="parameter")
    tie = tuple(tuple(t) if isinstance(t, list) else t for t in s["tie"])
    weights = None if s["weights"] is None else np.array(s["weights"])
    return Fit(
        law=law,
        runs=runs_from(document["runs"]),
        settings=Settings(
            from_document(s["objective"]),
            s["fixed"],
            tie,
            s["per"],
            weights,
            _starts_from(s["starts"]),
            s["seed"],
            s.get("solver", "gauss_newton"),
            s.get("scale"),
        ),
        params=pd.Series(list(document["params"].values()), names, name="estimate"),
        stderr=pd.Series(list(document["stderr"].values()), names, name="error"),
        covariance=pd.DataFrame(np.array(document["covariance"]), names, names),
        derived=pd.DataFrame.from_dict(
            document["derived"], orient="index", columns=["estimate", "error"]
        ),
        objective=document["objective"],
        fitted=np.array(document["fitted"]),
        residuals=np.array(document["residuals"]),
        theta=np.array(document["theta"]),
        theta_covariance=np.array(document["theta_covariance"]),
        agree=tuple(document["agree"]),
        search=pd.DataFrame(document["search"]),
        condition=document["condition"],
        notes=tuple(Note(**note) for note in document["notes"]),
        provenance=document["provenance"],
    )


def runs_from(document: dict[str, Any]) -> Runs:
    """Return the runs that :func:`runs_document` described."""
    d = dict(document)
    return Runs(
        frame=table_from(d.pop("frame")),
        inputs=tuple(d.pop("inputs")),
        dropped=table_from(d.pop("dropped")),
        doubts=tuple(Doubt(**doubt) for doubt in d.pop("doubts")),
        **d,
    )


def _starts_from(saved: Any) -> Any:
    """Return the starts as Settings keeps them: JSON has lists in place of tuples."""
    if not isinstance(saved, list):
        return saved
    rows = [{k: tuple(v) if isinstance(v, list) else v for k, v in row.items()} for row in saved]
    return tuple(rows)


def _check_numbers(fit: Fit, path: str) -> None:
    """Raise FileError unless the fit's arrays have the right shapes and agree with each other."""
    layout, rows, q = fit.problem.layout, len(fit.runs), len(flat_names(fit.problem.layout))
    p = layout.size
    wanted = {
        "params": (fit.params, (q,)),
        "stderr": (fit.stderr, (q,)),
        "covariance": (fit.covariance, (q, q)),
        "theta": (fit.theta, (p,)),
        "theta_covariance": (fit.theta_covariance, (p, p)),
        "fitted": (fit.fitted, (rows,)),
        "residuals": (fit.residuals, (rows,)),
    }
    wrong = [
        f"{name} has shape {np.shape(array)} instead of {shape}"
        for name, (array, shape) in wanted.items()
        if np.shape(array) != shape
    ]
    if not wrong:
        data = fit.problem.data
        with float64_scope():
            values = layout.natural(fit.theta, data.fixed, data.centre)
            natural = np.asarray(flatten(layout, values))
        apart = ~np.isclose(fit.params, natural, rtol=1e-9, atol=0.0, equal_nan=True)
        names = fit.params.index[apart].tolist()
        wrong = [f"params and theta disagree on {listing(names)}"] if names else []
    if wrong:
        raise FileError(
            f"{path!r} is a damaged saved fit: {listing(wrong)}. Save it again: js.save(fit, path)."
        )


def _check_objective(fit: Fit, path: str) -> None:
    """Raise FileError unless a user's class, as registered here, gives the saved objective."""
    objective, problem = fit.settings.solved, fit.problem
    if objective.constructor:  # the library's own class
        return
    weights = problem.weights[: problem.n]
    value = objective.value(fit.residuals, weights)
    # Terms of both signs cancel, as logarithms of densities do.
    if not np.isclose(value, fit.objective, rtol=1e-9, atol=1e-12 * weights.sum()):
        raise FileError(
            f"{path!r} was made by another class than the one registered here: {objective} gives "
            f"{value:g}, but the saved objective is {fit.objective:g}. Register the class that was "
            "fitted, or fit and save again."
        )
