"""Knowledge capacity: its quantities, its exact minimum, and the count of bits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.laws.knowledge import bits_learnt
from tests.laws.numeric import solve

OWN = {"R_max": 2.3, "T_half": 130.0, "s": 0.95}


def test_sizes_and_exposures_for_bits() -> None:
    law = js.laws.get("knowledge_capacity")
    size = law.quantities["size_for_bits"](OWN, bits=1e9, exposures=300.0)
    assert size == pytest.approx(
        solve(lambda n: law(n, 300.0, 1e20, **OWN) - 1e9, 1e6, 1e12), rel=1e-9
    )
    seen = law.quantities["exposures_for_bits"](OWN, bits=1e9, N=6e8)
    assert seen == pytest.approx(
        solve(lambda t: law(6e8, t, 1e20, **OWN) - 1e9, 1e-2, 1e9), rel=1e-9
    )
    assert np.isnan(law.quantities["exposures_for_bits"](OWN, bits=2.3e8, N=1e8))
    assert law.quantities["most_bits"](OWN, N=1e8) == pytest.approx(2.3e8)


def test_half_of_the_capacity_at_t_half_and_all_of_it_far_beyond() -> None:
    rate = js.laws.get("knowledge_capacity").quantities["bits_per_parameter"]
    assert rate(OWN, exposures=130.0) == pytest.approx(1.15, rel=1e-15)
    assert rate(OWN, exposures=1e12) == pytest.approx(2.3, rel=1e-8)


def test_the_minimum_is_exact() -> None:
    law = js.laws.get("knowledge_capacity")
    capacity = law(1e8, 1000.0, 1e20, **OWN)
    assert law(1e8, 1000.0, capacity * (1 + 1e-12), **OWN) == capacity
    assert law(1e8, 1000.0, 0.999 * capacity, **OWN) == 0.999 * capacity


@pytest.mark.full
def test_rows_in_which_all_is_learnt_say_nothing() -> None:
    law = js.laws.get("knowledge_capacity")
    rows = [
        (n, t, k)
        for n, k in ((1e7, 1e9), (1e8, 2e9), (1e9, 1e9))
        for t in (20.0, 60.0, 200.0, 600.0, 2000.0)
    ]
    frame = pd.DataFrame(rows, columns=["N", "exposures", "knowledge"])
    frame["bits"] = law(*(frame[x].to_numpy() for x in law.inputs), **OWN)
    learnt = frame["bits"] >= frame["knowledge"]
    assert 0 < learnt.sum() < 5
    for table in (frame, frame[~learnt]):
        fit = js.fit(law, table)
        assert fit.params.to_dict() == pytest.approx(OWN, rel=1e-6)


@pytest.mark.parametrize("column", ["N", "exposures", "knowledge"])
def test_inputs_must_be_positive(column: str) -> None:
    frame = pd.DataFrame({"N": np.geomspace(1e6, 1e8, 9), "exposures": 100.0, "knowledge": 1e9})
    frame["bits"] = 1e6
    frame.loc[2, column] = 0.0
    with pytest.raises(js.DataError, match=rf"{column}.*zero or negative.*row 2"):
        js.fit("knowledge_capacity", frame)


def test_bits_of_a_perfect_memory_and_of_a_guess() -> None:
    """All is known of facts whose values cost nothing and whose names are equally likely."""
    people, names, values = 1e6, 1.6e8, 2 * (12 * 28 * 200) * 200 * 300 * 100 * 263
    assert np.log2(values) == pytest.approx(47.6, abs=0.05)
    known = bits_learnt(people, np.log(people), 0.0, names=names, values=values)
    by_hand = people * (np.log2(names / people) + np.log2(values))
    assert known == pytest.approx(by_hand, rel=1e-12)
    guess = bits_learnt(people, np.log(names), np.log(values), names=names, values=values)
    assert guess == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"facts": 0}, "facts=0 must be above 0"),
        ({"names": -1}, "names=-1 must be above 0"),
        ({"values": [4, 0]}, "values=.* must be above 0"),
        ({"name_loss": -0.1}, "name_loss=-0.1 must be 0 or above"),
        ({"value_loss": np.nan}, "value_loss=nan must be 0 or above"),
    ],
)
def test_bits_of_what_cannot_be(given: dict[str, object], match: str) -> None:
    good = {"facts": 10, "name_loss": 1.0, "value_loss": 1.0, "names": 100, "values": 100}
    with pytest.raises(js.LawError, match=match):
        bits_learnt(**{**good, **given})
