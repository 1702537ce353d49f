"""Learning-rate schedules, the order of a run's windows, and one whole tiny run."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace

import numpy as np
import pytest

from benchmarks.sweep import corpus, tables, train, worker
from benchmarks.sweep.grid import RunSpec, settle
from benchmarks.sweep.plans import curve_runs, repeated_runs

CURVE = RunSpec("curves", 8, 20_000, schedule="wsd", batch=2, curve=True)


def rates(schedule: str) -> np.ndarray:
    """The learning rate of each of 200 steps, and what would follow; peak 1."""
    settings = replace(settle(CURVE), schedule=schedule, steps=200, peak_lr=1.0)
    return np.asarray(train.learning_rates(settings)(np.arange(201)))


@pytest.mark.parametrize("schedule", ["constant", "cosine", "wsd"])
def test_warm_up_is_linear_over_a_tenth_of_the_steps(schedule):
    assert rates(schedule)[:21] == pytest.approx(np.arange(21) / 20, abs=1e-6)


def test_constant_stays_at_the_peak_to_the_last_step():
    assert (rates("constant")[20:200] == 1).all()


def test_cosine_falls_to_zero_at_the_end():
    after = np.arange(181) / 180
    assert rates("cosine")[20:] == pytest.approx((1 + np.cos(np.pi * after)) / 2, abs=1e-6)


def test_wsd_falls_linearly_over_the_last_fifth():
    assert (rates("wsd")[20:161] == 1).all()
    assert rates("wsd")[160:] == pytest.approx(1 - np.arange(41) / 40, abs=1e-6)


@pytest.mark.parametrize("spec", curve_runs()[:3], ids=lambda spec: spec.name)
def test_schedules_of_the_plan_reach_their_peak_and_no_more(spec):
    settings = settle(spec)
    found = np.asarray(train.learning_rates(settings)(np.arange(settings.steps)))
    assert found.max() == pytest.approx(settings.peak_lr)
    assert (found[1:] > 0).all()


def test_order_of_a_repeated_run_has_only_its_unique_windows():
    settings = settle(repeated_runs()[3])
    order = train.order_of_windows(settings, 80_000)
    assert order.shape == (settings.steps, settings.batch)
    windows, times = np.unique(order, return_counts=True)
    assert len(windows) == settings.unique_windows == 1172
    assert set(times) <= {15, 16}


def test_order_of_other_runs_repeats_nothing():
    order = train.order_of_windows(settle(RunSpec("grid", 12, 300_000)), 80_000)
    assert len(np.unique(order)) == order.size


def test_a_loss_that_is_no_number_is_reported(monkeypatch, small_corpus):
    def no_step(params, state, tokens):
        return params, state, math.nan

    monkeypatch.setattr(train, "make_step", lambda shape, optimizer: no_step)
    heard = []
    train.train(settle(RunSpec("grid", 8, 20_000)), small_corpus, heard.append)
    assert heard
    assert all(math.isnan(share) for share in heard)


def test_a_worker_ends_when_the_loss_is_no_number():
    with pytest.raises(SystemExit, match="the training loss is not finite"):
        worker.report(math.nan)


def test_model_name_of_the_processor(monkeypatch):
    lines = "processor\t: 0\nmodel name\t: Some CPU @ 2: GHz\nmodel name\t: other\n"
    monkeypatch.setattr(worker.Path, "read_text", lambda *_, **__: lines)
    assert worker.processor() == "Some CPU @ 2: GHz"
    monkeypatch.setattr(worker.Path, "read_text", lambda *_, **__: "Hardware\t: other\n")
    monkeypatch.setattr(worker.platform, "processor", lambda: "")
    monkeypatch.setattr(worker.platform, "machine", lambda: "arm64")
    assert worker.processor() == "arm64"


def trained_record(monkeypatch, tmp_path, small_corpus) -> dict:
    """The record of a real run, made by a worker's own code beside a card of another corpus."""
    card = {"corpus": {"digest": "another corpus"}}
    (tmp_path / f"{tables.MAIN}.json").write_text(json.dumps(card))
    monkeypatch.setattr(tables, "FOLDER", tmp_path)
    monkeypatch.setattr(corpus, "load_corpus", lambda: small_corpus)
    monkeypatch.setattr(worker.os, "sched_setaffinity", lambda *_: None, raising=False)
    worker.main(json.dumps(asdict(CURVE)), str(tmp_path), "0")
    return json.loads((tmp_path / f"{CURVE.name}.json").read_text())


@pytest.mark.full
def test_record_of_a_run(monkeypatch, tmp_path, small_corpus, capsys):
    trained = trained_record(monkeypatch, tmp_path, small_corpus)
    shares = [float(line) for line in capsys.readouterr().out.split()]
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert shares[-1] < 1
    assert trained["settings"] == settle(CURVE).as_dict()
    assert trained["corpus"] == small_corpus.describe()
    assert trained["corpus_matches_card"] is False
    assert trained["device"] == "cpu"
    assert trained["libraries"].keys() == {"numpy", "optax", "jaxlib"}
    assert trained["libraries"]["numpy"] == np.__version__
    assert trained["cpu"] == worker.processor()
    # Four lines of code again and again: after 78 steps far better than a guess.
    assert 0 < trained["loss"] < 0.7 * math.log(256)
    steps, rates, losses = zip(*trained["curve"], strict=True)
    assert steps == (10, 20, 30, 40, 50, 60, 70, 78)
    planned = train.learning_rates(settle(CURVE))
    assert rates == tuple(float(planned(step - 1)) for step in steps)
    assert losses[-1] == pytest.approx(trained["loss"], rel=0.05)
    assert losses[-1] < losses[0]
