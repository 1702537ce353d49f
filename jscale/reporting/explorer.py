"""The budget explorer of a page: what to train for a compute and a number of tokens served.

Optima are computed here, for every draw, on a grid of budgets and tokens served; the page's script
(templates/explorer.js) only interpolates between them. The grid's second axis is the ratio of
tokens served to the tokens D* that training alone would take: serving T tokens multiplies the cost
of a model by 1 + T/(3·D), and N*, D* and the output are nearly linear in the logarithm of that.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np

from jscale._precision import float64_scope
from jscale.fitting.solver.compilation import programs
from jscale.planning.costs import training
from jscale.planning.optimum import Choice, Place, lowest
from jscale.planning.plan import Plan
from jscale.planning.search import Planner
from jscale.prediction.components import Component, Function, over_draws
from jscale.uncertainty.draws import tails

# Tokens served, as multiples of the tokens that training alone would take.
SERVED = (0.0, 1.0, 2.4, 4.2, 6.6, 10.0, 14.5, 20.5, 29.0, 40.0, 55.0, 74.0, 100.0)
# What a device hour buys (FLOPs per second and utilisation) and its price in dollars.
FLOPS, UTILISATION, PRICE = 1e15, 0.4, 2.0
PRICES = (0.01, 100.0)
_MOST_DRAWS = 1000
# Functions with a discrepancy take about a hundred times as long to minimise as laws.
_MOST_FUNCTIONS = 100
# A search has settled when its last step in ln D is at most this.
_SETTLED = 1e-7
_ROUNDS = 4
# Bounds of ln N and ln D where the plan has none.
_UNBOUNDED = 200.0
_SERVED = "tokens_served"


@dataclass(frozen=True, eq=False)
class Explorer:
    """Optima on a grid of b budgets and s numbers of tokens served.

    Attributes
    ----------
    budgets : numpy.ndarray, shape (b,)
        Budgets in FLOPs.
    tokens : numpy.ndarray, shape (b,)
        The optimal training tokens of each budget if nothing is served.
    served : numpy.ndarray, shape (b, s)
        Tokens served.
    values : mapping of str to mapping of str to numpy.ndarray, shape (b, s)
        N, D, D/N and the output by name, each with its ``estimate``, ``low`` and ``high``.
    at_bound : numpy.ndarray, shape (b, s)
        Share of draws with the optimum at a bound.
    unsettled : float
        Share of searches that did not settle.
    draws, of_draws : int
        How many draws were used, and how many there are.
    """

    budgets: np.ndarray
    tokens: np.ndarray
    served: np.ndarray
    values: Mapping[str, Mapping[str, np.ndarray]]
    at_bound: np.ndarray
    unsettled: float
    draws: int
    of_draws: int

    def content(self) -> dict[str, Any]:
        """Return the grid as plain lists, with None for NaN."""
        values = {
            name: {end: _plain(grid) for end, grid in grids.items()}
            for name, grids in self.values.items()
        }
        return {
            "budgets": _plain(self.budgets),
            "tokens": _plain(self.tokens),
            "ratios": list(SERVED),
            "served": _plain(self.served),
            "at_bound": _plain(self.at_bound),
            "values": values,
            "unsettled": self.unsettled,
            "draws": self.draws,
            "of_draws": self.of_draws,
            "price": PRICE,
            "prices": list(PRICES),
            "flops": FLOPS,
            "utilisation": UTILISATION,
        }


def explorer(plan: Plan) -> Explorer:
    """Compute the optima of a plan's budgets and draws for each number of tokens served.

    The plan is one of N and D at a cost of 6·N·D. Of more than 1000 draws of a law, or 100 of
    functions with a discrepancy, only every second, third, … is used.

    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> grid = explorer(js.allocate(js.laplace(fit, 100), [1e11, 1e12]))
    >>> grid.values["N"]["estimate"].shape
    (2, 13)
    """
    laws = all(part.function.law is not None for part in plan.components)
    every = -(-len(plan.samples) // (_MOST_DRAWS if laws else _MOST_FUNCTIONS))
    names = plan.planner.choice.variables
    # The estimate comes first, then the draws.
    optima = {
        x: np.concatenate([plan.frame[x].to_numpy()[None], plan.samples[::every, :, i]])
        for i, x in enumerate(names)
    }
    output = np.concatenate([plan.frame[plan.output].to_numpy()[None], plan.outputs[::every]])
    tokens = plan.frame["D"].to_numpy()
    served = tokens[:, None] * np.array(SERVED)
    columns = [{"N": optima["N"], "D": optima["D"], "output": output}]
    bounds, loose = [plan.frame["at_bound"].to_numpy()], []
    # Each column is searched from the optima of the one before, which are close.
    for amounts in served.T[1:]:
        column, at_bound, unsettled = _column(plan, every, columns[-1]["D"], amounts)
        columns.append(column)
        bounds.append(at_bound)
        loose.append(unsettled)
    grids = {name: np.stack([c[name] for c in columns], -1) for name in columns[0]}
    grids["D/N"] = grids["D"] / grids["N"]
    values = {name: _with_interval(grid, plan.level) for name, grid in grids.items()}
    return Explorer(
        budgets=plan.frame["C"].to_numpy(),
        tokens=tokens,
        served=served,
        values=values,
        at_bound=np.stack(bounds, -1),
        unsettled=float(np.mean(loose)),
        draws=len(output) - 1,
        of_draws=len(plan.samples),
    )


def _with_interval(grid: np.ndarray, level: float) -> dict[str, np.ndarray]:
    """Return the estimate, first in (1 + R, b, s), and quantiles of the draws, each (b, s)."""
    low, high = np.nanquantile(grid[1:], tails(level), axis=0)
    return {"estimate": grid[0], "low": low, "high": high}


def _column(
    plan: Plan, every: int, start: np.ndarray, served: np.ndarray
) -> tuple[dict[str, np.ndarray], np.ndarray, float]:
    """Return the optima (1 + R, b) for tokens served (b,), searched from training tokens ``start``.

    Also returns the share of draws at a bound (b,), and the share of searches that did not settle.
    """
    logs = np.log(plan.frame["C"].to_numpy())

    def search(component: Component, samples: np.ndarray, rows: np.ndarray) -> Any:
        shape = (len(samples), len(logs))
        budgets, tokens = np.tile(logs, len(samples)), np.tile(served, len(samples))
        planner = plan.planner.of(component)
        place = _place(planner, np.repeat(samples, len(logs), 0), budgets, tokens)
        free = np.log(start[rows]).reshape(-1, 1)
        inputs, output, step, bound = _searched(_choice(planner), free, place)
        D = np.exp(inputs[:, 0])
        N = np.exp(budgets) / (6.0 * D + 2.0 * tokens)
        settled = step <= _SETTLED
        return tuple(x.reshape(shape) for x in (N, D, output, bound[:, 0] != 0, settled))

    N, D, output, at_bound, settled = over_draws(plan.components, search, every=every)
    loose = float((~settled)[1:].mean())
    return {"N": N, "D": D, "output": output}, at_bound[1:].mean(axis=0), loose


def _searched(choice: Choice, free: np.ndarray, place: Place) -> list[np.ndarray]:
    """Search all lanes from ln D ``free`` (L, 1), again from where they end until all settle.

    Returns the logarithms of the inputs, the output, the last step and which bound was met.
    """
    program = served_program(choice)
    result: list[np.ndarray] = []
    for _ in range(_ROUNDS):
        with float64_scope():
            result = [np.asarray(x) for x in program(free, place)]
        free = result[0][:, :1]
        if (result[2] <= _SETTLED).all():
            break
    return result


def _place(planner: Planner, flat: np.ndarray, logs: np.ndarray, served: np.ndarray) -> Place:
    """Return lanes in which D lies within the plan's bounds, and N is what the budget leaves."""
    place = planner.place(flat, logs)
    which = planner.choice.variables.index("D")
    unbounded = np.full(len(logs), _UNBOUNDED)
    low = np.stack([place.low[:, which], -unbounded], 1)
    high = np.stack([place.high[:, which], unbounded], 1)
    return place._replace(others={**place.others, _SERVED: served}, low=low, high=high)


