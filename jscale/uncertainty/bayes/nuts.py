"""NUTS by NumPyro on the whitened joint density.

The sampler moves x with z = mode + root·x, so that its mass matrix is close to the identity from
the start. NumPyro's transitions run in blocks of one compiled program that is given the data, so
that tables of similar size, and any number of draws, compile once.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from jscale.arguments import check_choice
from jscale.errors import JscaleError
from jscale.fitting.progress import lane_bar
from jscale.uncertainty.arviz import mixing
from jscale.uncertainty.bayes.density import DensityInputs, Mode, Spec, log_joint, log_joint_of_many
from jscale.uncertainty.bayes.notes import ENOUGH, MIXED

CHAIN_METHODS = ("vectorized", "parallel", "sequential")
# Attempts: (target acceptance, transitions per draw). Where floor and exponents trade off, the
# density is curved, and a first attempt can fail its checks.
_ATTEMPTS = ((0.95, 1), (0.99, 4))
_MANY_STEPS = 250
# Transitions per call of the compiled program, and per step of the progress bar.
_BLOCK = 50
# Halvings of a start's distance from the mode while the density there is zero.
_NEARER = 12
_KERNELS = 16


@dataclass(frozen=True)
class SamplerSettings:
    """The numbers of draws, warmup steps and chains, and how chains are run."""

    draws: int
    warmup: int
    chains: int
    chain_method: str
    seed: int
    progress: bool


@dataclass(frozen=True, eq=False)
class Chains:
    """Points z (chain, draw, size), and statistics of the sampler by name (chain, draw).

    ``accept`` is the acceptance that steps were adapted to, ``thinning`` how many transitions
    make one draw.
    """

    z: np.ndarray
    stats: dict[str, np.ndarray]
    accept: float
    thinning: int

    @property
    def divergences(self) -> int:
        """How many transitions diverged."""
        return int(self.stats["diverging"].sum())

    @property
    def trouble(self) -> tuple[int, float]:
        """What a further attempt should fix: divergences, and R-hat above 1.01."""
        rhat, ess = mixing(self.z)
        worst = float(np.nanmax(rhat)) if self.z.shape[0] > 1 else 1.0
        return self.divergences, worst if worst > MIXED or np.nanmin(ess) < ENOUGH else 0.0


def check_chains(chains: int, chain_method: str) -> None:
    """Raise JscaleError for an unknown way of running chains, or more than devices in parallel."""
    check_choice("chain_method", chain_method, CHAIN_METHODS)
    if chain_method != "parallel":
        return
    import jax

    devices = jax.local_device_count()
    if devices < chains:
        raise JscaleError(
            f'chain_method="parallel" needs a device per chain: {chains} chains, but JAX has '
            f"{devices} here. Set JAX_NUM_CPU_DEVICES={chains} in the environment before Python "
            'starts, or use chain_method="vectorized".'
        )


@dataclass(frozen=True, eq=False)
class _Kernel:
    """NumPyro's NUTS as two functions: ``begin`` one chain, ``go`` on with chains for a block."""

    begin: Callable[..., Any]
    go: Callable[..., Any]


@lru_cache(maxsize=_KERNELS)
def _kernel(spec: Spec, warmup: int, devices: int) -> _Kernel:
    """Return the sampler, its chains shared out over devices where there are several."""
    import jax

    with warnings.catch_warnings():
        # tqdm warns where ipywidgets is missing, which our own bar does not need.
        warnings.filterwarnings("ignore", message="IProgress not found")
        from numpyro.infer.hmc import hmc

    def potential(given: DensityInputs, centre: Any, root: Any, accept: Any) -> Callable[..., Any]:
        return lambda x: -log_joint(spec, centre + root @ x, given)

    start, step = hmc(potential_fn_gen=potential, algo="NUTS")

    def begin(x: Any, key: Any, args: Any) -> Any:
        return start(
            x,
            warmup,
            step_size=0.5,
            # Whitening at the mode suffices without pooling; in a funnel scales vary too much.
            dense_mass=bool(spec.pooled),
            model_args=args,
            rng_key=key,
            target_accept_prob=args[3],
        )

    def go(states: Any, args: Any) -> Any:
        # NumPyro keeps the target of its last beginning: this one, which is part of the arguments.
        begin(states.z[0], jax.random.key(0), args)

        def one(states: Any, _: Any) -> Any:
            states = jax.vmap(step, in_axes=(0, None))(states, args)
            seen = (states.num_steps, states.accept_prob, states.diverging, states.energy)
            return states, (states.z, *seen)

        return jax.lax.scan(one, states, length=_BLOCK)

    if devices == 1:
        return _Kernel(begin, jax.jit(go))
    mesh = jax.sharding.Mesh(np.array(jax.local_devices()[:devices]), ("chain",))
    P = jax.sharding.PartitionSpec
    shared = jax.shard_map(
        go,
        mesh=mesh,
        in_specs=(P("chain"), P()),
        out_specs=(P("chain"), P(None, "chain")),
        check_vma=False,
    )
    return _Kernel(begin, jax.jit(shared))


