"""Laws of one axis on other people's runs: image tasks, long contexts, and compute-optimal sizes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import jscale as js
from tests.conftest import data_folder

pytestmark = pytest.mark.filterwarnings("ignore::jscale.errors.JscaleWarning")


@pytest.fixture(scope="module")
def images() -> pd.DataFrame:
    """The 24 tasks learnt by vision transformers; ``training`` is the authors' own split."""
    table = pd.read_csv(data_folder() / "revisiting_92tasks.csv")
    table = table.loc[(table["domain"] == "IC") & table["model"].str.startswith("ViT")]
    return table.assign(task=table["task"] + " " + table["model"], D=table["seen_examples"])


def extrapolation_errors(images: pd.DataFrame, law: str) -> np.ndarray:
    """RMSLE of each task's held-out half, of least squares of the log of the first."""
    made, found = js.laws.get(law), []
    first = images.loc[images["training"] == 1, ["task", "D", "loss"]]
    fits = js.fit_many(
        made, first, by="task", objective=js.least_squares("log"), loss_unit="other"
    ).to_frame()
    for task, row in fits.iterrows():
        late = images.loc[(images["task"] == task) & (images["training"] == 0)]
        said = made(late["D"].to_numpy(), **{n: row[n] for n in made.names})
        off = np.log(said) - np.log(late["loss"].to_numpy())
        found.append(np.sqrt(np.mean(off**2)))
    return np.array(found)


@pytest.mark.full
def test_image_tasks(images: pd.DataFrame) -> None:
    """The broken law tells the second half best, as its authors find; figures within 5%.

    SciPy's grid and curve_fit reach a mean of 0.0366 on these 24 (the means of golden studies are
    over more); power laws with a floor and without follow behind, in that order.
    """
    broken = extrapolation_errors(images, "broken:1:D")
    assert len(broken) == 24
    assert broken.mean() == pytest.approx(0.0352, rel=0.05)
    const, plain = (extrapolation_errors(images, f"{n}:D") for n in ("power_const", "power"))
    assert broken.mean() < const.mean() < plain.mean()


def test_long_contexts_follow_a_power_with_a_floor() -> None:
    """Four sizes over four decades of context: a floor, an amplitude and an exponent for each.

    No constants are published to compare with. What holds is that residuals are some 2 to 3%,
    that larger models have a lower floor, and that a floor is needed.
    """
    table = pd.read_csv(data_folder() / "llama2_context.csv").rename(columns={"context_len": "K"})
    fits = js.fit_many("power_const:K", table, by="params_B").to_frame()
    plain = js.fit_many("power:K", table, by="params_B").to_frame()
    assert len(fits) == 4
    floors = fits.loc[sorted(fits.index, key=float), "E"].to_numpy()
    assert (np.diff(floors) < 0).all()
    for size, row in fits.iterrows():
        own = table.loc[table["params_B"].astype(str) == str(size)]
        law = js.laws.get("power_const:K")
        said = law(own["K"].to_numpy(), **{n: row[n] for n in law.names})
        off = np.log(said) - np.log(own["loss"].to_numpy())
        assert np.sqrt(np.mean(off**2)) < 0.035
        assert row["objective"] < 0.5 * plain.loc[size, "objective"]


# N* grows as C^…: from Kaplan's recipe to a tuned one, arXiv:2406.19146.
STEPS = {
    ("base", "long", "kaplan", "kaplan"): 0.834,
    ("base", "long", "kaplan", "standard"): 0.701,
    ("base", "short", "kaplan", "standard"): 0.604,
    ("base", "short", "chinchilla", "standard"): 0.571,
    ("tuned", "short", "const", "standard"): 0.497,
}


@pytest.mark.full
def test_from_kaplan_to_chinchilla_in_four_steps() -> None:
    """Counting, warm-up, decay and tuning lower the exponent, each further, to one half.

    Parabolas of equal weight stand for the source's interpolated minima weighed by a noise
    model, which leaves up to 0.08 of an exponent.
    """
    table = pd.read_csv(data_folder() / "porian_isoflop.csv")
    table = table.loc[table["dataset"] == "rw"].dropna(subset=["loss"])
    table = table.rename(columns={"flops": "C", "params": "N", "tokens": "D"})
    found = []
    for (hparams, warmup, decay, count), published in STEPS.items():
        own = table.loc[
            (table["hparams"] == hparams) & (table["warmup"] == warmup)
            & (table["decay"] == decay) & (table["param_count"] == count)
        ]  # fmt: skip
        runs = js.Runs.from_frame(own[["C", "N", "D", "loss"]])
        found.append(float(js.isoflop(runs).paths.loc["N", "exponent"]))
        assert found[-1] == pytest.approx(published, abs=0.08)
    assert (np.diff(found) < 0).all()
    assert found[0] > 0.8
    assert found[-1] < 0.53
