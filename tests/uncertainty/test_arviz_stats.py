"""The parts of ArviZ 1, which take a DataTree: they run beside ArviZ 0.23."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale.uncertainty.arviz import to_datatree

stats = pytest.importorskip("arviz_stats")


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::jscale.JscaleWarning")
def test_summary_loo_and_compare_take_the_tree(fit: js.Fit) -> None:
    post = js.posterior(fit, method="nuts", draws=200, warmup=200, seed=1)
    tied = js.fit("chinchilla_tied", fit.runs)
    trees = {
        "free": to_datatree(post),
        "tied": to_datatree(js.posterior(tied, method="nuts", draws=200, warmup=200, seed=1)),
    }
    summary = stats.summary(trees["free"], round_to="none")
    np.testing.assert_allclose(summary.loc["alpha", "mean"], post["alpha"].mean(), rtol=1e-6)
    loo = stats.loo(trees["free"])
    table = stats.compare(trees)
    assert table.loc["free", "elpd"] == pytest.approx(loo.elpd)
    assert set(table.index) == {"free", "tied"}
