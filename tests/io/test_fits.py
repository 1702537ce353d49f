"""save and load: every number exact, nothing partial, and laws found again or refused."""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.data.files import write_whole
from jscale.simulation.worlds import CHINCHILLA, WORLDS, grid
from tests.worlds import DESIGN, TRUTH

MINE = """
import jscale as js

@js.law(powers=(("A", "N", "alpha"),), linear=("E", "A"))
def mine(N, *, E: js.Floor, A: js.Scale, alpha: js.Exponent):
    return E + A * js.power(N, -alpha)
"""
MINE_OTHERWISE_WRITTEN = MINE.replace("E + A * js.power(N, -alpha)", "A / js.power(N, alpha) + E")
MINE_CHANGED = MINE.replace("E + A *", "1.01 * E + A *")

pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")


def table(rows: int = 42) -> pd.DataFrame:
    """Runs with columns of every kind beside, text for row labels, one row to be dropped."""
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
        "chinchilla", runs, per={"E": "family"}, fixed={"B": 410.7}, tie=("alpha", "beta"),
        start={"A": (100.0, 1000.0)}, starts=16, seed=3,
    )  # fmt: skip


@pytest.fixture(scope="module")
def plain() -> js.Fit:
    frame = table().dropna(subset="loss")
    return js.fit("chinchilla", frame, weights=frame["w"], objective=js.pseudo_huber(0.01))


@pytest.fixture(scope="module")
def bent() -> js.Fit:
    planted, design = WORLDS["broken:2"]
    return js.fit("broken:2", js.simulate("broken:2", planted, design, noise=0.01), starts=16)


def assert_same_runs(a: js.Runs, b: js.Runs) -> None:
    texts = a.frame.columns[a.frame.dtypes.map(str).str.startswith("datetime")]
    assert b.frame[texts].map(str).equals(a.frame[texts].map(str))
    for old, new in ((a.frame, b.frame), (a.dropped, b.dropped)):
        pd.testing.assert_frame_equal(
            old.drop(columns=texts, errors="ignore"), new.drop(columns=texts, errors="ignore"),
            check_exact=True,
        )  # fmt: skip
    fields = (
        "inputs",
        "output",
        "run",
        "group",
        "weight",
        "loss_unit",
        "count",
        "doubts",
        "source",
    )
    for name in (*fields, "digest"):
        assert getattr(a, name) == getattr(b, name), name


def assert_same_fit(a: js.Fit, b: js.Fit) -> None:
    """Every number, label and setting is the same, bit for bit."""
    assert a.law == b.law
    assert_same_runs(a.runs, b.runs)
    old, new = dict(vars(a.settings)), dict(vars(b.settings))
    np.testing.assert_array_equal(old.pop("weights"), new.pop("weights"))
    assert old == new
    for name in ("params", "stderr"):
        pd.testing.assert_series_equal(getattr(a, name), getattr(b, name), check_exact=True)
    pd.testing.assert_frame_equal(a.covariance, b.covariance, check_exact=True)
    pd.testing.assert_frame_equal(a.derived, b.derived, check_exact=True, check_dtype=False)
    pd.testing.assert_frame_equal(a.search, b.search, check_exact=True, check_dtype=False)
    for name in ("fitted", "residuals", "theta", "theta_covariance"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    for name in ("objective", "agree", "condition", "notes"):
        assert getattr(a, name) == getattr(b, name), name
    assert dict(b.provenance) == {**a.provenance, "data_digest": a.runs.digest}


# ── There and back ───────────────────────────────────────────────────────────────────────────


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
        loaded.law, loaded.runs, objective=s.objective, weights=s.weights, fixed=s.fixed,
        tie=s.tie, per=s.per, starts=int(s.starts), seed=s.seed,
    )  # fmt: skip
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


def test_a_full_disk_is_told_and_the_old_file_stays(tmp_path):
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
        js.FileError, match=r"save takes a Fit, not dict\. .*result\.to_frame\(\)\.to_csv"
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
    wrong = rf"another jscale \(format {version}, this one reads 1\): pip install --upgrade"
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
        ("theta_covariance", lambda v: [r[:-1] for r in v[:-1]],
         r"theta_covariance has shape \(4, 4\) instead of \(5, 5\)"),
        ("params", lambda v: {**v, "A": v["A"] * (1 + 1e-8)}, r"params and theta disagree on A"),
        ("theta", lambda v: [v[0] + 1e-8, *v[1:]], r"params and theta disagree on E"),
    ],
)  # fmt: skip
def test_numbers_that_disagree(plain, tmp_path, name, cut, says):
    path = js.save(plain, tmp_path / "fit.json")
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, name: cut(document[name])}))
    with pytest.raises(js.FileError, match=rf"damaged saved fit: {says}\. Save it again: js\.save"):
        js.load(path)


# ── Laws of one's own ────────────────────────────────────────────────────────────────────────


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A function that writes (or rewrites) a module ``my_laws`` and imports it afresh."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(text: str) -> ModuleType:
        (tmp_path / "my_laws.py").write_text(text)
        sys.modules.pop("my_laws", None)
        importlib.invalidate_caches()
        return importlib.import_module("my_laws")

    yield write
    sys.modules.pop("my_laws", None)


