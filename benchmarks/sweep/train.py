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

from .corpus import Corpus, repeated_order, training_order, windows
from .grid import COOL_DOWN_SHARE, WARM_UP_SHARE, Settings
from .model import Params, Shape, byte_losses, init_params

EVALUATION_BATCH = 64
CURVE_EVERY = 10
CURVE_WINDOWS = 256
CLIP_NORM = 1.0
ADAM = {"b1": 0.9, "b2": 0.95, "eps": 1e-9}

Report = Callable[[float], None]


def learning_rates(settings: Settings) -> optax.Schedule:
    """The learning rate of every step; it follows the run's own length."""
    steps = settings.steps
    warm_up = max(1, round(WARM_UP_SHARE * steps))
    if settings.schedule == "cosine":
        return optax.warmup_cosine_decay_schedule(
            init_value=0.0,
            peak_value=settings.peak_lr,
            warmup_steps=warm_up,
            decay_steps=steps,
            end_value=0.0,
        )
    cool_down = round(COOL_DOWN_SHARE * steps) if settings.schedule == "wsd" else 0
    pieces = [
        optax.linear_schedule(0.0, settings.peak_lr, warm_up),
        optax.constant_schedule(settings.peak_lr),
        optax.linear_schedule(settings.peak_lr, 0.0, max(1, cool_down)),
    ]
    return optax.join_schedules(pieces, [warm_up, steps - cool_down])


def make_optimizer(settings: Settings) -> optax.GradientTransformation:
    """Adam with clipped gradients."""
    # One flat vector: the optimiser is a few large array operations, not dozens of tiny ones.
    return optax.flatten(
        optax.chain(
            optax.clip_by_global_norm(CLIP_NORM), optax.adam(learning_rates(settings), **ADAM)
        )
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


def order_of_windows(settings: Settings, window_count: int) -> np.ndarray:
    """Which windows each step sees, shape (steps, batch)."""
    needed = settings.steps * settings.batch
    if settings.unique_windows is None:
        order = training_order(window_count, needed, settings.seed)
    else:
        order = repeated_order(window_count, settings.unique_windows, needed, settings.seed)
    return order.reshape(settings.steps, settings.batch)


def train(settings: Settings, corpus: Corpus, report: Report) -> tuple[Params, list[list[float]]]:
    """Run all steps; the weights, and [step, learning rate, loss] along the run if asked for.

    `report` hears the share done. The losses of the curve are those of some held-out windows; the
    learning rate is the one of the step before the measurement.
    """
    pool = windows(corpus.train, settings.context)
    params = init_params(settings.shape, settings.seed)
    optimizer = make_optimizer(settings)
    state = optimizer.init(params)
    step = make_step(settings.shape, optimizer)
    rate = learning_rates(settings)
    probe = HeldOut(settings, corpus, CURVE_WINDOWS) if settings.curve else None
    curve = []
    report_every = max(1, settings.steps // 50)
    for index, chosen in enumerate(order_of_windows(settings, len(pool))):
        params, state, loss = step(params, state, pool[chosen])
        if index % report_every == 0:
            report(index / settings.steps if math.isfinite(loss) else math.nan)
        done = index + 1
        if probe is not None and (done % CURVE_EVERY == 0 or done == settings.steps):
            curve.append([done, float(rate(index)), probe.loss(params)])
    return params, curve


class HeldOut:
    """Held-out windows, all of them or `count` spread evenly, and the loss on them."""

    def __init__(self, settings: Settings, corpus: Corpus, count: int | None = None):
        pool = windows(corpus.held_out, settings.context)
        if count is not None:
            pool = pool[np.linspace(0, len(pool) - 1, count).astype(int)]
        self._pool, self._context = pool, settings.context
        self._measure = jax.jit(lambda params, tokens: byte_losses(params, settings.shape, tokens))

    def loss(self, params: Params) -> float:
        """Mean loss in nats per byte, every byte weighted alike."""
        total = 0.0
        for start in range(0, len(self._pool), EVALUATION_BATCH):
            losses = self._measure(params, self._pool[start : start + EVALUATION_BATCH])
            total += float(np.asarray(losses, dtype=np.float64).sum())
        return total / (len(self._pool) * self._context)


def run_training(settings: Settings, corpus: Corpus, report: Report) -> dict[str, Any]:
    """Train and evaluate; the run's record, ready to be written."""
    started = time.perf_counter()
    params, curve = train(settings, corpus, report)
    record = {
        "settings": settings.as_dict(),
        "corpus": corpus.describe(),
        "loss": HeldOut(settings, corpus).loss(params),
        "seconds": round(time.perf_counter() - started, 2),
        "device": jax.default_backend(),
        "jax": jax.__version__,
    }
    return record | ({"curve": curve} if settings.curve else {})
