"""Attacks on a model: control of some of its activations, and small perturbations of its input."""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.roles import Exponent, Fraction, Location, Scale


def _attack_resistance(p: Values, *, width: Any, bits: Any, vocabulary: Any) -> Any:
    """width·bits/(kappa·log2 vocabulary): bits controlled per bit of output forced."""
    return np.asarray(width) * bits / (p["kappa"] * np.log2(vocabulary))


def _positions(p: Values, *, tokens: Any) -> Any:
    """tokens/kappa: positions that must be controlled to force this many tokens."""
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
    """Number of output tokens that an attack on activations can force.

        t_max(a) = kappa·a

    Parameters
    ----------
    a : array_like
        Positions of the input whose activations the attacker controls, above 0.
    kappa : Scale
        Tokens forced per position, above 0.

    Returns
    -------
    tokens : array
        Length t_max of the longest continuation that can be forced, in tokens.

    Notes
    -----
    The law is a line through the origin. Its slope follows from the attack resistance
    width·bits/(kappa·log2 vocabulary), for activations of ``width`` numbers of ``bits`` each: the
    number of bits controlled per bit forced, which depends on the model alone. The abstract of the
    source gives 16 to 25 over two decades of model size.

    The source reads t_max off the sigmoid in which success falls with length, and fits by
    regression through the origin, which is ``objective=js.least_squares("linear")``; the default
    objective weighs relative errors instead.

    References
    ----------
    .. [1] Scaling Laws for Adversarial Attacks on Language Model Activations, arXiv:2312.02780.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("activation_attack")
    >>> float(law(10, kappa=32.0))
    320.0
    >>> resistance = law.quantities["attack_resistance"]
    >>> float(resistance({"kappa": 32.0}, width=512, bits=16, vocabulary=2**16))
    16.0
    """
    return kappa * a


def _perturbation(p: Values, *, error: Any) -> Any:
    """epsilon_c·(top/error − 1)^(−1/beta): perturbation that gives an error; NaN from top on."""
    return p["epsilon_c"] * raised(p["top"] / np.asarray(error) - 1, -1 / np.asarray(p["beta"]))


def _small_amplitude(p: Values) -> Any:
    """top·epsilon_c^(−beta): factor of epsilon^beta in the error under small perturbations."""
    return p["top"] * raised(p["epsilon_c"], -np.asarray(p["beta"]))


@law(
    formula="top/(1 + (epsilon_c/epsilon)^beta)",
    reference="arXiv:1711.02846",
    unit="error rate",
    output="error",
    # Starts of the saturation lie within the range of perturbations in the data.
    axes={"epsilon_c": "epsilon"},
    limits={"error": (0.0, 1.0)},
    # Near 1 at the source, in the upper part of the usual range of exponents.
    start={"beta": (0.3, 4.0)},
    rising=("epsilon",),
    quantities={"perturbation_for_error": _perturbation, "small_amplitude": _small_amplitude},
    inverse=lambda error, **p: _perturbation(p, error=error),
)
def adversarial_error(epsilon: Any, *, top: Fraction, epsilon_c: Location, beta: Exponent) -> Any:
    """Error rate under adversarial perturbations of a given size.

        Err(epsilon) = top/(1 + (epsilon_c/epsilon)^beta)

    Parameters
    ----------
    epsilon : array_like
        Size of the perturbation that the attacker may add, in any norm, above 0.
    top : Fraction
        Error rate under large perturbations, between 0 and 1.
    epsilon_c : Location
        Perturbation at which the error is half of ``top``, in the unit of ``epsilon``.
    beta : Exponent
        Exponent of the error under small perturbations, above 0.

    Returns
    -------
    error : array
        Error rate that the attack adds, between 0 and ``top``.

    Notes
    -----
    For small perturbations the error is the power law (top/epsilon_c^beta)·epsilon^beta. The source
    finds a beta near 1 for all models, because small gaps between the largest logits are equally
    likely. From epsilon_c on the error levels off at ``top``. The source states the power law and
    that it saturates; the curve between the two is ours.

    Small perturbations alone do not determine ``top`` and ``epsilon_c``: fit ``inverse_scaling``,
    or fix ``top``.

    References
    ----------
    .. [1] Intriguing Properties of Adversarial Examples, arXiv:1711.02846.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("adversarial_error")
    >>> float(law(0.1, top=0.9, epsilon_c=0.1, beta=1.0))
    0.45
    """
    import jax
    import jax.numpy as jnp

    # A sigmoid of the logarithm: (epsilon_c/epsilon)^beta itself overflows far below epsilon_c.
    return top * jax.nn.sigmoid(beta * (jnp.log(epsilon) - jnp.log(epsilon_c)))
