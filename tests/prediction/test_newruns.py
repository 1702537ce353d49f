"""New runs: whose noise they have, of which family, and known errors on top."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.fitting.notes import Note
from jscale.prediction.components import curves
from jscale.prediction.newruns import (
    KNOWN,
    NewRun,
    errors_of,
    extra_columns,
    remarks,
    with_known_errors,
)
from jscale.simulation.worlds import CHINCHILLA
from jscale.uncertainty.noise.model import noise_model
from tests.prediction.near import NEAR, Shift

POWER = {"E": 1.7, "A": 900.0, "alpha": 0.15}


def test_settings_name_only_what_is_not_usual() -> None:
    assert NewRun.asked("run", None, None).settings == {}
    asked = NewRun.asked("family", np.array([0.01, 0.02]), Shift(0.1))
    assert asked.settings == {"new": "family", "known_error": [0.01, 0.02], "noise": "Shift"}
    assert asked.column is None
    named = NewRun.asked("run", "seen", None)
    assert (named.column, named.settings) == ("seen", {"known_error": "seen"})


def test_known_errors_are_added_to_those_of_a_noise() -> None:
    table = with_known_errors(pd.DataFrame({"N": [1.0, 2.0]}), [0.0, 0.5], None)
    assert table[KNOWN].tolist() == [0.0, 0.5]
    errors = errors_of(Shift(2.0), np.zeros((4000, 2)), table, 0)
    np.testing.assert_array_equal(errors[:, 0], 2.0)
    assert errors[:, 1].mean() == pytest.approx(2.0, abs=0.03)
    assert errors[:, 1].std() == pytest.approx(0.5, rel=0.05)
    plain = pd.DataFrame({"N": [1.0, 2.0]})
    assert with_known_errors(plain, None, None) is plain


def test_known_errors_by_name_are_of_the_runs_too(surface: js.Fit) -> None:
    runs = js.Runs.from_frame(surface.runs.frame.assign(seen=0.01))
    table = with_known_errors(surface.runs.frame.head(3), "seen", runs.where(np.arange(42) < 3))
    assert table[KNOWN].tolist() == [0.01] * 3
    with pytest.raises(js.PredictionError, match="the table to predict at has no such column"):
        with_known_errors(surface.runs.frame, "seen", None)


def test_notes_of_draws_and_noises_are_told_once(draws: js.Draws) -> None:
    own = replace(draws, noise=Shift(0.3))
    told = remarks([own, own], [Shift(0.1, (NOTE,)), Shift(0.2, (NOTE,)), object()])  # type: ignore[list-item]
    assert told == (*own.notes, NOTE)
    assert extra_columns(Shift(0.1)) == ()


def spread(frame: pd.DataFrame, kind: str = "prediction") -> float:
    """The logarithmic width of the first row's interval."""
    return float(np.log(frame[f"{kind}_high"] / frame[f"{kind}_low"]).iloc[0])


NOTE = Note("heard-of", "info", "Seen.", "", "")


def test_noise_of_the_draws_own_goes_before_that_of_residuals(draws):
    own = replace(draws, noise=Shift(0.3, (NOTE,)))
    prediction = js.predict(own, **NEAR)
    frame = prediction.frame
    for end in ("low", "high"):
        ratio = frame[f"prediction_{end}"] / frame[f"confidence_{end}"]
        assert ratio.tolist() == pytest.approx([np.exp(0.3)])
    assert prediction.notes == (NOTE,)
    assert repr(prediction).endswith("\n[info] heard-of: Seen.")
    given = js.predict(own, **NEAR, noise=Shift(0.5)).frame
    assert (given["prediction_low"] / given["confidence_low"])[0] == pytest.approx(np.exp(0.5))


def test_a_noise_that_draws_nothing(draws):
    with pytest.raises(
        js.PredictionError, match=r"noise=0\.1 draws no errors: give js\.noise_model"
    ):
        js.predict(draws, **NEAR, noise=0.1)  # type: ignore[arg-type]


def test_new_runs_have_the_noise_models_errors(draws):
    model = noise_model(draws.fit)
    curve = np.log(curves(draws.fit, pd.DataFrame([NEAR]), draws.flat))
    new = curve + errors_of(model, curve, pd.DataFrame([NEAR]), 5)
    frame = js.predict(draws, **NEAR, seed=5).frame
    expected = np.exp(np.quantile(new, [0.05, 0.95]))
    found = frame[["prediction_low", "prediction_high"]].to_numpy()[0]
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.fixture(scope="module")
def many_families() -> js.Draws:
    """Twelve families whose losses differ by an effect ten times a run's own error."""
    design = js.designs.random(96, (1e8, 1e10), (2e9, 2e11), seed=1)
    design["family"] = [f"f{k % 12}" for k in range(96)]
    noise = js.Noise(sd=0.003, shared={"family": 0.03})
    frame = js.simulate("chinchilla", CHINCHILLA, design, noise=noise, seed=2).frame
    return js.laplace(js.fit("chinchilla", js.Runs.from_frame(frame, group="family")), 2000)


def test_a_run_of_a_new_family(many_families):
    """Its interval is the wider, and as wide as the planted effect asks for."""
    family = js.predict(many_families, **NEAR, new="family", level=0.68)
    assert 0.04 < spread(family.frame) < 0.12  # 2·0.03, from twelve, and a curve bent by them
    assert family.settings["new"] == "family"
    assert "by laplace, within the law, new runs of a new family\n" in repr(family)
    run = js.predict(many_families, **NEAR, level=0.68)
    assert family.frame["confidence_low"].equals(run.frame["confidence_low"])
    assert "new" not in run.settings


