"""Fits saved as versioned JSON files, with every number exact.

The file holds the runs, the settings, the seed and the law's name, so that a loaded fit can be
predicted from, bootstrapped and fitted again. A custom law is found by its module and name, or
given to :func:`load`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jscale._precision import float64_scope
from jscale.data.doubts import Doubt
from jscale.data.files import write_whole
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


def save(fit: Fit, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a fit to a JSON file.

    The file holds all that is needed to predict from the fit, to bootstrap it and to fit it again:
    runs, settings, seed, estimates, notes and versions. It is written whole or not at all.

    Parameters
    ----------
    fit : Fit
        The fit to save.
    path : str or pathlib.Path
        The file to write; its folder must exist.
    overwrite : bool, default False
        Whether to replace a file that exists.

    Returns
    -------
    pathlib.Path
        The path of the file.

    Raises
    ------
    FileError
        If ``fit`` is not a Fit, or the file exists and ``overwrite`` is False, or it cannot be
        written.

    See Also
    --------
    load : Read a saved fit.

    Notes
    -----
    Numbers keep every bit. Row labels and columns keep their values and types, except that dates
    and other objects become text. The law is saved by name and by the digest of its code, the
    objective by its name and numbers, neither as code.

    Examples
    --------
    >>> import jscale as js, tempfile, pathlib
    >>> runs = js.simulate("power_const", dict(E=1, A=9, alpha=.1), {"C": [1e3, 1e5, 1e7, 1e9]})
    >>> fit = js.fit("power_const", runs)
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> js.save(fit, folder / "fit.json").name
    'fit.json'
    """
    if not isinstance(fit, Fit):
        raise FileError(
            f"save takes a Fit, not {type(fit).__name__}. Tables are saved as tables: "
            "result.to_frame().to_csv(path)."
        )
    text = json.dumps(as_document(fit), indent=1, allow_nan=False) + "\n"
    return write_whole(path, lambda file: file.write(text.encode()), overwrite=overwrite)


def load(path: str | Path, *, law: Law | None = None) -> Fit:
    """Read a fit that :func:`save` wrote.

    Parameters
    ----------
    path : str or pathlib.Path
        The file to read.
    law : Law, optional
        The fitted law, for one that cannot be imported, such as a law defined inside a function.
        By default it is found by name among the registered laws, or in the module that defined it.

    Returns
    -------
    Fit
        The fit, with the same numbers bit for bit.

    Raises
    ------
    FileError
        If the file cannot be read, is not a saved fit, was written in another version of the
        format, or holds numbers that disagree, with each other or with the class of objectives
        that is registered here.
    JscaleError
        If the fit's objective is of a class that is not registered here.
    LawError
        If the law is not found, or its code has changed and it no longer gives the saved
        predictions.

    See Also
    --------
    save : Write a fit to a file.

    Examples
    --------
    >>> import jscale as js, tempfile, pathlib
    >>> runs = js.simulate("power_const", dict(E=1, A=9, alpha=.1), {"C": [1e3, 1e5, 1e7, 1e9]})
    >>> fit = js.fit("power_const", runs)
    >>> path = js.save(fit, pathlib.Path(tempfile.mkdtemp()) / "fit.json")
    >>> js.load(path).objective == fit.objective
    True
    """
    path = Path(path)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"{str(path)!r} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise FileError(f"{str(path)!r} is not JSON ({error}); give a file of js.save.") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise FileError(f"{str(path)!r} is not a saved fit; make one with js.save(fit, path).")
    if document.get("version") != VERSION:
        raise FileError(
            f"{str(path)!r} was written by another version of jscale (format "
            f"{document.get('version')}; this one reads {VERSION}): pip install --upgrade jscale, "
            "or fit and save again."
        )
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
        "runs": _runs_document(fit.runs),
    }
    return encode(document)


def _runs_document(runs: Runs) -> dict[str, Any]:
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
        runs=_runs_from(document["runs"]),
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


def _runs_from(document: dict[str, Any]) -> Runs:
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
