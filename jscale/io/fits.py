"""save and load: a Fit as versioned JSON, every float exact.

The file holds the runs, the settings, the seed and the law's name, so a loaded fit can be
predicted from, bootstrapped and fitted again. A custom law is found by its module and name, or
given to ``load``.
"""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jscale import laws
from jscale._precision import float64_scope
from jscale.data.doubts import Doubt
from jscale.data.files import write_whole
from jscale.data.runs import Runs
from jscale.errors import FileError, JscaleError, LawError, listing
from jscale.fitting.diagnostics import flat_names, flatten
from jscale.fitting.notes import Note
from jscale.fitting.objective import Objective
from jscale.fitting.result import Fit, Settings
from jscale.model.law import Law

FORMAT, VERSION = "jscale.fit", 1


def save(fit: Fit, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a fit to a JSON file and return its path.

    The file appears whole or not at all. Raises FileError if it exists and ``overwrite`` is
    False, or cannot be written.

    >>> import jscale as js, tempfile, pathlib
    >>> runs = js.simulate("power_const", dict(E=1, A=9, alpha=.1), {"C": [1e3, 1e5, 1e7, 1e9]})
    >>> fit = js.fit("power_const", runs)
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> js.load(js.save(fit, folder / "fit.json")).objective == fit.objective
    True
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

    ``law`` gives the law itself, where it cannot be found by name. Raises FileError for a file
    that is not a saved fit or whose numbers disagree, LawError if the law is not found or no
    longer gives the saved predictions.
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
            f"{str(path)!r} was written by another jscale (format {document.get('version')}, this "
            f"one reads {VERSION}): pip install --upgrade jscale, or fit and save again."
        )
    try:
        law = _with_saved_starts(law or _find_law(document["law"]), document["law"]["starts"])
        fit = _from_document(_decode(document), law)
    except JscaleError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"it misses {error}" if isinstance(error, KeyError) else str(error)
        raise FileError(
            f"{str(path)!r} is a damaged saved fit: {what}. Save it again: js.save(fit, path)."
        ) from error
    _check_law(fit, document["law"]["digest"])
    _check_numbers(fit, str(path))
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
            "objective": vars(s.objective),
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
    return _encode(document)


def _runs_document(runs: Runs) -> dict[str, Any]:
    return {
        "frame": _frame_document(runs.frame),
        "inputs": runs.inputs,
        "output": runs.output,
        "run": runs.run,
        "group": runs.group,
        "weight": runs.weight,
        "loss_unit": runs.loss_unit,
        "count": runs.count,
        "doubts": [d._asdict() for d in runs.doubts],
        "source": runs.source,
        "dropped": _frame_document(runs.dropped),
    }


def _frame_document(frame: pd.DataFrame) -> dict[str, Any]:
    """Columns, types and row labels of a table; dates and other objects become text."""
    return {
        "columns": {str(name): frame[name].tolist() for name in frame},
        "types": {str(name): str(frame[name].dtype) for name in frame},
        "index": frame.index.tolist(),
        "index_names": list(frame.index.names),
        "index_type": str(frame.index.dtype),
    }


def _frame_from(document: Mapping[str, Any]) -> pd.DataFrame:
    labels, names = document["index"], document["index_names"]
    if len(names) > 1:
        index = pd.MultiIndex.from_tuples([tuple(label) for label in labels], names=names)
    else:
        index = pd.Index(_column(labels, document["index_type"]), name=names[0])
    columns = {
        name: _column(values, document["types"][name]).set_axis(index)
        for name, values in document["columns"].items()
    }
    return pd.DataFrame(columns, index=index)


def _column(values: list[Any], kind: str) -> pd.Series:
    """A column of the saved type, if it is one of numbers, truth values, or anything."""
    exact = kind.lower().startswith(("int", "uint", "float", "bool", "object", "category"))
    if exact or not values:
        return pd.Series(values, dtype=object).astype(kind)
    return pd.Series(values)