def _choice(planner: Planner) -> Choice:
    """Return the plan's choice for a function of D and of the equivalent N.

    Serving makes a model of size N cost as much as one of size N·(1 + T/(3·D)) that serves
    nothing. In terms of the latter the cost is 6·N·D, which is met in closed form, and every D can
    be afforded.
    """
    function = _Served(planner.choice.function)
    return planner.choice._replace(function=function, variables=("D", "N"), cost=training())


@dataclass(frozen=True)
class _Served:
    """A function of the equivalent N: the size that costs as much without serving any tokens."""

    function: Function

    @property
    def law(self) -> None:
        """None: N is no longer the law's own input."""
        return None

    def __call__(self, flat: Any, inputs: Mapping[str, Any], codes: Any) -> Any:
        """Return the output at the actual N."""
        law_inputs = {name: value for name, value in inputs.items() if name != _SERVED}
        D, served = inputs["D"], inputs[_SERVED]
        law_inputs["N"] = inputs["N"] * 3.0 * D / (3.0 * D + served)
        return self.function(flat, law_inputs, codes)


@programs
def served_program(choice: Choice) -> Callable[..., Any]:
    """Return a compiled program of the search over lanes, with the tokens served of each."""
    import jax

    lane: Any = Place(flat=0, budget=0, others=0, codes=None, low=0, high=0, ratio=None)
    return jax.jit(jax.vmap(lambda s, p: lowest(choice, s, p), in_axes=(0, lane)))


def _plain(values: np.ndarray) -> list[Any]:
    """Return an array as nested lists, with None for numbers that are not finite."""
    if values.ndim > 1:
        return [_plain(row) for row in values]
    return [float(v) if np.isfinite(v) else None for v in values]


# ── Inside a page ────────────────────────────────────────────────────────────────────────────


def script() -> str:
    """Return the text of the explorer's script."""
    text = (files("jscale.reporting") / "templates" / "explorer.js").read_text(encoding="utf-8")
    # A checkout with other line ends must not change the digest.
    return text.replace("\r\n", "\n")


def digest(text: str) -> str:
    """Return the digest by which a Content-Security-Policy allows a script: sha256- and base64.

    >>> digest("alert('Hello, world.');")
    'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='
    """
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def embedded(value: Any) -> str:
    r"""Return a value as JSON that is safe inside a script element: nothing in it can close one.

    >>> embedded({"name": "</script>"})
    '{"name":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text
