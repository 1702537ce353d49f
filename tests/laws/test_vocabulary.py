"""The vocabulary: tokens per character, and the size at which the loss is lowest."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale.simulation.worlds.architecture import WORLDS
from tests.laws.numeric import lowest

LAW, THOUSANDS = js.laws.get("vocabulary"), js.laws.get("vocabulary_thousands")
P = WORLDS["vocabulary"][0]
SOURCE = dict(next(iter(THOUSANDS.published.values())))
BOTH = [(LAW, P), (THOUSANDS, SOURCE)]
N_NV, WIDTH = 3e9, 3200.0


def by_hand(V: float) -> float:
    """Return the source's parabola in ln V."""
    return 0.00639222 * np.log(V) ** 2 - 0.15811069 * np.log(V) + 1.20470122


def test_tokens_per_character() -> None:
    f = LAW.quantities["tokens_per_character"]
    for V in (1024.0, 32000.0, 256000.0):
        assert f(P, V=V) == pytest.approx(by_hand(V), rel=1e-12)
    assert 0.22 < f(P, V=256000.0) < f(P, V=32000.0) < 0.3


def test_the_variant_differs_in_tokens_alone() -> None:
    V = np.geomspace(4096, 96000, 5)
    moved = np.array([by_hand(v / 1000) / by_hand(v) for v in V]) * 1e10
    np.testing.assert_allclose(
        THOUSANDS(N_NV, V, WIDTH, 1e10, **P), LAW(N_NV, V, WIDTH, moved, **P), rtol=1e-12
    )


@pytest.mark.parametrize(("law", "p"), BOTH)
def test_best_vocabulary_of_a_text(law: js.Law, p: dict[str, float]) -> None:
    for H in (1e10, 3e12):
        best = law.quantities["optimal_vocabulary"](p, d=WIDTH, H=H)
        V, _ = lowest(lambda V, H=H: float(law(N_NV, V, WIDTH, H, **p)), 2.0, 150_000.0)
        assert best == pytest.approx(V, rel=1e-3)
        # Searching for a minimum is good to half the digits; its slope is sharper.
        near = law(N_NV, best * np.exp([-1e-4, 0.0, 1e-4]), WIDTH, H, **p)
        assert near[1] < near[0]
        assert near[1] < near[2]


@pytest.mark.parametrize(("law", "p"), BOTH)
def test_best_vocabulary_of_a_compute(law: js.Law, p: dict[str, float]) -> None:
    """The law itself, with the characters that the compute leaves at each vocabulary."""
    unit = 1.0 if law is LAW else 1000.0

    def loss(V: float, C: float) -> float:
        H = C / (6 * (N_NV + V * WIDTH)) / by_hand(V / unit)
        return float(law(N_NV, V, WIDTH, H, **p))

    for C in (1e20, 1e22):
        best = law.quantities["optimal_vocabulary_at_compute"](p, N_nv=N_NV, d=WIDTH, C=C)
        V, _ = lowest(lambda V, C=C: loss(V, C), 10.0, 1e7)
        assert best == pytest.approx(V, rel=1e-3)
        assert loss(best, C) <= min(loss(best * 0.9999, C), loss(best * 1.0001, C))


def test_a_text_may_have_no_best_vocabulary() -> None:
    """Where the vocabulary's term is large throughout, a larger one is always better."""
    poor = {**P, "A2": P["A2"] * 1e6}
    assert np.isnan(LAW.quantities["optimal_vocabulary"](poor, d=WIDTH, H=1e15))


def test_the_source_s_answers_for_the_largest_llama_2() -> None:
    """Its abstract says at least 216 thousand entries for 70 billion parameters."""
    d, N_nv, D = 8192.0, 69.2e9, 2e12
    C = 6 * (N_nv + 32000 * d) * D
    ways = (
        THOUSANDS.quantities["optimal_vocabulary_at_compute"](SOURCE, N_nv=N_nv, d=d, C=C),
        LAW.quantities["vocabulary_by_derivative"](P, N_nv=N_nv, d=d),
        LAW.quantities["vocabulary_by_compute"](P, d=d, C=C),
    )
    assert np.all((np.array(ways) > 216e3) & (np.array(ways) < 250e3))


def test_the_power_laws_of_the_other_approaches() -> None:
    by_derivative = LAW.quantities["vocabulary_by_derivative"]
    assert by_derivative(P, N_nv=33e6, d=512.0) == pytest.approx(6144.0, rel=1e-12)
    ratio = by_derivative(P, N_nv=66e6, d=512.0) / 6144.0
    assert np.log2(ratio) == pytest.approx(0.8353974, abs=1e-7)
    by_compute = LAW.quantities["vocabulary_by_compute"]
    assert by_compute(P, d=1.0, C=1.0) == pytest.approx(np.exp(-1.58903), rel=1e-5)
    slope = np.log10(by_compute(P, d=1.0, C=1e21) / by_compute(P, d=1.0, C=1e20))
    assert slope == pytest.approx(0.41636, abs=1e-5)


def test_ample_text() -> None:
    limit = LAW.quantities["minimum_loss"](P, N_nv=N_NV, V=32000.0, d=WIDTH)
    assert LAW(N_NV, 32000.0, WIDTH, 1e40, **P) == pytest.approx(limit, abs=1e-10)
    assert -P["E"] < limit < 0


@pytest.mark.parametrize(("law", "V"), [(LAW, 0.5), (LAW, 5e5), (THOUSANDS, 5e8)])
def test_vocabularies_outside_their_range_are_named(law: js.Law, V: float) -> None:
    _, design = WORLDS["vocabulary"]
    table = design[design["H"] > 1e9].head(40).reset_index(drop=True)
    table[law.output] = law(*(table[x].to_numpy() for x in law.inputs), **P)
    assert (table[law.output] < 0).all()
    table.loc[7, "V"] = V
    with pytest.raises(js.JscaleError, match=rf"{law.name} holds for V between 1 and .* row 7"):
        js.fit(law, table)
