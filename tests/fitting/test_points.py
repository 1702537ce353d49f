"""Points: inputs to predict at, as a table or by name, checked against the law and its groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.errors import PredictionError
from jscale.fitting.points import Points, broadcast, input_table, numbers_of, standard_errors
from jscale.fitting.problem import bucket
from tests.worlds import DESIGN, TRUTH


@pytest.fixture(scope="module")
def fit() -> js.Fit:
    return js.fit("chinchilla", js.simulate("chinchilla", TRUTH, DESIGN, noise=0.005), starts=8)


@pytest.fixture(scope="module")
def grouped() -> js.Fit:
    runs = js.simulate("chinchilla", TRUTH, DESIGN, noise=0.005)
    frame = runs.frame.assign(family=np.where(np.arange(len(runs)) % 2, "gpt", "llama"))
    return js.fit("chinchilla", frame, per={"E": "family"}, starts=8)


def test_tables_keep_their_labels_and_names_override_them(fit: js.Fit) -> None:
    table = pd.DataFrame({"N": ["1e8", "2e8"], "D": [1e9, 2e9], "note": "x"}, index=["a", "b"])
    made = input_table(fit, table, {"D": 5e9})
    assert list(made) == ["N", "D"]
    assert made.index.tolist() == ["a", "b"]
    assert made["N"].tolist() == [1e8, 2e8]
    assert made["D"].tolist() == [5e9, 5e9]


def test_numbers_by_name_broadcast_and_compute_is_kept(fit: js.Fit) -> None:
    made = input_table(fit, None, {"N": [1e8, 2e8], "D": 1e9, "C": 6e17})
    assert made.to_dict("list") == {"N": [1e8, 2e8], "D": [1e9] * 2, "C": [6e17] * 2}
    also = input_table(fit, {"N": 1e8, "D": 1e9, "run": "x"}, {}, also=("run",))
    assert also["run"].tolist() == ["x"]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"N": 1e8}, r"chinchilla predicts from N, D; D is missing\. Call predict\(fit, N=…, D=…\)"),
        ({"N": 1e8, "D": 1e9, "d": 1}, r"d is not one of them\. Did you mean 'D'\?"),
        ({"N": [], "D": []}, r"No rows to predict: N, D are empty; give values"),
        ({"N": [1e8, 2e8], "D": [1e9] * 3}, r"Inputs of shapes N \(2,\), D \(3,\) do not broadcast"),
        ({"N": 0.0, "D": 1e9}, r"N must be a positive, finite number; it is 0\.0 in row 0"),
        ({"N": "big", "D": 1e9}, r"N must be a positive, finite number; it is big in row 0"),
        (1e8, r"Inputs come as a table or by name, not as float"),
    ],
)  # fmt: skip
def test_inputs_that_cannot_be(fit: js.Fit, where: Any, message: str) -> None:
    with pytest.raises(PredictionError, match=message):
        input_table(fit, where, {})


@pytest.mark.full
def test_labels_of_groups_become_codes(grouped: js.Fit) -> None:
    points = Points.of(grouped, {"N": 1e8, "D": 1e9, "family": ["llama", "gpt", "llama"]})
    assert len(points) == 3
    assert points.codes["family"].tolist() == [1, 0, 1]
    with pytest.raises(
        PredictionError, match=r"family='lama' was not among .*'llama'\? Use one of"
    ):
        Points.of(grouped, {"N": 1e8, "D": 1e9, "family": "lama"})
    with pytest.raises(PredictionError, match=r"family is missing\. Give at=\{.*'family': …\}"):
        Points.of(grouped, {"N": 1e8, "D": 1e9})


def test_no_point_has_no_slope(fit: js.Fit) -> None:
    none = Points.of(fit, None)
    assert len(none) == 0
    assert none.slopes(fit).shape == (0, 5)


@pytest.mark.full
def test_padding_goes_to_a_bucket(grouped: js.Fit) -> None:
    points = Points.of(grouped, {"N": np.geomspace(1e8, 1e9, 21), "D": 1e9, "family": "gpt"})
    inputs, codes = points.padded()
    assert len(inputs[0]) == len(codes["family"]) == bucket(21) == 24
    assert set(inputs[0][21:]) == {1e8}


def test_errors_of_points_follow_those_of_parameters(fit: js.Fit) -> None:
    """A slope along one coordinate alone has that coordinate's error."""
    points = Points.of(fit, {"N": [1e8, 2e8], "D": 1e9})
    errors = standard_errors(fit, points, np.eye(5)[:2])
    assert errors.index.tolist() == [*fit.params.index, "loss[0]", "loss[1]"]
    np.testing.assert_array_equal(errors[:5], fit.stderr)
    np.testing.assert_allclose(errors[5:], np.sqrt(np.diag(fit.theta_covariance)[:2]))


def test_arrays_of_any_shape_become_rows() -> None:
    made = broadcast({"N": [[1], [2]], "D": [3, 4]})
    assert made.to_dict("list") == {"N": [1, 1, 2, 2], "D": [3, 4, 3, 4]}


def test_numbers_of_a_column() -> None:
    column = pd.Series(["1.5", 2, -3], index=["a", "b", "c"], name="shift")
    assert numbers_of(column, positive=False).tolist() == [1.5, 2.0, -3.0]
    with pytest.raises(PredictionError, match=r"shift must be a positive, finite .* -3 in row c"):
        numbers_of(column, positive=True)
