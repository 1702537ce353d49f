"""build(): what a law needs of runs is checked before anything is fitted, and named if missing."""

from __future__ import annotations

from inspect import signature
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from jscale import laws
from jscale.data.runs import Runs
from jscale.errors import DataError, DataWarning, LawError
from jscale.fitting.build import FIT_OPTIONS, as_runs, build, check_traces
from jscale.fitting.fit import fit
from jscale.fitting.objective import huber
from jscale.fitting.problem import Problem
from jscale.fitting.settings import Settings
from jscale.model.declare import law
from jscale.model.law import Law
from jscale.model.roles import Exponent, Floor, Scale

LOG = huber()


def table(**columns: Any) -> pd.DataFrame:
    """Eight runs on a grid of N and D, some columns replaced or added."""
    N, D = (axis.ravel() for axis in np.meshgrid([1e7, 3e7, 1e8, 3e8], [1e9, 1e10]))
    loss = 1.7 + 400 * N**-0.34 + 410 * D**-0.28
    labels = pd.Index([f"r{i}" for i in range(8)])
    return pd.DataFrame({"N": N, "D": D, "loss": loss, **columns}, index=labels)


def built(text: str | Law = "chinchilla", space: str = "log", **choices: Any) -> Problem:
    runs = choices.pop("runs", None) or Runs.from_frame(table())
    return build(laws.get(text), runs, Settings(huber(space=space), **choices))[0]


@law(powers=(("A", "lr", "a"),))
def tuned(lr: Any, *, A: Scale, a: Exponent) -> Any:
    return A * lr**-a


# as_runs


def test_runs_are_taken_as_they_are_and_tables_are_read() -> None:
    runs = Runs.from_frame(table())
    assert as_runs(laws.get("chinchilla"), runs, {}) is runs
    read = as_runs(laws.get("chinchilla"), table(kind=["x"] * 8), {"group": "kind", "run": None})
    assert read.digest == Runs.from_frame(table(kind=["x"] * 8), group="kind").digest


def test_a_laws_own_input_is_found_by_its_name() -> None:
    read = as_runs(tuned, table(LR=[1e-3] * 8).rename(columns={"LR": "lr"}), {})
    assert "lr" in read.inputs


def test_columns_cannot_be_named_for_runs() -> None:
    with pytest.raises(
        DataError,
        match=r"N, group: columns are named when Runs are made, Runs\.from_frame\(df, N=…\), or",
    ):
        as_runs(laws.get("chinchilla"), Runs.from_frame(table()), {"N": "x", "group": "y"})


@pytest.mark.parametrize("data", [table(), Runs.from_frame(table())], ids=["table", "runs"])
def test_a_misspelt_option_of_fit(data: Any) -> None:
    with pytest.raises(
        DataError,
        match=r"fit has no option 'objectiv', and chinchilla has no input of that name\. Did you "
        r"mean 'objective'\? Its options are objective, weights, .*; its inputs are N, D\.",
    ):
        fit("chinchilla", data, objectiv="huber")


def test_the_options_of_fit_are_all_named() -> None:
    kinds = signature(fit).parameters.values()
    assert tuple(p.name for p in kinds if p.kind is p.KEYWORD_ONLY) == FIT_OPTIONS


def test_data_that_is_no_table() -> None:
    data: Any = {"N": [1.0]}
    with pytest.raises(DataError, match=r"fit takes Runs or a pandas DataFrame, not dict\."):
        as_runs(laws.get("chinchilla"), data, {})


# Columns and values that a law needs


def test_a_column_that_the_law_needs_is_missing() -> None:
    runs = Runs.from_frame(pd.DataFrame({"N": [1e7, 2e7], "loss": [3.0, 2.9]}))
    with pytest.raises(
        DataError,
        match=r"no column for 'D' \(training tokens .*Its columns are: N, loss\. Say which one it "
        r"is: Runs\.from_frame\(df, D=\"<column>\"\)\.",
    ):
        built(runs=runs)


