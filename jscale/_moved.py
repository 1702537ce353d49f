"""Where modules went that have moved: an old name raises an error that says its new place.

Kept for one release after a move. Nothing is imported, and the table is read only when an
attribute is missing. ``import jscale.catalogue`` is beyond it, since Python asks the file system
first; ``jscale.report.plots`` too, since ``jscale.report`` is a function.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

# Old name: new name. Empty it at the release after next, when no old name is remembered.
MOVED = {
    "jscale.Ensemble": "jscale.Forecast",
    "jscale.catalogue": "jscale.laws.catalogue",
    "jscale.cli_options": "jscale.cli.options",
    "jscale.cli_planning": "jscale.cli.planning",
    "jscale.commands": "jscale.cli.fitting",
    "jscale.commands_crossover": "jscale.cli.run_crossover",
    "jscale.commands_laws": "jscale.cli.laws",
    "jscale.commands_planning": "jscale.cli.run_planning",
    "jscale.commands_report": "jscale.cli.report",
    "jscale.commands_uncertainty": "jscale.cli.uncertainty",
    "jscale.ensemble": "jscale.forecast",
    "jscale.fitting.approximation": "jscale.fitting.t_draws",
    "jscale.fitting.compilation": "jscale.fitting.solver.compilation",
    "jscale.fitting.engine": "jscale.fitting.solver.engine",
    "jscale.fitting.evaluation": "jscale.fitting.solver.evaluation",
    "jscale.fitting.gauss_newton": "jscale.fitting.solver.gauss_newton",
    "jscale.fitting.lbfgs": "jscale.fitting.solver.lbfgs",
    "jscale.fitting.local": "jscale.fitting.second_order",
    "jscale.fitting.scale": "jscale.fitting.solver.scale",
    "jscale.fitting.search": "jscale.fitting.solver.search",
    "jscale.fitting.starts": "jscale.fitting.solver.starts",
    "jscale.fitting.step": "jscale.fitting.solver.step",
    "jscale.fitting.ties": "jscale.fitting.other_optima",
    "jscale.io.load": "jscale.load",
    "jscale.io.save": "jscale.save",
    "jscale.planning_options": "jscale.cli.planning_values",
    "jscale.prediction.compare": "jscale.comparison.compare",
    "jscale.prediction.comparison": "jscale.comparison.comparison",
    "jscale.prediction.criteria": "jscale.comparison.criteria",
    "jscale.prediction.designs": "jscale.simulation.designs",
    "jscale.prediction.ensemble": "jscale.forecast",
    "jscale.prediction.far": "jscale.prediction.extrapolation",
    "jscale.prediction.information": "jscale.comparison.information",
    "jscale.prediction.mixture": "jscale.planning.mixture",
    "jscale.prediction.rehearsal": "jscale.comparison.contenders",
    "jscale.prediction.scatter": "jscale.simulation.noise",
    "jscale.prediction.simplex": "jscale.planning.simplex",
    "jscale.prediction.simulate": "jscale.simulation.simulate",
    "jscale.prediction.splits": "jscale.comparison.splits",
    "jscale.prediction.stacking": "jscale.comparison.stacking",
    "jscale.prediction.targets": "jscale.planning.targets",
    "jscale.prediction.trials": "jscale.comparison.split_fits",
    "jscale.uncertainty.chain_fit": "jscale.uncertainty.chain.described",
    "jscale.uncertainty.chain_joint": "jscale.uncertainty.chain.joint",
    "jscale.uncertainty.chain_stages": "jscale.uncertainty.chain.stages",
    "jscale.uncertainty.chain_table": "jscale.uncertainty.chain.table",
    "jscale.uncertainty.chains": "jscale.uncertainty.chain.chain",
    "jscale.uncertainty.held": "jscale.uncertainty.constrained",
    "jscale.uncertainty.importance": "jscale.uncertainty.bayes.importance",
    "jscale.uncertainty.joint": "jscale.uncertainty.bayes.density",
    "jscale.uncertainty.likelihoods": "jscale.uncertainty.bayes.likelihoods",
    "jscale.uncertainty.modes": "jscale.uncertainty.bayes.modes",
    "jscale.uncertainty.noise.NoiseModel": "jscale.NoiseModel",
    "jscale.uncertainty.noise.noise_model": "jscale.noise_model",
    "jscale.uncertainty.nuts": "jscale.uncertainty.bayes.nuts",
    "jscale.uncertainty.pooling": "jscale.uncertainty.bayes.pooling",
    "jscale.uncertainty.posterior": "jscale.uncertainty.bayes.posterior",
    "jscale.uncertainty.prior_table": "jscale.uncertainty.bayes.prior_summary",
    "jscale.uncertainty.priors": "jscale.uncertainty.bayes.priors",
    "jscale.uncertainty.sampled": "jscale.uncertainty.bayes.result",
    "jscale.uncertainty.student": "jscale.uncertainty.noise.errors",
    "jscale.uncertainty.trend": "jscale.uncertainty.noise.trend",
    "jscale.uncertainty.verdicts": "jscale.uncertainty.bayes.notes",
}


def missing_from(module: str) -> Callable[[str], NoReturn]:
    """Return the ``__getattr__`` of a module, which names the new place of what has moved.

    Raises
    ------
    AttributeError
        By the returned function, for every name.

    Examples
    --------
    >>> missing_from("jscale")("catalogue")
    Traceback (most recent call last):
    AttributeError: jscale.catalogue has moved: it is jscale.laws.catalogue now.
    """

    def missing(name: str) -> NoReturn:
        old = f"{module}.{name}"
        message = f"module {module!r} has no attribute {name!r}"
        if old in MOVED:
            message = f"{old} has moved: it is {MOVED[old]} now."
        # Told which module it was, Python suggests names that resemble a mistyped one.
        raise AttributeError(message, name=name, obj=sys.modules.get(module))

    return missing
