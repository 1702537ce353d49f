"""Plots in a notebook: a cell that returns one shows it once, even before pyplot is used."""

from __future__ import annotations

import pytest

# Of the extra "dev" alone; ipykernel is what runs the notebook.
nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

_MAKE = """
import jscale as js
from jscale.plots import overview, pairs, residuals, trace
runs = js.simulate(
    "power_const", {"E": 1.7, "A": 30.0, "alpha": 0.1}, {"C": [1e17, 1e18, 1e19, 1e20, 1e21, 1e22]},
    noise=0.01,
)
draws = js.laplace(js.fit("power_const", runs, starts=8), 100)
"""


@pytest.mark.full
@pytest.mark.filterwarnings("ignore")
def test_figures_show_once(monkeypatch):
    monkeypatch.delenv("MPLBACKEND", raising=False)
    shows = {
        "overview(draws.fit, draws)": 1,
        "figure = pairs(draws)": 0,
        "figure": 1,
        "trace(draws)": 1,
        "residuals(draws.fit)": 1,
    }
    cells = [nbformat.v4.new_code_cell(source) for source in [_MAKE, *shows]]
    executed = nbclient.NotebookClient(nbformat.v4.new_notebook(cells=cells), timeout=120).execute()
    shown = [
        sum("image/png" in output.get("data", {}) for output in cell["outputs"])
        for cell in executed["cells"][1:]
    ]
    assert shown == list(shows.values())
