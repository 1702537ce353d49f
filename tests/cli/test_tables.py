"""Tables as the commands read them: columns by name, unusable rows, held-out rows."""

from __future__ import annotations

import pytest

import jscale as js
from tests.cli.running import FAST, told


@pytest.mark.full
def test_columns_by_other_names_and_a_byte_order_mark(jscale, table):
    odd = table.rename(columns={"N": "size", "D": "toks", "loss": "ce"}).drop(columns="C")
    odd.to_csv("odd.csv", index=False, encoding="utf-8-sig", columns=["size", "toks", "ce"])
    named = ["-c", "N=size", "--column", "D=toks", "-c", "loss=ce"]
    code, out, err = jscale("fit", "odd.csv", *named, *FAST)
    assert (code, err) == (0, "")
    assert "42 rows" in out


@pytest.mark.full
def test_usual_names_are_found(jscale, table):
    usual = table[["N", "D", "loss"]].set_axis(["params", "tokens", "val_loss"], axis=1)
    usual.to_csv("usual.tsv", index=False, sep="\t")
    assert jscale("fit", "usual.tsv", *FAST)[0] == 0


@pytest.mark.full
def test_unusable_rows(jscale, table):
    table.assign(loss=table["loss"].where(table.index != 5)).to_csv("runs.csv", index=False)
    code, _, err = jscale("fit", "runs.csv", *FAST)
    assert code == 2
    assert "loss: 1 of 42 values missing (NaN): row 5" in told(err)
    assert told(err).endswith("or leave these rows out with --drop-invalid.")
    code, out, err = jscale("fit", "runs.csv", *FAST, "--drop-invalid")
    assert code == 0
    assert "1 rows left out" in out
    assert "warning: 1 of 42 rows were left out." in told(err)


def test_all_rows_held_out(jscale, table):
    table.assign(split="holdout").to_csv("runs.csv", index=False)
    code, _, err = jscale("fit", "runs.csv", *FAST)
    assert code == 2
    assert "All 42 rows of runs.csv are held out by their column 'split'" in told(err)
    assert "give the rows to fit another value, such as 'fit'." in told(err)


@pytest.mark.full
@pytest.mark.parametrize("mark", ["Holdout", " held-out", "held_out "])
def test_held_out_rows_may_be_marked_in_other_ways(jscale, table, mark):
    held = table["split"] == "holdout"
    table.assign(split=table["split"].mask(held, mark)).to_csv("runs.csv", index=False)
    code, _, err = jscale("fit", "runs.csv", *FAST)
    assert (code, err) == (0, "")
    assert len(js.load("fit.json").runs) == (~held).sum()


@pytest.mark.full
def test_a_split_that_holds_nothing_out(jscale, table):
    split = table["split"].replace({"holdout": "test", "fit": "train"})
    table.assign(split=split).to_csv("runs.csv", index=False)
    code, out, err = jscale("fit", "runs.csv", *FAST)
    assert code == 0
    assert told(err) == (
        "warning: The column 'split' has the values 'train', 'test', but none of them marks rows "
        "as held out: all rows are fitted. Write 'holdout' in the rows to hold out."
    )
    assert "42 rows" in out
    table.assign(split="train").to_csv("runs.csv", index=False)
    assert jscale("fit", "runs.csv", *FAST, "--force")[2] == ""


@pytest.mark.full
def test_a_doubt_about_the_table_is_told_once_and_in_words_of_the_command_line(jscale, table):
    doubtful = table.assign(C=table["C"] / 3).drop(columns="split")
    doubtful.to_csv("runs.csv", index=False)
    _, out, err = jscale("fit", "runs.csv", *FAST)
    assert "warning: C is not near 6*N*D" in told(err)
    assert told(err).endswith("to use 6*N*D instead, delete the column C.")
    assert "flops-mismatch" not in out
    _, out, _ = jscale("show", "fit.json")
    assert "caution: flops-mismatch. C is not near 6*N*D" in told(out)
    assert "to use 6*N*D instead, delete the column C." in told(out)


def test_a_missing_column_is_named_in_words_of_the_command_line(jscale, table):
    table.drop(columns=["N", "C"]).assign(params_m=1.0).to_csv("runs.csv", index=False)
    code, _, err = jscale("fit", "runs.csv")
    assert code == 2
    wrong = "no column for 'N' (model parameters). Did you mean 'params_m'? Its columns are: "
    assert wrong in told(err)
    assert told(err).endswith("Say which one it is: --column N=<column>.")


def test_several_columns_that_could_be_meant(jscale, table):
    frame = table.drop(columns=["N", "C"]).assign(params=table["N"], n_params=table["N"])
    frame.to_csv("runs.csv", index=False)
    _, _, err = jscale("fit", "runs.csv")
    assert told(err).endswith("Name one: --column N=params.")


@pytest.mark.full
def test_a_saved_forecast_is_no_fit(jscale, tmp_path):
    table = js.datasets.load("stdlib_lm").head(12)
    path = js.save(js.forecast(table), tmp_path / "forecast.json")
    code, _, err = jscale("show", str(path))
    assert code == 2
    assert "holds a forecast; this command takes a fit" in told(err)