def test_a_column_that_is_there_but_was_not_read() -> None:
    with pytest.raises(
        DataError,
        match=r"tuned needs the column 'lr', which these Runs only carry along, unchecked\. "
        r"Name it when making them: Runs\.from_frame\(df, lr='lr'\)\.",
    ):
        built(tuned, runs=Runs.from_frame(table(lr=[1e-3] * 8)))


def test_an_input_that_is_raised_to_a_power_is_positive() -> None:
    rates = [1e-3, 2e-3, 0.0, -4e-3, 5e-3, 6e-3, 7e-3, 8e-3]
    runs = Runs.from_frame(table(lr=rates), lr="lr")
    with pytest.raises(
        DataError,
        match=r"tuned takes the logarithm of lr, which is zero or negative in row 'r2' \(0\.0\), "
        r"row 'r3' \(-0\.004\)\. Leave those rows out: runs\.where\(runs\['lr'\] > 0\)\.",
    ):
        built(tuned, runs=runs)
    assert built(tuned, runs=runs.where(runs["lr"] > 0)).n == 6


def test_an_input_that_is_not_raised_to_a_power_may_be_zero() -> None:
    @law
    def shifted(lr: Any, *, A: Scale) -> Any:
        return A + lr

    runs = Runs.from_frame(table(lr=np.arange(8.0)), lr="lr")
    assert built(shifted, runs=runs).data.centre.tolist() == [0.0]


@pytest.mark.parametrize(
    ("space", "values", "says"),
    [
        ("log", [0.0, 0.0], r"score must be positive for residuals in log space, but "
         r"row 'r0' \(0\.0\), row 'r1' \(0\.0\)\. Leave those rows out with runs\.where\(…\), or "
         r'use another space: objective=huber\(delta=1e-3, space="linear"\)\.'),
        ("logit", [0.0, 1.0], r"score must be strictly between 0 and 1 for residuals in logit "
         r"space, but row 'r0' \(0\.0\), row 'r1' \(1\.0\)\."),
    ],
)  # fmt: skip
def test_targets_outside_the_space(space: str, values: list[float], says: str) -> None:
    frame = table(score=[*values, *np.linspace(0.2, 0.9, 6)]).drop(columns="loss")
    runs = Runs.from_frame(frame, output="score", loss_unit="other")
    made = laws.get("chinchilla").then(laws.get("sigmoid_link"))
    fixed = {"E": 1.0, "A": 400.0, "B": 410.0}
    with pytest.raises(DataError, match=says):
        built(made, space=space, runs=runs, fixed=fixed)
    assert built(made, space="linear", runs=runs, fixed=fixed).n == 8


@pytest.mark.parametrize(
    ("space", "expected"), [("log", np.log(0.2)), ("logit", np.log(0.25)), ("linear", 0.2)]
)
def test_targets_are_in_the_objectives_space(space: str, expected: float) -> None:
    runs = Runs.from_frame(table(loss=[0.2] * 8))
    target = np.asarray(built(space=space, runs=runs).data.target)
    np.testing.assert_allclose(target, expected, rtol=1e-14)


# Counts


def test_fewer_independent_runs_than_parameters() -> None:
    with pytest.raises(
        DataError,
        match=r"chinchilla has 5 free parameters \(E, A, alpha, B, beta\) but there are only 4 "
        r"independent runs\. Add runs, or free fewer: fixed=\{'E': …\}, tie=\(…\), or a simpler",
    ):
        built(runs=Runs.from_frame(table()).where(lambda frame: frame["N"] < 5e7))


def test_rows_of_one_run_are_not_independent() -> None:
    runs = Runs.from_frame(table(run=[1, 1, 2, 2, 3, 3, 4, 4]), run="run")
    with pytest.raises(DataError, match="only 4 independent runs"):
        built(runs=runs)
    assert built(runs=runs, fixed={"E": 1.7}).layout.size == 4


def test_rows_of_no_weight_do_not_count() -> None:
    with pytest.raises(DataError, match="only 3 independent runs"):
        built(weights=[1, 1, 1, 0, 0, 0, 0, 0])


