"""Draws: labelled arrays, intervals, summaries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import jscale as js


@pytest.fixture
def two_chains(draws: js.Draws) -> js.Draws:
    return replace(draws, values=draws.values.reshape(2, 32, 5))


def test_a_parameter_is_a_labelled_array(two_chains):
    alpha = two_chains["alpha"]
    assert alpha.dims == ("chain", "draw")
    assert alpha.shape == (2, 32)
    assert alpha.name == "alpha"
    np.testing.assert_array_equal(alpha.values, two_chains.values[:, :, 2])


def test_chains_lie_one_after_another(two_chains, draws):
    assert len(two_chains) == len(draws) == 64
    np.testing.assert_array_equal(two_chains.flat, draws.flat)


def test_unknown_parameter(draws):
    with pytest.raises(
        js.JscaleError, match=r"No parameter 'alpa'\. Did you mean 'alpha'.*There are E, A"
    ):
        draws["alpa"]


def test_to_frame(draws):
    frame = draws.to_frame()
    assert list(frame.columns) == ["E", "A", "alpha", "B", "beta"]
    np.testing.assert_array_equal(frame.to_numpy(), draws.flat)


def test_interval_is_of_equal_tails(draws):
    interval = draws.interval(0.8)
    np.testing.assert_allclose(interval["low"], np.quantile(draws.flat, 0.1, axis=0), rtol=1e-12)
    np.testing.assert_allclose(interval["high"], np.quantile(draws.flat, 0.9, axis=0), rtol=1e-12)
    assert interval.index.tolist() == list(draws.names)


def test_summary_names_its_level(draws, fit):
    summary = draws.summary(0.95)
    assert summary.columns.tolist() == ["estimate", "sd", "low_95%", "high_95%"]
    np.testing.assert_array_equal(summary["estimate"], fit.params)
    np.testing.assert_allclose(summary["sd"], draws.to_frame().std())
    np.testing.assert_array_equal(summary["low_95%"], draws.interval(0.95)["low"])
    np.testing.assert_array_equal(summary["high_95%"], draws.interval(0.95)["high"])


@pytest.mark.parametrize("level", [0.0, 1.0, 90, -0.1, float("nan"), "0.9", None, True])
def test_level_outside_zero_and_one(draws, level):
    with pytest.raises(js.JscaleError, match=rf"level={level!r} must lie strictly .* such as 0\.9"):
        draws.interval(level)


@pytest.mark.parametrize("level", ["a", None, 90])
def test_a_summary_wants_a_level_too(draws, level):
    with pytest.raises(js.JscaleError, match=rf"level={level!r} must lie strictly .* such as 0\.9"):
        draws.summary(level)


def test_level_may_be_a_numpy_number(draws):
    assert draws.interval(np.float64(0.8)).equals(draws.interval(0.8))
    assert draws.interval(np.float32(0.5)).equals(draws.interval(0.5))


def test_repr_tells_of_trouble(draws):
    assert repr(draws).startswith("Draws(bootstrap (pairs), 64 draws)\n")
    troubled = replace(draws, failed=3, unsettled=2)
    assert repr(troubled).startswith(
        "Draws(bootstrap (pairs), 64 draws, 3 failed, 2 not converged)"
    )
    assert "low_90%" in repr(draws)


def test_repr_says_which_method_was_chosen_and_why(draws):
    chosen = replace(draws, settings={**draws.settings, "chosen": "laplace: too many rows"})
    lines = repr(chosen).splitlines()
    assert lines[1] == "chosen: laplace: too many rows"
    assert lines[2:] == repr(draws).splitlines()[1:]


def test_draws_go_to_arviz(draws):
    found = draws.to_arviz()
    alpha = found.posterior["alpha"]
    assert alpha.dims[:2] == ("chain", "draw")
    np.testing.assert_array_equal(alpha.to_numpy(), draws["alpha"].to_numpy())
