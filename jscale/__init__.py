"""jscale: scaling laws, fitted, with honest uncertainty, turned into decisions."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from jscale import laws
from jscale._moved import missing_from
from jscale.data import datasets, schedules
from jscale.data.runs import Runs
from jscale.data.schedule import Schedule
from jscale.errors import (
    DataError,
    DatasetError,
    DataWarning,
    ExtrapolationWarning,
    FileError,
    FitError,
    FitWarning,
    JscaleError,
    JscaleWarning,
    LawError,
    NotDifferentiable,
    PredictionError,
)
from jscale.fitting import draw_methods as methods
from jscale.fitting import objective as objectives
from jscale.fitting.batch import fit_many
from jscale.fitting.draw_methods import register_method
from jscale.fitting.fit import fit
from jscale.fitting.implicit import differentiable
from jscale.fitting.influence import Influence, influence
from jscale.fitting.objective import (
    Objective,
    asymmetric,
    huber,
    least_absolute,
    least_squares,
    pseudo_huber,
    register_objective,
    student_t,
)
from jscale.fitting.result import Fit
from jscale.fitting.sensitivity import Sensitivity, sensitivity
from jscale.fitting.solver.compilation import enable_compilation_cache
from jscale.fitting.table import FitTable
from jscale.model.declare import law
from jscale.model.functions import power
from jscale.model.law import Law
from jscale.model.roles import (
    Exponent,
    Floor,
    Fraction,
    Location,
    LogScale,
    Positive,
    Real,
    Scale,
    Slope,
)
from jscale.uncertainty.automatic import draws
from jscale.uncertainty.bayes.posterior import Posterior, posterior, prior
from jscale.uncertainty.bayes.prior_summary import prior_summary
from jscale.uncertainty.bootstrap import bootstrap
from jscale.uncertainty.chain.chain import chain
from jscale.uncertainty.draws import Draws
from jscale.uncertainty.jackknife import jackknife
from jscale.uncertainty.laplace import laplace
from jscale.uncertainty.noise.model import NoiseModel, noise_model
from jscale.uncertainty.profile import Profile, profile

if TYPE_CHECKING:
    from jscale import plots
    from jscale.comparison import splits
    from jscale.comparison.compare import compare, rollout
    from jscale.comparison.comparison import Comparison
    from jscale.comparison.information import information
    from jscale.comparison.splits import largest
    from jscale.curves.best_schedule import BestSchedule, best_schedule
    from jscale.curves.frontier import Frontier, frontier
    from jscale.curves.isoflop import IsoFlop, isoflop
    from jscale.curves.optima import optima
    from jscale.curves.whole import predict_curve
    from jscale.data.checkpoints import checkpoints
    from jscale.data.curves import Curves
    from jscale.discrepancy.prior import ForecastPrior
    from jscale.io.files import load, save
    from jscale.laws.annealing import multi_power
    from jscale.laws.compound import compound_scaling
    from jscale.laws.continual import feasible_ratio
    from jscale.laws.languages import best_language_shares
    from jscale.laws.transfer import (
        learning_rate_sensitivity,
        transfer_learning_rate,
        transfer_width,
    )
    from jscale.planning import costs
    from jscale.planning.allocate import allocate
    from jscale.planning.crossover import Crossover, crossover, equivalent
    from jscale.planning.mixture import BestMixture, best_mixture
    from jscale.planning.plan import Plan
    from jscale.planning.required import Required, required
    from jscale.prediction.derive import Derived, derive
    from jscale.prediction.digits import digits_needed
    from jscale.prediction.forecast import Forecast, forecast
    from jscale.prediction.forecast_many import forecast_many
    from jscale.prediction.forecast_table import ForecastTable
    from jscale.prediction.learn_prior import learn_prior
    from jscale.prediction.predict import predict
    from jscale.prediction.prediction import Prediction
    from jscale.prediction.regimes import Regime, regime
    from jscale.reporting.page import Report, report
    from jscale.simulation import designs
    from jscale.simulation.noise import Noise
    from jscale.simulation.simulate import oracle, simulate

__version__ = "0.1.0"

# Where the names are that a first fit does not need: imported when they are first used.
_LATER = {
    "BestMixture": "jscale.planning.mixture:BestMixture",
    "BestSchedule": "jscale.curves.best_schedule:BestSchedule",
    "Comparison": "jscale.comparison.comparison:Comparison",
    "Crossover": "jscale.planning.crossover:Crossover",
    "Curves": "jscale.data.curves:Curves",
    "Derived": "jscale.prediction.derive:Derived",
    "Forecast": "jscale.prediction.forecast:Forecast",
    "ForecastPrior": "jscale.discrepancy.prior:ForecastPrior",
    "ForecastTable": "jscale.prediction.forecast_table:ForecastTable",
    "Frontier": "jscale.curves.frontier:Frontier",
    "IsoFlop": "jscale.curves.isoflop:IsoFlop",
    "Noise": "jscale.simulation.noise:Noise",
    "Plan": "jscale.planning.plan:Plan",
    "Prediction": "jscale.prediction.prediction:Prediction",
    "Regime": "jscale.prediction.regimes:Regime",
    "Report": "jscale.reporting.page:Report",
    "Required": "jscale.planning.required:Required",
    "allocate": "jscale.planning.allocate:allocate",
    "best_language_shares": "jscale.laws.languages:best_language_shares",
    "best_mixture": "jscale.planning.mixture:best_mixture",
    "best_schedule": "jscale.curves.best_schedule:best_schedule",
    "checkpoints": "jscale.data.checkpoints:checkpoints",
    "compare": "jscale.comparison.compare:compare",
    "compound_scaling": "jscale.laws.compound:compound_scaling",
    "costs": "jscale.planning.costs",
    "crossover": "jscale.planning.crossover:crossover",
    "derive": "jscale.prediction.derive:derive",
    "designs": "jscale.simulation.designs",
    "digits_needed": "jscale.prediction.digits:digits_needed",
    "equivalent": "jscale.planning.crossover:equivalent",
    "feasible_ratio": "jscale.laws.continual:feasible_ratio",
    "forecast": "jscale.prediction.forecast:forecast",
    "forecast_many": "jscale.prediction.forecast_many:forecast_many",
    "frontier": "jscale.curves.frontier:frontier",
    "information": "jscale.comparison.information:information",
    "isoflop": "jscale.curves.isoflop:isoflop",
    "largest": "jscale.comparison.splits:largest",
    "learn_prior": "jscale.prediction.learn_prior:learn_prior",
    "learning_rate_sensitivity": "jscale.laws.transfer:learning_rate_sensitivity",
    "load": "jscale.io.files:load",
    "multi_power": "jscale.laws.annealing:multi_power",
    "optima": "jscale.curves.optima:optima",
    "oracle": "jscale.simulation.simulate:oracle",
    "plots": "jscale.plots",
    "predict": "jscale.prediction.predict:predict",
    "predict_curve": "jscale.curves.whole:predict_curve",
    "regime": "jscale.prediction.regimes:regime",
    "report": "jscale.reporting.page:report",
    "required": "jscale.planning.required:required",
    "rollout": "jscale.comparison.compare:rollout",
    "save": "jscale.io.files:save",
    "simulate": "jscale.simulation.simulate:simulate",
    "splits": "jscale.comparison.splits",
    "transfer_learning_rate": "jscale.laws.transfer:transfer_learning_rate",
    "transfer_width": "jscale.laws.transfer:transfer_width",
}

if not TYPE_CHECKING:  # to a type checker a missing name stays a missing name
    _missing = missing_from(__name__)

    def __getattr__(name: str) -> Any:
        if name not in _LATER:
            return _missing(name)
        module, _, attribute = _LATER[name].partition(":")
        loaded = import_module(module)
        value = getattr(loaded, attribute) if attribute else loaded
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})


__all__ = [
    "BestMixture",
    "BestSchedule",
    "Comparison",
    "Crossover",
    "Curves",
    "DataError",
    "DataWarning",
    "DatasetError",
    "Derived",
    "Draws",
    "Exponent",
    "ExtrapolationWarning",
    "FileError",
    "Fit",
    "FitError",
    "FitTable",
    "FitWarning",
    "Floor",
    "Forecast",
    "ForecastPrior",
    "ForecastTable",
    "Fraction",
    "Frontier",
    "Influence",
    "IsoFlop",
    "JscaleError",
    "JscaleWarning",
    "Law",
    "LawError",
    "Location",
    "LogScale",
    "Noise",
    "NoiseModel",
    "NotDifferentiable",
    "Objective",
    "Plan",
    "Positive",
    "Posterior",
    "Prediction",
    "PredictionError",
    "Profile",
    "Real",
    "Regime",
    "Report",
    "Required",
    "Runs",
    "Scale",
    "Schedule",
    "Sensitivity",
    "Slope",
    "allocate",
    "asymmetric",
    "best_language_shares",
    "best_mixture",
    "best_schedule",
    "bootstrap",
    "chain",
    "checkpoints",
    "compare",
    "compound_scaling",
    "costs",
    "crossover",
    "datasets",
    "derive",
    "designs",
    "differentiable",
    "digits_needed",
    "draws",
    "enable_compilation_cache",
    "equivalent",
    "feasible_ratio",
    "fit",
    "fit_many",
    "forecast",
    "forecast_many",
    "frontier",
    "huber",
    "influence",
    "information",
    "isoflop",
    "jackknife",
    "laplace",
    "largest",
    "law",
    "laws",
    "learn_prior",
    "learning_rate_sensitivity",
    "least_absolute",
    "least_squares",
    "load",
    "methods",
    "multi_power",
    "noise_model",
    "objectives",
    "optima",
    "oracle",
    "plots",
    "posterior",
    "power",
    "predict",
    "predict_curve",
    "prior",
    "prior_summary",
    "profile",
    "pseudo_huber",
    "regime",
    "register_method",
    "register_objective",
    "report",
    "required",
    "rollout",
    "save",
    "schedules",
    "sensitivity",
    "simulate",
    "splits",
    "student_t",
    "transfer_learning_rate",
    "transfer_width",
]
