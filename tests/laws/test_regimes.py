"""The regimes of variance and resolution, and superposition: exponents and inverses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js


def test_exponents_of_the_regimes() -> None:
    assert js.laws.get("variance_limited")(4.0, E=1.0, A=2.0) == pytest.approx(1.5)
    assert js.laws.get("variance_limited_size")(4.0, E=1.0, A=2.0) == pytest.approx(2.0)
    law = js.laws.get("resolution_limited")
    assert law.quantities["intrinsic_dimension"]({"alpha": 0.5}) == 8.0


@pytest.mark.full
def test_superposition_shares_an_exponent_over_families() -> None:
    width = np.tile(np.geomspace(128, 8192, 12), 2)
    family = np.repeat(["a", "b"], 12)
    loss = np.where(family == "a", 1.5, 2.2) + 300 * width**-0.9
    fit = js.fit(
        "superposition",
        pd.DataFrame({"width": width, "loss": loss, "family": family}),
        per={"offset": "family"},
        loss_unit="other",
    )
    assert float(fit.params["alpha"]) == pytest.approx(0.9, rel=1e-4)
    assert float(fit.params["offset[b]"]) == pytest.approx(2.2, rel=1e-5)


@pytest.mark.parametrize(
    ("name", "exponent"), [("variance_limited", 1.0), ("variance_limited_size", 0.5)]
)
def test_variance_fixes_the_exponent(name: str, exponent: float) -> None:
    law, p = js.laws.get(name), {"E": 1.0, "A": 8.0}
    assert law.names == ("E", "A")
    above = law([10.0, 1000.0], **p) - 1.0
    assert np.log10(above[0] / above[1]) == pytest.approx(2 * exponent, rel=1e-12)
    assert law(law.invert(1.5, **p), **p) == pytest.approx(1.5, rel=1e-12)
    assert np.isnan(law.invert([1.0, 0.5], **p)).all()


@pytest.mark.parametrize(
    ("name", "p"),
    [
        ("resolution_limited", {"A": 8.0, "alpha": 0.5}),
        ("superposition", {"offset": 1.0, "A": 8.0, "alpha": 0.9}),
    ],
)
def test_inputs_for_a_loss(name: str, p: dict[str, float]) -> None:
    law = js.laws.get(name)
    floor = p.get("offset", 0.0)
    x = law.invert(floor + 0.25, **p)
    assert x == pytest.approx(32 ** (1 / p["alpha"]), rel=1e-12)
    assert law(x, **p) == pytest.approx(floor + 0.25, rel=1e-12)
    assert np.isnan(law.invert(floor, **p))
