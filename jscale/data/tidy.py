"""Public tables under the library's names: from the raw file of the authors to a tidy frame.

What is done to each raw file is what the data set's card says under "cleaning".
"""

from __future__ import annotations

import io

import pandas as pd

from jscale.data.files import exact_floats

_STANDARD = {"params": "N", "tokens": "D", "flops": "C"}
_SPECIAL = {
    "bnsl_4digit_addition": {"test_loss": "loss"},
    "gadre_overtraining": {"flops_6nd": "C"},
    "isoflops_open_athena": {"budget": "C"},
    # In 1e12 tokens and 1e21 FLOPs: not the library's units, so not its names.
    "sloth_leaderboard": {"tokens": "tokens", "flops": "flops"},
}

# The raw column of each tidy column, for the data sets whose raw file is a plain table.
TIDY_COLUMNS = {
    "chinchilla_epoch": {"Model Size": "params", "Training FLOP": "flops", "loss": "loss"},
    "kyotakano_llm": {"C": "flops", "N": "params", "D": "tokens", "loss": "loss"},
    "steplaw_dense": {
        "N": "params",
        "D": "tokens",
        "lr": "lr",
        "bs": "batch_seqs",
        "ti": "steps",
        "loss": "loss",
        "smooth loss": "smooth_loss",
        "h": "d_model",
        "ffnh": "ffn",
        "numh": "heads",
        "numl": "layers",
    },
    "vocab_sail": {
        "Non_vocab_parameters": "params_nonvocab",
        "vocab_size": "vocab_size",
        "embed_dim": "embed_dim",
        "num_characters": "characters",
        "FLOPs": "flops",
        "Lossu": "loss_u",
    },
}


def parse(content: bytes) -> pd.DataFrame:
    """Read a CSV table, floats exact to the last bit."""
    return pd.read_csv(io.BytesIO(content), **exact_floats())


def renames(name: str) -> dict[str, str]:
    """Map the tidy column names of a data set to the library's."""
    return {**_STANDARD, **_SPECIAL.get(name, {})}


def canonical(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Give the columns of a tidy table the library's names, and N, D and C its dtype."""
    frame = frame.rename(columns=renames(name))
    # As integers, 6·N·D would overflow int64 silently.
    return frame.astype({column: "float64" for column in ("N", "D", "C") if column in frame})


def tidy(name: str, raw: pd.DataFrame) -> pd.DataFrame:
    """Make the tidy table of a data set from its raw one."""
    table = pd.DataFrame({new: raw[old] for old, new in TIDY_COLUMNS[name].items()})
    if name == "chinchilla_epoch":
        return _with_tokens_and_outliers(table)
    # The tidy tables carry ten significant digits; written as the same text, so does this frame.
    return parse(table.to_csv(index=False, float_format="%.10g").encode())


def _with_tokens_and_outliers(table: pd.DataFrame) -> pd.DataFrame:
    """Add the tokens by D = C/(6 N), and a mark for the five largest losses."""
    table.insert(2, "tokens", table["flops"] / (6 * table["params"]))
    highest_five = table["loss"].rank(ascending=False, method="first") <= 5
    return table.assign(outlier_top5=highest_five.astype("int64"))
