"""Other tools on the same tasks and objective, each in its most favourable setting.

A loop runs an evenly random, seeded subset of the starts; the caller scales it up.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.solver_parts import work
from jscale.simulation.worlds.families import families

TIGHT = {
    "L-BFGS-B": {"ftol": 1e-16, "gtol": 1e-10, "maxiter": 5000, "maxfun": 20000},
    "BFGS": {"gtol": 1e-9, "maxiter": 2000},
}


def subset(count: int, of: int) -> np.ndarray:
    """Return which starts or resamples are run."""
    return np.sort(np.random.default_rng(1).choice(of, min(count, of), replace=False))


def _loop(
    jobs: list[tuple[work.Objective, np.ndarray]], method: str, tight: bool, analytic: bool
) -> tuple[np.ndarray, dict[str, float]]:
    from scipy.optimize import minimize

    options = TIGHT[method] if tight else {}
    values = []
    wall, cpu = time.perf_counter(), time.process_time()
    for objective, start in jobs:
        function = objective.value_and_slope if analytic else objective.value
        found = minimize(function, start, jac=analytic or None, method=method, options=options)
        values.append(found.fun)
    seconds = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    return np.array(values), seconds


def _w1(method: str, tight: bool, analytic: bool, centred: bool, count: int) -> dict[str, Any]:
    objective = work.Objective(work.points())
    objective = objective.centred() if centred else objective
    which = subset(count, 4500)
    starts = objective.shift(work.grid()[which])
    values, seconds = _loop([(objective, s) for s in starts], method, tight, analytic)
    return _report(values, seconds, 4500 / count, 4500)


def _report(
    values: np.ndarray,
    seconds: dict[str, float],
    scale: float,
    starts: int,
    best: Any = work.OPTIMUM,
) -> dict[str, Any]:
    values = np.where(np.isfinite(values), values, np.inf)
    return {
        "wall": seconds["wall"] * scale,
        "cpu": seconds["cpu"] * scale,
        "starts": starts,
        "ran": len(values),
        "excess": float(np.min(values / best) - 1),
        "share": float(np.mean(values <= best * (1 + 1e-8))),
        "compile": seconds.get("compile", 0.0),
    }


def scipy_fd() -> dict[str, Any]:
    """L-BFGS-B with finite differences, as in common scripts."""
    return _w1("L-BFGS-B", tight=False, analytic=False, centred=False, count=90)


def scipy_lbfgsb() -> dict[str, Any]:
    """L-BFGS-B, analytic gradient, default tolerances."""
    return _w1("L-BFGS-B", tight=False, analytic=True, centred=False, count=450)


def scipy_lbfgsb_best() -> dict[str, Any]:
    """L-BFGS-B, analytic gradient, tight, in centred logarithms: its best."""
    return _w1("L-BFGS-B", tight=True, analytic=True, centred=True, count=300)


def scipy_bfgs() -> dict[str, Any]:
    """BFGS, analytic gradient, default tolerance."""
    return _w1("BFGS", tight=False, analytic=True, centred=False, count=300)


def scipy_bfgs_best() -> dict[str, Any]:
    """BFGS, analytic gradient, tight, in centred logarithms: its best."""
    return _w1("BFGS", tight=True, analytic=True, centred=True, count=300)


def lmfit_one() -> dict[str, Any]:
    """lmfit, one fit from a good start, residuals sign(r)·√(2·rho)."""
    import lmfit

    objective = work.Objective(work.points()).centred()
    start = objective.shift(np.array([6.0, 8.0, 0.6, 0.35, 0.37]))
    names = ["a", "b", "e", "alpha", "beta"]
    params = lmfit.Parameters()
    for name, value in zip(names, start, strict=True):
        params.add(name, value=value)

    def residual(p: Any) -> np.ndarray:
        a, b, e, alpha, beta = (p[n].value for n in names)
        total = np.exp(a - alpha * objective.log_n) + np.exp(b - beta * objective.log_d) + np.exp(e)
        r = np.log(total) - objective.target
        size = np.abs(r)
        rho = np.where(size <= work.DELTA, 0.5 * r * r, work.DELTA * (size - 0.5 * work.DELTA))
        return np.sign(r) * np.sqrt(2 * rho)

    wall, cpu = time.perf_counter(), time.process_time()
    found = lmfit.minimize(
        residual, params, method="leastsq", ftol=1e-15, xtol=1e-15, max_nfev=20000
    )
    seconds = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    return _report(np.array([0.5 * np.sum(found.residual**2)]), seconds, 1.0, 1)


def chinchilla_package() -> dict[str, Any]:
    """The fit of the PyPI package chinchilla (BFGS from a grid), over a part of the grid."""
    import tempfile

    import chinchilla

    table = work.points()
    picked = {
        "e": [-0.5, 0.5],
        "a": [5.0, 10.0],
        "b": [5.0, 10.0],
        "alpha": [0.5, 1.0],
        "beta": [0.5, 1.0],
    }
    with tempfile.TemporaryDirectory() as folder:
        model = chinchilla.Chinchilla(
            folder,
            param_grid={k: np.array(v) for k, v in picked.items()},
            loss_fn=_log_huber,
        )
        for N, D, loss in table[["N", "D", "loss"]].to_numpy():
            model.database.append(C=6 * N * D, N=N, D=D, loss=loss)
        wall, cpu = time.perf_counter(), time.process_time()
        model.fit(parallel=False)
        seconds = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        theta = np.array(
            [np.log(model.A), np.log(model.B), np.log(model.E), model.alpha, model.beta]
        )
    value = work.Objective(table).value(theta.astype(float))
    found = _report(np.array([value]), seconds, 4500 / 32, 4500)
    return {**found, "ran": 32, "share": float("nan")}


def _log_huber(y_true: Any, y_pred: Any) -> Any:
    r = np.abs(np.log(y_true) - np.log(y_pred))
    return np.where(r <= work.DELTA, 0.5 * r * r, work.DELTA * (r - 0.5 * work.DELTA))


def _jax_objective(root: bool = False) -> Callable[..., Any]:
    import jax.numpy as jnp

    def function(theta: Any, args: Any) -> Any:
        log_n, log_d, target, weights = args
        a, b, e, alpha, beta = theta
        total = jnp.exp(a - alpha * log_n) + jnp.exp(b - beta * log_d) + jnp.exp(e)
        r = jnp.log(total) - target
        size = jnp.abs(r)
        inside = size <= work.DELTA
        rho = jnp.where(inside, 0.5 * r * r, work.DELTA * (size - 0.5 * work.DELTA))
        if root:
            safe = jnp.where(inside, 1.0, rho)
            return jnp.sqrt(weights) * jnp.where(inside, r, jnp.sign(r) * jnp.sqrt(2 * safe))
        return jnp.sum(weights * rho)

    return function


def _vmapped(
    solver: Callable[[Any, Any], Any], starts: np.ndarray, weights: np.ndarray | None, batch: int
) -> tuple[np.ndarray, dict[str, float]]:
    """Run a vmapped JAX solver batch by batch in float64, in centred logarithms."""
    import jax

    with jax.enable_x64(True):
        objective = work.Objective(work.points()).centred()
        shared = (objective.log_n, objective.log_d, objective.target)

        def one(theta: Any, w: Any) -> Any:
            return solver(theta, (*shared, w))

        every = np.ones((len(starts), 240)) if weights is None else weights
        program = jax.jit(jax.vmap(one))
        begun = time.perf_counter()
        jax.block_until_ready(program(starts[:batch], every[:batch]))
        first = time.perf_counter() - begun
        theta = []
        wall, cpu = time.perf_counter(), time.process_time()
        for k in range(0, len(starts) // batch * batch, batch):
            theta.append(np.asarray(program(starts[k : k + batch], every[k : k + batch])))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        ended = np.concatenate(theta)
        value = jax.jit(jax.vmap(lambda t, w: _jax_objective()(t, (*shared, w))))
        values = np.asarray(value(ended, every[: len(ended)]))
    batches = len(ended) // batch
    return values, {"wall": wall, "cpu": cpu, "compile": max(first - wall / batches, 0.0)}


def _optimistix(method: str) -> Callable[[Any, Any], Any]:
    import optimistix as optx

    if method == "LM":
        solver = optx.LevenbergMarquardt(rtol=1e-10, atol=1e-10)
        return lambda theta, args: (
            optx.least_squares(
                _jax_objective(root=True), solver, theta, args, max_steps=500, throw=False
            ).value
        )
    solver = optx.BFGS(rtol=1e-10, atol=1e-10)
    return lambda theta, args: (
        optx.minimise(_jax_objective(), solver, theta, args, max_steps=500, throw=False).value
    )


def _jaxopt(theta: Any, args: Any) -> Any:
    import jaxopt

    solver = jaxopt.LBFGS(_jax_objective(), maxiter=500, tol=1e-9, linesearch="zoom")
    return solver.run(theta, args).params


def _w1_vmapped(solver: Callable[[Any, Any], Any], count: int, batch: int) -> dict[str, Any]:
    objective = work.Objective(work.points()).centred()
    starts = objective.shift(work.grid()[subset(count, 4500)])
    values, seconds = _vmapped(solver, starts, None, batch)
    return _report(values, seconds, 4500 / len(values), 4500)


def optimistix_bfgs() -> dict[str, Any]:
    """optimistix.BFGS, vmapped."""
    return _w1_vmapped(_optimistix("BFGS"), 450, 150)


def optimistix_lm() -> dict[str, Any]:
    """optimistix.LevenbergMarquardt on sign(r)·√(2·rho), vmapped."""
    return _w1_vmapped(_optimistix("LM"), 450, 150)


def jaxopt_lbfgs() -> dict[str, Any]:
    """jaxopt.LBFGS (zoom), vmapped."""
    return _w1_vmapped(_jaxopt, 48, 48)


_FOUND = np.array(
    [np.log(477.82588), np.log(2143.41728), np.log(1.81721810), 0.347310500, 0.367172431]
)


def _w2(count: int) -> tuple[work.Objective, np.ndarray, np.ndarray]:
    objective = work.Objective(work.points()).centred()
    return objective, objective.shift(_FOUND), work.resamples()[subset(count, 4000)]


def _w2_best(objective: work.Objective, start: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the best known value of each resample: BFGS with tight tolerances."""
    table = work.points()
    jobs = [(work.Objective(table, w).centred(), start) for w in weights]
    return _loop(jobs, "BFGS", True, True)[0]


