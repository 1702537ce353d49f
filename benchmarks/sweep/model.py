"""A decoder-only byte-level transformer in which every parameter is the weight of a matmul.

RMSNorm has no gain, there are no biases, positions are rotary and the embedding is also the output
head. So N counts matmul weights only, and forward plus backward cost 6 N FLOPs per byte exactly,
the products of attention (scores and their weighted sums) aside.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

VOCABULARY = 256
ROTARY_BASE = 1000.0
MLP_RATIO = 4

Params = dict[str, jax.Array]


@dataclass(frozen=True)
class Shape:
    """The architecture of one model."""

    width: int
    layers: int
    heads: int

    @property
    def n_non_embedding(self) -> int:
        """Weights of the attention and feed-forward matrices."""
        return self.layers * (4 + 2 * MLP_RATIO) * self.width**2

    @property
    def n_total(self) -> int:
        """All weights: the tied embedding counts once."""
        return self.n_non_embedding + VOCABULARY * self.width


def init_params(shape: Shape, seed: int) -> Params:
    """Normal weights scaled by fan-in; those that write to the residual stream start smaller."""
    # Drawn by NumPy: compiling JAX's sampler for every shape takes longer than the small runs.
    random = np.random.default_rng(seed)
    width, layers, hidden = shape.width, shape.layers, MLP_RATIO * shape.width
    shrink = (2 * layers) ** -0.5
    sizes = {
        "embed": ((VOCABULARY, width), width**-0.5),
        "qkv": ((layers, width, 3 * width), width**-0.5),
        "out": ((layers, width, width), width**-0.5 * shrink),
        "up": ((layers, width, hidden), width**-0.5),
        "down": ((layers, hidden, width), hidden**-0.5 * shrink),
    }
    return {
        name: jnp.asarray(scale * random.standard_normal(size), jnp.float32)
        for name, (size, scale) in sizes.items()
    }


def rms_norm(x: jax.Array) -> jax.Array:
    """Scale the last axis to a root mean square of one."""
    return x * jax.lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + 1e-6)


def rotate(x: jax.Array) -> jax.Array:
    """Rotary positions for x of shape (batch, time, heads, size)."""
    time, half = x.shape[1], x.shape[-1] // 2
    frequency = ROTARY_BASE ** (-jnp.arange(half) / half)
    angle = jnp.arange(time)[:, None] * frequency
    cos, sin = jnp.cos(angle)[:, None, :], jnp.sin(angle)[:, None, :]
    first, second = x[..., :half], x[..., half:]
    return jnp.concatenate([first * cos - second * sin, first * sin + second * cos], axis=-1)


def attention(x: jax.Array, qkv: jax.Array, out: jax.Array, heads: int) -> jax.Array:
    """Causal multi-head self-attention."""
    batch, time, width = x.shape
    size = width // heads
    q, k, v = jnp.split((x @ qkv).reshape(batch, time, 3 * heads, size), 3, axis=2)
    scores = jnp.einsum("bqhs,bkhs->bhqk", rotate(q), rotate(k)) * size**-0.5
    causal = jnp.tril(jnp.ones((time, time), bool))
    weights = jax.nn.softmax(jnp.where(causal, scores, -1e9), axis=-1)
    mixed = jnp.einsum("bhqk,bkhs->bqhs", weights, v)
    return mixed.reshape(batch, time, width) @ out


def feed_forward(x: jax.Array, up: jax.Array, down: jax.Array) -> jax.Array:
    """Two layers with a squared ReLU between, which is cheap on a CPU."""
    return jnp.square(jax.nn.relu(x @ up)) @ down


def logits(params: Params, shape: Shape, inputs: jax.Array) -> jax.Array:
    """Next-byte logits, shape (batch, time, 256), for inputs of shape (batch, time)."""
    # The tied embedding has rows of norm one; the residual stream should start with entries of one.
    x = params["embed"][inputs] * shape.width**0.5
    for layer in range(shape.layers):
        x += attention(rms_norm(x), params["qkv"][layer], params["out"][layer], shape.heads)
        x += feed_forward(rms_norm(x), params["up"][layer], params["down"][layer])
    return rms_norm(x) @ params["embed"].T


def byte_losses(params: Params, shape: Shape, tokens: jax.Array) -> jax.Array:
    """Cross-entropy in nats of every target byte, for windows of shape (batch, context + 1)."""
    tokens = tokens.astype(jnp.int32)
    scores = logits(params, shape, tokens[:, :-1])
    chosen = jnp.take_along_axis(scores, tokens[:, 1:, None], axis=-1)[..., 0]
    return jax.nn.logsumexp(scores, axis=-1) - chosen