def _encode(value: Any) -> Any:
    """Turn NumPy values into plain ones; a number that is not finite becomes {"float": "nan"}."""
    if isinstance(value, Mapping):
        return {str(k): _encode(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_encode(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    if value is None or value is pd.NA:
        return None
    return value if isinstance(value, (str, int, float, bool)) else str(value)


def _decode(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"float"} and isinstance(value["float"], str):
            return float(value["float"])
        return {k: _decode(v) for k, v in value.items()}
    return [_decode(v) for v in value] if isinstance(value, list) else value


def _from_document(document: dict[str, Any], law: Law) -> Fit:
    s = document["settings"]
    names = pd.Index(list(document["params"]), name="parameter")
    tie = tuple(tuple(t) if isinstance(t, list) else t for t in s["tie"])
    weights = None if s["weights"] is None else np.array(s["weights"])
    return Fit(
        law=law,
        runs=_runs_from(document["runs"]),
        settings=Settings(
            Objective(**s["objective"]),
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
        frame=_frame_from(d.pop("frame")),
        inputs=tuple(d.pop("inputs")),
        dropped=_frame_from(d.pop("dropped")),
        doubts=tuple(Doubt(**doubt) for doubt in d.pop("doubts")),
        **d,
    )


def _find_law(saved: Mapping[str, Any]) -> Law:
    """Find a law where it was defined, or by its name where it is a registered one."""
    name, where = saved["name"], saved["where"]
    known = _registered(name)
    if known is not None and known.digest == saved["digest"]:
        return known
    module, _, attribute = where.partition(":")
    try:
        found = attrgetter(attribute)(importlib.import_module(module))
    except (ImportError, AttributeError, ValueError) as error:
        if known is not None:
            return known
        made = "it was made by a function" if "<locals>" in where else error
        raise LawError(
            f"The law {name!r} ({where}) cannot be found: {made}. Give it: js.load(path, law=mine)."
        ) from error
    if isinstance(found, Law) and found.name == name:
        return found
    if known is not None:
        return known
    raise LawError(f"{where} is not the law {name!r}. Give it: js.load(path, law=mine).")


def _registered(name: str) -> Law | None:
    """Return the law of a name, also of two with a link between ("chinchilla.then(…)"), or None."""
    first, then, link = name.removesuffix(")").rpartition(".then(")
    if then:
        law, after = _registered(first), _registered(link)
        return law.then(after) if law and after else None
    return laws.get(name) if name.split(":")[0] in laws.names() else None


def _starts_from(saved: Any) -> Any:
    """Return the choice of starts as Settings keeps it: what was a tuple is one again."""
    if not isinstance(saved, list):
        return saved
    rows = [{k: tuple(v) if isinstance(v, list) else v for k, v in row.items()} for row in saved]
    return tuple(rows)


def _with_saved_starts(law: Law, saved: Mapping[str, Any]) -> Law:
    """Give a law the ranges of starts of the fit (``start=…``), where it has others."""
    own = {p.name: p.role.start for p in law.parameters}
    other = {n: tuple(s) for n, s in saved.items() if n in own and tuple(s) != own[n]}
    return law.with_starts(other) if other else law


def _check_law(fit: Fit, digest: str) -> None:
    """A law whose text has changed is accepted if it still gives the saved predictions."""
    if fit.law.digest == digest:
        return
    from jscale.prediction.components import curves

    missing = [name for name in fit.law.inputs if name not in fit.runs.frame.columns]
    same_names = set(fit.law.names) == {str(n).split("[")[0] for n in fit.params.index}
    if same_names and not missing:
        now = curves(fit, fit.runs.frame, fit.params.to_numpy()[None])[0]
        if np.allclose(now, fit.fitted, rtol=1e-9, atol=0.0):
            return
    raise LawError(
        f"The law {fit.law.name!r} is not the one that was fitted: its code has changed and it no "
        "longer gives the saved predictions. Give the right one: js.load(path, law=mine)."
    )


def _check_numbers(fit: Fit, path: str) -> None:
    """Raise FileError unless the fit's arrays have the right lengths and agree with each other."""
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
        f"{name} has shape {np.shape(found)} instead of {shape}"
        for name, (found, shape) in wanted.items()
        if np.shape(found) != shape
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
