"""files: tables read exactly or refused with what to do, and files written whole."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

import jscale as js
from jscale.data.files import check_free, read_table

FRAME = pd.DataFrame({"N": [1e8, 1e9], "D": [2e9, 5e-324], "loss": [3.0000000000000004, 0.1 + 0.2]})
CSV = FRAME.to_csv(index=False)


def refuses(path: Path, wrong: str) -> None:
    with pytest.raises(js.FileError, match=wrong):
        read_table(path)


@pytest.fixture
def put(tmp_path):
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


# ── What is read ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("runs.csv", CSV),
        ("RUNS.CSV", CSV),
        ("bom.csv", "\ufeff" + CSV),
        ("windows.csv", CSV.replace("\n", "\r\n")),
        ("spaces.csv", CSV.replace("N,D,loss", "N, D ,loss")),
        ("commas_at_line_ends.csv", CSV.replace("\n", ",\n").replace("loss,", "loss")),
        ("runs.tsv", CSV.replace(",", "\t")),
        ("runs.jsonl", FRAME.to_json(orient="records", lines=True, double_precision=15)),
        ("runs.ndjson", '{"N": 1e8, "D": 2e9}\n\n{"N": 1e9, "D": 5e-324}\n'),
    ],
)
def test_text_tables(put, name, text):
    frame = read_table(put(name, text))
    pd.testing.assert_frame_equal(frame[["N", "D"]].head(1), FRAME[["N", "D"]].head(1))
    if "json" not in name:
        pd.testing.assert_frame_equal(frame, FRAME, check_exact=True)


def test_json_lines_keep_every_digit_and_text(put):
    lines = '{"run": "001", "loss": 3.0000000000000004}\n{"run": "1", "loss": 5e-324}\n'
    frame = read_table(put("bom.jsonl", "\ufeff" + lines))
    assert frame["run"].tolist() == ["001", "1"]
    assert frame["loss"].tolist() == [3.0000000000000004, 5e-324]


def test_parquet(tmp_path):
    FRAME.to_parquet(tmp_path / "runs.parquet")
    pd.testing.assert_frame_equal(read_table(tmp_path / "runs.parquet"), FRAME, check_exact=True)


def test_a_path_as_text(put):
    assert len(read_table(str(put("runs.csv", CSV)))) == 2


# ── What is refused ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["runs.xlsx", "runs", "runs.csv.gz"])
def test_unknown_type(tmp_path, name):
    refuses(tmp_path / name, r"has an unknown type .* Known: \.csv.* pass the DataFrame to jscale")


def test_missing_file(tmp_path):
    refuses(tmp_path / "none.csv", r"none\.csv' does not exist; give a file of runs \(\.csv")


def test_folder(tmp_path):
    (tmp_path / "runs.csv").mkdir()
    refuses(tmp_path / "runs.csv", r"runs\.csv' is a folder; give a file of runs \(\.csv")


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.parquet"])
def test_empty_file(put, name):
    refuses(put(name, ""), r"is empty; it needs a header line and one line per run")


@pytest.mark.parametrize(("name", "text"), [("a.csv", "N,D,loss\n"), ("a.jsonl", "\n\n")])
def test_no_rows(put, name, text):
    refuses(put(name, text), r"has no rows; it needs a header and one line per run")


def test_parquet_without_rows(tmp_path):
    FRAME.head(0).to_parquet(tmp_path / "a.parquet")
    refuses(tmp_path / "a.parquet", r"a\.parquet' has no rows")


@pytest.mark.parametrize(
    ("name", "mark", "called"),
    [
        ("a.csv", ";", "semicolon"),
        ("a.csv", "\t", "tab"),
        ("a.csv", "|", "bar"),
        ("a.tsv", ",", "comma"),
    ],
)
def test_wrong_delimiter(put, name, mark, called):
    wrong = rf"seems to be {called}-separated, not .sv\. .*read_csv\('{name}', sep="
    refuses(put(name, CSV.replace(",", mark)), wrong)


def test_decimal_commas_are_no_rows_of_fields(put):
    refuses(put("a.csv", "N;D;loss\n1,5;2,5;3,5\n"), r"'N;D;loss': it seems to be semicolon-separa")


@pytest.mark.parametrize("text", ["id,N\n0,1,2\n1,3,4\n", "N,D,loss\n1e8,2e9,3.0,2.0\n"])
def test_more_fields_than_names(put, text):
    """Values must never slip under their neighbour's name."""
    refuses(put("a.csv", text), r"more fields in its lines than its header names .*Name every colu")


def test_one_long_line(put):
    refuses(
        put("a.csv", CSV + "1,2,3,4\n"), r"could not be read as csv: .*line 4, saw 4\. Correct the"
    )


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_binary_garbage(put, name):
    refuses(put(name, bytes(range(256)) * 4), r"is not UTF-8 text \(byte \d+\)\. Save it as UTF-8")


def test_garbage_that_is_no_parquet(put):
    refuses(
        put("a.parquet", bytes(range(256))), r"could not be read as parquet: .* Correct the file"
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16(put, encoding):
    refuses(put("a.csv", CSV.encode(encoding)), r"is not UTF-8 text.* Save it as UTF-8")


@pytest.mark.parametrize(
    ("line", "wrong"),
    [('{"N": 1', r"line 2 is not JSON"), ("[1, 2]", r'line 2 is not an object like {"N": 1e9')],
)
def test_json_lines_that_are_none(put, line, wrong):
    refuses(
        put("a.jsonl", '{"N": 1}\n' + line), rf"could not be read as jsonl: {wrong}.*Correct the"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission_to_read(put):
    path = put("a.csv", CSV)
    path.chmod(0)
    refuses(path, r"a\.csv' cannot be read: Permission denied")


# ── What may be written ──────────────────────────────────────────────────────────────────────


def test_a_free_path_is_returned(tmp_path):
    assert check_free(str(tmp_path / "new.json"), overwrite=False) == tmp_path / "new.json"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(js.FileError, match=r"The folder '.*' is not writable; choose another one"):
        check_free(tmp_path / "new.json", overwrite=True)
