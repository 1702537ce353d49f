"""Notes on a posterior: chains, weights, modes, priors, and rows that share a run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import jscale as js
from jscale.uncertainty.bayes import notes as verdicts


@pytest.mark.parametrize(
    ("settled", "shares", "walked", "expected"),
    [
        (True, [0.995, 0.005], True, []),
        (True, [0.7, 0.2, 0.1], False, [("several-modes", "caution")]),
        (True, [0.7, 0.2, 0.1], True, [("several-modes", "warning")]),
        (False, [1.0], True, [("mode-not-settled", "warning")]),
    ],
)
def test_modes(
    settled: bool, shares: list[float], walked: bool, expected: list[tuple[str, str]]
) -> None:
    notes = list(verdicts.notes_on_modes(settled, np.array(shares), walked))
    assert [(n.code, n.severity) for n in notes] == expected
    if len(shares) == 3:
        assert "has 3 modes; the best has about 70%" in notes[0].seen
        assert ("seldom cross" in notes[0].means) == walked


def test_a_prior_whose_curves_reach_less_than_half_of_the_runs() -> None:
    curves = np.array([[0.0, 0.0, np.nan, -np.inf], [1.0, 1.0, 1.0, 1.0]])
    assert verdicts.note_on_prior_predictive(curves, np.array([0.5, 0.2, 3.0, 1.0])) == []
    [note] = verdicts.note_on_prior_predictive(curves, np.array([0.5, 2.0, 0.5, 1.5]))
    assert note.code == "prior-far-from-data"
    assert "come near only 25% of the runs" in note.seen


def test_rows_of_their_own_need_no_note() -> None:
    assert verdicts.note_on_rows(np.array([3, 1, 2])) == []
    [note] = verdicts.note_on_rows(np.array([0, 1, 1, 1]))
    assert "4 rows come from 2 independent runs" in note.seen


def test_a_posterior_far_out_in_its_prior() -> None:
    draws = np.array([[4.0, 2.9, 9.0]]) + 0.01 * np.random.default_rng(0).standard_normal((500, 3))
    [note] = verdicts.notes_on_priors(
        ("E", "A", "noise_scale"), draws, np.zeros(3), np.ones(3), frozenset(["noise_scale"])
    )
    assert note.code == "prior-conflict"
    assert "E (4.0 prior standard deviations)" in note.seen
    assert "A (" not in note.seen


def test_a_prior_that_nobody_stated_is_named_as_such() -> None:
    draws = np.random.default_rng(0).standard_normal((500, 2))
    moments = np.zeros(2), np.ones(2)
    none, own = (
        list(verdicts.notes_on_priors(("E", "A"), draws, *moments, frozenset(), frozenset(x)))
        for x in ("", "A")
    )
    assert [(n.code, n.severity) for n in none] == [("prior-driven", "caution")]
    assert "prior of E, A by" in none[0].seen
    assert {n.severity: n.seen.split(" for ")[-1].split(" of ")[-1][:1] for n in own} == {
        "info": "A", "caution": "E"
    }  # fmt: skip
    assert 'priors={"E": …}' in own[1].do


def test_estimators_that_disagree_are_shown_both(fit: js.Fit) -> None:
    moved = replace(fit, params=fit.params * 1.0)
    moved.params["alpha"] += 3 * fit.stderr["alpha"]
    found = verdicts.note_on_disagreement(moved, ("alpha",), fit.params[["alpha"]].to_numpy()[None])
    assert found[0].code == "estimators-disagree"
    assert "(posterior)" in found[0].seen
    assert "± " in found[0].seen
    still = verdicts.note_on_disagreement(fit, ("alpha",), fit.params[["alpha"]].to_numpy()[None])
    assert still == []


def test_failed_checks_are_never_fine() -> None:
    rhat, ess = np.array([1.2, 1.0]), np.array([50.0, 3000.0])
    notes = list(verdicts.notes_on_chains(7, 4000, rhat, ess, ["E", "A"]))
    assert [n.code for n in notes] == ["divergences", "not-mixed", "few-effective-draws"]
    assert "7 of 4000 transitions" in notes[0].seen
    assert "E (1.200)" in notes[1].seen
    assert "E (50)" in notes[2].seen
    bad = list(verdicts.notes_on_importance(0.9, 0.05, 4000))
    assert [n.code for n in bad] == ["importance-unreliable", "few-effective-draws"]
    assert "0.90" in bad[0].seen
    assert list(verdicts.notes_on_chains(0, 4000, rhat[1:], ess[1:], ["A"])) == []


def test_chains_that_stand_still_and_weights_that_are_few_are_never_fine() -> None:
    nan = np.array([np.nan])
    notes = list(verdicts.notes_on_chains(0, 4000, nan, nan, ["E"]))
    assert [n.code for n in notes] == ["not-mixed", "few-effective-draws"]
    uneven = list(verdicts.notes_on_importance(0.66, 0.17, 4000))
    assert [(n.code, n.severity) for n in uneven] == [("importance-uneven", "warning")]
    assert "The effective share of the points is 17 % (k 0.66)" in uneven[0].seen
    assert [n.code for n in verdicts.notes_on_importance(np.nan, 0.9, 4000)] == [
        "importance-unreliable"
    ]
