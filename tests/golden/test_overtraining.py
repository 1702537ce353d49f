"""The law of over-training, from the source's own five runs: its printed constants."""

from __future__ import annotations

import pandas as pd
import pytest

import jscale as js
from jscale.data.published_splits import overtraining
from tests.conftest import data_folder

# arXiv:2403.08540, the fits of its five runs per corpus, to as many digits as are printed.
PUBLISHED = {
    "c4_original": {"E": "1.508261", "eta": "0.121236", "a": "141.3", "b": "189.5"},
    "rw_original": {"E": "1.734462", "alpha": "0.254395", "eta": "0.1272", "a": "157.1", "b": "246.2"},
}  # fmt: skip

# The source's code run again on the same runs, to six figures; b of the code is −2·eta.
CODE = {
    "c4_original": {"E": 1.508261, "a": 141.277255, "b": 189.515521, "eta": 0.121236},
    "rw_original": {"E": 1.734462, "a": 157.116285, "b": 246.206686, "eta": 0.127197},
}


@pytest.mark.full
@pytest.mark.parametrize("corpus", PUBLISHED)
def test_five_runs_give_the_printed_law(corpus: str) -> None:
    data_folder()
    five, small, large = overtraining(corpus)
    assert (len(five), (large["C"] > small["C"].max()).any()) == (5, True)
    fit = js.fit("chinchilla_tied", five, objective=js.least_squares("linear"))
    own = fit.params.to_dict()
    eta = own["alpha"] / 2
    found = {**own, "eta": eta, "a": own["A"] * 6**eta, "b": own["B"] * 6**eta}
    for name, printed in PUBLISHED[corpus].items():
        digits = len(printed.partition(".")[2])
        assert f"{found[name]:.{digits}f}" == printed, name
    assert fit.agree == (64, 64)


def five_runs(corpus: str) -> pd.DataFrame:
    """Return the source's five runs, with M = D/N."""
    data_folder()
    five, _, _ = overtraining(corpus)
    return five.assign(M=five["D"] / five["N"])


@pytest.mark.full
@pytest.mark.parametrize("corpus", CODE)
def test_the_law_in_compute_and_multiplier(corpus: str) -> None:
    """To five digits of the source's code, and stored so as published constants."""
    fit = js.fit("overtraining", five_runs(corpus), objective=js.least_squares("linear"))
    found = fit.params.to_dict()
    assert found == pytest.approx(CODE[corpus], rel=5e-6)
    assert fit.agree == (64, 64)
    assert CODE[corpus] in list(js.laws.get("overtraining").published.values())


@pytest.mark.full
@pytest.mark.parametrize("corpus", CODE)
def test_the_law_in_the_code_s_own_symbols(corpus: str) -> None:
    fit = js.fit("overtraining_code", five_runs(corpus), objective=js.least_squares("linear"))
    law, found = fit.law, fit.params.to_dict()
    assert found["b"] == pytest.approx(-2 * CODE[corpus]["eta"], abs=1e-6)
    for name in ("a", "b", "eta"):
        assert law.quantities[name](found) == pytest.approx(CODE[corpus][name], rel=5e-6)
    assert fit.agree == (64, 64)


def test_the_two_forms_are_one_law() -> None:
    """E + (a·M^eta + b·M^(−eta))·C^(−eta) with M = D/N and C = 6·N·D, as the source writes it."""
    design = js.designs.grid([1e8, 1e9, 1e10], [1e9, 1e11])
    own = {"E": 1.5, "A": 113.7, "B": 152.5, "alpha": 0.2425}
    N, D, eta = design["N"], design["D"], own["alpha"] / 2
    M, C, a, b = D / N, 6 * N * D, own["A"] * 6**eta, own["B"] * 6**eta
    written = own["E"] + (a * M**eta + b * M**-eta) * C**-eta
    assert js.laws.get("chinchilla_tied")(N, D, **own) == pytest.approx(
        written.to_numpy(), rel=1e-13
    )
