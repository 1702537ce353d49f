"""simulate: tables from a law, its noise, and what cannot be simulated."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from tests.conformance.worlds import CHINCHILLA, compute

POWER = {"E": 1.7, "A": 900.0, "alpha": 0.15}
DESIGN = compute(1e17, 1e22, 2000)


def errors_of(**settings) -> np.ndarray:
    """Relative errors of simulated runs, in logarithm."""
    exact = js.laws.get("power_const")(DESIGN["C"].to_numpy(), **POWER)
    return np.log(js.simulate("power_const", POWER, DESIGN, **settings)["loss"] / exact)


def test_without_noise_it_is_the_law():
    assert np.abs(errors_of()).max() < 1e-15


def test_repeats_with_its_seed():
    first, again, other = (errors_of(noise=0.01, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()


def test_noise_is_the_standard_deviation_of_the_log():
    errors = errors_of(noise=0.02)
    slack = 5 / np.sqrt(2 * len(errors))
    assert np.std(errors) == pytest.approx(0.02, rel=slack)
    assert np.mean(errors) == pytest.approx(0.0, abs=5 * 0.02 / np.sqrt(len(errors)))


def test_student_t_has_its_scale_and_tails():
    errors = errors_of(noise=0.02, distribution="student_t") / 0.02
    # The quartile of Student's t with 3 degrees of freedom is 0.7649; its density there 0.257.
    slack = 5 * np.sqrt(0.25 * 0.75 / len(errors)) / 0.257
    assert np.quantile(errors, 0.75) == pytest.approx(0.7649, abs=slack)
    assert np.abs(errors).max() > 6


def test_gives_runs_with_everything_of_the_design():
    design = pd.DataFrame({"N": [1e8, 1e9], "D": [1e10, 2e10], "family": ["a", "b"]}, index=[5, 5])
    runs = js.simulate("chinchilla", CHINCHILLA, design)
    assert runs.inputs == ("N", "D", "C")
    assert runs.frame["family"].tolist() == ["a", "b"]
    assert runs.frame.index.tolist() == [0, 1]
    assert runs.source == "simulated from chinchilla"


def test_a_law_of_inputs_of_its_own():
    @js.law(output="score")
    def rising(epochs, *, a: js.Positive, b: js.Exponent):
        return a * epochs**b

    runs = js.simulate(rising, {"a": 0.1, "b": 0.5}, {"epochs": [1, 4]})
    assert runs.inputs == ("epochs",)
    assert runs["score"].tolist() == pytest.approx([0.1, 0.2])


def test_missing_parameters():
    with pytest.raises(
        js.LawError, match=r"params misses A, alpha; power_const has E, A, alpha: p"
    ):
        js.simulate("power_const", {"E": 1.7}, DESIGN)


def test_unknown_parameter():
    with pytest.raises(js.LawError, match=r"no parameter or input 'alfa'\. Did you mean 'alpha'"):
        js.simulate("power_const", {**POWER, "alfa": 1.0}, DESIGN)


def test_missing_inputs():
    with pytest.raises(js.DataError, match=r"no column D; chinchilla needs N, D: simulate\(law, "):
        js.simulate("chinchilla", CHINCHILLA, {"N": [1e9]})


@pytest.mark.parametrize("design", [{"C": 1e9}, {"C": [1e9, 1e10], "x": [1]}, 3])
def test_design_that_is_no_table(design):
    with pytest.raises(js.DataError, match=r"The design is no table.* Give columns of one length"):
        js.simulate("power_const", POWER, design)


@pytest.mark.parametrize("noise", [-0.1, np.nan, np.inf, "0.1"])
def test_noise_that_is_no_size(noise):
    with pytest.raises(
        js.DataError, match=rf"noise={noise!r} must be a finite number, zero or more"
    ):
        js.simulate("power_const", POWER, DESIGN, noise=noise)


def test_unknown_distribution():
    wrong = (
        r"distribution='student' is not known\. Did you mean 'student_t'\? Use normal, student_t"
    )
    with pytest.raises(js.DataError, match=wrong):
        js.simulate("power_const", POWER, DESIGN, distribution="student")


def test_checkpoints_of_a_design_become_runs_with_clusters():
    design = js.designs.checkpoints(js.designs.grid([1e8, 1e9], [1e10, 4e10]), 6)
    noise = js.Noise(0.0, shared={"run": 0.02})
    simulated = js.simulate("chinchilla", CHINCHILLA, design, noise=noise, seed=1)
    runs = js.Runs.from_frame(simulated.frame, run="run")
    assert (len(runs), runs.n_independent) == (24, 4)
    exact = js.laws.get("chinchilla")(design["N"].to_numpy(), design["D"].to_numpy(), **CHINCHILLA)
    errors = np.log(runs["loss"] / exact).reshape(4, 6)
    np.testing.assert_allclose(errors, errors[:, :1] * np.ones(6), atol=1e-14)
    assert len(np.unique(errors[:, 0].round(12))) == 4
