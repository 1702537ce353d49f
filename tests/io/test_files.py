"""Files of results: what is refused, by its format and its version."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import jscale as js


def test_only_results_are_saved(tmp_path: Path) -> None:
    with pytest.raises(js.FileError, match="save takes a Fit or a Forecast, not dict"):
        js.save({}, tmp_path / "x.json")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["jscale.fit", "jscale.forecast"])
def test_another_version_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"format": kind, "version": 99}))
    with pytest.raises(
        js.FileError, match=r"another version of jscale \(format 99; this one reads"
    ):
        js.load(path)


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"format": "other"}')
    with pytest.raises(js.FileError, match="is not a saved fit"):
        js.load(path)
