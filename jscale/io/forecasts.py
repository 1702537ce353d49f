"""Forecasts saved as versioned JSON files: the runs, the laws' names, the prior and the settings.

A forecast is made again when it is loaded: it follows from these, and its experts would fill a
file. What the saved one said of its own runs is kept, and checked.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from jscale.discrepancy.prior import as_document as prior_document
from jscale.discrepancy.prior import from_document as prior_from
from jscale.errors import FileError, JscaleError
from jscale.fitting.provenance import provenance
from jscale.io.encoding import decode, encode
from jscale.io.fits import runs_document, runs_from
from jscale.prediction.forecast import Forecast, forecast

FORMAT, VERSION = "jscale.forecast", 1
# Another processor may round otherwise; more than this says that the code has changed.
_TOLERANCE = 1e-4


def as_document(made: Forecast) -> dict[str, Any]:
    """Return a forecast as a tree of dicts, lists, strings and finite numbers."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "runs": runs_document(made.runs),
        "settings": dict(made.settings),
        "prior": None if made.prior is None else prior_document(made.prior),
        "fitted": made.fitted,
        "weights": made.weights.to_dict(),
        "provenance": {**provenance(), "data_digest": made.runs.digest},
    }
    return json.loads(json.dumps(encode(document)))


def read_forecast(document: dict[str, Any], path: Path) -> Forecast:
    """Make the forecast of a document again; raises FileError where it says something else."""
    try:
        saved = decode(document)
        settings = saved["settings"]
        prior = None if saved["prior"] is None else prior_from(document["prior"], str(path))
        made = forecast(
            runs_from(saved["runs"]), settings["asked"], prior=prior or "weak",
            response=settings["response"], draws=settings["draws"], seed=settings["seed"],
            known_error=settings.get("known_error"),
        )  # fmt: skip
        fitted = np.array(saved["fitted"])
    except JscaleError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileError(
            f"{str(path)!r} is a damaged saved forecast: {error!r}. Save it again: "
            "js.save(forecast, path)."
        ) from error
    off = float(np.abs(np.log(made.fitted / fitted)).max())
    if off > _TOLERANCE:
        raise FileError(
            f"{str(path)!r}: made again, this forecast says something else of its own runs (up to "
            f"{100 * off:.2g}% off): it was saved by another version of jscale. Forecast again, "
            "and save it."
        )
    return made
