"""Laws of whole curves: against sums over every step, and at their limits."""

from __future__ import annotations

import numpy as np
import pytest

import jscale as js
from jscale._precision import float64_scope
from jscale.laws.annealing import PUBLISHED, loss_at_end

CONSTANTS = dict(next(iter(PUBLISHED.values())))
PEAK, WARMUP = 3e-4, 200


def step_by_step(rates: np.ndarray, p: dict[str, float]) -> float:
    """The multi-power law as its sum is written, over all steps."""
    total, before = 0.0, 0.0
    for k, rate in enumerate(rates):
        ahead = rates[k:].sum()
        if rate == 0:
            total += (before - rate) * (ahead > 0)
        else:
            grown = 1.0 + p["C"] * rate ** -p["gamma"] * ahead
            total += (before - rate) * (1.0 - grown ** -p["beta"])
        before = rate
    return p["L0"] + p["A"] * rates.sum() ** -p["alpha"] - p["B"] * total


SCHEDULES = [
    js.schedules.constant(4000, PEAK, warmup=WARMUP),
    js.schedules.cosine(4000, PEAK, 0.1 * PEAK, warmup=WARMUP),
    js.schedules.cosine(4000, PEAK, 0.0, warmup=WARMUP),
    js.schedules.wsd(4000, PEAK, 0.1 * PEAK, warmup=WARMUP, decay=600, shape="exponential"),
    js.schedules.multi_step(4000, PEAK, at=(2000, 3000), factor=0.3, warmup=WARMUP),
    js.Schedule(np.repeat([2e-4, 0.0, 2e-4, 5e-5, 0.0], [500, 10, 490, 300, 20]), name="pauses"),
    js.Schedule(np.append(np.full(500, 2e-4), np.linspace(2e-4, 1e-4, 500)), name="no warm-up"),
]


@pytest.mark.full
@pytest.mark.parametrize("code", range(len(SCHEDULES)))
def test_nodes_stand_for_the_sum_over_steps(code: int) -> None:
    """Within 5e-4 at worst with 64 nodes on short curves, and closer with more.

    A jump is one node however many there are, and half a step off in its own step.
    """
    schedule = SCHEDULES[code]
    steps = np.unique(np.linspace(max(schedule.warmup, 50), len(schedule), 12).astype(int))
    exact = np.array([step_by_step(schedule.rates[:t], CONSTANTS) for t in steps])
    errors = {}
    for nodes in (64, 512):
        law = js.multi_power(SCHEDULES, nodes=nodes)
        loss = law(np.full(len(steps), code), schedule.area(steps), **CONSTANTS)
        errors[nodes] = np.abs(loss - exact).max()
    assert errors[64] < 5e-4
    assert errors[512] < (2e-4 if schedule.name == "pauses" else 5e-5)


@pytest.mark.full
@pytest.mark.parametrize("schedule", SCHEDULES, ids=[s.name for s in SCHEDULES])
def test_the_loss_at_the_end_is_the_sum_itself(schedule: js.Schedule) -> None:
    law = js.multi_power([schedule])
    with float64_scope():
        loss = float(loss_at_end(law, CONSTANTS, schedule.rates, schedule.warmup, 0.999))
        assert loss == pytest.approx(step_by_step(schedule.rates, CONSTANTS), abs=1e-10)
        annealing, p = js.laws.get("annealing"), {"L0": 3.0, "A": 0.5, "alpha": 0.5, "C": 0.4}
        end = [len(schedule)]
        areas = (schedule.area(end)[0], schedule.annealing_area(end, 0.99)[0])
        loss = float(loss_at_end(annealing, p, schedule.rates, schedule.warmup, 0.99))
    assert loss == pytest.approx(float(annealing(*areas, **p)), rel=1e-12)


@pytest.mark.full
def test_a_power_of_one_is_a_logarithm() -> None:
    """beta = 1 is where the closed form of a node divides by zero."""
    law = js.multi_power(SCHEDULES)
    row = (np.full(3, 1), SCHEDULES[1].area([1000, 2500, 4000]))
    at_one = law(*row, **{**CONSTANTS, "beta": 1.0})
    near = law(*row, **{**CONSTANTS, "beta": 1.0 + 1e-7})
    np.testing.assert_allclose(at_one, near, rtol=1e-7)


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::jscale.errors.FitWarning")
def test_planted_curves_are_found_again() -> None:
    """Predictions of a schedule left out, from three whole curves with 0.1% of noise."""
    import pandas as pd

    rng = np.random.default_rng(0)
    law = js.multi_power(SCHEDULES)
    rows = []
    for name, code in (("constant", 0), ("cosine", 1), ("steps", 4)):
        steps = np.arange(WARMUP, 4001, 40)
        exact = law(np.full(len(steps), code), SCHEDULES[code].area(steps), **CONSTANTS)
        noisy = exact * np.exp(0.001 * rng.standard_normal(len(steps)))
        rows.append(pd.DataFrame({"run": name, "step": steps, "loss": noisy}))
    known = {"constant": SCHEDULES[0], "cosine": SCHEDULES[1], "steps": SCHEDULES[4]}
    curves = js.Curves.from_frame(pd.concat(rows, ignore_index=True), schedules=known)
    fit = js.fit(js.multi_power(curves.schedules), curves.runs())
    late = np.arange(1000, 4001, 300)
    curve = js.predict_curve(fit, SCHEDULES[3], steps=late, method=None).frame["curve"]
    exact = law(np.full(len(late), 3), SCHEDULES[3].area(late), **CONSTANTS)
    np.testing.assert_allclose(curve, exact, rtol=1e-3)


def test_a_schedule_that_the_law_does_not_know() -> None:
    law = js.multi_power(SCHEDULES[:2])
    rows = {"schedule": [0, 1, 1], "S1": [0.1, 0.2, 0.3], "loss": [3.0, 2.9, 2.8]}
    for wrong, message in (
        (2, r"schedule between 0 and 1, .* row 2 \(2"),
        (0.5, r"as a whole number"),
    ):
        import pandas as pd

        table = pd.DataFrame({**rows, "schedule": [0, 1, wrong]})
        with pytest.raises(js.DataError, match=message):
            js.fit(law, table)


def test_what_is_no_list_of_schedules() -> None:
    for wrong in ([], [np.ones(3)]):
        with pytest.raises(js.LawError, match="multi_power takes the schedules of its runs"):
            js.multi_power(wrong)  # type: ignore[arg-type]