def test_more_parameters_than_the_dense_solver_takes() -> None:
    runs = Runs.from_frame(table(name=list("abcdefgh")))
    per = dict.fromkeys(("E", "A", "B"), "name")
    with pytest.raises(
        LawError,
        match=r"chinchilla has 26 free parameters here; the dense solver takes up to 24\. "
        r"Share more of them, fit the groups one by one \(fit_many\), or use solver=\"lbfgs\"\.",
    ):
        built(runs=runs, per=per)


# Groups, fixed values, weights


def test_groups_are_coded_by_label_in_order() -> None:
    runs = Runs.from_frame(table(family=[2, 2, 2, 1, 1, 1, 3, 3]))
    problem = built(runs=runs, per={"E": "family"})
    assert problem.layout.labels[:3] == ("E[1]", "E[2]", "E[3]")
    assert problem.data.codes["family"][:8].tolist() == [1, 1, 1, 0, 0, 0, 2, 2]


def test_a_group_column_that_is_missing() -> None:
    runs = Runs.from_frame(table(family=list("aaaabbbb")))
    with pytest.raises(
        DataError,
        match=r"The table has no column 'famly' to give each famly its own E\. Did you mean "
        r"'family'\? Its columns are: .*, family\. Say which one it is: per=\{\"E\": \"<column>\"\}",
    ):
        built(runs=runs, per={"E": "famly"})


def test_a_row_without_a_group() -> None:
    runs = Runs.from_frame(table(family=[*"aaaabbb", None]))
    with pytest.raises(
        DataError,
        match=r"column 'family' has no label in row 'r7' \(.*\); leave those rows out: "
        r"runs\.where\(runs\.frame\['family'\]\.notna\(\)\)\.",
    ):
        built(runs=runs, per={"E": "family"})


def test_a_group_whose_rows_all_have_no_weight() -> None:
    runs = Runs.from_frame(table(family=list("aaaabbcc")))
    weights = np.array([1.0, 1, 1, 1, 1, 1, 0, 0])
    with pytest.raises(
        DataError,
        match=r"All rows with family=c have weight 0, so their own parameters are "
        r"undetermined\. Leave those rows out of the table, or give them weight\.",
    ):
        built("power_const:N", runs=runs, per={"E": "family"}, weights=weights)


@pytest.mark.parametrize("value", [np.nan, np.inf, "high", None, [1.0, 2.0]])
def test_a_fixed_value_is_one_finite_number(value: Any) -> None:
    with pytest.raises(
        LawError,
        match=r"E is fixed at .*; it must be one finite number: fixed=\{'E': 1\.0\}\.",
    ):
        built(fixed={"E": value})


def test_a_floor_may_be_fixed_at_zero() -> None:
    assert built(fixed={"E": 0}).data.fixed["E"] == 0.0


def test_weights_are_padded_with_zeros() -> None:
    problem = built(weights=np.arange(8.0))
    assert problem.weights[:8].tolist() == list(range(8))
    assert len(problem.weights) == len(problem.data.target) > 8
    assert not problem.weights[8:].any()


def test_weights_of_the_runs_are_used_unless_others_are_given() -> None:
    runs = Runs.from_frame(table(w=np.arange(8)), weight="w")
    assert built(runs=runs).weights[:8].tolist() == list(range(8))
    assert built(runs=runs, weights=np.ones(8)).weights[:8].tolist() == [1.0] * 8


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        (np.ones(3), r"weights has shape \(3,\); it must be \(8,\), one for each row"),
        (1.0, r"weights has shape \(\); it must be \(8,\)"),
        ("w", r"weights must be numbers, not 'w'; name a column of the table by "
         r'Runs\.from_frame\(df, weight="<column>"\)\.'),
        ([1, 1, -3, 1, 1, 1, 1, 1], r"weights: weights must be finite and not negative, but "
         r"row 'r2' \(-3\.0\)\. Use 0 to leave a row out of the fit\."),
        (np.zeros(8), r"weights: all 8 weights are zero; give some row a weight\."),
    ],
)  # fmt: skip
def test_weights_that_cannot_be_used(weights: Any, says: str) -> None:
    with pytest.raises(DataError, match=says):
        built(weights=weights)


