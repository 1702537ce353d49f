"""ArviZ takes our draws, and files come back as they went."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray

import jscale as js
from jscale.uncertainty.arviz import (
    load_netcdf,
    mixing,
    save_netcdf,
    smoothed_log_weights,
    to_arviz,
    to_datatree,
)
from jscale.uncertainty.bayes.posterior import posterior, prior
from jscale.uncertainty.bayes.result import Posterior

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    az = pytest.importorskip("arviz")
CLASSIC = az.__version__.startswith("0.")


@pytest.fixture(scope="module")
def post(fit: js.Fit) -> Posterior:
    return posterior(fit, method="nuts", draws=200, warmup=200, seed=1)


@pytest.mark.full
def test_groups_and_dimensions(post: Posterior, fit: js.Fit) -> None:
    tree = to_datatree(post)
    assert isinstance(tree, xarray.DataTree)
    assert set(tree.children) == {
        "posterior", "posterior_predictive", "log_likelihood", "observed_data", "sample_stats",
    }  # fmt: skip
    assert tree["posterior"]["alpha"].dims == ("chain", "draw")
    assert "noise_scale" in tree["posterior"]
    np.testing.assert_array_equal(tree["posterior"]["B"], post.values[:, :, 3])
    np.testing.assert_array_equal(tree["observed_data"]["loss"], fit.runs["loss"])
    assert tree["log_likelihood"]["loss"].shape == (4, 200, len(fit.runs))
    assert tree["posterior"].attrs["law"] == "chinchilla"


def test_a_bootstrap_and_a_prior_go_too(draws: js.Draws, fit: js.Fit) -> None:
    assert set(to_datatree(draws).children) == {"posterior", "observed_data"}
    before = to_datatree(prior(fit, draws=50))
    assert set(before.children) == {"prior", "prior_predictive", "observed_data"}


@pytest.mark.full
def test_outputs_drawn_anew_are_as_the_rows_were(post: Posterior, fit: js.Fit) -> None:
    """As many observed rows lie inside intervals of the predictive as these say, about."""
    new = to_datatree(post)["posterior_predictive"]["loss"]
    assert new.shape == (4, 200, len(fit.runs))
    low, high = new.quantile([0.1, 0.9], dim=("chain", "draw")).to_numpy()
    inside = np.mean((low <= fit.runs["loss"]) & (fit.runs["loss"] <= high))
    assert 0.65 < inside < 0.95
    expected = js.predict(post, fit.runs.frame[["N", "D"]], level=0.8).to_frame()
    np.testing.assert_allclose(np.log(low), np.log(expected["prediction_low"]), atol=0.004)
    assert prior(fit, draws=50).replicated() is not None


@pytest.mark.full
@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(not CLASSIC, reason="plots are a package of their own in ArviZ 1")
def test_a_predictive_check_is_plotted(post: Posterior) -> None:
    assert az.plot_ppc(to_arviz(post), num_pp_samples=20) is not None


@pytest.mark.full
def test_parameters_per_group_lie_along_their_column(fit: js.Fit) -> None:
    table = fit.runs.frame.assign(family=["ab"[i % 2] for i in range(len(fit.runs))])
    grouped = posterior(js.fit("chinchilla", table, per={"E": "family"}), draws=50, seed=1,
                        method="importance")  # fmt: skip
    E = to_datatree(grouped)["posterior"]["E"]
    assert E.dims == ("chain", "draw", "family")
    np.testing.assert_array_equal(E.sel(family="b"), grouped["E[b]"])


@pytest.mark.full
def test_arviz_runs_on_it(post: Posterior, fit: js.Fit, tmp_path: Path) -> None:
    data = to_arviz(post)
    assert isinstance(data, az.InferenceData if CLASSIC else xarray.DataTree)
    table = az.summary(data, var_names=["E", "alpha"])
    assert isinstance(table, pd.DataFrame)
    assert table.loc["alpha", "mean"] == pytest.approx(float(post["alpha"].mean()), abs=1e-3)
    loo = az.loo(data)
    rows = post.log_likelihood
    assert rows is not None
    full = np.sum(np.log(np.mean(np.exp(rows), axis=(0, 1))))
    found = loo.elpd_loo if CLASSIC else loo.elpd
    assert full - 10 < found < full
    tied = posterior(js.fit("chinchilla_tied", fit.runs), method="nuts", draws=200, warmup=200)
    ranked = az.compare({"free": data, "tied": to_arviz(tied)})
    assert set(ranked.index) == {"free", "tied"}
    assert az.plot_trace(data) is not None


@pytest.mark.full
def test_a_file_comes_back(post: Posterior, tmp_path: Path) -> None:
    path = save_netcdf(post, tmp_path / "draws.nc")
    data = load_netcdf(path)
    group = data.posterior if CLASSIC else data["posterior"]
    np.testing.assert_array_equal(group["alpha"], post["alpha"])
    az.summary(data)
    with pytest.raises(OSError, match=r"draws.nc exists already. Name another file"):
        save_netcdf(post, path)


def test_files_that_are_none(draws: js.Draws, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="There is no file"):
        load_netcdf(tmp_path / "none.nc")
    (tmp_path / "text.nc").write_text("N,D,loss")
    with pytest.raises(OSError, match="is not a NetCDF file of draws"):
        load_netcdf(tmp_path / "text.nc")
    xarray.Dataset({"x": ("i", [1.0])}).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    with pytest.raises(js.JscaleError, match="has neither a posterior nor a prior"):
        load_netcdf(tmp_path / "other.nc")
    with pytest.raises(OSError, match="cannot be written"):
        save_netcdf(draws, tmp_path / "no" / "draws.nc")


def test_paretos_k_and_mixing() -> None:
    rng = np.random.default_rng(0)
    light, k = smoothed_log_weights(rng.uniform(-0.1, 0.1, 4000))
    assert k < 0.2
    assert np.exp(light).sum() == pytest.approx(1.0)
    assert smoothed_log_weights(2.0 * rng.standard_exponential(4000))[1] > 0.7
    assert smoothed_log_weights(np.full(100, -np.inf))[1] == np.inf
    rhat, ess = mixing(np.stack([rng.standard_normal((4, 1000)), np.ones((4, 1000))], axis=2))
    assert rhat[0] == pytest.approx(1.0, abs=0.01)
    assert 3000 < ess[0] < 5000
    assert np.isnan(rhat[1])


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")
def test_a_slash_in_a_column_or_a_label_is_no_path(tmp_path):
    frame = pd.DataFrame(
        {"C": np.tile(np.geomspace(1e3, 1e6, 8), 2), "a/b": ["x/y"] * 8 + ["z"] * 8}
    )
    frame["loss"] = 2 + frame["C"] ** -0.4 * np.exp(0.01 * np.sin(np.arange(16)))
    fit = js.fit("power_const", frame, per={"E": "a/b"})
    path = save_netcdf(js.laplace(fit, 20), tmp_path / "draws.nc")
    found = load_netcdf(path)["posterior"]
    assert found["E"].dims == ("chain", "draw", "a_b")
    assert found["a_b"].to_numpy().tolist() == ["x/y", "z"]
