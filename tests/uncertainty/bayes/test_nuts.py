"""NUTS: how chains are run, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import jscale as js
from jscale.uncertainty.bayes import nuts
from jscale.uncertainty.bayes.posterior import posterior

PARALLEL = """
import numpy as np, jscale as js
from jscale.uncertainty.bayes.posterior import posterior
design = {"C": np.geomspace(1e17, 1e22, 30)}
runs = js.simulate("power_const", dict(E=1.7, A=900.0, alpha=0.15), design, noise=0.005)
post = posterior(js.fit("power_const", runs), method="nuts", chain_method="parallel", chains=2,
                 draws=200, warmup=200)
print(post.values.shape, post.settings["chain_method"], post.checks["max_rhat"] < 1.05)
"""


@pytest.mark.full
def test_chains_mix_and_are_counted(fit: js.Fit) -> None:
    post = posterior(fit, method="nuts", draws=120, warmup=170, chains=3, seed=5)
    assert post.values.shape == (3, 120, 5)
    assert set(post.stats) == {"n_steps", "acceptance_rate", "diverging", "energy"}
    assert all(v.shape == (3, 120) for v in post.stats.values())
    assert post.settings["warmup"] == 170
    assert post.checks["divergences"] == 0
    assert not np.array_equal(post.values[0], post.values[1])


@pytest.mark.full
def test_tables_of_similar_size_share_a_program(fit: js.Fit) -> None:
    posterior(fit, method="nuts", draws=50, warmup=100)
    kernels = nuts._kernel.cache_info().misses
    fewer = js.fit("chinchilla", fit.runs.where(np.arange(len(fit.runs)) > 0))
    posterior(fewer, method="nuts", draws=150, warmup=100, seed=3)
    assert nuts._kernel.cache_info().misses == kernels
    program = nuts._kernel(_spec(fit), 100, 1).go
    assert program._cache_size() == 1


def _spec(fit: js.Fit):
    from jscale.uncertainty.bayes.density import Spec

    return Spec(fit.problem.layout, "log", "student_t")


@pytest.mark.full
def test_a_failed_attempt_is_repeated_with_smaller_steps(
    fit: js.Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nuts, "ENOUGH", 1e9)  # no attempt has enough draws
    post = posterior(fit, method="nuts", draws=100, warmup=100)
    assert (post.settings["target_accept"], post.settings["thinning"]) in ((0.95, 1), (0.99, 4))
    monkeypatch.setattr(nuts, "_MANY_STEPS", 0)
    assert posterior(fit, method="nuts", draws=100, warmup=100).settings["thinning"] == 1


def test_parallel_chains_want_devices(fit: js.Fit) -> None:
    message = "needs a device per chain: 4 chains, but JAX has 1 here. Set JAX_NUM_CPU_DEVICES=4"
    with pytest.raises(js.JscaleError, match=message):
        posterior(fit, method="nuts", chain_method="parallel")
    with pytest.raises(js.JscaleError, match=r"chain_method='paralel' is not known\. Did you"):
        posterior(fit, method="nuts", chain_method="paralel")


@pytest.mark.full
def test_parallel_chains_on_two_devices() -> None:
    env = {**os.environ, "JAX_NUM_CPU_DEVICES": "2"}
    done = subprocess.run(
        [sys.executable, "-c", PARALLEL], capture_output=True, text=True, check=False, env=env
    )
    assert done.stdout.strip() == "(2, 200, 3) parallel True", done.stderr[-2000:]


@pytest.mark.full
def test_sequential_chains_are_the_same_chains(fit: js.Fit) -> None:
    a, b = (
        posterior(fit, method="nuts", draws=50, warmup=50, chains=2, chain_method=how, seed=1)
        for how in ("sequential", "vectorized")
    )
    assert a.values.shape == b.values.shape
    np.testing.assert_allclose(a.values[:, :1], b.values[:, :1], rtol=0.3)


@pytest.mark.full
def test_a_progress_bar_on_request(fit: js.Fit, capsys: pytest.CaptureFixture[str],
                                   monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr("jscale.fitting.progress._DELAY_SECONDS", 0.0)
    posterior(fit, method="nuts", draws=50, warmup=100, progress=True)
    assert "transitions" in capsys.readouterr().err
    posterior(fit, method="nuts", draws=50, warmup=100)
    assert "transitions" not in capsys.readouterr().err
