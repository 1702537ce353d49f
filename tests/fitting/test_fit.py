"""fit: choices (fixed, tied, per group), custom laws, errors, and what a Fit holds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale import Exponent, Floor, Scale, power

TRUTH = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 410.0, "beta": 0.28}
DESIGN = pd.DataFrame(
    [(n, d) for n in np.geomspace(1e7, 1e9, 6) for d in np.geomspace(1e9, 1e11, 6)],
    columns=["N", "D"],
)


def world(seed: int = 0, noise: float = 0.005, **changes: float) -> js.Runs:
    return js.simulate("chinchilla", {**TRUTH, **changes}, DESIGN, noise=noise, seed=seed)


@pytest.fixture(scope="module")
def fit() -> js.Fit:
    return js.fit("chinchilla", world())


def test_estimates_lie_within_a_few_errors_of_the_truth(fit: js.Fit) -> None:
    for name, value in TRUTH.items():
        assert abs(fit.params[name] - value) < 4 * fit.stderr[name], name


def test_a_frame_gives_the_same_fit_as_runs(fit: js.Fit) -> None:
    frame = world().frame.rename(columns={"N": "size", "D": "seen", "loss": "val"})[
        ["size", "seen", "val"]
    ]
    again = js.fit("chinchilla", frame, N="size", D="seen", loss="val")
    np.testing.assert_array_equal(again.params, fit.params)


def test_the_same_fit_twice_is_bit_identical(fit: js.Fit) -> None:
    again = js.fit("chinchilla", world())
    np.testing.assert_array_equal(again.params, fit.params)
    np.testing.assert_array_equal(again.stderr, fit.stderr)


def test_derived_combinations_are_those_of_the_estimates(fit: js.Fit) -> None:
    exponent = fit.derived.loc["N* exponent, beta/(alpha+beta)"]
    alpha, beta = fit.params["alpha"], fit.params["beta"]
    assert exponent["estimate"] == pytest.approx(beta / (alpha + beta), rel=1e-12)
    assert 0 < exponent["error"] < 0.1
    C = fit.largest
    ratio = next(v for k, v in fit.derived["estimate"].items() if "tokens per parameter" in str(k))
    N = np.geomspace(1e6, 1e12, 200_001)
    lowest = N[np.argmin(js.laws.get("chinchilla")(N, C / (6 * N), **fit.params))]
    assert ratio == pytest.approx(C / (6 * lowest) / lowest, rel=1e-3)


@pytest.mark.full
def test_per_group_floors_are_recovered() -> None:
    parts = [
        world(seed=1, E=1.7).frame.assign(family="a"),
        world(seed=2, E=2.1).frame.assign(family="b"),
    ]
    runs = js.Runs.from_frame(pd.concat(parts, ignore_index=True), group="family")
    fit = js.fit("chinchilla", runs, per={"E": "family"})
    assert list(fit.params.index) == ["E[a]", "E[b]", "A", "alpha", "B", "beta"]
    difference = fit.params["E[b]"] - fit.params["E[a]"]
    assert difference == pytest.approx(0.4, abs=0.02)
    assert fit.derived.empty


def test_group_labels_that_are_numbers_work() -> None:
    parts = [world(seed=s, E=e).frame.assign(family=s) for s, e in ((1, 1.7), (2, 2.1))]
    fit = js.fit("chinchilla", pd.concat(parts), per={"E": "family"})
    assert "E[1]" in fit.params.index


@pytest.mark.full
def test_fixed_and_tied_parameters_obey(fit: js.Fit) -> None:
    fixed = js.fit("chinchilla", world(), fixed={"E": 1.6}, tie=("alpha", "beta"))
    assert fixed.params["E"] == 1.6
    assert fixed.stderr["E"] == 0.0
    assert fixed.params["alpha"] == fixed.params["beta"]
    assert fixed.objective > fit.objective


@pytest.mark.full
def test_a_law_of_five_lines_inside_a_function() -> None:
    @js.law
    def mine(N, D, *, E: Floor, A: Scale, alpha: Exponent, B: Scale, beta: Exponent):
        return E + A * power(N / 1e8, -alpha) + B * power(D / 1e10, -beta)

    fit = js.fit(mine, world())
    reference = js.fit("chinchilla", world())
    assert fit.objective == pytest.approx(reference.objective, rel=1e-8)
    assert fit.params["A"] == pytest.approx(
        reference.params["A"] * 1e8 ** -reference.params["alpha"], rel=1e-4
    )


def test_defining_the_same_law_again_compiles_nothing() -> None:
    from jscale.fitting.solver.engine import compiled

    def define() -> js.Law:
        @js.law(powers=(("A", "N", "alpha"),))
        def again(N, *, E: Floor, A: Scale, alpha: Exponent):
            return E + A * power(N, -alpha)

        return again

    table = js.simulate(
        "power_const:N", {"E": 1.0, "A": 50.0, "alpha": 0.3}, {"N": np.geomspace(1e3, 1e7, 12)},
        noise=0.001,
    )  # fmt: skip
    js.fit(define(), table)
    before = compiled.cache_info().misses
    js.fit(define(), table)
    assert compiled.cache_info().misses == before


def test_weights_of_zero_leave_rows_out() -> None:
    runs = world()
    spoilt = runs.frame.copy()
    spoilt.iloc[3, spoilt.columns.get_loc("loss")] = 9.0
    weights = np.ones(len(spoilt))
    weights[3] = 0.0
    left_out = js.fit("chinchilla", spoilt, weights=weights)
    keep = np.arange(len(spoilt)) != 3
    without = js.fit("chinchilla", runs.where(keep))
    np.testing.assert_allclose(left_out.params, without.params, rtol=1e-6)


@pytest.mark.full
def test_a_law_that_is_nan_everywhere_is_an_error() -> None:
    import jax.numpy as jnp

    @js.law
    def broken_log(N, *, E: Floor):
        return jnp.log(-E * N)

    with pytest.raises(js.FitError, match="broken_log gave no finite value at any of 64 starts"):
        js.fit(broken_log, world())


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"starts": "all"}, "starts='all' is not known"),
        ({"starts": 0}, "starts=0 must be at least 1"),
        ({"fixed": {"Alpha": 1}}, "no parameter or input 'Alpha'. Did you mean 'alpha'"),
        ({"starts": True}, "starts=True is not known"),
        ({"starts": []}, r"starts=\[\] is not known"),
        ({"starts": 2.5}, "starts=2.5 is not known"),
        ({"seed": -1}, "seed=-1 must be a whole number, 0 or more"),
        ({"per": "family"}, "per='family' must be a mapping by parameter"),
        ({"fixed": ["E"]}, r'must be a mapping by parameter: fixed=\{"E": 1.69\}'),
        ({"tie": "alpha"}, r'tie=\("alpha", "beta"\)'),
        ({"tie": ("alpha",)}, "names one parameter"),
        ({"tie": ("alpha", "beta"), "fixed": {"beta": 0.3}}, "more than once"),
        ({"start": {"gamma": (0, 1)}}, "no parameter or input 'gamma'"),
        ({"fixed": dict(TRUTH)}, "nothing to fit"),
    ],
)
def test_bad_choices_are_refused(choice: dict, message: str) -> None:
    with pytest.raises(js.LawError, match=message):
        js.fit("chinchilla", world(), **choice)


def test_given_starts_are_kept_and_used() -> None:
    fit = js.fit("chinchilla", world(), starts=pd.DataFrame([TRUTH, TRUTH]))
    assert fit.settings.starts == (TRUTH, TRUTH)
    assert fit.agree == (2, 2)
    assert js.fit("chinchilla", world(), starts=fit.settings.starts).objective == fit.objective
    assert js.fit("chinchilla", world(), starts=np.int64(8)).agree[1] == 8


def test_unknown_laws_suggest_the_nearest() -> None:
    with pytest.raises(js.LawError, match="Did you mean 'chinchilla'"):
        js.fit("chinchila", world())


def test_columns_with_runs_and_other_data_are_refused() -> None:
    with pytest.raises(js.DataError, match="columns are named when Runs are made"):
        js.fit("chinchilla", world(), N="size")
    with pytest.raises(js.DataError, match="fit takes Runs or a pandas DataFrame, not list"):
        js.fit("chinchilla", [1, 2])  # type: ignore[arg-type]


def test_float32_default_of_the_caller_is_left_alone(fit: js.Fit) -> None:
    import jax.numpy as jnp

    assert jnp.ones(1).dtype == jnp.float32
    assert fit.params.dtype == np.float64


def test_starts_of_a_parameter_per_group_are_one_for_each() -> None:
    frame = pd.concat(
        world(seed).frame.assign(family=name) for seed, name in enumerate("ab")
    ).reset_index(drop=True)
    start = {**TRUTH, "E": [1.6, 1.8]}
    fit = js.fit("chinchilla", frame, per={"E": "family"}, starts=[start])
    assert fit.settings.starts == ({**TRUTH, "E": (1.6, 1.8)},)
    assert fit.params["E[a]"] == pytest.approx(1.7, rel=0.05)
    with pytest.raises(
        js.LawError, match=r"A start has E='x'; it must be a finite number, or a list"
    ):
        js.fit("chinchilla", frame, starts=[{**TRUTH, "E": "x"}])
    with pytest.raises(js.LawError, match=r"E has shape \(2,\); give one number"):
        js.fit("chinchilla", frame, starts=[start])


def test_devices_are_for_the_default_solver() -> None:
    with pytest.raises(js.JscaleError, match=r"devices= is for the default solver; leave it out"):
        js.fit("chinchilla", world(), solver="lbfgs", devices="all")
