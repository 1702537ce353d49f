"""Knowledge capacity: bits of facts that a model stores, by its size and exposures to each fact."""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.errors import LawError
from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Location, Positive


def _bits_per_parameter(p: Values, *, exposures: Any) -> Any:
    """R = R_max/(1 + (T_half/T)^s): bits per parameter after T exposures."""
    return p["R_max"] / (1 + raised(p["T_half"] / np.asarray(exposures), p["s"]))


def _size_for_bits(p: Values, *, bits: Any, exposures: Any) -> Any:
    """bits/R(T): parameters that store these bits after T exposures."""
    return np.asarray(bits) / _bits_per_parameter(p, exposures=exposures)


def _exposures_for_bits(p: Values, *, bits: Any, N: Any) -> Any:
    """T_half·(R_max·N/bits − 1)^(−1/s): exposures after which a size stores the bits."""
    spare = p["R_max"] * np.asarray(N) / bits - 1
    return p["T_half"] * raised(spare, -1 / np.asarray(p["s"]))


def _knowledge_held(p: Values, *, N: Any) -> Any:
    """R_max·N: most bits that a size stores, in the limit of many exposures."""
    return p["R_max"] * np.asarray(N)


@law(
    formula="min(N·R_max/(1 + (T_half/exposures)^s), knowledge)",
    reference="arXiv:2404.05405",
    unit="bits",
    output="bits",
    positive=("N", "knowledge"),
    # T_half is searched within the exposures of the data.
    axes={"T_half": "exposures"},
    start={"R_max": (0.3, 6.0), "s": (0.3, 3.0)},
    rising=("N", "exposures", "knowledge"),
    quantities={
        "bits_per_parameter": _bits_per_parameter,
        "size_for_bits": _size_for_bits,
        "exposures_for_bits": _exposures_for_bits,
        "most_bits": _knowledge_held,
    },
)
def knowledge_capacity(
    N: Any, exposures: Any, knowledge: Any, *, R_max: Positive, T_half: Location, s: Exponent
) -> Any:
    """Bits of facts that a model stores, by its size, the exposures and the facts there are.

        bits = min(N·R(exposures), knowledge)

    with R(T) = R_max/(1 + (T_half/T)^s).

    Parameters
    ----------
    N : array_like
        Parameters, counting only those rows of the embeddings that are used, above 0.
    exposures : array_like
        T, the number of times that each fact was seen in training, above 0.
    knowledge : array_like
        Bits in the facts, above 0.
    R_max : Positive
        Bits per parameter after very many exposures, above 0.
    T_half : Location
        Exposures after which half of R_max is stored, above 0.
    s : Exponent
        Steepness in the logarithm of exposures, above 0.

    Returns
    -------
    bits : array
        Bits that the model stores, as ``bits_learnt`` counts them from its losses.

    Notes
    -----
    The minimum is exact, not smoothed: rows in which everything is learnt say nothing about R, so
    that a table needs rows in which it is not. The source reports R at a few numbers of exposures,
    about 1 at 100 and 2 at 1000 (from a secondary transcription); the curve through them is ours. A
    fit to a single number of exposures cannot separate R_max from T_half: fix T_half and s.

    References
    ----------
    .. [1] Physics of Language Models: Part 3.3, Knowledge Capacity Scaling Laws, arXiv:2404.05405.

    Examples
    --------
    >>> import jscale as js
    >>> law = js.laws.get("knowledge_capacity")
    >>> float(law(1e6, 100, 1e9, R_max=2.0, T_half=100, s=1.0))
    1000000.0
    """
    import jax.numpy as jnp

    capacity = N * R_max / (1.0 + power(T_half / exposures, s))
    return jnp.minimum(capacity, knowledge)


def bits_learnt(
    facts: Any, name_loss: Any, value_loss: Any, *, names: Any, values: Any
) -> np.ndarray:
    """Return the bits that a model stores of a set of facts, from its losses on them.

    Parameters
    ----------
    facts : array_like
        Number of facts.
    name_loss, value_loss : array_like
        Losses in nats on the names and on the values of the facts, each summed over the tokens of a
        name or of all its values and averaged over facts.
    names, values : array_like
        Numbers of possible names and values from which the facts were drawn.

    Returns
    -------
    ndarray
        facts·(log2(names) − name_loss/ln 2 + log2(values) − value_loss/ln 2), in bits. Losses worse
        than those of guessing count as negative bits.

    Raises
    ------
    LawError
        If a count is not positive or a loss is negative.

    Notes
    -----
    A name chosen at random among those in use has a loss of ln(facts), so that all there is to know
    is facts·(log2(names/facts) + log2(values)).

    References
    ----------
    .. [1] Physics of Language Models: Part 3.3, Knowledge Capacity Scaling Laws, arXiv:2404.05405.

    Examples
    --------
    >>> from jscale.laws.knowledge import bits_learnt
    >>> round(float(bits_learnt(1000, 0.0, 0.0, names=1, values=1024)))
    10000
    """
    for name, count in {"facts": facts, "names": names, "values": values}.items():
        if not np.all(np.asarray(count, dtype=float) > 0):
            raise LawError(f"{name}={count!r} must be above 0: it is a count.")
    for name, loss in (("name_loss", name_loss), ("value_loss", value_loss)):
        if not np.all(np.asarray(loss, dtype=float) >= 0):
            raise LawError(f"{name}={loss!r} must be 0 or above: it is a sum of losses in nats.")
    # Losses are in nats, what is known in bits.
    known = np.log2(np.asarray(names, float)) + np.log2(np.asarray(values, float))
    return np.asarray(facts) * (known - (np.asarray(name_loss) + value_loss) / np.log(2.0))
