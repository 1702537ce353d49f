"""jscale bootstrap and posterior: what they print, write, and refuse."""

from __future__ import annotations

import json
import os
import re

import pytest

import jscale as js
from tests.cli.running import told


@pytest.fixture
def saved(saved: dict[str, str]) -> str:
    return saved["plain"]


# ── bootstrap ────────────────────────────────────────────────────────────────────────────────


def test_bootstrap_prints_the_summary(jscale, saved):
    code, out, _ = jscale("bootstrap", saved, "--resamples", "60", "--level", "0.8")
    assert code == 0
    assert out.startswith("chinchilla: bootstrap (pairs), 60 draws")
    lines = out.splitlines()
    assert lines[1].split() == ["parameter", "estimate", "sd", "low_80%", "high_80%"]
    assert [line.split()[0] for line in lines[2:7]] == ["E", "A", "alpha", "B", "beta"]


@pytest.mark.full
def test_bootstrap_as_json_is_that_of_python(jscale, saved):
    code, out, _ = jscale(
        "bootstrap", saved, "--resamples", "60", "--kind", "residual", "--seed", "3", "--json"
    )
    assert code == 0
    document = json.loads(out)
    draws = js.bootstrap(js.load(saved), 60, kind="residual", seed=3)
    assert document["summary"] == draws.summary().reset_index().to_dict("records")
    assert (document["draws"], document["method"]) == (60, "bootstrap (residual)")
    assert document["settings"]["seed"] == 3
    assert document["failed"] == 0


def test_bootstrap_of_clusters(jscale, saved):
    code, out, _ = jscale("bootstrap", saved, "--resamples", "60", "--cluster", "N")
    assert code == 0
    assert "warning: " in out or "caution: " in out  # six sizes are few clusters
    code, _, err = jscale("bootstrap", saved, "--cluster", "famly")
    assert code == 2
    assert "--cluster=famly: the saved runs have no column 'famly'. Did you mean 'family'?" in told(
        err
    )


def test_draws_are_written_for_arviz(jscale, saved):
    code, out, _ = jscale("bootstrap", saved, "--resamples", "60", "-o", "draws.nc")
    assert code == 0
    assert out.endswith("Wrote draws.nc\n")
    assert os.listdir() == ["draws.nc"]
    import xarray

    with xarray.open_datatree("draws.nc", engine="h5netcdf") as tree:
        assert tree["posterior"]["alpha"].shape == (1, 60)
    code, _, err = jscale("bootstrap", saved, "--resamples", "60", "-o", "draws.nc")
    assert code == 2
    assert "'draws.nc' exists already" in told(err)
    assert jscale("bootstrap", saved, "--resamples", "60", "-o", "draws.nc", "--force")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--kind", "pears"], "kind='pears' is not known. Did you mean 'pairs'? Use pairs"),
        (["--level", "90"], "level=90.0 must lie strictly between 0 and 1"),
        (["--resamples", "1"], "Invalid value for '--resamples'"),
    ],
)
def test_bootstrap_says_what_is_wrong(jscale, saved, arguments, message):
    code, out, err = jscale("bootstrap", saved, *arguments)
    assert (code, out) == (2, "")
    assert message in told(err)


# ── posterior ────────────────────────────────────────────────────────────────────────────────

SHORT = ["--draws", "100", "--warmup", "100", "--chains", "2"]


@pytest.mark.full
def test_posterior_prints_the_summary(jscale, saved):
    code, out, _ = jscale("posterior", saved, *SHORT, "--method", "importance")
    assert code == 0
    assert out.startswith("chinchilla: posterior (importance), 200 draws")
    how = r"Sampled by importance: requested; Pareto's k -?\d\.\d\d, effective share 0\.\d\d "
    assert re.search(how, told(out))
    scale = next(line for line in out.splitlines() if "noise_scale" in line)
    assert scale.split()[-1] == "-"
    assert "nan" not in out
    assert {"E", "A", "alpha", "B", "beta", "noise_scale"} <= {
        line.split()[0] for line in out.splitlines() if line.split()
    }


@pytest.mark.full
def test_posterior_by_nuts_says_how_its_chains_agree(jscale, saved):
    code, out, _ = jscale("posterior", saved, *SHORT, "--method", "nuts")
    assert code == 0
    assert re.search(
        r"Sampled by nuts: requested; R-hat \d\.\d{3}, \d+ effective draws ", told(out)
    )


def test_the_options_of_posterior_are_of_draws(jscale):
    out = told(jscale("posterior", "--help")[1])
    assert "Draws per chain." in out
    assert "Seed of the draws." in out
    assert "DrawsFile" not in out


@pytest.mark.full
def test_posterior_as_json_is_that_of_python(jscale, saved):
    from jscale.uncertainty.bayes.posterior import posterior

    code, out, _ = jscale(
        "posterior",
        saved,
        *SHORT,
        "--method",
        "importance",
        "--likelihood",
        "normal",
        "--seed",
        "4",
        "--json",
    )
    assert code == 0
    document = json.loads(out)
    post = posterior(
        js.load(saved),
        likelihood="normal",
        method="importance",
        draws=100,
        warmup=100,
        chains=2,
        seed=4,
    )
    assert document["settings"]["likelihood"] == "normal"
    for row, (name, expected) in zip(document["summary"], post.summary().iterrows(), strict=True):
        assert row["parameter"] == name
        assert row["estimate"] == expected["estimate"]
    assert {note["code"] for note in document["notes"]} == {note.code for note in post.notes}
    assert document["checks"].keys() == post.checks.keys()


@pytest.mark.full
def test_a_posterior_that_failed_its_checks_is_not_shown_as_fine(jscale, saved, monkeypatch):
    from dataclasses import replace

    from jscale.fitting.notes import Note

    sure = js.posterior(js.load(saved), method="importance", draws=100, chains=2)
    bad = Note("not-mixed", "warning", "R-hat is 1.4.", "They disagree.", "Tie (tie=…).")
    monkeypatch.setattr(js, "posterior", lambda *_, **__: replace(sure, notes=(bad,)))
    code, out, _ = jscale("posterior", saved)
    assert code == 0
    assert "These draws failed their checks: see the warnings below." in out
    assert "warning: not-mixed. R-hat is 1.4. They disagree." in told(out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--pool", "E"], "--pool 'E' must read NAME=VALUE, such as --pool E=family"),
        (["--pool", "E=famly"], "--pool E=famly: the saved runs have no column 'famly'. Did you"),
        (["--method", "nut"], "method='nut' is not known. Did you mean 'nuts'?"),
        (["--likelihood", "gauss"], "gauss"),
        (["--draws", "2"], "Invalid value for '--draws'"),
    ],
)
def test_posterior_says_what_is_wrong(jscale, saved, arguments, message):
    code, out, err = jscale("posterior", saved, *arguments)
    assert (code, out) == (2, "")
    assert message in told(err)
