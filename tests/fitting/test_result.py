"""Fit: what it holds and prints, and the problem that it builds again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.fitting.notes import Note
from tests.worlds import DESIGN, TRUTH


@pytest.fixture(scope="module")
def fit() -> js.Fit:
    return js.fit("chinchilla", js.simulate("chinchilla", TRUTH, DESIGN, noise=0.005, seed=0))


def test_settings_and_provenance_are_kept(fit: js.Fit) -> None:
    assert fit.settings.seed == 0
    assert fit.settings.starts == "auto"
    assert fit.provenance["dtype"] == "float64"
    assert len(fit.search) == 64
    assert fit.fitted.dtype == np.float64
    assert fit.agree[1] == 64


def test_summary_and_html_show_estimates_and_escape_names(fit: js.Fit) -> None:
    text = fit.summary()
    assert "chinchilla: loss = E + A/N^alpha + B/D^beta" in text
    assert "64 of 64 starts agree" in text
    assert "<b>chinchilla</b>" in fit._repr_html_()


def test_user_text_is_escaped_in_html(fit: js.Fit) -> None:
    note = Note("odd", "caution", "<i>seen</i>", "", "")
    odd = replace(fit, law=replace(fit.law, name="<b>mine", formula=""), notes=(note,))
    page = odd._repr_html_()
    assert "&lt;b&gt;mine" in page
    assert "&lt;i&gt;seen" in page
    assert "(custom)" in page
    assert "(custom)" in odd.summary()
    assert "[caution] odd: <i>seen</i>" in repr(odd)


def test_the_problem_is_built_again_from_runs_and_settings(fit: js.Fit) -> None:
    again = replace(fit, given_problem=None).problem
    assert again is not fit.problem
    assert again.model == fit.problem.model
    np.testing.assert_array_equal(again.weights, fit.problem.weights)
    np.testing.assert_array_equal(again.data.target, fit.problem.data.target)
    given = replace(fit, given_problem=again)
    assert given.problem is again


def test_the_largest_compute_is_in_flops_or_unknown(fit: js.Fit) -> None:
    assert fit.largest == 6 * DESIGN["N"].max() * DESIGN["D"].max()
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0], "loss": [3.0, 2.0, 2.5]})
    assert replace(fit, runs=js.Runs.from_frame(frame, x="x")).largest is None


def test_rows_of_runs_and_residuals_go_together(fit: js.Fit) -> None:
    observed = fit.runs["loss"]
    np.testing.assert_allclose(fit.residuals, np.log(fit.fitted / observed), atol=1e-12)
    frame = fit.to_frame()
    assert frame["estimate"].equals(fit.params.rename("estimate"))
    np.testing.assert_allclose(frame["error"] ** 2, np.diag(fit.covariance), rtol=1e-9)
