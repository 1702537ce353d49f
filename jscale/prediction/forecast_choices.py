"""Choices: the arguments of a forecast, checked once, and what they make of a table of runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jscale.arguments import check_choice, check_count, check_seed
from jscale.data.runs import Runs
from jscale.discrepancy.prior import ForecastPrior, as_prior
from jscale.discrepancy.response import PLAIN, RESPONSES
from jscale.model.law import Law
from jscale.prediction.forecast_members import (
    AUTO,
    choose_response,
    members_of,
    named_laws,
)
from jscale.prediction.forecast_noise import known_errors, with_known
from jscale.prediction.named_law import LawMember

DRAWS = 1000


@dataclass(frozen=True, eq=False)
class Unsolved:
    """A forecast but for its experts: the runs, and the laws with their priors."""

    runs: Runs
    laws: tuple[LawMember, ...]
    prior: ForecastPrior | None
    response: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Choices:
    """The checked arguments of a forecast; ``laws`` is None for "auto".

    ``of_losses`` says that the prior is the default one, which is for losses alone.
    """

    laws: tuple[Law, ...] | None
    prior: ForecastPrior | None
    of_losses: bool
    response: str
    draws: int
    seed: int
    known_error: str | None = None

    @classmethod
    def checked(
        cls,
        laws: Any,
        prior: Any,
        response: str,
        draws: int,
        seed: int,
        known_error: str | None = None,
    ) -> Choices:
        """Check the arguments of :func:`jscale.forecast`."""
        check_choice("response", response, (AUTO, *RESPONSES))
        count, seed = check_count("draws", draws, str(DRAWS)), check_seed(seed)
        chosen = named_laws(laws)
        return cls(
            None if chosen is None else tuple(chosen),
            as_prior(prior),
            isinstance(prior, str) and prior == "default",
            response,
            count,
            seed,
            known_error,
        )

    def of(self, runs: Runs) -> Unsolved:
        """Return the laws of a forecast of some runs; raises DataError or LawError."""
        learnt = None if self.of_losses and runs.output != "loss" else self.prior
        # A law that is named describes its own output; only "auto" chooses what it describes.
        chosen = self.laws is None or self.response != AUTO
        response = choose_response(runs, self.response) if chosen else PLAIN
        members = members_of(self.laws, runs, learnt, response)
        known = known_errors(runs, self.known_error)
        if known is not None:
            members = [with_known(law, runs, response, known) for law in members]
        settings = {
            "asked": AUTO if self.laws is None else [law.name for law in self.laws],
            "laws": [a.law.name for a in members],
            "prior": "weak" if learnt is None else learnt.digest,
            "response": response,
            "draws": self.draws,
            "seed": self.seed,
        }
        if self.known_error is not None:
            settings["known_error"] = self.known_error
        return Unsolved(runs, tuple(members), learnt, response, settings)
