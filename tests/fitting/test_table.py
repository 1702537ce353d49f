"""FitTable: a row per family, and curves with intervals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import jscale as js


def test_to_frame_has_a_row_per_family(fits: js.FitTable) -> None:
    frame = fits.to_frame()
    assert frame.index.name == "family"
    assert list(frame)[:6] == ["E", "E_error", "A", "A_error", "alpha", "alpha_error"]
    assert {"status", "objective", "agree", "starts", "condition", "notes"} <= set(frame)
    assert "6 families, 5 converged, 1 failed" in repr(fits)
    assert "<table" in fits._repr_html_()


def test_predict_is_the_law_with_an_interval(fits: js.FitTable) -> None:
    frame = fits.predict(N=[1e6, 1e9])
    assert list(frame) == ["family", "N", "curve", "confidence_low", "confidence_high"]
    assert len(frame) == 12
    row = frame.iloc[1]
    p = fits.params.loc["a"]
    assert row["curve"] == pytest.approx(p["E"] + p["A"] * 1e9 ** -p["alpha"], rel=1e-12)
    good = frame[frame["family"] != "tiny"]
    assert (good["confidence_low"] < good["curve"]).all()
    assert (good["curve"] < good["confidence_high"]).all()
    assert frame[frame["family"] == "tiny"]["curve"].isna().all()
    wider = fits.predict(N=1e9, level=0.99)
    assert (wider["confidence_high"] > fits.predict(N=1e9)["confidence_high"])[:5].all()


def test_predict_says_what_it_needs(fits: js.FitTable) -> None:
    with pytest.raises(js.LawError, match="takes N; missing: N, unknown: D"):
        fits.predict(D=1e9)
    with pytest.raises(js.JscaleError, match="level=90 must lie strictly between"):
        fits.predict(N=1e9, level=90)


@pytest.mark.full
def test_inputs_broadcast_and_unlike_lengths_are_named() -> None:
    table = js.datasets.load("stdlib_lm")
    small = table[table["split"] == "fit"]
    fits = js.fit_many("chinchilla", small, by="part", starts=16)
    frame = fits.predict(N=[1e5, 1e6], D=1e8)
    assert frame["D"].tolist() == [1e8] * len(frame)
    assert len(frame) == 2 * len(fits)
    with pytest.raises(
        js.LawError, match=r"must be equally long, but have lengths \{'N': 2, 'D': 3"
    ):
        fits.predict(N=[1e5, 1e6], D=[1e8, 1e8, 1e9])
    with pytest.raises(js.LawError, match=r"missing: D, unknown: d\. Did you mean 'D'\?"):
        fits.predict(N=1e6, d=1e8)


def test_intervals_are_those_of_the_draws_where_there_are_draws(fits: js.FitTable) -> None:
    rng = np.random.default_rng(0)
    draws = np.asarray(fits.params)[:, None] * np.exp(0.1 * rng.standard_normal((6, 400, 3)))
    frame = replace(fits, draws=draws).predict(N=1e6, level=0.8)
    for i in range(5):
        E, A, alpha = draws[i].T
        low, high = np.quantile(E + A * 1e6**-alpha, [0.1, 0.9])
        assert frame["confidence_low"][i] == pytest.approx(low, rel=1e-12)
        assert frame["confidence_high"][i] == pytest.approx(high, rel=1e-12)
    assert frame.iloc[5][["curve", "confidence_low", "confidence_high"]].isna().all()


def test_without_draws_the_logarithm_of_the_curve_is_normal(fits: js.FitTable) -> None:
    """The delta method, by hand for E + A·N^(−alpha)."""
    frame, N = fits.predict(N=1e6, level=0.9), 1e6
    for i in range(5):
        E, A, alpha = fits.params.iloc[i]
        slope = np.array([1.0, N**-alpha, -A * np.log(N) * N**-alpha])
        curve = E + A * N**-alpha
        wide = 1.6448536 * np.sqrt(slope @ fits.covariance[i] @ slope) / curve
        assert frame["confidence_low"][i] == pytest.approx(curve * np.exp(-wide), rel=1e-6)
        assert frame["confidence_high"][i] == pytest.approx(curve * np.exp(wide), rel=1e-6)
