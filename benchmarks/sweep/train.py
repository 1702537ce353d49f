"""Train one model as its settings say, and measure its held-out loss."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np
import optax

from .corpus import Corpus, training_order, windows
from .grid import WARM_UP_SHARE, Settings
from .model import Params, Shape, byte_losses, init_params

EVALUATION_BATCH = 64
CLIP_NORM = 1.0
ADAM = {"b1": 0.9, "b2": 0.95, "eps": 1e-9}

Report = Callable[[float], None]


def make_optimizer(settings: Settings) -> optax.GradientTransformation:
    """Adam with clipped gradients; the schedule ends with the run's own last step."""
    schedule = optax.warmup_cosine_decay_schedule(
        init_value=0.0,
        peak_value=settings.peak_lr,
        warmup_steps=max(1, round(WARM_UP_SHARE * settings.steps)),
        decay_steps=settings.steps,
        end_value=0.0,
    )
    # One flat vector: the optimiser is a few large array operations, not dozens of tiny ones.
    return optax.flatten(
        optax.chain(optax.clip_by_global_norm(CLIP_NORM), optax.adam(schedule, **ADAM))
    )


def make_step(shape: Shape, optimizer: optax.GradientTransformation) -> Callable[..., Any]:
    """The compiled training step: (params, state, tokens) -> (params, state, loss)."""

    def mean_loss(params: Params, tokens: jax.Array) -> jax.Array:
        return byte_losses(params, shape, tokens).mean()

    @partial(jax.jit, donate_argnums=(0, 1))
    def step(params: Params, state: optax.OptState, tokens: jax.Array) -> tuple:
        loss, gradient = jax.value_and_grad(mean_loss)(params, tokens)
        updates, state = optimizer.update(gradient, state, params)
        return optax.apply_updates(params, updates), state, loss

    return step


def train(settings: Settings, corpus: Corpus, report: Report) -> Params:
    """Run all steps over windows drawn without replacement; `report` hears the share done."""
    pool = windows(corpus.train, settings.context)
    order = training_order(len(pool), settings.steps * settings.batch, settings.seed)
    order = order.reshape(settings.steps, settings.batch)
    params = init_params(settings.shape, settings.seed)
    optimizer = make_optimizer(settings)
    state = optimizer.init(params)
    step = make_step(settings.shape, optimizer)
    report_every = max(1, settings.steps // 50)
    for index, chosen in enumerate(order):
        params, state, loss = step(params, state, pool[chosen])
        if index % report_every == 0:
            report(index / settings.steps if math.isfinite(loss) else math.nan)
    return params


def held_out_loss(params: Params, settings: Settings, corpus: Corpus) -> float:
    """Mean loss in nats per byte over all held-out windows, every byte weighted alike."""
    pool = windows(corpus.held_out, settings.context)
    measure = jax.jit(lambda tokens: byte_losses(params, settings.shape, tokens))
    total = 0.0
    for start in range(0, len(pool), EVALUATION_BATCH):
        losses = measure(pool[start : start + EVALUATION_BATCH])
        total += float(np.asarray(losses, dtype=np.float64).sum())
    return total / (len(pool) * settings.context)


def run_training(settings: Settings, corpus: Corpus, report: Report) -> dict[str, Any]:
    """Train and evaluate; the run's record, ready to be written."""
    started = time.perf_counter()
    params = train(settings, corpus, report)
    loss = held_out_loss(params, settings, corpus)
    return {
        "settings": settings.as_dict(),
        "corpus": corpus.describe(),
        "loss": loss,
        "seconds": round(time.perf_counter() - started, 2),
        "device": jax.default_backend(),
        "jax": jax.__version__,
    }
