"""Priors: what roles say in the law's own units, overrides, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.uncertainty.bayes.posterior import posterior, prior
from jscale.uncertainty.bayes.prior_summary import prior_summary


def test_an_override_by_name(fit: js.Fit) -> None:
    given = {"E": ("lognormal", 0.5, 0.5), "noise_scale": ("lognormal", -6.0, 1.0)}
    table = prior_summary(fit, priors=given)
    assert table.loc["E", "distribution"] == "lognormal(0.5, 0.5)"
    assert table.loc["noise_scale", "50%"] == pytest.approx(np.exp(-6), rel=0.05)


@pytest.mark.full
def test_an_override_by_a_distribution_is_of_the_own_value(fit: js.Fit) -> None:
    from numpyro import distributions as dist

    with float64_scope():
        given = {"A": dist.LogNormal(6.0, 0.2), "E": dist.Uniform(1.0, 2.0)}
    table = prior_summary(fit, priors=given)
    assert table.loc["A", "units"] == "its own value"
    assert table.loc["A", "50%"] == pytest.approx(np.exp(6.0), rel=0.02)
    assert table.loc["E", "distribution"] == "Uniform(low=1, high=2)"
    assert table.loc["E", "5%"] == pytest.approx(1.05, abs=0.01)
    post = posterior(fit, priors=given, seed=1)
    assert 1.0 < float(post["E"].min()) < float(post["E"].max()) < 2.0


@pytest.mark.full
def test_prior_draws_follow_an_own_distribution(fit: js.Fit) -> None:
    from numpyro import distributions as dist

    with float64_scope():
        given = {"A": dist.LogNormal(6.0, 0.2), "alpha": dist.Beta(3.0, 6.0)}
    drawn = prior(fit, priors=given, draws=4000)
    assert float(np.log(drawn["A"]).mean()) == pytest.approx(6.0, abs=0.02)
    assert float(drawn["alpha"].mean()) == pytest.approx(1 / 3, abs=0.02)


@pytest.mark.parametrize(
    ("priors", "message"),
    [
        ({"alfa": ("lognormal", 0, 1)},
         r"no parameter 'alfa'\. Did you mean 'alpha'\? Priors can be given for E, A, alpha"),
        ({"X": ("lognormal", 0, 1)}, r"no parameter 'X'\. Priors can be given for E, A, alpha"),
        ({"E": ("normal", 1.7, 0.1)}, "'normal', but E is positive: its prior by name is 'lognorm"),
        ({"E": ("lognormal", 0.5)}, "must be a distribution's name, a mean and a positive"),
        ({"E": ("lognormal", 0.5, -1.0)}, "must be a distribution's name, a mean and a positive"),
        ({"E": 1.7}, r"give a tuple, \(\"lognormal\", 0.5, 0.5\), or a NumPyro distribution"),
        ({"E[spread]": ("half_normal", 1.0)}, "no parameter 'E\\[spread\\]'"),
    ],
)  # fmt: skip
def test_wrong_overrides(fit: js.Fit, priors: dict[str, Any], message: str) -> None:
    with pytest.raises(js.LawError, match=message):
        prior_summary(fit, priors=priors)


@pytest.mark.parametrize("priors", ["alpha", [("alpha", ("lognormal", -1.0, 0.5))], 3])
def test_overrides_are_a_mapping(fit: js.Fit, priors: Any) -> None:
    wrong = r'must be a mapping by parameter: priors=\{"alpha": \("lognormal", -1\.0, 0\.5\)\}\.'
    for call in (prior_summary, posterior, prior):
        with pytest.raises(js.LawError, match=wrong):
            call(fit, priors=priors)


def test_overrides_of_what_has_no_prior(fit: js.Fit) -> None:
    chosen = js.fit("chinchilla", fit.runs, fixed={"E": 1.69}, tie=("alpha", "beta"))
    with pytest.raises(js.LawError, match="E is fixed, and a fixed parameter has no prior"):
        prior_summary(chosen, priors={"E": ("lognormal", 0.5, 0.5)})
    with pytest.raises(js.LawError, match="beta is tied to alpha: give that one's prior"):
        prior_summary(chosen, priors={"beta": ("lognormal", 0.5, 0.5)})


def test_distributions_that_do_not_suit(fit: js.Fit) -> None:
    from numpyro import distributions as dist

    with pytest.raises(js.LawError, match=r"draws values such as -.*but E is positive"):
        prior_summary(fit, priors={"E": dist.Normal(0.0, 1.0)})
    with pytest.raises(js.LawError, match=r"has shape \(2,\); give one over a number"):
        prior_summary(fit, priors={"E": dist.LogNormal(np.zeros(2), 1.0)})
    with pytest.raises(js.LawError, match=r"priors\['E'\] has no mass at the data: the fit puts E"):
        posterior(fit, priors={"E": dist.Uniform(3.0, 4.0)})
