"""The fit that describes a forecast's law: it checks inputs and holds the runs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jscale._precision import float64_scope
from jscale.data.runs import Runs
from jscale.discrepancy.experts import Solved
from jscale.fitting.diagnostics import flat_names, linearise, of_parameters
from jscale.fitting.objective import huber
from jscale.fitting.provenance import provenance
from jscale.fitting.result import Fit
from jscale.fitting.settings import Settings
from jscale.prediction.named_law import LawMember


def reference_of(member: LawMember, solved: Solved, runs: Runs) -> Fit:
    """Return a law at the parameters of its expert with the most weight, described as a Fit.

    Its errors are those within that expert; a forecast's intervals do not use them.
    """
    place = np.unravel_index(int(np.argmax(solved.log_weights)), solved.log_weights.shape)
    theta, covariance = solved.lanes.theta[place], solved.lanes.inverse[place]
    problem = member.problem
    with float64_scope():
        optimum = linearise(problem, theta)
        natural = of_parameters(covariance, optimum.slope)
        names = list(flat_names(problem.layout))
        settings = Settings(huber(), dict(problem.data.fixed), (), {}, None, "auto", 0)
        return Fit(
            member.law,
            runs,
            settings,
            pd.Series(optimum.natural, names, name="estimate"),
            pd.Series(np.sqrt(np.diag(natural)), names, name="error"),
            pd.DataFrame(natural, names, names),
            pd.DataFrame({"estimate": [], "error": []}),
            float("nan"),
            optimum.predicted,
            optimum.residual,
            theta,
            covariance,
            (1, 1),
            pd.DataFrame({"objective": []}),
            float("nan"),
            (),
            provenance(),
            problem,
        )