def _w2_scipy(method: str, tight: bool, count: int) -> dict[str, Any]:
    objective, start, weights = _w2(count)
    table = work.points()
    jobs = [(work.Objective(table, w).centred(), start) for w in weights]
    values, seconds = _loop(jobs, method, tight, True)
    best = np.minimum(values, _w2_best(objective, start, weights))
    return {
        **_report(values, seconds, 4000 / count, 4000, best),
        "excess": float(np.max(values / best) - 1),
    }


def w2_scipy_bfgs() -> dict[str, Any]:
    """BFGS, analytic gradient, default tolerance."""
    return _w2_scipy("BFGS", False, 200)


def w2_scipy_bfgs_raw(count: int = 200) -> dict[str, Any]:
    """BFGS, analytic gradient, tight, in logarithms of N and D without centring."""
    objective, start, weights = _w2(count)
    table = work.points()
    jobs = [(work.Objective(table, w), _FOUND) for w in weights]
    values, seconds = _loop(jobs, "BFGS", True, True)
    best = np.minimum(values, _w2_best(objective, start, weights))
    return {
        **_report(values, seconds, 4000 / count, 4000, best),
        "excess": float(np.max(values / best) - 1),
    }


def w2_scipy_bfgs_best() -> dict[str, Any]:
    """BFGS, analytic gradient, tight, centred."""
    return _w2_scipy("BFGS", True, 200)


