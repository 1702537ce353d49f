"""Attacks: what controlling part of a model's input, or moving it a little, achieves."""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.roles import Exponent, Fraction, Location, Scale


def _attack_resistance(p: Values, *, width: Any, bits: Any, vocabulary: Any) -> Any:
    """width·bits/(kappa·log2 vocabulary): bits controlled for each bit of output forced."""
    return np.asarray(width) * bits / (p["kappa"] * np.log2(vocabulary))


def _positions(p: Values, *, tokens: Any) -> Any:
    """tokens/kappa: the positions to control for so many tokens of output."""
    return np.asarray(tokens) / p["kappa"]


@law(
    formula="kappa·a",
    reference="arXiv:2312.02780",
    unit="tokens",
    output="tokens",
    linear=("kappa",),
    positive=("a",),
    rising=("a",),
    quantities={"attack_resistance": _attack_resistance, "positions_for_tokens": _positions},
    inverse=lambda tokens, *, kappa: tokens / kappa,
)
def activation_attack(a: Any, *, kappa: Scale) -> Any:
    """t_max(a) = kappa·a: how many tokens of output an attack on activations can force.

    a: positions of the input whose activations the attacker controls. Output: t_max, the length
    of the longest continuation that can be forced, in tokens, which the source reads off the
    sigmoid in which success falls with length. A line through the origin: the attack resistance
    width·bits/(kappa·log2 vocabulary), for activations of ``width`` numbers of ``bits`` each,
    sets the bits controlled against the bits forced, and depends on the model alone. The abstract
    gives 16 to 25 for it over two decades of size. Fitted at the source by regression through
    the origin, which is ``objective=js.least_squares("linear")``; the default weighs relative
    errors instead. Source: arXiv:2312.02780.

    >>> import jscale as js
    >>> law = js.laws.get("activation_attack")
    >>> chi = law.quantities["attack_resistance"]
    >>> float(chi({"kappa": 32.0}, width=512, bits=16, vocabulary=2**16))
    16.0
    """
    return kappa * a


def _perturbation(p: Values, *, error: Any) -> Any:
    """epsilon_c·(top/error − 1)^(−1/beta): the perturbation for an error; NaN from top up."""
    return p["epsilon_c"] * raised(p["top"] / np.asarray(error) - 1, -1 / np.asarray(p["beta"]))


def _small_amplitude(p: Values) -> Any:
    """top·epsilon_c^(−beta): the factor of epsilon^beta in the error of small perturbations."""
    return p["top"] * raised(p["epsilon_c"], -np.asarray(p["beta"]))


@law(
    formula="top/(1 + (epsilon_c/epsilon)^beta)",
    reference="arXiv:1711.02846",
    unit="error rate",
    output="error",
    axes={"epsilon_c": "epsilon"},
    limits={"error": (0.0, 1.0)},
    start={"beta": (0.3, 4.0)},
    rising=("epsilon",),
    quantities={"perturbation_for_error": _perturbation, "small_amplitude": _small_amplitude},
    inverse=lambda error, **p: _perturbation(p, error=error),
)
def adversarial_error(
    epsilon: Any, *, top: Fraction, epsilon_c: Location, beta: Exponent
) -> Any:  # fmt: skip
    """Err(epsilon) = top/(1 + (epsilon_c/epsilon)^beta): error under attack by its size.

    epsilon: size of the perturbation that the attacker may add, above 0, in any norm. Output: the
    rate of errors that the attack adds, between 0 and top. For small epsilon it is a power law,
    (top/epsilon_c^beta)·epsilon^beta, with beta near 1 at the source whatever the model: small
    gaps between the largest logits are equally likely. It levels off at top from epsilon_c on.
    The source has the power law and says that it saturates; this curve between the two is ours.
    Small perturbations alone leave top and epsilon_c undetermined: use ``inverse_scaling`` or fix
    top. Source: arXiv:1711.02846.
    """
    import jax
    import jax.numpy as jnp

    return top * jax.nn.sigmoid(beta * (jnp.log(epsilon) - jnp.log(epsilon_c)))
