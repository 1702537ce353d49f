"""A chain's parts and table: who has which choice, and which rows serve which stage."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jscale as js
from jscale.model.roles import Positive, Real
from jscale.uncertainty.chain.table import ROW, Parts, Table, places
from tests.uncertainty.chain.planted import BASE, LINK, chained, world


def test_choices_go_to_the_law_that_has_the_parameter() -> None:
    parts = Parts.of(BASE, LINK, {"E": "family", "L0": "task"}, {"alpha": 0.3, "floor": 0.25})
    assert parts.inner_choices() == {"per": {"E": "family"}, "fixed": {"alpha": 0.3}}
    assert parts.link_choices() == {"per": {"L0": "task"}, "fixed": {"floor": 0.25}}


def test_a_link_is_asked_by_its_own_names() -> None:
    """Where both laws have a parameter of one name, the composed law calls the link's another."""

    @js.law(output="score")
    def falling(loss: Any, *, E: Positive, slope: Real) -> Any:
        return E - slope * loss

    parts = Parts.of(BASE, falling, {"falling_E": "task"}, {"E": 1.7, "slope": 0.1})
    assert parts.of_link == {"falling_E": "E", "slope": "slope"}
    assert parts.link_choices() == {"per": {"E": "task"}, "fixed": {"slope": 0.1}}
    assert parts.inner_choices() == {"per": {}, "fixed": {"E": 1.7}}


def table(**columns: object) -> Table:
    frame = world(rows=6).assign(**columns)
    return Table.of(frame, Parts.of(BASE, LINK, None, None), "loss", "score", {})


def test_rows_of_losses_and_of_scores_remember_their_places() -> None:
    nan = np.nan
    rows = table(score=[nan, 0.3, 0.4, nan, 0.5, 0.6], loss=[3.0, nan, 2.9, 2.8, nan, 2.7])
    assert rows.has_loss.tolist() == [True, False, True, True, False, True]
    runs, at = places(rows.losses())
    assert at.tolist() == [0, 2, 3, 5]
    assert ROW not in runs.frame
    assert runs.output == "loss"
    runs, at = places(rows.scores())
    assert at.tolist() == [1, 2, 4, 5]
    assert runs.output == "score"
    runs, at = places(rows.scores(rows.has_loss & rows.has_score, {"loss": "loss"}))
    assert at.tolist() == [2, 5]


def test_columns_take_the_laws_names() -> None:
    frame = world(rows=6).rename(columns={"loss": "val", "score": "acc", "N": "params"})
    rows = Table.of(frame, Parts.of(BASE, LINK, None, None), "val", "acc", {})
    assert rows.columns["N"] == "params"
    assert {"loss", "score"} <= set(rows.frame)
    assert not {"val", "acc"} & set(rows.frame)
    assert rows.run is None


def test_no_row_that_would_serve() -> None:
    rows = table(score=np.nan)
    with pytest.raises(js.DataError, match=r"None of the 6 rows has a score\. Give some\."):
        rows.check_any(rows.has_score, "a score", "Give some.")
    rows.check_any(rows.has_loss, "a loss", "")


def test_another_column_called_loss_gives_way() -> None:
    frame = world().rename(columns={"loss": "val"}).assign(loss=-1.0)
    assert chained(frame, 20, loss="val").fit.params["E"] == chained(world(), 2).fit.params["E"]


def test_other_wrong_data() -> None:
    with pytest.raises(js.DataError, match=r"chain takes Runs or a pandas DataFrame, not list\."):
        js.chain(BASE, LINK, [1, 2])  # pyright: ignore[reportArgumentType]
    with pytest.raises(js.DataError, match=r"N: columns are named when Runs are made, or given"):
        js.chain(BASE, LINK, js.Runs.from_frame(world()), N="N")
    with pytest.raises(js.LawError, match=r"chinchilla and power both give 'loss', so a table"):
        js.chain(BASE, "power", world())