def w2_scipy_lbfgsb_best() -> dict[str, Any]:
    """L-BFGS-B, analytic gradient, tight, centred."""
    return _w2_scipy("L-BFGS-B", True, 200)


def w2_optimistix_bfgs() -> dict[str, Any]:
    """optimistix.BFGS, vmapped."""
    objective, start, weights = _w2(400)
    values, seconds = _vmapped(_optimistix("BFGS"), np.repeat(start[None], 400, 0), weights, 200)
    best = np.minimum(values, _w2_best(objective, start, weights))
    return {**_report(values, seconds, 10, 4000, best), "excess": float(np.max(values / best) - 1)}


def w3_scipy_lbfgsb_best() -> dict[str, Any]:
    """L-BFGS-B, analytic gradient, tight, centred, on a subset of families and starts."""
    table = families()
    rng = np.random.default_rng(2)
    jobs, first = [], []
    for family in subset(12, 500):
        objective = work.Objective(table[table["family"] == family]).centred()
        low, high = [-3, -3, -0.5, 0.05, 0.05], [1, 1, 0.7, 1.2, 1.2]
        first.append(len(jobs))
        jobs += [(objective, s) for s in rng.uniform(low, high, size=(16, 5))]
    values, seconds = _loop(jobs, "L-BFGS-B", True, True)
    best = np.repeat(values.reshape(12, 16).min(axis=1), 16)
    return {**_report(values, seconds, 32000 / len(jobs), 32000, best), "excess": 0.0}


W1 = (
    scipy_fd,
    scipy_lbfgsb,
    scipy_lbfgsb_best,
    scipy_bfgs,
    scipy_bfgs_best,
    chinchilla_package,
    optimistix_bfgs,
    optimistix_lm,
    jaxopt_lbfgs,
    lmfit_one,
)
W2 = (
    w2_scipy_bfgs,
    w2_scipy_bfgs_raw,
    w2_scipy_bfgs_best,
    w2_scipy_lbfgsb_best,
    w2_optimistix_bfgs,
)
W3 = (w3_scipy_lbfgsb_best,)
TASKS = {f.__name__: f for f in (*W1, *W2, *W3)}
