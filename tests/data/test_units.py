"""Units of loss convert exactly, and a column in another unit is noticed."""

from __future__ import annotations

import numpy as np
import pytest

from jscale.data.units import parse_number, suspected_unit, to_unit
from jscale.errors import DataError

LOSSES = np.array([0.7, 2.0, 3.5])


def test_known_conversions() -> None:
    np.testing.assert_allclose(to_unit(np.array([1.0]), "bits", "nats"), np.log(2.0))
    np.testing.assert_allclose(to_unit(np.array([np.e]), "perplexity", "nats"), 1.0)
    np.testing.assert_allclose(to_unit(np.array([3.0]), "bits", "perplexity"), 8.0)


@pytest.mark.parametrize("unit", ["nats", "bits", "perplexity"])
@pytest.mark.parametrize("new", ["nats", "bits", "perplexity"])
def test_conversions_go_back_to_where_they_came_from(unit: str, new: str) -> None:
    np.testing.assert_allclose(to_unit(to_unit(LOSSES, unit, new), new, unit), LOSSES, rtol=1e-14)


@pytest.mark.parametrize(("unit", "new"), [("nat", "bits"), ("bits", "nat")])
def test_an_unknown_unit_is_an_error_with_the_likely_one(unit: str, new: str) -> None:
    with pytest.raises(
        DataError,
        match=r"'nat' is not a unit of loss that converts\. Did you mean 'nats'\? "
        r"Use one of nats, bits, perplexity\.",
    ):
        to_unit(LOSSES, unit, new)


@pytest.mark.parametrize(
    ("column", "says"),
    [
        ("val_ppl", "its name 'val_ppl' says perplexity"),
        ("Perplexity", "its name 'Perplexity' says perplexity"),
        ("bpb", "its name 'bpb' says bits"),
        ("bits_per_byte", "its name 'bits_per_byte' says bits"),
    ],
)
def test_a_name_gives_the_unit_away(column: str, says: str) -> None:
    assert suspected_unit(LOSSES, column, "nats") == says
    assert suspected_unit(LOSSES, column, "other") is None


def test_losses_above_that_of_an_untrained_model_look_like_perplexities() -> None:
    doubt = suspected_unit(np.array([14.0, 20.0, 30.0]), "loss", "nats")
    assert doubt == (
        "its median is 20, above the 12.5 nats of an untrained model: these look like perplexities"
    )
    assert suspected_unit(np.array([9.0, 10.0, 30.0]), "loss", "nats") is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("70B", 70e9),
        ("1.4T", 1.4e12),
        ("3e9", 3e9),
        ("125m", 125e6),
        ("2k", 2000.0),
        ("1_000", 1000.0),
        (" 5G ", 5e9),
        ("1P", 1e15),
        ("1E", 1e18),
        ("-2", -2.0),
    ],
)
def test_texts_of_numbers(text: str, number: float) -> None:
    assert parse_number(text) == pytest.approx(number, rel=1e-15)


@pytest.mark.parametrize("text", ["", "B", "70 tokens", "7x", "nan", "inf", "1e999"])
def test_texts_that_are_no_numbers(text: str) -> None:
    with pytest.raises(
        DataError, match=rf"'{text}' is not a number\. Write it as 70e9 or 70B \(K, M, B, T, P, E\)"
    ):
        parse_number(text)
