"""Published exponents of compute-optimal sizes, found again; and those of our own runs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from tests.conftest import data_folder

CHINCHILLA_BUDGETS = [6e18, 1e19, 3e19, 6e19, 1e20, 3e20, 6e20, 1e21, 3e21]


@pytest.fixture(scope="module")
def cuts() -> pd.DataFrame:
    data_folder()
    return js.datasets.load("isoflops_open_athena")


def llama(cuts: pd.DataFrame, *, outliers: bool, loss: str = "raw_loss") -> js.IsoFlop:
    rows = cuts[cuts["experiment"] == f"llama_3__{loss}"]
    rows = rows if outliers else rows[~rows["outlier"]]
    return js.isoflop(js.Runs.from_frame(rows, loss_unit="other"))


@pytest.mark.full
def test_llama_3_is_reproduced_from_all_its_rows(cuts: pd.DataFrame) -> None:
    """D* = 0.299·C^0.537, as arXiv:2603.22339 finds it: raw losses, all 133 rows, no weights.

    The figures are given to three digits, so that is how near they must be. Llama 3's own are
    0.29 and 0.53, and 16.55e12 tokens at 3.8e25 FLOPs, of which digits and a digitised picture
    leave 3%.
    """
    profile = llama(cuts, outliers=True)
    assert profile.table["rows"].sum() == 133
    path = profile.paths.loc["D"]
    assert path["exponent"] == pytest.approx(0.537, abs=5e-4)
    assert path["coefficient"] == pytest.approx(0.299, abs=5e-4)
    tokens = path["coefficient"] * 3.8e25 ** path["exponent"]
    assert tokens == pytest.approx(16.55e12, rel=0.03)
    assert path["exponent_low"] < 0.53 < path["exponent_high"]


@pytest.mark.full
def test_two_budgets_that_the_authors_flag_carry_llama_3s_exponent(cuts: pd.DataFrame) -> None:
    """Without the rows flagged as outliers (all of 3e21 and 1e22 among them) it is one half."""
    profile = llama(cuts, outliers=False)
    assert profile.table["C"].max() == pytest.approx(1e21)
    assert profile.paths.loc["D", "exponent"] == pytest.approx(0.500, abs=5e-4)
    flagged = llama(cuts, outliers=True).table
    lost = flagged.loc[flagged["C"] == flagged["C"].iloc[-2], "lost"].iloc[0]
    assert lost > 0.1  # of the resamples of 3e21 have no minimum


def test_llama_3_bends_so_evenly_that_its_parabolas_are_right(cuts: pd.DataFrame) -> None:
    profile = llama(cuts, outliers=True)
    assert profile.table["bias"].abs().max() < 0.01
    assert profile.paths["exponent_bias"].abs().max() < 0.001
    assert "parabola-biased" not in [n.code for n in profile.notes]
    # What differs is the surface: its D* grows as C^0.473, against 0.537 by parabolas.
    assert profile.paths.loc["D", "surface_exponent"] == pytest.approx(0.473, abs=0.002)


def test_logarithms_of_losses_have_almost_the_same_minima(cuts: pd.DataFrame) -> None:
    raw, plain = (llama(cuts, outliers=True, loss=loss) for loss in ("raw_loss", "exp_loss"))
    assert plain.paths.loc["D", "exponent"] == pytest.approx(
        raw.paths.loc["D", "exponent"], abs=2e-4
    )


@pytest.mark.full
def test_chinchillas_second_approach(chinchilla_245: pd.DataFrame) -> None:
    """Table 2 of arXiv:2203.15556: N* as C^0.49 (0.462 to 0.534), D* as C^0.51 (0.483 to 0.529)."""
    profile = js.isoflop(chinchilla_245, budgets=CHINCHILLA_BUDGETS)
    assert profile.paths.loc["N", "exponent"] == pytest.approx(0.49, abs=0.01)
    assert profile.paths.loc["D", "exponent"] == pytest.approx(0.51, abs=0.01)
    np.testing.assert_allclose(
        profile.paths.loc["N", ["exponent_low", "exponent_high"]].astype(float),
        [0.462, 0.534],
        atol=0.025,
    )


def test_chinchillas_first_approach(chinchilla_245: pd.DataFrame) -> None:
    """The same table: C^0.50 for both. There whole loss curves were at hand, here their ends."""
    best = js.frontier(chinchilla_245)
    np.testing.assert_allclose(best.paths["exponent"], 0.5, atol=0.01)


@pytest.mark.full
@pytest.mark.parametrize("source", ["epochai_chinchilla", "ml_scalefit"])
def test_chinchillas_budgets_as_others_read_them(cuts: pd.DataFrame, source: str) -> None:
    rows = cuts[cuts["experiment"] == f"{source}__massivetext__chinchilla"]
    profile = js.isoflop(rows)
    np.testing.assert_allclose(profile.table["C"], CHINCHILLA_BUDGETS, rtol=1e-9)
    assert 0.462 < profile.paths.loc["N", "exponent"] < 0.534


# ── Our own runs ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.full
def test_our_cuts_near_their_minimum_say_what_the_notebook_says() -> None:
    """Notebook 03: 0.43 (0.39 to 0.48), from runs within four times the size of the lowest."""
    table = js.datasets.load("stdlib_lm")
    part = table[table["part"] == "isoflop"]
    lowest = part.loc[part.groupby(part["C"].round(-10))["loss"].transform("idxmin"), "N"]
    near = part[np.abs(np.log(part["N"].to_numpy() / lowest.to_numpy())) < np.log(4)]
    profile = js.isoflop(near.assign(loss=np.log(near["loss"])))
    assert profile.table["rows"].tolist() == [5, 6, 6]
    np.testing.assert_allclose(profile.table["N"], [12051, 22599, 51398], rtol=1e-3)
    path = profile.paths.loc["N"]
    assert path["exponent"] == pytest.approx(0.43, abs=0.005)
    assert path["exponent_low"] < 0.39 < 0.48 < path["exponent_high"]


@pytest.mark.full
def test_our_whole_cuts_are_too_wide_for_parabolas_and_that_is_noted() -> None:
    """All sizes of the cuts: exponent 0.54, drawn up by arms that are no parabola's."""
    table = js.datasets.load("stdlib_lm")
    profile = js.isoflop(table[table["part"] == "isoflop"])
    assert profile.table["rows"].tolist() == [8, 8, 8]
    np.testing.assert_allclose(profile.table["C"], [3e10, 1.6e11, 9e11], rtol=2e-3)
    assert profile.paths.loc["N", "exponent"] == pytest.approx(0.539, abs=0.002)
    codes = [n.code for n in profile.notes]
    assert "parabola-biased" in codes
    assert "minimum-unsure" in codes
