"""Options shared by several commands, with their help texts, and the parsing of NAME=VALUE."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from jscale.fitting import draw_methods as methods

File = Annotated[
    Path | None,
    typer.Argument(
        help="Table of runs (CSV, TSV, JSON lines, Parquet). Default: jscale's own runs."
    ),
]
Saved = Annotated[Path, typer.Argument(help="A saved fit.")]
Law = Annotated[str, typer.Option(help="The law: see `jscale laws`.")]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", "-c", help="NAME=COLUMN, such as N=params; repeatable."),
]
Group = Annotated[str | None, typer.Option(help="Column of the family of a run.")]
Run = Annotated[str | None, typer.Option(help="Column that identifies a run.")]
Unit = Annotated[
    str | None, typer.Option(help="nats (default for losses), bits, perplexity or other.")
]
Fix = Annotated[list[str] | None, typer.Option(help="NAME=VALUE, a fixed parameter; repeatable.")]
Tie = Annotated[str | None, typer.Option(help="Parameters tied to one value: alpha,beta.")]
Per = Annotated[
    list[str] | None, typer.Option(help="NAME=COLUMN, a parameter per group; repeatable.")
]
Objective = Annotated[
    str, typer.Option(help="huber, pseudo_huber, student_t, asymmetric, least_squares, …")
]
Starts = Annotated[
    int | None, typer.Option(min=1, help="Number of starts (default: that of the law).")
]
Resamples = Annotated[int, typer.Option(min=2, help="Bootstrap resamples for intervals.")]
DropInvalid = Annotated[
    bool, typer.Option("--drop-invalid", help="Leave out invalid rows and list them.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
Level = Annotated[float, typer.Option(help="Level of all intervals.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of starts and resamples.")]
_INTERVALS = "How intervals are made, all but auto within the law: " + methods.in_words(
    "with the chance that the truth departs from the law"
)
Method = Annotated[str, typer.Option(help=f"{_INTERVALS}.")]
MethodOrNone = Annotated[
    str,
    typer.Option(help=f"{_INTERVALS}; or none, for the point alone."),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="NAME=VALUE, another input of the law, or the label of a group; repeatable."
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")]
DrawsFile = Annotated[
    Path | None, typer.Option("--output", "-o", help="File of the draws (NetCDF for ArviZ).")
]

_EXAMPLES = {
    "--at": "N=70B,D=1.4T",
    "--fix": "E=1.69",
    "--per": "E=family",
    "--pool": "E=family",
    "--about": "data='English web text'",
    "--set": "N=7B",
    "--choose": "N=7B",
    "--bound": "D=..2T",
    "--cost": "lifetime:tokens=1e12",
}


def pairs(texts: Sequence[str] | None, option: str) -> dict[str, str]:
    """Parse texts NAME=VALUE into values by name; raises JscaleError for other texts."""
    from jscale.errors import JscaleError

    values = {}
    for text in texts or []:
        name, mark, value = text.partition("=")
        if not (mark and name and value):
            raise JscaleError(
                f"{option} {text!r} must read NAME=VALUE, such as {option} "
                f"{_EXAMPLES.get(option, 'N=params')}."
            )
        values[name.strip()] = value.strip()
    return values


def split_pairs(texts: Sequence[str] | None, option: str) -> dict[str, str]:
    """Parse texts NAME=VALUE,NAME=VALUE into values by name.

    Raises JscaleError for other texts, and for names that are given twice.
    """
    from jscale.errors import JscaleError

    values: dict[str, str] = {}
    for part in (part for text in texts or [] for part in text.split(",")):
        new = pairs([part], option)
        twice = [name for name in new if name in values]
        if twice:
            raise JscaleError(f"{option} names {twice[0]} twice; give it one value.")
        values |= new
    return values
