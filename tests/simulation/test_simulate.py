"""simulate: tables from a law, its noise, and what cannot be simulated."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.simulation.worlds import CHINCHILLA, compute

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
    with pytest.raises(js.LawError, match=r"params lacks A, alpha; power_const has E, A, alpha: p"):
        js.simulate("power_const", {"E": 1.7}, DESIGN)


def test_unknown_parameter():
    with pytest.raises(js.LawError, match=r"no parameter or input 'alfa'\. Did you mean 'alpha'"):
        js.simulate("power_const", {**POWER, "alfa": 1.0}, DESIGN)


def test_missing_inputs():
    with pytest.raises(js.DataError, match=r"no column D; chinchilla needs N, D: simulate\(law, "):
        js.simulate("chinchilla", CHINCHILLA, {"N": [1e9]})


@pytest.mark.parametrize("design", [{"C": 1e9}, {"C": [1e9, 1e10], "x": [1]}, 3])
def test_design_that_is_no_table(design):
    with pytest.raises(
        js.DataError, match=r"The design is not a table.* Give columns of equal length"
    ):
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


# ── Many worlds ──────────────────────────────────────────────────────────────────────────────

SMALL = compute(1e17, 1e22, 6)
EXACT = js.laws.get("power_const")(SMALL["C"].to_numpy(), **POWER)


def worlds(count: int, **settings) -> np.ndarray:
    """The losses of many worlds (count, 6)."""
    runs = js.simulate("power_const", POWER, SMALL, worlds=count, **{"noise": 0.01, **settings})
    assert runs.frame["world"].tolist() == np.repeat(np.arange(count), 6).tolist()
    assert runs.frame.index.tolist() == list(range(6 * count))
    np.testing.assert_array_equal(runs["C"], np.tile(SMALL["C"], count))
    return runs["loss"].reshape(count, 6)


def test_a_world_is_the_same_however_many_there_are():
    few, many = worlds(2, seed=4), worlds(9, seed=4)
    np.testing.assert_array_equal(few, many[:2])
    assert (worlds(2, seed=5) != few).all()
    assert worlds(1, seed=4).shape == (1, 6)


def test_worlds_have_errors_of_their_own_around_one_law():
    errors = np.log(worlds(2000, noise=0.02) / EXACT)
    slack = 5 / np.sqrt(errors.size)
    assert np.std(errors) / 0.02 == pytest.approx(1.0, abs=slack)
    correlations = np.corrcoef(errors.T) - np.eye(6)
    assert np.abs(correlations).max() < 5 / np.sqrt(2000)
    between = np.mean(errors[1:] * errors[:-1]) / 0.02**2
    assert between == pytest.approx(0.0, abs=slack)


def test_what_rows_share_is_shared_within_a_world_only():
    design = SMALL.assign(recipe=[0, 0, 0, 1, 1, 1])
    noise = js.Noise(0.0, shared={"recipe": 0.02})
    runs = js.simulate("power_const", POWER, design, worlds=40, noise=noise)
    errors = np.log(runs["loss"].reshape(40, 6) / EXACT)
    np.testing.assert_allclose(np.ptp(errors.reshape(80, 3), axis=1), 0.0, atol=1e-14)
    assert len(np.unique(errors[:, ::3].round(12))) == 80


def test_the_trend_of_noise_is_that_of_the_design():
    """C0 is the mean of one design, as without worlds: the same errors at the same seed."""
    noise = js.Noise(0.01, trend=0.3)
    errors = np.log(worlds(4000, noise=noise) / EXACT)
    growth = (SMALL["C"] / np.exp(np.log(SMALL["C"]).mean())).to_numpy() ** 0.3
    np.testing.assert_allclose(errors.std(axis=0), 0.01 * growth, rtol=5 / np.sqrt(2 * 4000))


def test_a_parameter_may_differ_from_world_to_world():
    E = np.array([1.0, 1.5, 2.5])
    runs = js.simulate("power_const", {**POWER, "E": E}, SMALL, worlds=3)
    expected = EXACT[None] - POWER["E"] + E[:, None]
    np.testing.assert_allclose(runs["loss"].reshape(3, 6), expected, rtol=1e-14)


def test_worlds_are_families_of_a_fit():
    E = [1.0, 2.0]
    runs = js.simulate("power_const", {**POWER, "E": E}, compute(1e17, 1e22, 16), worlds=2)
    fits = js.fit_many("power_const", runs, by="world", starts=16)
    assert fits.labels == (0, 1)
    np.testing.assert_allclose(fits.params["E"], E, rtol=1e-6)


@pytest.mark.parametrize("count", [0, -1, 2.0, True, "3"])
def test_worlds_that_are_no_number(count):
    with pytest.raises(js.DataError, match=rf"worlds={count!r} must be a whole number, 1 or more"):
        js.simulate("power_const", POWER, SMALL, worlds=count)


def test_a_design_with_worlds_of_its_own():
    design = SMALL.assign(world=0)
    with pytest.raises(
        js.DataError, match=r"The design already has a column 'world'; rename it, or"
    ):
        js.simulate("power_const", POWER, design, worlds=2)
    assert js.simulate("power_const", POWER, design)["world"].tolist() == [0] * 6


@pytest.mark.parametrize(
    ("count", "value"), [(3, [1.0, 2.0]), (3, np.ones((3, 6))), (None, [1.0, 2.0])]
)
def test_a_parameter_of_another_shape(count, value):
    shape = str(np.shape(value)).replace("(", r"\(").replace(")", r"\)")
    wrong = (
        rf"E has shape {shape}; a parameter is a number, or with worlds={count} an array with one"
    )
    with pytest.raises(js.LawError, match=wrong):
        js.simulate("power_const", {**POWER, "E": value}, SMALL, worlds=count)


@pytest.mark.full
@pytest.mark.parametrize("space", ["log", "linear"])
def test_noise_that_was_learnt_from_runs(space):
    """Errors of simulated runs are those of the noise model, in the space it was learnt in."""
    truth, design = {"E": 1.0, "A": 10.0, "alpha": 0.1}, {"C": np.geomspace(1e17, 1e21, 40)}
    fit = js.fit(
        "power_const",
        js.simulate("power_const", truth, design, noise=0.02, seed=1),
        objective=js.least_squares(space=space),
    )
    noise = js.noise_model(fit, "empirical", trend=False)
    wide = {"C": np.geomspace(1e17, 1e21, 4000)}
    many = js.simulate("power_const", truth, wide, noise=noise, seed=2)
    curve = js.simulate("power_const", truth, wide)["loss"]
    error = np.log(many["loss"] / curve) if space == "log" else many["loss"] - curve
    nearest = np.abs(error[:, None] - noise.own.values).argmin(axis=1)
    np.testing.assert_allclose(error, noise.own.values[nearest], atol=1e-12)
    share = np.bincount(nearest, minlength=40) / len(error)
    np.testing.assert_allclose(share, 1 / 40, atol=5 * np.sqrt(1 / 40 / 4000))
    again = js.simulate("power_const", truth, wide, noise=noise, seed=2)
    np.testing.assert_array_equal(many["loss"], again["loss"])


@pytest.mark.filterwarnings("error::jscale.DataWarning")
def test_simulated_rows_that_are_alike_are_no_run_logged_twice():
    """Learnt errors are few, so that a run may happen to repeat another world's."""
    truth, design = {"E": 1.0, "A": 10.0, "alpha": 0.1}, {"C": np.geomspace(1e17, 1e21, 12)}
    fit = js.fit("power_const", js.simulate("power_const", truth, design, noise=0.02, seed=1))
    noise = js.noise_model(fit, "empirical", trend=False)
    runs = js.simulate("power_const", truth, design, noise=noise, worlds=20)
    assert runs.frame.duplicated(["C", "loss"]).any()
    assert runs.doubts == ()
