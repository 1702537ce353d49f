"""Fine-tuning: what examples are worth, and the curve that starts from no examples."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from tests.laws.numeric import solve

PRODUCT = {"E": 0.7, "A": 60.0, "alpha": 0.2, "beta": 0.1}
RECTIFIED = {"E": 1.5, "B": 400.0, "D_l": 150.0, "beta": 0.55}


def test_examples_and_scale_for_a_loss() -> None:
    law = js.laws.get("fine_tuning")
    examples = law.quantities["examples_for_loss"](PRODUCT, loss=1.2, X=1e9)
    assert examples == pytest.approx(
        solve(lambda d: law(1e9, d, **PRODUCT) - 1.2, 1.0, 1e12), rel=1e-9
    )
    scale = law.quantities["scale_for_loss"](PRODUCT, loss=1.2, D_f=1e5)
    assert scale == pytest.approx(
        solve(lambda x: law(x, 1e5, **PRODUCT) - 1.2, 1e3, 1e15), rel=1e-9
    )
    assert np.isnan(law.quantities["examples_for_loss"](PRODUCT, loss=0.7, X=1e9))
    assert np.isnan(law.quantities["scale_for_loss"](PRODUCT, loss=0.6, D_f=1e5))


@pytest.mark.parametrize("loss", [0.9, 2.0])
def test_what_a_larger_scale_is_worth_does_not_depend_on_the_loss(loss: float) -> None:
    law = js.laws.get("fine_tuning")
    small, large = (
        solve(lambda d, x=x: law(x, d, **PRODUCT) - loss, 1e-8, 1e20) for x in (1e9, 3e9)
    )
    worth = law.quantities["examples_worth"](PRODUCT, factor=3.0)
    assert worth == pytest.approx(small / large, rel=1e-9)


@pytest.mark.full
def test_one_beta_and_a_law_for_each_scale() -> None:
    """The source's tied fit: one exponent of the examples for all that is scaled."""
    law = js.laws.get("fine_tuning")
    kinds = {"model": (1e9, PRODUCT), "pre-training": (1e11, {**PRODUCT, "A": 20.0, "alpha": 0.12})}
    tables = []
    for kind, (middle, constants) in kinds.items():
        table = pd.DataFrame(
            [(x * middle, d) for x in (0.2, 1, 5) for d in np.geomspace(1e4, 1e7, 5)],
            columns=["X", "D_f"],
        )
        loss = law(table["X"].to_numpy(), table["D_f"].to_numpy(), **constants)
        tables.append(table.assign(loss=loss, scaled=kind))
    fit = js.fit(
        law,
        pd.concat(tables, ignore_index=True),
        per=dict.fromkeys("EA", "scaled") | {"alpha": "scaled"},
    )
    assert fit.params["beta"] == pytest.approx(0.1, rel=1e-6)
    assert fit.params["alpha[model]"] == pytest.approx(0.2, rel=1e-6)
    assert fit.params["alpha[pre-training]"] == pytest.approx(0.12, rel=1e-6)


def test_no_examples_have_a_loss_and_a_slope() -> None:
    import jax

    law = js.laws.get("rectified_fine_tuning")
    none = law.quantities["loss_without_examples"](RECTIFIED)
    assert law(0, **RECTIFIED) == pytest.approx(none, rel=1e-15)
    with jax.enable_x64(True):
        slopes = jax.jacfwd(lambda p: law.evaluate({"D_f": 0.0, **p}))(dict(RECTIFIED))
        slopes = {name: float(v) for name, v in slopes.items()}
    assert slopes == pytest.approx({"E": 1.0, "B": 1 / 150, "D_l": -400 / 150**2, "beta": 0.0})


def test_the_turn_is_where_the_reducible_loss_is_halved() -> None:
    law = js.laws.get("rectified_fine_tuning")
    turn = law.quantities["turning_size"](RECTIFIED)
    half = 1.5 + 0.5 * (law(0, **RECTIFIED) - 1.5)
    assert turn == pytest.approx(solve(lambda d: law(d, **RECTIFIED) - half, 1, 1e9), rel=1e-9)


def test_examples_for_a_loss_down_from_that_of_none() -> None:
    law = js.laws.get("rectified_fine_tuning")
    needed = law.quantities["examples_for_loss"]
    examples = needed(RECTIFIED, loss=2.0)
    assert examples == pytest.approx(solve(lambda d: law(d, **RECTIFIED) - 2.0, 1, 1e12), rel=1e-9)
    none = law(0, **RECTIFIED)
    assert needed(RECTIFIED, loss=none) == 0.0
    assert np.isnan(needed(RECTIFIED, loss=[none + 0.01, 1.5, 1.4])).all()


def table(law: js.Law, **inputs: np.ndarray) -> pd.DataFrame:
    constants = PRODUCT if law.name == "fine_tuning" else RECTIFIED
    frame = pd.DataFrame(inputs)
    return frame.assign(loss=law(*(frame[x].to_numpy() for x in law.inputs), **constants))


@pytest.mark.parametrize("size", [0.0, -5.0])
@pytest.mark.parametrize("column", ["X", "D_f"])
def test_a_product_of_powers_needs_sizes_above_zero(column: str, size: float) -> None:
    law = js.laws.get("fine_tuning")
    frame = table(law, X=np.geomspace(1e8, 1e10, 12), D_f=np.geomspace(1e6, 1e4, 12))
    frame.loc[5, column] = size
    with pytest.raises(
        js.DataError, match=rf"logarithm of {column}, which is zero or negative in row 5"
    ):
        js.fit(law, frame)


@pytest.mark.full
def test_a_negative_number_of_examples_is_named() -> None:
    law = js.laws.get("rectified_fine_tuning")
    frame = table(law, D_f=np.append(0.0, np.geomspace(1e2, 1e6, 9)))
    assert js.fit(law, frame).params["D_l"] == pytest.approx(150.0, rel=1e-6)
    frame.loc[3, "D_f"] = -1.0
    with pytest.raises(js.DataError, match=r"holds for D_f from 0 up, but not in row 3 \(-1\.0\)"):
        js.fit(law, frame)
