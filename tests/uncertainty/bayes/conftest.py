"""A posterior by importance sampling, a line, and a fit to several families."""

from __future__ import annotations

import pytest

import jscale as js
from jscale.uncertainty.bayes.posterior import posterior
from jscale.uncertainty.bayes.result import Posterior
from tests.uncertainty.bayes.families import world
from tests.uncertainty.bayes.small_laws import fit_of_line


@pytest.fixture(scope="session")
def by_importance(fit: js.Fit) -> Posterior:
    return posterior(fit, method="importance", seed=1)


@pytest.fixture(scope="session")
def shared() -> js.Fit:
    """A fit to all families at once."""
    return js.fit("power_const", world(0)[0])


@pytest.fixture(scope="session")
def line_fit() -> js.Fit:
    return fit_of_line()
