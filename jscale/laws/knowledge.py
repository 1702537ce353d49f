"""Knowledge: how many bits of facts a model holds, by its size and by exposures to each fact."""

from __future__ import annotations

from typing import Any

import numpy as np

from jscale.errors import LawError
from jscale.laws.closed_forms import Values, raised
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.roles import Exponent, Location, Positive


def _bits_per_parameter(p: Values, *, exposures: Any) -> Any:
    """R = R_max/(1 + (T_half/T)^s): the bits that a parameter holds after T exposures."""
    return p["R_max"] / (1 + raised(p["T_half"] / np.asarray(exposures), p["s"]))


def _size_for_bits(p: Values, *, bits: Any, exposures: Any) -> Any:
    """bits/R(T): the parameters that hold these bits after T exposures."""
    return np.asarray(bits) / _bits_per_parameter(p, exposures=exposures)


def _exposures_for_bits(p: Values, *, bits: Any, N: Any) -> Any:
    """T_half·(R_max·N/bits − 1)^(−1/s): exposures with which a size holds the bits."""
    spare = p["R_max"] * np.asarray(N) / bits - 1
    return p["T_half"] * raised(spare, -1 / np.asarray(p["s"]))


def _knowledge_held(p: Values, *, N: Any) -> Any:
    """R_max·N: the bits that a size holds at most, after ever more exposures."""
    return p["R_max"] * np.asarray(N)


@law(
    formula="min(N·R_max/(1 + (T_half/exposures)^s), knowledge)",
    reference="arXiv:2404.05405",
    unit="bits",
    output="bits",
    positive=("N", "knowledge"),
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
) -> Any:  # fmt: skip
    """bits = min(N·R(exposures), knowledge) with R(T) = R_max/(1 + (T_half/T)^s).

    N: parameters, with only the used rows of the embeddings. exposures, T: how often each fact
    was seen in training. knowledge: bits in the facts. Output: bits that the model holds, as
    ``bits_learnt`` counts them from its losses. The minimum is exact, not smoothed: the rows in
    which all is learnt say nothing of R, so a table needs rows in which it is not.

    R(T), bits per parameter, is near R_max after very many exposures and half of it after
    T_half. The source reports R at a few numbers of exposures, about 1 at 100 and 2 at 1000
    (from a secondary transcription); the curve through them is ours. A fit to one number of
    exposures cannot tell R_max from T_half: fix T_half and s.
    Source: Physics of Language Models, part 3.3, arXiv:2404.05405.
    """
    import jax.numpy as jnp

    capacity = N * R_max / (1.0 + power(T_half / exposures, s))
    return jnp.minimum(capacity, knowledge)


def bits_learnt(
    facts: Any, name_loss: Any, value_loss: Any, *, names: Any, values: Any
) -> np.ndarray:
    """Return the bits that a model holds of its facts, from its losses on them.

    ``facts`` is how many there are; ``name_loss`` and ``value_loss`` are the losses in nats, each
    summed over the tokens of a name and of all its values and averaged over facts; ``names`` and
    ``values`` say from how many each was drawn: facts·(log2(names) − name_loss/ln 2 +
    log2(values) − value_loss/ln 2). A name at random among those in use has a loss of ln(facts),
    so that all there is to know is facts·(log2(names/facts) + log2(values)). Losses worse than
    those of guessing count as negative bits.

    Raises LawError for counts that are not positive, or losses that are negative.

    >>> round(float(bits_learnt(1000, 0.0, 0.0, names=1, values=1024)))
    10000
    """
    given = {"facts": facts, "names": names, "values": values}
    for name, count in given.items():
        if not np.all(np.asarray(count, dtype=float) > 0):
            raise LawError(f"{name}={count!r} must be above 0: it is a count.")
    for name, loss in (("name_loss", name_loss), ("value_loss", value_loss)):
        if not np.all(np.asarray(loss, dtype=float) >= 0):
            raise LawError(f"{name}={loss!r} must be 0 or above: it is a sum of losses in nats.")
    known = np.log2(np.asarray(names, float)) + np.log2(np.asarray(values, float))
    return np.asarray(facts) * (known - (np.asarray(name_loss) + value_loss) / np.log(2.0))