def fit_of(law: js.Law) -> js.Fit:
    design = {"N": np.geomspace(1e6, 1e9, 20)}
    planted = {"E": 1.7, "A": 20.0, "alpha": 0.2}
    return js.fit(law, js.simulate(law, planted, design, noise=0.01), starts=8)


def test_a_law_of_a_module_is_found_again(module, tmp_path):
    path = js.save(fit_of(module(MINE).mine), tmp_path / "fit.json")
    saved = js.load(path)
    assert json.loads(path.read_text())["law"]["where"] == "my_laws:mine"
    assert saved.law is sys.modules["my_laws"].mine


def test_a_law_rewritten_to_the_same_is_accepted(module, tmp_path):
    fit = fit_of(module(MINE).mine)
    path = js.save(fit, tmp_path / "fit.json")
    other = module(MINE_OTHERWISE_WRITTEN).mine
    assert other.digest != fit.law.digest
    assert js.load(path).law is other


@pytest.mark.parametrize("text", [MINE_CHANGED, MINE.replace("alpha", "gamma")])
def test_a_law_that_has_changed_is_refused(module, tmp_path, text):
    path = js.save(fit_of(module(MINE).mine), tmp_path / "fit.json")
    module(text)
    wrong = (
        r"The law 'mine' is not the one that was fitted.* Give the right one: js\.load\(path, la"
    )
    with pytest.raises(js.LawError, match=wrong):
        js.load(path)


def test_a_law_that_is_gone(module, tmp_path):
    path = js.save(fit_of(module(MINE).mine), tmp_path / "fit.json")
    module("mine = 3")
    with pytest.raises(
        js.LawError, match=r"my_laws:mine is not the law 'mine'\. Give it: js\.load"
    ):
        js.load(path)
    module("")
    wrong = r"The law 'mine' \(my_laws:mine\) cannot be found: .* Give it: js\.load\(path, law=mine"
    with pytest.raises(js.LawError, match=wrong):
        js.load(path)
    assert js.load(path, law=module(MINE).mine).law.name == "mine"


def test_a_law_inside_a_function_is_given(tmp_path):
    @js.law(powers=(("A", "N", "alpha"),), linear=("A",))
    def local(N, *, A: js.Scale, alpha: js.Exponent):
        return A * js.power(N, -alpha)

    runs = js.simulate(
        local, {"A": 20.0, "alpha": 0.2}, {"N": np.geomspace(1e6, 1e9, 20)}, noise=0.01
    )
    fit = js.fit(local, runs)
    path = js.save(fit, tmp_path / "fit.json")
    with pytest.raises(
        js.LawError, match=r"<locals>\.local\) cannot be found.* js\.load\(path, law"
    ):
        js.load(path)
    assert_same_fit(fit, js.load(path, law=local))


def test_a_law_of_ones_own_with_a_registered_name(module, tmp_path):
    """Where it was defined counts before a name that another law has too."""
    text = MINE.replace("def mine", "def power_const").replace("E + A *", "2 * E + A *")
    path = js.save(fit_of(module(text).power_const), tmp_path / "fit.json")
    assert js.load(path).law is sys.modules["my_laws"].power_const


def test_a_law_along_another_axis(tmp_path):
    design = {"N": np.geomspace(1e6, 1e9, 20)}
    runs = js.simulate("power_const:N", {"E": 1.7, "A": 20, "alpha": 0.2}, design, noise=0.01)
    fit = js.fit("power_const:N", runs, starts=8)
    assert_same_fit(fit, js.load(js.save(fit, tmp_path / "fit.json")))


def test_a_law_and_its_link_are_found_by_both_names(tmp_path):
    law = js.laws.get("chinchilla").then(js.laws.get("sigmoid_link"))
    planted = {**CHINCHILLA, "floor": 0.25, "rise": 0.6, "k": 4.0, "L0": 2.5}
    design = grid(np.geomspace(1e8, 1e10, 6), np.geomspace(2e9, 2e11, 7))
    runs = js.simulate(law, planted, design, noise=0.005)
    fit = js.fit(law, runs, fixed={"E": CHINCHILLA["E"]}, starts=4)
    assert fit.params["E"] > runs["score"].max()
    assert "floor-above-data" not in [note.code for note in fit.notes]
    assert_same_fit(fit, js.load(js.save(fit, tmp_path / "fit.json")))


def test_a_link_that_is_not_registered_is_given(tmp_path):
    @js.law(output="score")
    def squash(loss, *, k: js.Positive):
        return 1 / (1 + k * loss)

    law = js.laws.get("power_const:N").then(squash)
    planted = {"E": 1.7, "A": 20.0, "alpha": 0.2, "k": 1.0}
    runs = js.simulate(law, planted, {"N": np.geomspace(1e6, 1e9, 20)}, noise=0.01)
    path = js.save(js.fit(law, runs, starts=4), tmp_path / "fit.json")
    with pytest.raises(js.LawError, match=r"then\(squash\)' .* cannot be found.*law=mine"):
        js.load(path)
    assert js.load(path, law=law).law == law


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
