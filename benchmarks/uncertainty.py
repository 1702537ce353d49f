"""Warm times of resampling, importance sampling and NUTS, and of the same model in plain NumPyro.

    JSCALE_DATA_DIR=… python -m benchmarks.uncertainty

On the 240 rows of the Chinchilla replication (without JSCALE_DATA_DIR: on 240 simulated rows).
The plain model is a direct implementation: the natural parameters of Hoffmann et al., priors of
the same width, NUTS with default settings, sequential chains.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

import jscale as js
from benchmarks.machine import header
from jscale._precision import float64_scope
from jscale.uncertainty.arviz import mixing
from jscale.uncertainty.bayes.posterior import posterior

REPEATS = 7
CHAINS, DRAWS, WARMUP = 4, 1000, 1000
PRIORS = {"E": ("lognormal", 0.5, 0.5)}


def rows() -> Any:
    if os.environ.get("JSCALE_DATA_DIR"):
        table = js.datasets.load("chinchilla_epoch")
        return table[table["outlier_top5"] == 0]
    truth = {"E": 1.82, "A": 478.0, "alpha": 0.347, "B": 2143.0, "beta": 0.367}
    rng = np.random.default_rng(0)
    design = {"N": 10 ** rng.uniform(7.7, 10.2, 240), "D": 10 ** rng.uniform(9.0, 11.5, 240)}
    return js.simulate("chinchilla", truth, design, noise=0.004, distribution="student_t").frame


def timed(call: Callable[[], Any]) -> tuple[float, list[float], Any]:
    """Return the seconds of the first call and of the others, and the last result."""
    seconds, result = [], None
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        result = call()
        seconds.append(time.perf_counter() - start)
    return seconds[0], seconds[1:], result


def show(what: str, first: float, warm: list[float], more: str = "") -> None:
    print(
        f"{what:42s} first {first:7.2f} s   warm {np.median(warm):7.3f} s "
        f"(least {min(warm):.3f})  {more}",
        flush=True,
    )


def plain_model(N: Any, D: Any, log_loss: Any) -> None:
    """Define the same law and likelihood directly, in natural parameters."""
    import jax.numpy as jnp
    import numpyro
    from numpyro import distributions as dist

    log_A = numpyro.sample("log_A", dist.Normal(6.0, 2.0))
    log_B = numpyro.sample("log_B", dist.Normal(6.0, 2.0))
    log_E = numpyro.sample("log_E", dist.Normal(0.5, 0.5))
    alpha = numpyro.sample("alpha", dist.LogNormal(-1.0, 0.7))
    beta = numpyro.sample("beta", dist.LogNormal(-1.0, 0.7))
    scale = numpyro.sample("scale", dist.LogNormal(-5.0, 1.5))
    curve = jnp.exp(log_E) + jnp.exp(log_A - alpha * N) + jnp.exp(log_B - beta * D)
    numpyro.sample("y", dist.StudentT(3.0, jnp.log(curve), scale), obs=log_loss)


def plain_numpyro(table: Any, init: dict[str, float]) -> None:
    import jax
    from numpyro.infer import MCMC, NUTS, init_to_value

    data = [np.log(table[c].to_numpy()) for c in ("N", "D", "loss")]
    for name, options in (
        ("plain NumPyro, default start", {}),
        ("plain NumPyro, started at the fit", {"init_strategy": init_to_value(values=init)}),
    ):
        with float64_scope(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kernel = NUTS(plain_model, **options)
            sampler = MCMC(
                kernel,
                num_warmup=WARMUP,
                num_samples=DRAWS,
                num_chains=CHAINS,
                chain_method="vectorized",
                progress_bar=False,
            )
            times = []
            for seed in (0, 1):
                start = time.perf_counter()
                sampler.run(jax.random.key(seed), *data, extra_fields=("num_steps", "diverging"))
                drawn = sampler.get_samples(group_by_chain=True)
                whole = np.stack([np.asarray(v) for v in drawn.values()], axis=2)
                times.append(time.perf_counter() - start)
            extra = {k: np.asarray(v) for k, v in sampler.get_extra_fields().items()}
        rhat, ess = mixing(whole)
        show(
            name,
            times[0],
            times[1:],
            f"min ESS {ess.min():.0f} ({ess.min() / times[1]:.0f}/s), "
            f"R-hat {rhat.max():.3f}, {int(extra['diverging'].sum())} divergences, "
            f"{np.mean(extra['num_steps']):.0f} steps per draw",
        )


def in_pymc(table: Any) -> None:
    """Sample the same model in PyMC with its default settings."""
    import pymc as pm

    N, D, log_loss = (np.log(table[c].to_numpy()) for c in ("N", "D", "loss"))
    with pm.Model():
        log_A, log_B = (pm.Normal(name, 6.0, 2.0) for name in ("log_A", "log_B"))
        log_E = pm.Normal("log_E", 0.5, 0.5)
        alpha, beta = (pm.LogNormal(name, -1.0, 0.7) for name in ("alpha", "beta"))
        scale = pm.LogNormal("scale", -5.0, 1.5)
        curve = pm.math.exp(log_E)
        curve = curve + pm.math.exp(log_A - alpha * N) + pm.math.exp(log_B - beta * D)
        pm.StudentT("y", nu=3.0, mu=pm.math.log(curve), sigma=scale, observed=log_loss)
        times = []
        for seed in (0, 1):
            start = time.perf_counter()
            drawn = pm.sample(
                DRAWS, tune=WARMUP, chains=CHAINS, random_seed=seed, progressbar=False
            )
            times.append(time.perf_counter() - start)
    post = drawn.posterior
    whole = np.stack([post[v].to_numpy() for v in post.data_vars], axis=2)
    rhat, ess = mixing(whole)
    show(
        f"PyMC {pm.__version__}, default settings",
        times[0],
        times[1:],
        f"min ESS {ess.min():.0f} ({ess.min() / times[1]:.0f}/s), R-hat {rhat.max():.3f}, "
        f"{int(drawn.sample_stats['diverging'].sum())} divergences, "
        f"{float(drawn.sample_stats['n_steps'].mean()):.0f} steps per draw",
    )


def main() -> None:
    table = rows()
    fit = js.fit("chinchilla", table)
    print(header())
    print(f"{len(table)} rows, load {os.getloadavg()[0]:.1f}")
    show("bootstrap, 4000 resamples", *timed(lambda: js.bootstrap(fit, 4000))[:2])
    seeds = iter(range(1000))
    first, warm, post = timed(
        lambda: posterior(fit, priors=PRIORS, method="importance", seed=next(seeds))
    )
    k, share = post.checks["pareto_k"], post.checks["effective_share"]
    show("importance sampling, 4000 draws", first, warm, f"effective share {share:.2f}, k {k:.2f}")
    first, warm, post = timed(
        lambda: posterior(fit, priors=PRIORS, method="nuts", seed=next(seeds))
    )
    least = post.checks["min_ess"]
    show(
        "NUTS, 4 × (1000 + 1000)",
        first,
        warm,
        f"min ESS {least:.0f} ({least / np.median(warm):.0f}/s), "
        f"{post.checks['divergences']:.0f} divergences, "
        f"{post.stats['n_steps'].mean():.1f} steps per draw",
    )
    p = fit.params
    init = {
        "log_A": np.log(p["A"]),
        "log_B": np.log(p["B"]),
        "log_E": np.log(p["E"]),
        "alpha": p["alpha"],
        "beta": p["beta"],
        "scale": 0.004,
    }
    plain_numpyro(table, init)
    if find_spec("pymc") is None:
        print("PyMC is not installed: not compared")
    else:
        in_pymc(table)


if __name__ == "__main__":
    main()
