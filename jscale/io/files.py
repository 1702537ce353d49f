"""save and load: results as versioned JSON files."""

from __future__ import annotations

import json
from pathlib import Path

from jscale.data.files import write_whole
from jscale.errors import FileError
from jscale.fitting.result import Fit
from jscale.io import fits, forecasts
from jscale.model.law import Law
from jscale.prediction.forecast import Forecast

VERSIONS = {fits.FORMAT: fits.VERSION, forecasts.FORMAT: forecasts.VERSION}


def save(result: Fit | Forecast, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a fit or a forecast to a JSON file.

    The file holds all that is needed to predict from the result and to make it again: runs,
    settings, seed, estimates or the prior, notes and versions. It is written whole or not at all.

    Parameters
    ----------
    result : Fit or Forecast
        The result to save.
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
        If ``result`` is neither, or the file exists and ``overwrite`` is False, or it cannot be
        written.

    See Also
    --------
    load : Read a saved fit or forecast.

    Notes
    -----
    Numbers keep every bit. Row labels and columns keep their values and types, except that dates
    and other objects become text. The law is saved by name and by the digest of its code, not as
    code.

    Examples
    --------
    >>> import jscale as js, tempfile, pathlib
    >>> runs = js.simulate("power_const", dict(E=1, A=9, alpha=.1), {"C": [1e3, 1e5, 1e7, 1e9]})
    >>> fit = js.fit("power_const", runs)
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> js.save(fit, folder / "fit.json").name
    'fit.json'
    """
    if isinstance(result, Forecast):
        document = forecasts.as_document(result)
    elif isinstance(result, Fit):
        document = fits.as_document(result)
    else:
        raise FileError(
            f"save takes a Fit or a Forecast, not {type(result).__name__}. Tables are saved as "
            "tables: result.to_frame().to_csv(path)."
        )
    text = json.dumps(document, indent=1, allow_nan=False) + "\n"
    return write_whole(path, lambda file: file.write(text.encode()), overwrite=overwrite)


def load(path: str | Path, *, law: Law | None = None) -> Fit | Forecast:
    """Read a fit or a forecast that :func:`save` wrote.

    Parameters
    ----------
    path : str or pathlib.Path
        The file to read.
    law : Law, optional
        The fitted law, for one that cannot be imported, such as a law defined inside a function.
        By default it is found by name among the registered laws, or in the module that defined it.

    Returns
    -------
    Fit or Forecast
        A fit with the same numbers bit for bit; a forecast made again from the same runs and
        prior, and checked against what was saved.

    Raises
    ------
    FileError
        If the file cannot be read, is not a saved fit, was written in another version of the
        format, or holds numbers that disagree.
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
    if not isinstance(document, dict) or document.get("format") not in VERSIONS:
        raise FileError(f"{str(path)!r} is not a saved fit; make one with js.save(fit, path).")
    reads = VERSIONS[document["format"]]
    if document.get("version") != reads:
        raise FileError(
            f"{str(path)!r} was written by another version of jscale (format "
            f"{document.get('version')}; this one reads {reads}): pip install --upgrade jscale, "
            "or fit and save again."
        )
    if document["format"] == forecasts.FORMAT:
        return forecasts.read_forecast(document, path)
    return fits.read_fit(document, path, law)
