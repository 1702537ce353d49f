"""Kaplan's laws of trained models: pure powers of size, data and compute, and their joint form.

None of them has an irreducible loss, so all are too optimistic far beyond the data. N excludes
embeddings at the source, Kaplan et al., arXiv:2001.08361. The constants printed there are
unverified and not given here. Laws along training are in kaplan_training.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Scale


def _size_inverse(loss: Any, *, N_c: Any, alpha_N: Any) -> Any:
    """Return the N that reaches a loss."""
    return N_c * raised(loss, -1 / alpha_N)


@law(
    formula="(N_c/N)^alpha_N",
    reference="arXiv:2001.08361",
    unit="nats per token",
    inside=(("N_c", "N", "alpha_N"),),
    falling=("N",),
    inverse=_size_inverse,
)
def kaplan_size(N: Any, *, N_c: Scale, alpha_N: Exponent) -> Any:
    """Loss by size, trained to convergence on ample data.

        L(N) = (N_c/N)^alpha_N

    Parameters
    ----------
    N : array_like
        Parameters without embeddings, above 0.
    N_c : Scale
        Size at which the loss would be 1, far outside the data, above 0.
    alpha_N : Exponent
        Exponent of size, above 0.

    Returns
    -------
    loss : array
        Loss in nats per token, above 0.

    Notes
    -----
    The same line as ``power:N`` with A = N_c^alpha_N. The source fits by least squares of log L on
    log N. The inverse is the size that reaches a loss.

    References
    ----------
    .. [1] Kaplan et al., Scaling Laws for Neural Language Models, arXiv:2001.08361, eq. 1.1.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("kaplan_size")
    >>> round(float(law(1e9, N_c=1e13, alpha_N=0.125)), 3)
    3.162
    """
    return power(N_c / N, alpha_N)


def _data_inverse(loss: Any, *, D_c: Any, alpha_D: Any) -> Any:
    """Return the D that reaches a loss."""
    return D_c * raised(loss, -1 / alpha_D)


@law(
    formula="(D_c/D)^alpha_D",
    reference="arXiv:2001.08361",
    unit="nats per token",
    inside=(("D_c", "D", "alpha_D"),),
    falling=("D",),
    inverse=_data_inverse,
)
def kaplan_data(D: Any, *, D_c: Scale, alpha_D: Exponent) -> Any:
    """Loss of a large model by the amount of data, with early stopping.

        L(D) = (D_c/D)^alpha_D

    Parameters
    ----------
    D : array_like
        Tokens in the training set, each seen as often as it helps, above 0.
    D_c : Scale
        Tokens at which the loss would be 1, far outside the data, above 0.
    alpha_D : Exponent
        Exponent of data, above 0.

    Returns
    -------
    loss : array
        Loss in nats per token, above 0.

    Notes
    -----
    The source fits by least squares of log L on log D. The inverse is the data that reach a loss.

    References
    ----------
    .. [1] Kaplan et al., Scaling Laws for Neural Language Models, arXiv:2001.08361, eq. 1.2.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("kaplan_data")
    >>> round(float(law(1e9, D_c=1e13, alpha_D=0.125)), 3)
    3.162
    """
    return power(D_c / D, alpha_D)


def _compute_inverse(loss: Any, *, C_c: Any, alpha_C: Any) -> Any:
    """Return the C that reaches a loss."""
    return C_c * raised(loss, -1 / alpha_C)


@law(
    formula="(C_c/C)^alpha_C",
    reference="arXiv:2001.08361",
    unit="nats per token",
    inside=(("C_c", "C", "alpha_C"),),
    falling=("C",),
    inverse=_compute_inverse,
)
def kaplan_compute(C: Any, *, C_c: Scale, alpha_C: Exponent) -> Any:
    """Lowest loss over sizes, by compute.

        L(C) = (C_c/C)^alpha_C

    Parameters
    ----------
    C : array_like
        Training FLOPs, above 0.
    C_c : Scale
        Compute at which the loss would be 1, in the unit of C, above 0.
    alpha_C : Exponent
        Exponent of compute, above 0.

    Returns
    -------
    loss : array
        Loss in nats per token, above 0.

    Notes
    -----
    The source counts PF-days, of 8.64e19 FLOPs each, at a batch far below the critical one, and
    fits the lower envelope of training curves. The inverse is the compute that reaches a loss.

    References
    ----------
    .. [1] Kaplan et al., Scaling Laws for Neural Language Models, arXiv:2001.08361, eq. 1.3.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("kaplan_compute")
    >>> round(float(law(1e20, C_c=1e28, alpha_C=0.0625)), 3)
    3.162
    """
    return power(C_c / C, alpha_C)


def minimum_loss(p: Values, *, N: Any) -> Any:
    """(N_c/N)^alpha_N: lowest loss of a size, in the limit of long training."""
    return raised(p["N_c"] / np.asarray(N), p["alpha_N"])


def _joint_tokens(p: Values, *, loss: Any, N: Any) -> Any:
    """D_c/(L^(1/alpha_D) − (N_c/N)^(alpha_N/alpha_D)): data with which a size reaches a loss."""
    of_size = raised(p["N_c"] / np.asarray(N), p["alpha_N"] / p["alpha_D"])
    return p["D_c"] * raised(raised(loss, 1 / p["alpha_D"]) - of_size, -1.0)


def _joint_size(p: Values, *, loss: Any, D: Any) -> Any:
    """N_c·(L^(1/alpha_D) − D_c/D)^(−alpha_D/alpha_N): size that reaches a loss with D."""
    of_size = raised(loss, 1 / p["alpha_D"]) - p["D_c"] / np.asarray(D)
    return p["N_c"] * raised(of_size, -p["alpha_D"] / p["alpha_N"])


def _joint_optimal_size(p: Values, *, C: Any) -> Any:
    """N* = (a·N_c^a·C/(6·D_c))^(1/(1+a)) at C = 6·N·D, with a = alpha_N/alpha_D."""
    # In logarithms, since N_c^a overflows where the ratio of exponents is large.
    a = p["alpha_N"] / p["alpha_D"]
    inner = np.log(a) + a * np.log(p["N_c"]) + np.log(np.asarray(C) / 6) - np.log(p["D_c"])
    return np.exp(inner / (1 + a))


def _joint_optimal_tokens(p: Values, *, C: Any) -> Any:
    """D* = C/(6·N*), with N* as for optimal_size."""
    return np.asarray(C) / (6 * _joint_optimal_size(p, C=C))


def _joint_optimal_loss(p: Values, *, C: Any) -> Any:
    """[(N_c/N*)^(alpha_N/alpha_D) + D_c/D*]^alpha_D: lowest loss at C = 6·N·D."""
    N, D = _joint_optimal_size(p, C=C), _joint_optimal_tokens(p, C=C)
    of_size = raised(p["N_c"] / N, p["alpha_N"] / p["alpha_D"])
    return raised(of_size + p["D_c"] / D, p["alpha_D"])


@law(
    formula="[(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D",
    reference="arXiv:2001.08361",
    unit="nats per token",
    inside=(("N_c", "N", "alpha_N"), ("D_c", "D", "alpha_D")),
    falling=("N", "D"),
    quantities={
        "minimum_loss": minimum_loss,
        "tokens_for_loss": _joint_tokens,
        "size_for_loss": _joint_size,
        "optimal_size": _joint_optimal_size,
        "optimal_tokens": _joint_optimal_tokens,
        "optimal_loss": _joint_optimal_loss,
    },
)
def kaplan(N: Any, D: Any, *, N_c: Scale, alpha_N: Exponent, D_c: Scale, alpha_D: Exponent) -> Any:
    """Loss by size and data, with early stopping.

        L(N, D) = [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D

    Parameters
    ----------
    N : array_like
        Parameters without embeddings, above 0.
    D : array_like
        Tokens in the training set, above 0.
    N_c : Scale
        Size at which the loss on ample data would be 1, above 0.
    alpha_N : Exponent
        Exponent of size on ample data, above 0.
    D_c : Scale
        Tokens at which the loss of a large model would be 1, above 0.
    alpha_D : Exponent
        Exponent of data for a large model, above 0.

    Returns
    -------
    loss : array
        Loss in nats per token, above 0.

    Notes
    -----
    With ample data the law is ``kaplan_size``, with ample size ``kaplan_data``. To avoid a penalty,
    data must grow as N^(alpha_N/alpha_D). The source fits runs that were stopped early. The optima
    at C = 6·N·D follow from this form; they are not the source's, which come from training curves
    (``kaplan_steps``).

    References
    ----------
    .. [1] Kaplan et al., Scaling Laws for Neural Language Models, arXiv:2001.08361, eq. 1.5.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("kaplan")
    >>> constants = {"N_c": 1e13, "alpha_N": 0.125, "D_c": 1e13, "alpha_D": 0.125}
    >>> round(float(law(1e9, 1e9, **constants)), 3)
    3.448
    """
    import jax.numpy as jnp

    # In logarithms, because the ratio of exponents may be large where starts are drawn.
    of_size = alpha_N / alpha_D * (jnp.log(N_c) - jnp.log(N))
    of_data = jnp.log(D_c) - jnp.log(D)
    return jnp.exp(alpha_D * jnp.logaddexp(of_size, of_data))
