"""Columns are found by their usual names, and an error says which one was probably meant."""

from __future__ import annotations

import pytest

from jscale.data.columns import COLUMNS, GLOSSARY, find_column, missing_column
from jscale.errors import DataError


@pytest.mark.parametrize(
    ("wanted", "available", "column"),
    [
        ("N", ["params", "D"], "params"),
        ("N", ["Model Size", "D"], "Model Size"),
        ("D", ["train-tokens"], "train-tokens"),
        ("loss", ["Val_Loss"], "Val_Loss"),
        ("lr", ["LR", "N"], "LR"),
        ("score", ["score "], "score "),
    ],
)
def test_a_column_goes_by_its_aliases(wanted: str, available: list[str], column: str) -> None:
    assert find_column(wanted, available) == column


def test_the_exact_name_wins_over_an_alias() -> None:
    assert find_column("N", ["params", "N"]) == "N"
    assert find_column("loss", ["val_loss", "test_loss", "loss"]) == "loss"


@pytest.mark.parametrize("available", [[], ["n", "steps"], ["D", "C"]])
def test_a_name_of_one_letter_is_not_found_by_its_lower_case(available: list[str]) -> None:
    assert find_column("N", available) is None


def test_several_aliases_are_an_error_that_names_them_and_the_call() -> None:
    with pytest.raises(
        DataError,
        match=r"Several columns could be 'loss': val_loss, test_loss\. "
        r"Name one: Runs\.from_frame\(df, loss='val_loss'\)\.",
    ):
        find_column("loss", ["val_loss", "N", "test_loss"])


def test_the_glossary_holds_each_alias_once() -> None:
    names = [name for column in COLUMNS for name in (column.name.lower(), *column.aliases)]
    assert sorted(names) == sorted(set(names))
    assert set(GLOSSARY) >= {"N", "D", "C", "U", "M", "B", "S", "loss"}


def test_missing_column_says_what_it_is_and_suggests_one_like_an_alias() -> None:
    text = str(missing_column("N", None, ["num_parms", "seed"]))
    assert text == (
        "The table has no column for 'N' (model parameters). Did you mean 'num_parms'? "
        "Its columns are: num_parms, seed. "
        'Say which one it is: Runs.from_frame(df, N="<column>").'
    )


@pytest.mark.parametrize("wanted", ["C", "U"])
def test_missing_column_suggests_no_column_of_another_meaning(wanted: str) -> None:
    assert "Did you mean" not in str(missing_column(wanted, None, ["loss", "params", "tokens"]))


def test_missing_column_of_a_short_name_suggests_only_its_other_case() -> None:
    assert "Did you mean" not in str(missing_column("mu", None, ["mup", "m", "um"]))
    assert "Did you mean 'n'?" in str(missing_column("N", None, ["n", "seed"]))


def test_missing_column_quotes_the_name_that_was_asked_for() -> None:
    text = str(missing_column("run", "run_idd", ["run_id", "N"]))
    assert text.startswith(
        "The table has no column for 'run', named 'run_idd'. Did you mean 'run_id'?"
    )


def test_missing_column_without_a_likely_one_lists_at_most_twenty() -> None:
    text = str(missing_column("zeta", None, [f"column{i}" for i in range(23)]))
    assert "Did you mean" not in text
    assert "column19, … (3 more)" in text