def nuts(spec: Spec, given: DensityInputs, mode: Mode, sampler: SamplerSettings) -> Chains:
    """Run NUTS from points around the mode, again with smaller steps where checks fail.

    Call inside the float64 scope.
    """
    runs = []
    for accept, thinning in _ATTEMPTS:
        runs.append(_chains(spec, given, mode, sampler, accept, thinning))
        # A density that needs this many steps is not helped by smaller ones.
        if not any(runs[-1].trouble) or runs[-1].stats["n_steps"].mean() > _MANY_STEPS:
            break
    # If no attempt passes, the best one is returned, with its notes.
    return min(runs, key=lambda run: run.trouble)


def _chains(
    spec: Spec,
    given: DensityInputs,
    mode: Mode,
    sampler: SamplerSettings,
    accept: float,
    thinning: int,
) -> Chains:
    """Run all chains from points around the mode."""
    import jax

    chains, warmup = sampler.chains, sampler.warmup
    kernel = _kernel(spec, warmup, chains if sampler.chain_method == "parallel" else 1)
    x = _starts(spec, given, mode, chains, sampler.seed)
    # Keys are split before chains are grouped, so that the way of running does not change draws.
    keys = jax.random.split(jax.random.key(sampler.seed), chains)
    args = (given, mode.z, mode.root, np.float64(accept))
    together = 1 if sampler.chain_method == "sequential" else chains
    parts, blocks = [], -(-(warmup + sampler.draws * thinning) // _BLOCK)
    total = blocks * _BLOCK * (chains // together)
    with lane_bar(total, "transitions", sampler.progress) as tick:
        for first in range(0, chains, together):
            few = slice(first, first + together)
            states = _strong(jax.vmap(lambda a, k: kernel.begin(a, k, args))(x[few], keys[few]))
            parts.append(_run(kernel, states, args, blocks, tick))
    end = warmup + sampler.draws * thinning
    whole = [np.concatenate(p, axis=1)[warmup:end] for p in zip(*parts, strict=True)]
    x, *seen = (np.swapaxes(v, 0, 1) for v in whole)
    steps, acceptance, diverging, energy = seen
    # A divergence counts, whether or not thinning keeps its transition.
    diverging = np.any(diverging.reshape(chains, -1, thinning), axis=2)
    kept = slice(thinning - 1, None, thinning)
    stats = {
        "n_steps": steps[:, kept],
        "acceptance_rate": acceptance[:, kept],
        "diverging": diverging,
        "energy": energy[:, kept],
    }
    return Chains(mode.z + x[:, kept] @ mode.root.T, stats, accept, thinning)


def _starts(spec: Spec, given: DensityInputs, mode: Mode, chains: int, seed: int) -> np.ndarray:
    """Return whitened points (chains, size) around the mode, closer where the density is zero."""
    x = 0.5 * np.random.default_rng(seed).standard_normal((chains, spec.size))
    for _ in range(_NEARER):
        outside = ~np.isfinite(log_joint_of_many(spec, mode.z + x @ mode.root.T, given))
        if not outside.any():
            break
        x[outside] *= 0.5
    return x


def _strong(states: Any) -> Any:
    """Fix the types of states, so that returned ones do not trigger another compilation."""
    import jax
    import jax.numpy as jnp

    def one(v: Any) -> Any:
        return v if jnp.issubdtype(v.dtype, jax.dtypes.prng_key) else jnp.array(v, v.dtype)

    return jax.tree.map(one, states)


def _run(kernel: _Kernel, states: Any, args: Any, blocks: int, tick: Any) -> list[np.ndarray]:
    """Run some blocks of transitions; returns points and statistics (transition, chain)."""
    batches = []
    for _ in range(blocks):
        states, seen = kernel.go(states, args)
        batches.append([np.asarray(v) for v in seen])
        if tick is not None:
            tick(_BLOCK)
    return [np.concatenate(v) for v in zip(*batches, strict=True)]
