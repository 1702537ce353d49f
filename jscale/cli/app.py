"""The command line: its commands, and the entry point that runs them.

The commands of planning are defined in :mod:`jscale.cli.planning`.
"""

from __future__ import annotations

import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer

from jscale.cli import planning as cli_planning
from jscale.cli.options import (
    Columns,
    DrawsFile,
    DropInvalid,
    File,
    Fix,
    Force,
    Group,
    Json,
    Law,
    Level,
    MethodOrNone,
    Objective,
    Per,
    Resamples,
    Run,
    Saved,
    Seed,
    Starts,
    Tie,
    Unit,
    pairs,
)
from jscale.cli.requests import HoldOut, Intervals, Output, Page, RunTable, Sampling

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Fit scaling laws, quantify their uncertainty, and plan with them.",
)


@app.command()
def fit(
    file: File = None,
    law: Law = "chinchilla",
    column: Columns = None,
    group: Group = None,
    run: Run = None,
    loss_unit: Unit = None,
    fix: Fix = None,
    tie: Tie = None,
    per: Per = None,
    objective: Objective = "huber",
    starts: Starts = None,
    resamples: Resamples = 1000,
    level: Level = 0.9,
    seed: Seed = 0,
    drop_invalid: DropInvalid = False,
    output: Annotated[Path, typer.Option("--output", "-o", help="File of the fit.")] = Path(
        "fit.json"
    ),
    plot: Annotated[
        Path | None, typer.Option(help="File of the plot (default: next to the fit).")
    ] = None,
    force: Force = False,
    json_: Json = False,
) -> None:
    """Fit a law, predict held-out runs, and write fit.json and fit.png.

    Rows whose column `split` says `holdout` (or `held-out`) are not fitted but predicted, and
    compared with the prediction.
    """
    # Commands import their work when they run: --help must not wait for JAX.
    from jscale.cli import fitting as commands

    commands.fit_and_report(
        law,
        RunTable(file, _columns(column, group, run), loss_unit, _invalid(drop_invalid)),
        _choices(fix, tie, per, objective, starts, seed),
        Intervals(level, seed, resamples=resamples),
        Output(json_, output, force),
        plot or output.with_suffix(".png"),
    )


@app.command()
def show(
    file: Saved,
    json_: Json = False,
) -> None:
    """Show a saved fit."""
    from jscale.cli import fitting as commands

    commands.show(file, as_json=json_)


@app.command()
def predict(
    file: Saved,
    at: Annotated[
        list[str] | None, typer.Option("--at", help="Inputs, such as N=70B,D=1.4T; repeatable.")
    ] = None,
    table: Annotated[Path | None, typer.Option(help="A table of inputs, instead of --at.")] = None,
    method: MethodOrNone = "auto",
    level: Level = 0.9,
    seed: Seed = 0,
    json_: Json = False,
) -> None:
    """Predict from a saved fit, with confidence and prediction intervals."""
    from jscale.cli import fitting as commands

    commands.predict_from(
        file,
        _points(at),
        table,
        Intervals(level, seed, method),
        Output(json_),
    )


@app.command()
def bootstrap(
    file: Saved,
    resamples: Annotated[int, typer.Option(min=2, help="Number of resamples.")] = 4000,
    kind: Annotated[str, typer.Option(help="pairs, bayesian, residual, or wild.")] = "pairs",
    cluster: Annotated[
        str | None, typer.Option(help="Column whose labels are resampled as units (default: runs).")
    ] = None,
    level: Level = 0.9,
    seed: Seed = 0,
    output: DrawsFile = None,
    force: Force = False,
    json_: Json = False,
) -> None:
    """Refit a saved fit to resampled runs, for errors and intervals of its parameters."""
    from jscale.cli import uncertainty as commands_uncertainty

    intervals = Intervals(level, seed, resamples=resamples)
    commands_uncertainty.bootstrap(file, kind, cluster, intervals, Output(json_, output, force))


