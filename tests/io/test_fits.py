"""Saved fits: every number exact, no partial files, and laws found again or refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.data.files import write_whole
from jscale.simulation.worlds import CHINCHILLA, WORLDS, grid
from tests.io.comparing import assert_same_fit
from tests.worlds import DESIGN, TRUTH

pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")


def table(rows: int = 42) -> pd.DataFrame:
    """Runs with further columns of every kind, text for row labels, one row to be dropped."""
    design = grid(np.geomspace(1e8, 1e10, 6), np.geomspace(2e9, 2e11, 7))
    frame = js.simulate("chinchilla", CHINCHILLA, design, noise=0.005, seed=3).frame.head(rows)
    frame = frame.set_axis([f"run{i}" for i in range(rows)]).rename_axis("name")
    odd = np.arange(rows) % 2 == 1
    frame = frame.assign(
        family=np.where(odd, "gpt", "llama"),
        steps=np.arange(rows) * 1000,
        tuned=odd,
        lr=np.where(odd, np.nan, 0.1 + 0.2),
        small=np.float32(0.1),
        day=pd.Timestamp("2026-03-01"),
        w=np.linspace(0.1, 1.0, rows),
        infinite=np.inf,
    )
    frame["note"] = pd.Series([None, "a", np.nan, 3, True][:5] * 9, dtype=object)[:rows].to_numpy()
    frame["maybe"] = pd.array([None, 7, 2**60] * 14, dtype="Int64")[:rows]
    frame.loc["run5", "loss"] = np.nan
    return frame


@pytest.fixture(scope="module")
def rich() -> js.Fit:
    """A fit with everything: groups, weights, dropped rows, doubts, a fixed parameter, a tie."""
    runs = js.Runs.from_frame(
        table(), group="family", weight="w", count="total", invalid="drop", source="made up"
    )
    return js.fit(
        "chinchilla",
        runs,
        per={"E": "family"},
        fixed={"B": 410.7},
        tie=("alpha", "beta"),
        start={"A": (100.0, 1000.0)},
        starts=16,
        seed=3,
    )


@pytest.fixture(scope="module")
def plain() -> js.Fit:
    frame = table().dropna(subset="loss")
    return js.fit("chinchilla", frame, weights=frame["w"], objective=js.pseudo_huber(0.01))


@pytest.fixture(scope="module")
def bent() -> js.Fit:
    planted, design = WORLDS["broken:2"]
    return js.fit("broken:2", js.simulate("broken:2", planted, design, noise=0.01), starts=16)


# ── There and back ───────────────────────────────────────────────────────────────────────────


@pytest.mark.full
@pytest.mark.parametrize("name", ["rich", "plain", "bent"])
def test_round_trip_is_exact(name, request, tmp_path):
    fit = request.getfixturevalue(name)
    assert_same_fit(fit, js.load(js.save(fit, tmp_path / "fit.json")))


def test_the_rich_fit_is_rich(rich):
    assert len(rich.runs.dropped) == 1
    assert [d.code for d in rich.runs.doubts] == ["rows-dropped"]
    assert rich.settings.tie == ("alpha", "beta")
    assert {"E[gpt]", "E[llama]"} <= set(rich.params.index)


def test_dates_become_text(rich, tmp_path):
    loaded = js.load(js.save(rich, tmp_path / "fit.json"))
    assert loaded.runs.frame["day"].tolist() == ["2026-03-01 00:00:00"] * 41


def test_types_of_columns_stay(rich, tmp_path):
    types = js.load(js.save(rich, tmp_path / "fit.json")).runs.frame.dtypes.map(str)
    kept = ["steps", "tuned", "lr", "small", "maybe", "note"]
    assert types[kept].tolist() == ["int64", "bool", "float64", "float32", "Int64", "object"]


@pytest.mark.full
def test_pairs_of_ties(tmp_path):
    pairs = [("alpha", "beta"), ("A", "B")]
    fit = js.fit("chinchilla", table().dropna(subset="loss"), tie=pairs, starts=8)
    loaded = js.load(js.save(fit, tmp_path / "fit.json"))
    assert loaded.settings.tie == tuple(pairs)
    assert loaded.problem.layout == fit.problem.layout


def test_row_labels_of_two_levels(tmp_path):
    frame = table().dropna(subset="loss").set_index(["family", "steps"])
    fit = js.fit("chinchilla", frame, starts=8)
    loaded = js.load(js.save(fit, tmp_path / "fit.json"))
    pd.testing.assert_index_equal(loaded.runs.frame.index, fit.runs.frame.index)


@pytest.mark.full
@pytest.mark.parametrize("name", ["rich", "bent"])
def test_a_loaded_fit_predicts_and_resamples_the_same_bits(name, request, tmp_path):
    fit = request.getfixturevalue(name)
    loaded = js.load(js.save(fit, tmp_path / "fit.json"))
    draws, again = (js.bootstrap(f, 40, seed=2) for f in (fit, loaded))
    assert draws.values.tobytes() == again.values.tobytes()
    first, second = (js.predict(d, d.fit.runs).frame for d in (draws, again))
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_a_loaded_fit_fits_the_same_again(rich, tmp_path):
    loaded = js.load(js.save(rich, tmp_path / "fit.json"))
    s = loaded.settings
    again = js.fit(
        loaded.law,
        loaded.runs,
        objective=s.objective,
        weights=s.weights,
        fixed=s.fixed,
        tie=s.tie,
        per=s.per,
        starts=int(s.starts),
        seed=s.seed,
    )
    pd.testing.assert_frame_equal(again.search, rich.search, check_exact=True)


# ── The file ─────────────────────────────────────────────────────────────────────────────────


def no_constant(text: str) -> None:
    raise AssertionError(f"{text} is not JSON")


def test_the_file_is_standard_json(plain, tmp_path):
    odd = replace(plain, condition=np.inf, stderr=plain.stderr * np.nan, objective=-np.inf)
    path = js.save(odd, tmp_path / "fit.json")
    document = json.loads(path.read_text(), parse_constant=no_constant)
    assert document["condition"] == {"float": "inf"}
    loaded = js.load(path)
    assert (loaded.condition, loaded.objective) == (np.inf, -np.inf)
    assert loaded.stderr.isna().all()


@pytest.mark.full
def test_an_existing_file_is_kept(plain, bent, tmp_path):
    path = js.save(plain, tmp_path / "fit.json")
    before = path.read_bytes()
    with pytest.raises(js.FileError, match=r"fit\.json' exists already.*overwrite=True in Python"):
        js.save(bent, path)
    assert path.read_bytes() == before
    js.save(bent, path, overwrite=True)
    assert js.load(path).law.name == "broken:2"


def test_a_crash_leaves_nothing_behind(tmp_path):
    def crash(file) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "new.json", crash, overwrite=False)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_error_and_the_old_file_stays(tmp_path):
    path = tmp_path / "old.json"
    path.write_text("old")

    def full(file) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(js.FileError, match=r"old\.json' cannot be written: No space left on devi"):
        write_whole(path, full, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["old.json"]
    assert path.read_text() == "old"


def test_saved_files_have_ordinary_permissions(plain, tmp_path):
    ordinary = tmp_path / "ordinary"
    ordinary.touch()
    path = js.save(plain, tmp_path / "fit.json")
    assert path.stat().st_mode == ordinary.stat().st_mode


def test_a_missing_folder(plain, tmp_path):
    with pytest.raises(
        js.FileError, match=r"The folder '.*nowhere' does not exist; create it first"
    ):
        js.save(plain, tmp_path / "nowhere" / "fit.json")


def test_a_folder_is_no_file(plain, tmp_path):
    with pytest.raises(js.FileError, match="is a folder; give a file name"):
        js.save(plain, tmp_path, overwrite=True)
    with pytest.raises(js.FileError, match=r"cannot be read: Is a directory"):
        js.load(tmp_path)


def test_a_missing_file(tmp_path):
    with pytest.raises(js.FileError, match=r"none\.json' cannot be read: No such file"):
        js.load(tmp_path / "none.json")


def test_only_fits_are_saved(tmp_path):
    with pytest.raises(
        js.FileError,
        match=r"save takes a Fit or a Forecast, not dict\. .*result\.to_frame\(\)\.to_csv",
    ):
        js.save({}, tmp_path / "fit.json")  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "loss,N\n1,2\n", "{"])
def test_a_file_that_is_no_json(text, tmp_path):
    path = tmp_path / "fit.json"
    path.write_text(text)
    with pytest.raises(js.FileError, match=r"fit\.json' is not JSON .*; give a file of js\.save"):
        js.load(path)


@pytest.mark.parametrize("text", ["[]", "3", "null", '{"format": "other"}', "{}"])
def test_json_that_is_no_saved_fit(text, tmp_path):
    path = tmp_path / "fit.json"
    path.write_text(text)
    with pytest.raises(
        js.FileError, match=r"is not a saved fit; make one with js\.save\(fit, path"
    ):
        js.load(path)


def edited(fit: js.Fit, path: Path, **changes: object) -> Path:
    document = json.loads(js.save(fit, path).read_text())
    path.write_text(json.dumps({**document, **changes}))
    return path


@pytest.mark.parametrize("version", [2, None, "1"])
def test_a_file_of_another_version(plain, tmp_path, version):
    path = edited(plain, tmp_path / "fit.json", version=version)
    wrong = (
        rf"another version of jscale \(format {version}; this one reads 1\): pip install --upgrade"
    )
    with pytest.raises(js.FileError, match=wrong):
        js.load(path)


@pytest.mark.parametrize("change", [{"law": {}}, {"runs": 3}, {"notes": [1]}, {"search": {"a": 1}}])
def test_a_damaged_file(plain, tmp_path, change):
    path = edited(plain, tmp_path / "fit.json", **change)
    with pytest.raises(
        js.FileError, match=r"is a damaged saved fit: .* again: js\.save\(fit, path"
    ):
        js.load(path)


@pytest.mark.parametrize(
    ("name", "cut", "says"),
    [
        ("theta", lambda v: v[:-1], r"theta has shape \(4,\) instead of \(5,\)"),
        ("fitted", lambda v: v[:-1], r"fitted has shape \(40,\) instead of \(41,\)"),
        ("residuals", lambda v: [*v, 0.0], r"residuals has shape \(42,\) instead of \(41,\)"),
        (
            "theta_covariance",
            lambda v: [r[:-1] for r in v[:-1]],
            r"theta_covariance has shape \(4, 4\) instead of \(5, 5\)",
        ),
        ("params", lambda v: {**v, "A": v["A"] * (1 + 1e-8)}, r"params and theta disagree on A"),
        ("theta", lambda v: [v[0] + 1e-8, *v[1:]], r"params and theta disagree on E"),
    ],
)
def test_numbers_that_disagree(plain, tmp_path, name, cut, says):
    path = js.save(plain, tmp_path / "fit.json")
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, name: cut(document[name])}))
    with pytest.raises(js.FileError, match=rf"damaged saved fit: {says}\. Save it again: js\.save"):
        js.load(path)


def test_given_starts_come_back_as_they_were(tmp_path):
    """Also those of a parameter with one per group."""
    runs = js.simulate("chinchilla", TRUTH, DESIGN, noise=0.01)
    frame = runs.frame.assign(family=np.where(np.arange(len(runs)) % 2, "a", "b"))
    starts = [{**TRUTH, "E": [1.6, 1.8]}, {**TRUTH, "E": 1.7}]
    fit = js.fit("chinchilla", frame, per={"E": "family"}, starts=starts)
    again = js.load(js.save(fit, tmp_path / "fit.json"))
    assert (
        again.settings.starts
        == fit.settings.starts
        == tuple(
            {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()} for row in starts
        )
    )
