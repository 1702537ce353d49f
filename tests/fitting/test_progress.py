"""A bar over lanes: only where wanted, only after a while, and gone at the end."""

from __future__ import annotations

import time

import pytest

from jscale.fitting import progress
from jscale.fitting.progress import lane_bar


def test_nothing_is_shown_where_it_is_not_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    with lane_bar(3, "families", shown=False) as tick:
        assert tick is None
    assert capsys.readouterr() == ("", "")


def test_quick_work_shows_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with lane_bar(3, "families", shown=True) as tick:
        assert tick is not None
        tick(3)
    assert capsys.readouterr().err.strip() == ""


def test_long_work_is_counted_on_standard_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_DELAY_SECONDS", 0.0)
    with lane_bar(4, "families", shown=True) as tick:
        assert tick is not None
        for _ in range(2):
            time.sleep(0.11)  # tqdm writes at most every tenth of a second
            tick(2)
    out, err = capsys.readouterr()
    assert out == ""
    assert "families: 100%" in err
    assert "4/4" in err
    assert err.rsplit("\r", 1)[-1].strip() == ""  # it does not stay
