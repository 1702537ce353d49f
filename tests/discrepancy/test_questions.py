"""Questions asked of a sweep: larger runs are never fitted, and few are spread evenly."""

from __future__ import annotations

import numpy as np

from jscale.discrepancy.questions import questions

RNG = np.random.default_rng(3)
N = 10 ** RNG.uniform(6, 9, 80)
SIZE = 6 * N * 10 ** RNG.uniform(8, 10, 80)


def test_larger_runs_are_held_out() -> None:
    for question in questions(SIZE, N):
        assert not set(question.fit) & set(question.held)
        if question.kind == "beyond" and question.name.startswith("C"):
            assert SIZE[question.held].min() > SIZE[question.fit].max()


def test_every_kind_is_asked_of_a_large_table() -> None:
    asked = list(questions(SIZE, N))
    assert {q.kind for q in asked} == {"beyond", "few", "in range"}
    assert {q.name for q in asked if q.kind == "few"} == {f"{k} runs" for k in (3, 5, 8, 12, 24)}


def test_few_runs_span_the_range_below_the_cut() -> None:
    (three,) = (q for q in questions(SIZE, N) if q.name == "3 runs")
    low, middle, high = np.sort(np.log(SIZE[three.fit]))
    assert low < middle < high
    assert high - low > 0.4 * np.ptp(np.log(SIZE))


def test_a_seed_gives_the_same_questions() -> None:
    first, again = list(questions(SIZE, N, 5)), list(questions(SIZE, N, 5))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.fit, b.fit)


def test_a_small_table_is_asked_nothing() -> None:
    assert list(questions(SIZE[:3])) == []