def test_chosen_rows_whose_weights_are_all_zero() -> None:
    runs = Runs.from_frame(table(w=[1, 1, 0, 0, 0, 0, 0, 0]), weight="w")
    with pytest.raises(DataError, match=r"column 'w': all 6 weights are zero; give some row"):
        built(runs=runs.where(runs["w"] == 0))


# The law itself


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (lambda N: jnp.stack([N, N]), r"an array of shape \(2,\)"),
        (lambda N: (N, N), "tuple"),
        (lambda N: {"loss": N}, "dict"),
        (lambda N: None, "NoneType"),
    ],
)
def test_a_law_gives_one_number(value: Any, what: str) -> None:
    @law
    def mine(N: Any, *, E: Floor) -> Any:
        return value(N)

    with pytest.raises(
        LawError,
        match=rf"mine returned {what} for one observation; a law returns one number per "
        r"observation \(it is mapped over rows for you\)\.",
    ):
        built(mine)


def branching(N: Any, E: Any) -> Any:
    return E if N > 1e8 else 2 * E


def silent(N: Any, E: Any) -> Any:
    raise AssertionError


def with_numpy(N: Any, E: Any) -> Any:
    return E + np.log(np.asarray(N))


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (branching, "TracerBoolConversionError: Attempted boolean conversion of traced array"),
        (with_numpy, "TracerArrayConversionError"),
        (silent, r"AssertionError: no message\."),
        (lambda N, E: N.real_part, "AttributeError"),
    ],
)
def test_a_law_that_cannot_be_traced(value: Any, error: str) -> None:
    @law
    def mine(N: Any, *, E: Floor) -> Any:
        return value(N, E)

    with pytest.raises(
        LawError,
        match=rf"mine failed when traced for one observation: {error}.* Write it with jax\.numpy "
        r"and jscale\.power, without `if` on values\.",
    ):
        built(mine)


@pytest.mark.parametrize("name", laws.names())
def test_registered_laws_are_traced(name: str) -> None:
    check_traces(laws.get(name))


def test_a_law_may_return_a_plain_number() -> None:
    @law
    def constant(N: Any, *, E: Floor) -> Any:
        return 3.0

    check_traces(constant)


# Doubts


def test_an_input_that_never_changes() -> None:
    frame = table().drop(columns="D").assign(D=1e9, loss=np.linspace(4.0, 3.0, 8))
    runs = Runs.from_frame(frame)
    with pytest.warns(
        DataWarning,
        match=r"D is 1e\+09 in all 8 rows: its effect cannot be learnt and is mixed up with the "
        r"irreducible loss\. Add runs with another D, or use a law without it\.",
    ):
        _, doubts = build(laws.get("chinchilla"), runs, Settings(LOG))
    assert [doubt.code for doubt in doubts] == ["constant-input"]


@pytest.mark.parametrize("power", [1.0, 0.5, -2.0])
def test_inputs_that_move_together(power: float) -> None:
    N = np.geomspace(1e7, 1e9, 8)
    runs = Runs.from_frame(table(N=N, D=1e10 * (N / 1e8) ** power))
    with pytest.warns(
        DataWarning,
        match=rf"N and D move together: D follows N\^{power:g} in all rows, so the separate "
        r"effects of N and D cannot be told apart\. Add runs that change D at the same N, tie or "
        r"fix parameters, or use a law of one input\.",
    ):
        _, doubts = build(laws.get("chinchilla"), runs, Settings(LOG))
    assert [doubt.code for doubt in doubts] == ["inputs-move-together"]


def test_a_grid_gives_no_doubts() -> None:
    assert build(laws.get("chinchilla"), Runs.from_frame(table()), Settings(LOG))[1] == ()


def test_a_law_of_one_input_does_not_mind_that_others_move_along() -> None:
    N = np.geomspace(1e7, 1e9, 8)
    runs = Runs.from_frame(table(N=N, D=20 * N))
    assert build(laws.get("power_const:N"), runs, Settings(LOG))[1] == ()


# What a problem holds