@app.command()
def posterior(
    file: Saved,
    likelihood: Annotated[
        str, typer.Option(help="student_t, normal, binomial, or beta_binomial.")
    ] = "student_t",
    method: Annotated[str, typer.Option(help="auto, importance, or nuts.")] = "auto",
    pool: Annotated[
        list[str] | None,
        typer.Option(help="NAME=COLUMN, a parameter per group, from one population; repeatable."),
    ] = None,
    trials: Annotated[
        str | None, typer.Option(help="Column of the number of trials, for counted outcomes.")
    ] = None,
    draws: Annotated[int, typer.Option(min=50, help="Draws per chain.")] = 1000,
    warmup: Annotated[
        int, typer.Option(min=50, help="Warm-up steps before the first draw.")
    ] = 1000,
    chains: Annotated[int, typer.Option(min=1, help="Number of chains.")] = 4,
    level: Level = 0.9,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 0,
    output: DrawsFile = None,
    force: Force = False,
    json_: Json = False,
) -> None:
    """Draw from the posterior of a saved fit, with priors by role and noise inferred as well."""
    from jscale.cli import uncertainty as commands_uncertainty

    pooled = pairs(pool, "--pool")
    commands_uncertainty.posterior(
        file,
        Sampling(likelihood, method, pooled, trials, draws, warmup, chains),
        Intervals(level, seed),
        Output(json_, output, force),
    )