def test_a_new_family_of_unknown_families(draws):
    with pytest.raises(js.JscaleError, match=r'new="family" needs the family of each run'):
        js.predict(draws, **NEAR, new="family")
    with pytest.raises(js.PredictionError, match=r"new='famly' .*Did you mean 'family'\? Use run"):
        js.predict(draws, **NEAR, new="famly")


def test_pooled_draws_have_their_own_for_a_new_family(draws):
    class Pooled(js.Draws):
        def for_new_group(self, seed: int) -> js.Draws:
            return replace(draws, method=f"a new one of {seed}", noise=Shift(0.2))

    pooled = Pooled(draws.fit, draws.values, draws.names, "pooled", noise=Shift(0.1))
    old, new = js.predict(pooled, **NEAR), js.predict(pooled, **NEAR, new="family", seed=3)
    assert (old.method, new.method) == (
        "pooled, within the law",
        "a new one of 3, within the law",
    )
    for found, shift in ((old, 0.1), (new, 0.2)):
        ratio = found.frame["prediction_low"] / found.frame["confidence_low"]
        assert ratio.tolist() == pytest.approx([np.exp(shift)])


def test_known_errors_add_in_quadrature(draws):
    wide = replace(draws, values=np.repeat(draws.values[:, :1], 20000, axis=1))
    plain = replace(wide, noise=Shift(0.0))
    frame = js.predict(plain, **NEAR, known_error=0.02, level=0.68).frame
    assert frame["known_error"].tolist() == [0.02]
    assert spread(frame) == pytest.approx(2 * 0.9945 * 0.02, rel=0.03)
    table = pd.DataFrame({**NEAR, "seen": [0.0, 0.05]}, index=["x", "y"])
    frame = js.predict(plain, table, known_error="seen").frame
    assert spread(frame) == pytest.approx(0.0, abs=1e-12)
    assert spread(frame.loc[["y"]]) == pytest.approx(2 * 1.645 * 0.05, rel=0.05)


@pytest.mark.full
def test_known_errors_that_the_runs_have_too_are_counted_once():
    runs = js.simulate("power_const", POWER, {"C": np.geomspace(1e17, 1e22, 200)}, noise=0.02)
    fit = js.fit("power_const", runs.frame.assign(seen=0.018))
    draws, table = js.laplace(fit, 4000), pd.DataFrame({"C": [1e20], "seen": [0.018]})
    once = spread(js.predict(draws, table, known_error="seen").frame)
    twice = spread(js.predict(draws, table, known_error=0.018).frame)
    none = spread(js.predict(draws, table).frame)
    assert once == pytest.approx(none, rel=0.1)
    assert twice > 1.2 * none


def test_known_errors_that_cannot_be_used(draws):
    table = pd.DataFrame({**NEAR, "seen": [0.01, np.nan]}, index=["x", "y"])
    with pytest.raises(js.PredictionError, match=r"'sen': the table .* Did you mean 'seen'\? Give"):
        js.predict(draws, table, known_error="sen")
    with pytest.raises(
        js.PredictionError, match=r"zero or more, but row 'y' \(nan\)\. Give numbers"
    ):
        js.predict(draws, table, known_error="seen")
    with pytest.raises(js.PredictionError, match=r"known_error has 3 numbers for 2 rows; give one"):
        js.predict(draws, table, known_error=[0.1, 0.1, 0.1])


def test_errors_of_new_runs_are_drawn_apart_from_the_draws(surface):
    """Draws and errors by normal numbers from one stream would go together."""
    draws = js.laplace(surface, 4000, seed=0)

    class Normal:
        def draw(self, curves: np.ndarray, table: pd.DataFrame, seed: int) -> np.ndarray:
            self.errors = np.random.default_rng(seed).standard_normal(curves.shape)
            return self.errors

    noise = Normal()
    js.predict(draws, **NEAR, noise=noise, seed=0)
    for name in draws.names:
        assert abs(np.corrcoef(noise.errors[:, 0], draws[name].to_numpy()[0])[0, 1]) < 0.07, name


def test_settings_name_the_noise_and_the_known_error(surface):
    import json

    draws, noise = js.laplace(surface, 100), js.noise_model(surface, "student_t")
    plain = js.predict(draws, **NEAR).settings
    assert not {"noise", "known_error"} & set(plain)
    told = js.predict(draws, **NEAR, noise=noise, known_error=0.01).settings
    assert told["known_error"] == 0.01
    assert told["noise"].startswith("NoiseModel: a Student-t of about")
    rows = js.predict(draws, **NEAR, known_error=np.array([0.02])).settings
    assert json.loads(json.dumps({k: rows[k] for k in ("known_error",)})) == {"known_error": [0.02]}


@pytest.mark.full
def test_a_new_family_from_a_posterior_that_is_not_pooled(surface):
    post = js.posterior(surface, draws=50, method="importance")
    with pytest.raises(
        js.PredictionError,
        match=r"needs a pooled posterior; this one has not learnt.*pool=\{\"E\": ",
    ):
        js.predict(post, **NEAR, new="family")
