"""Options of the form NAME=VALUE, one or several in a text."""

from __future__ import annotations

import pytest

from jscale.cli.options import pairs, split_pairs
from jscale.errors import JscaleError


def test_pairs_are_split_at_the_first_sign_of_equality() -> None:
    assert pairs(["N=params", " loss = ce ", "data=a=b, c"], "--column") == {
        "N": "params",
        "loss": "ce",
        "data": "a=b, c",
    }
    assert pairs(None, "--column") == pairs([], "--column") == {}
    assert pairs(["N=a", "N=b"], "--column") == {"N": "b"}


@pytest.mark.parametrize("text", ["N", "N=", "=params", "=", ""])
@pytest.mark.parametrize(
    ("option", "example"), [("--fix", "--fix E=1.69"), ("--column", "--column N=params")]
)
def test_texts_that_are_no_pairs(text: str, option: str, example: str) -> None:
    with pytest.raises(
        JscaleError, match=f"{option} '{text}' must read NAME=VALUE, such as {example}"
    ):
        pairs([text], option)


def test_several_pairs_in_one_text_each_named_once() -> None:
    assert split_pairs(["N=7B,D=140B", "family=gpt"], "--at") == {
        "N": "7B",
        "D": "140B",
        "family": "gpt",
    }
    assert split_pairs(None, "--at") == {}
    with pytest.raises(JscaleError, match="--set names N twice; give it one value"):
        split_pairs(["N=7B", "D=1B,N=7B"], "--set")
    with pytest.raises(JscaleError, match=r"--at ' D' must read NAME=VALUE, such as --at N=70B"):
        split_pairs(["N=7B, D"], "--at")