@app.command()
def report(
    context: typer.Context,
    file: File = None,
    law: Law = "chinchilla",
    column: Columns = None,
    group: Group = None,
    run: Run = None,
    loss_unit: Unit = None,
    fix: Fix = None,
    tie: Tie = None,
    per: Per = None,
    objective: Objective = "huber",
    starts: Starts = None,
    at: Annotated[
        list[str] | None,
        typer.Option("--at", help="Inputs to predict: N=70B,D=1.4T, or C=1e24; repeatable."),
    ] = None,
    about: Annotated[
        list[str] | None,
        typer.Option(help="ITEM=TEXT, what a fit cannot know (data, architecture, …); repeatable."),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Title of the page.")] = None,
    resamples: Resamples = 1000,
    level: Level = 0.9,
    seed: Seed = 0,
    drop_invalid: DropInvalid = False,
    output: Annotated[Path, typer.Option("--output", "-o", help="File of the page.")] = Path(
        "report.html"
    ),
    force: Force = False,
    json_: Json = False,
) -> None:
    """Fit a law and write a one-page report: answer, intervals, plots, checks and recipe.

    Rows whose column `split` says `holdout` (or `held-out`) are not fitted but predicted, and
    compared with the prediction.
    """
    from shlex import join

    from jscale.cli import report as commands_report

    command = join(["jscale", *(context.obj or ("report",))])
    commands_report.write_report(
        law,
        RunTable(file, _columns(column, group, run), loss_unit, _invalid(drop_invalid)),
        _choices(fix, tie, per, objective, starts, seed),
        Page(_points(at), pairs(about, "--about"), title, command),
        Intervals(level, seed, resamples=resamples),
        Output(json_, output, force),
    )


@app.command()
def compare(
    file: File = None,
    law: Annotated[
        list[str] | None,
        typer.Option(
            help="A law, or auto; repeatable (default: all that suit the columns, and auto)."
        ),
    ] = None,
    column: Columns = None,
    loss_unit: Unit = None,
    share: Annotated[
        float | None,
        typer.Option(help="Hold out this share of the runs, those with the largest compute."),
    ] = None,
    origins: Annotated[
        int | None,
        typer.Option(min=1, help="Predict at this many successive origins of compute instead."),
    ] = None,
    factor: Annotated[
        float, typer.Option(help="Predict only beyond this multiple of an origin.")
    ] = 1.0,
    resamples: Annotated[
        int,
        typer.Option(
            min=0, help="Draw intervals within each law from so many refits (0: by forecasts)."
        ),
    ] = 0,
    level: Level = 0.9,
    seed: Seed = 0,
    json_: Json = False,
) -> None:
    """Compare laws by how well they predict runs that were held out.

    Rows whose column `split` says `holdout` are held out, or else the fifth of the runs with the
    largest compute. "auto" is the forecast of the fitted runs.
    """
    from jscale.cli.comparing import compare_laws

    compare_laws(
        law or ["auto"],
        RunTable(file, pairs(column, "--column"), loss_unit),
        HoldOut(share, origins, factor),
        Intervals(level, seed, resamples=resamples),
        Output(json_),
    )


app.command()(cli_planning.plan)
app.command()(cli_planning.required)
app.command()(cli_planning.crossover)


@app.command()
def laws(
    name: Annotated[str | None, typer.Argument(help="Show the page of one law.")] = None,
    json_: Json = False,
    markdown: Annotated[bool, typer.Option(help="Print the list as Markdown.")] = False,
) -> None:
    """List the laws, or show one."""
    from jscale.cli import laws as commands_laws

    commands_laws.list_laws(name, as_json=json_, as_markdown=markdown)


@app.command()
def data(
    name: Annotated[str | None, typer.Argument(help="Show the card of one data set.")] = None,
    json_: Json = False,
) -> None:
    """List the data sets, or show the card of one."""
    from jscale.cli.datasets import list_data

    list_data(name, as_json=json_)


def _version(wanted: bool) -> None:
    if wanted:
        from jscale import __version__

        typer.echo(f"jscale {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Parse the options of every command; --debug may also follow the command (see main)."""


def _columns(column: list[str] | None, group: str | None, run: str | None) -> dict[str, str]:
    """Return the columns named by options, by what they hold."""
    marks = {k: v for k, v in (("group", group), ("run", run)) if v is not None}
    return {**pairs(column, "--column"), **marks}


def _invalid(drop: bool) -> str:
    """Return what becomes of unusable rows."""
    return "drop" if drop else "raise"


def _points(texts: list[str] | None) -> list[dict[str, str]]:
    """Return the points that --at names, one for each time it was given."""
    return [pairs(text.split(","), "--at") for text in texts or []]


def _choices(
    fix: list[str] | None,
    tie: str | None,
    per: list[str] | None,
    objective: str,
    starts: int | None,
    seed: int,
) -> dict[str, Any]:
    """Return the settings of a fit given by options."""
    return {
        "fixed": {k: _number(v) for k, v in pairs(fix, "--fix").items()},
        "tie": tuple(name.strip() for name in tie.split(",")) if tie else (),
        "per": pairs(per, "--per"),
        "objective": objective,
        "starts": "auto" if starts is None else starts,
        "seed": seed,
    }


def _number(text: str) -> float:
    from jscale.data.units import parse_number

    return parse_number(text)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 2 for bad input, 1 for a bug."""
    _never_fail_to_print()
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in arguments
    arguments = [a for a in arguments if a != "--debug"]
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return 130  # 128 + SIGINT, as shells report it
    except Exception as error:
        from jscale.errors import JscaleError
        from jscale.reporting.console import in_cli_words, screen

        usage = getattr(error, "show", None)
        if usage is not None:  # the parser's own error: unknown option, missing argument
            usage()
            return 2
        if debug:
            raise
        known = isinstance(error, JscaleError)
        lead = "" if known else f"unexpected {type(error).__name__}: "
        tail = "" if known else " (please run again with --debug and report it)"
        words = in_cli_words(str(error)) if known else str(error)
        screen(stderr=True).print(f"error: {lead}{words}{tail}", style="red", markup=False)
        return 2 if known else 1


def _never_fail_to_print() -> None:
    """Print "?" for characters that the encoding of standard output or error lacks."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _run(arguments: list[str]) -> int:
    import warnings

    from jscale.errors import JscaleWarning

    # A warning is one coloured line, without the file and line that Python would print.
    def shown(message: Any, category: Any, *_: Any, **__: Any) -> None:
        from jscale.reporting.console import in_cli_words, screen

        if issubclass(category, JscaleWarning):
            words = in_cli_words(str(message))
            screen(stderr=True).print(f"warning: {words}", style="yellow", markup=False)

    with warnings.catch_warnings():
        warnings.simplefilter("always", JscaleWarning)
        warnings.showwarning = shown
        # The report records how it was made: it reads the arguments from its context.
        code = app(arguments, standalone_mode=False, obj=tuple(arguments))
    return code if isinstance(code, int) else 0
