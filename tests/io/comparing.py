"""Comparison of fits, bit for bit."""

from __future__ import annotations

import numpy as np
import pandas as pd

import jscale as js


def assert_same_runs(a: js.Runs, b: js.Runs) -> None:
    texts = a.frame.columns[a.frame.dtypes.map(str).str.startswith("datetime")]
    assert b.frame[texts].map(str).equals(a.frame[texts].map(str))
    for old, new in ((a.frame, b.frame), (a.dropped, b.dropped)):
        pd.testing.assert_frame_equal(
            old.drop(columns=texts, errors="ignore"),
            new.drop(columns=texts, errors="ignore"),
            check_exact=True,
        )
    fields = (
        "inputs",
        "output",
        "run",
        "group",
        "weight",
        "loss_unit",
        "count",
        "doubts",
        "source",
    )
    for name in (*fields, "digest"):
        assert getattr(a, name) == getattr(b, name), name


def assert_same_fit(a: js.Fit, b: js.Fit) -> None:
    """Every number, label and setting is the same, bit for bit."""
    assert a.law == b.law
    assert_same_runs(a.runs, b.runs)
    old, new = dict(vars(a.settings)), dict(vars(b.settings))
    np.testing.assert_array_equal(old.pop("weights"), new.pop("weights"))
    assert old == new
    for name in ("params", "stderr"):
        pd.testing.assert_series_equal(getattr(a, name), getattr(b, name), check_exact=True)
    pd.testing.assert_frame_equal(a.covariance, b.covariance, check_exact=True)
    pd.testing.assert_frame_equal(a.derived, b.derived, check_exact=True, check_dtype=False)
    pd.testing.assert_frame_equal(a.search, b.search, check_exact=True, check_dtype=False)
    for name in ("fitted", "residuals", "theta", "theta_covariance"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    for name in ("objective", "agree", "condition", "notes"):
        assert getattr(a, name) == getattr(b, name), name
    assert dict(b.provenance) == {**a.provenance, "data_digest": a.runs.digest}
