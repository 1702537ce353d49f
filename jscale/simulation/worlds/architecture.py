"""Planted worlds of laws of precision, vocabulary, parallel streams, experts and pruning."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jscale.simulation.worlds.size_and_data import crossed

BITS = np.array([2.0, 3.0, 4.0, 6.0, 8.0, 12.0])
EXPERTS = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0])
SHARES = np.array([0.0, 0.25, 0.5, 0.75, 0.85, 0.9, 0.95])
SIZES = np.geomspace(5e7, 2e9, 5)
TOKENS = np.geomspace(5e9, 2e11, 5)


def formats() -> pd.DataFrame:
    """Cross sizes, tokens and number formats whose exponent, mantissa and block vary separately."""
    shapes = np.array([(1, 1), (2, 1), (1, 2), (3, 2), (2, 3), (4, 3), (5, 2), (8, 7)], float)
    table = crossed(
        N=np.geomspace(4e7, 1e9, 4),
        D=np.geomspace(1e10, 1e11, 4),
        shape=np.arange(len(shapes)),
        block=np.array([16.0, 128.0, 512.0]),
    )
    bits = shapes[table["shape"].astype(int)]
    return table.assign(exponent_bits=bits[:, 0], mantissa_bits=bits[:, 1])


def vocabularies() -> pd.DataFrame:
    """Cross sizes (each in a narrow and a wide shape), vocabularies and numbers of characters."""
    table = crossed(
        N_nv=np.geomspace(3e7, 1e9, 5),
        shape=np.array([1.5, 2.5]),
        V=np.geomspace(4096, 98304, 6),
        H=np.geomspace(1e8, 3e10, 4),
    )
    width = 64 * np.round(table["shape"] * (table["N_nv"] / 1e6) ** 0.4)
    return table.assign(d=width)


EFFECTIVE = {"E_start": 2.0, "E_max": 300.0}
SURFACE = {"E": 1.9, "A": 400.0, "alpha": 0.33, "B": 1500.0, "beta": 0.36}

WORLDS: dict[str, tuple[dict[str, float], pd.DataFrame]] = {
    "parallel": (
        {"E": 0.7, "A": 1.1e7, "alpha": 0.19, "k": 0.39},
        crossed(N=np.geomspace(3e7, 5e9, 8), P=np.array([1.0, 2.0, 4.0, 8.0, 16.0])),
    ),
    "vocabulary": (
        {"E": 5.5, "A1": 830.0, "alpha1": 0.44, "A2": 46000.0, "alpha2": 0.94,
         "B": 12000.0, "beta": 0.44},
        vocabularies(),
    ),
    "vocabulary_thousands": (
        {"E": 5.5, "A1": 880.0, "alpha1": 0.45, "A2": 2100.0, "alpha2": 0.67,
         "B": 22000.0, "beta": 0.45},
        vocabularies(),
    ),
    "routed": (
        {"a": -0.084, "b": -0.12, "c": 0.0105, "d": 1.12, **EFFECTIVE},
        crossed(N=np.geomspace(1.5e7, 1.3e9, 6), E=EXPERTS),
    ),
    "fine_grained": (
        {"c": 0.5, "g": 2.0, "gamma": 0.6, "a": 18.0, "alpha": 0.12, "b": 30.0, "beta": 0.15},
        crossed(N=SIZES, D=TOKENS, G=np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])),
    ),
    "sparse": (
        {"e": 1.0, "a": 16000.0, "alpha": 0.6, "b": 5000.0, "beta": 0.4, "c": 0.5, "lam": -0.17,
         "d": 17.0, "delta": 0.16, "gamma": 0.16},
        crossed(N=np.geomspace(5e6, 5e10, 7), D=np.geomspace(1e9, 1e12, 5), sparsity=SHARES),
    ),
    "joint_experts": (
        {"c": 1.4, "a": 30.0, "delta": 0.2, "alpha": -0.2, "gamma": -0.008,
         "b": 60.0, "omega": -0.15, "beta": -0.2, "zeta": 0.006, **EFFECTIVE},
        crossed(N_act=np.geomspace(1e7, 5e9, 6), D=np.geomspace(1e9, 1e12, 6), E=EXPERTS[::2]),
    ),
    "floating_point_quantization": (
        {"n": 69.0, "alpha": 0.24, "d": 69000.0, "beta": 0.52, "epsilon": 1.9,
         "gamma": 11000.0, "delta": 3.2, "nu": 2.95},
        formats(),
    ),
    "precision": (
        {**SURFACE, "gamma_w": 2.7, "gamma_a": 2.2, "gamma_kv": 0.95},
        crossed(N=SIZES[::2], D=TOKENS[::2], P_w=BITS[::2], P_a=BITS[::2], P_kv=BITS[::2]),
    ),
    "post_training": (
        {**SURFACE, "C_T": 0.06, "gamma_D": 0.5, "gamma_N": 0.32, "gamma_post": 0.55},
        crossed(N=SIZES, D=TOKENS, P_post=BITS[:5]),
    ),
    "quantization_aware": (
        {**SURFACE, "k": 0.2, "gamma_D": 0.09, "gamma_G": 0.8, "gamma_N": 0.2},
        crossed(N=SIZES, D=TOKENS, G=np.array([16.0, 64.0, 256.0, 2048.0, 16384.0])),
    ),
    "pruned": (
        {"c": 0.65, "a_S": 17.0, "b_S": 0.72, "c_S": 45.0, "b_N": 0.25, "a_D": 7e8, "b_D": 0.39},
        crossed(N=np.geomspace(1e6, 1e9, 6), D=np.geomspace(1e9, 1e12, 6), sparsity=SHARES),
    ),
}  # fmt: skip

SPREAD: dict[str, float] = {}
