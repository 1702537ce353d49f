"""The law of over-training, from the source's own five runs: its printed constants."""

from __future__ import annotations

import pytest

import jscale as js
from benchmarks.extrapolation_parts.questions import overtraining
from tests.conftest import data_folder

# arXiv:2403.08540, the fits of its five runs per corpus, to as many digits as are printed.
PUBLISHED = {
    "c4_original": {"E": "1.508261", "eta": "0.121236", "a": "141.3", "b": "189.5"},
    "rw_original": {"E": "1.734462", "alpha": "0.254395", "eta": "0.1272", "a": "157.1", "b": "246.2"},
}  # fmt: skip


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
