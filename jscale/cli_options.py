"""Options that several commands of the command line share, with their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

File = Annotated[
    Path | None,
    typer.Argument(
        help="Table of runs (CSV, TSV, JSON lines, Parquet). Default: jscale's own runs."
    ),
]
Law = Annotated[str, typer.Option(help="The law: see `jscale laws`.")]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", "-c", help="NAME=COLUMN, such as N=params; repeat as needed."),
]
Group = Annotated[str | None, typer.Option(help="Column of the family of a run.")]
Run = Annotated[str | None, typer.Option(help="Column that identifies a run.")]
Unit = Annotated[
    str | None, typer.Option(help="nats (default for losses), bits, perplexity or other.")
]
Fix = Annotated[list[str] | None, typer.Option(help="NAME=VALUE, a fixed parameter.")]
Tie = Annotated[str | None, typer.Option(help="Parameters that are equal: alpha,beta.")]
Per = Annotated[list[str] | None, typer.Option(help="NAME=COLUMN, one per group.")]
Objective = Annotated[
    str, typer.Option(help="huber, pseudo_huber, student_t, asymmetric, least_squares, …")
]
Starts = Annotated[int | None, typer.Option(min=1, help="Number of starts (default: the law's).")]
Resamples = Annotated[int, typer.Option(min=2, help="Bootstrap resamples for intervals.")]
DropInvalid = Annotated[
    bool, typer.Option("--drop-invalid", help="Leave unusable rows out and list them.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
Level = Annotated[float, typer.Option(help="Level of all intervals.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of starts and resamples.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")]
DrawsFile = Annotated[
    Path | None, typer.Option("--output", "-o", help="Where the draws go, as NetCDF for ArviZ.")
]
