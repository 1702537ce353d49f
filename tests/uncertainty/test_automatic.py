"""draws: which method is taken, and that it is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import jscale as js
from jscale.fitting.notes import Note
from jscale.uncertainty import automatic


@pytest.fixture(scope="module")
def fit() -> js.Fit:
    design = js.designs.random(40, (1e7, 1e9), (1e9, 1e11), seed=3)
    truth = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 410.0, "beta": 0.28}
    runs = js.simulate("chinchilla", truth, design, noise=0.01, seed=5)
    return js.fit("chinchilla", runs, objective=js.pseudo_huber(0.01))


@pytest.mark.full
def test_refits_of_weighted_runs_are_the_usual_choice(fit: js.Fit) -> None:
    found = js.draws(fit, resamples=50, seed=3)
    assert found.settings["chosen"].startswith("bootstrap (bayesian): of the cheap methods")
    assert "\nchosen: bootstrap (bayesian): of the cheap methods" in repr(found)
    same = js.bootstrap(fit, 50, kind="bayesian", seed=3)
    np.testing.assert_array_equal(found.values, same.values)


def test_a_table_too_long_to_refit_is_approximated(
    fit: js.Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(automatic, "_MOST_CELLS", 40 * 50 - 1)
    found = js.draws(fit, resamples=50)
    assert found.method == "laplace"
    assert found.settings["chosen"] == "laplace: 40 rows are too many to refit 50 times"
    assert js.draws(fit, resamples=49).method == "bootstrap (bayesian)"
    open_ = replace(fit, notes=(*fit.notes, Note("unidentified", "warning", "", "", "")))
    assert js.draws(open_, resamples=50).method == "bootstrap (bayesian)"


@pytest.mark.parametrize(
    ("method", "name"),
    [("bayesian", "bootstrap (bayesian)"), ("bootstrap", "bootstrap (pairs)"),
     ("laplace", "laplace"), ("jackknife", "jackknife")],
)  # fmt: skip
def test_a_method_that_was_asked_for(fit: js.Fit, method: str, name: str) -> None:
    found = js.draws(fit, method, resamples=30)
    assert (found.method, len(found)) == (name, 30)
    assert "chosen" not in found.settings


def test_unknown_method(fit: js.Fit) -> None:
    with pytest.raises(js.JscaleError, match=r"method='laplce' is not known.*'laplace'\? Use auto"):
        js.draws(fit, "laplce")


def test_groups_of_one_run_each_are_drawn_together(fit: js.Fit) -> None:
    frame = fit.runs.frame.assign(family=[f"f{k}" for k in range(len(fit.runs))])
    alone = js.fit("chinchilla", js.Runs.from_frame(frame, group="family"))
    found = js.draws(alone, resamples=30)
    assert found.settings["cluster"] == "family"
    assert found.settings["chosen"].endswith(
        "each family holds one run, so runs are drawn across them"
    )
    with pytest.raises(js.DataError, match="leaves a single cluster of each part"):
        js.draws(alone, "bayesian", resamples=30)


@pytest.mark.parametrize("method", ["bootstrap", "laplace"])
def test_warnings_name_the_users_line(monkeypatch, fit, method):
    """Whatever calls the method in between, the warning is of the line outside jscale."""
    from jscale.uncertainty import bootstrap, laplace

    notes = [Note("few-clusters", "warning", "Few.", "", "")]
    monkeypatch.setattr(bootstrap, "_notes_on_clusters", lambda *args: notes)
    monkeypatch.setattr(
        laplace, "natural_parameters", lambda problem, theta: np.full((len(theta), 5), np.inf)
        if len(theta) != 20 else np.where(np.arange(20)[:, None] < 3, np.inf, 1.0 + 0 * theta),
    )  # fmt: skip
    with pytest.warns(js.FitWarning) as caught:
        js.draws(fit, method, resamples=20)
    assert {w.filename for w in caught} == {__file__}
