"""Commands run in this process, in an empty folder, on small tables and saved fits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import jscale as js
from jscale.cli.app import main
from jscale.simulation.worlds import CHINCHILLA, compute, grid
from tests.cli.running import SLOW, STEEP


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> Path:
    """Work in an empty folder, 80 columns wide, with a cache of our own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("JSCALE_CACHE_DIR", str(cache))
    return tmp_path


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    design = grid(np.geomspace(1e8, 1e10, 6), np.geomspace(2e9, 2e11, 7))
    frame = js.simulate("chinchilla", CHINCHILLA, design, noise=0.005, seed=3).frame
    split = np.where(frame["C"] > frame["C"].quantile(0.9), "holdout", "fit")
    return frame.assign(split=split, family=np.where(np.arange(42) % 2 == 1, "gpt", "7B"))


@pytest.fixture
def runs_csv(here: Path, table: pd.DataFrame) -> str:
    table.to_csv("runs.csv", index=False)
    return "runs.csv"


class SavedFits(dict[str, str]):
    """Paths of saved fits by name, each fitted when it is first asked for."""

    def __init__(self, table: pd.DataFrame, folder: Path) -> None:
        super().__init__()
        self.table, self.folder = table, folder

    def __missing__(self, name: str) -> str:
        self[name] = str(js.save(self.fit_of(name), self.folder / f"{name}.json"))
        return self[name]

    def fit_of(self, name: str) -> js.Fit:
        """Return a fit of N and D, one with a floor per family, or one of two of C."""
        if name in ("plain", "families"):
            per = {"E": "family"} if name == "families" else None
            return js.fit("chinchilla", self.table, per=per)
        planted, seed = {"slow": (SLOW, 0), "steep": (STEEP, 1)}[name]
        runs = js.simulate("power_const", planted, compute(1e6, 1e9, 30), noise=0.001, seed=seed)
        return js.fit("power_const", runs, starts=8)


@pytest.fixture(scope="session")
def saved(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> SavedFits:
    return SavedFits(table, tmp_path_factory.mktemp("saved"))


@pytest.fixture
def jscale(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command in this process: exit code, standard output, standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(list(arguments))
        seen = capsys.readouterr()
        return code, seen.out, seen.err

    return run


@pytest.fixture
def by_laplace(jscale: Callable[..., tuple[int, str, str]]) -> Callable[..., tuple[int, str, str]]:
    """Run a command with quick draws, unless it names a method."""

    def run(command: str, *arguments: str) -> tuple[int, str, str]:
        quick = [] if "--method" in arguments else ["--method", "laplace"]
        return jscale(command, *arguments, *quick)

    return run
