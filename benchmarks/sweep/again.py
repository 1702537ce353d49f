"""Train rows of the embedded tables again and compare the losses, bit for bit.

`python -m benchmarks.sweep.again` takes three cheap rows of the main table. The runs go to worker
processes exactly as in the sweep, into a temporary folder.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .grid import RunSpec, settle
from .plans import spec_named
from .run import run_pending
from .store import read_record
from .tables import CURVES, MAIN, TABLES, read_card, read_rows

CHEAP = 2e11  # FLOPs: three such runs take about a minute
SETTINGS = ("width", "seed", "batch", "steps", "peak_lr")
MADE_WITH = ("corpus", "python", "jax", "device", "cpu")
# What changes the last bits too, and older records and the tables do not say.
OFTEN_UNKNOWN = {"cpu": "the processor", "numpy": "NumPy"}


@dataclass(frozen=True)
class Line:
    """A run of an embedded table: its loss, its columns as text, and how it was produced."""

    table: str
    run: str
    loss: float
    columns: dict[str, str]
    made_with: dict[str, str]


def embedded_lines() -> dict[str, Line]:
    """Return the runs of the embedded tables by name; the loss of a curve is its last."""
    lines: dict[str, Line] = {}
    for table in TABLES:
        name, card = table.name, read_card(table.name)
        loss = "final_loss" if name == CURVES else "loss"
        for row in read_rows(name) if card else []:
            # A curve has many lines, and the grid is in two tables: the first line will do.
            line = Line(name, row["run"], float(row[loss]), row, made_with(row, card))
            lines.setdefault(line.run, line)
    return lines


def made_with(row: dict[str, str], card: dict[str, Any]) -> dict[str, str]:
    """Return corpus, versions and device of a row, or of the card if the table lacks them."""
    versions = {name: ", ".join(found) for name, found in card["versions"].items()}
    stated = {"corpus": card["corpus"]["digest"]} | versions
    return stated | {name: row[name] for name in MADE_WITH if name in row}


def chosen_lines(only: list[str] | None, count: int, seed: int) -> list[Line]:
    """Return the named runs, or `count` cheap ones of the main table drawn at random."""
    lines = embedded_lines()
    if only is None:
        main = [line for line in lines.values() if line.table == MAIN]
        cheap = [line for line in main if float(line.columns["C"]) <= CHEAP]
        return random.Random(seed).sample(cheap, min(count, len(cheap)))
    if unknown := [name for name in only if name not in lines]:
        tables = ", ".join(f"{table.name}.csv" for table in TABLES)
        raise SystemExit(
            f"no run {unknown[0]!r} in the embedded tables; see column run of {tables}"
        )
    return [lines[name] for name in dict.fromkeys(only)]


def spec_of(line: Line) -> RunSpec:
    """Return the specification of a line's run; refused if the rules have changed since."""
    spec = spec_named(line.run)
    if spec is None:
        raise SystemExit(f"{line.run}: neither a run of the plan nor one that --add makes")
    today = settle(spec).as_dict()
    for name in SETTINGS:
        if name in line.columns and float(line.columns[name]) != today[name]:
            raise SystemExit(
                f"{line.run}: {name} is {line.columns[name]} in the table, {today[name]} by the "
                "plan: the rules have changed since"
            )
    return spec


def compare(line: Line, record: dict[str, Any] | None) -> tuple[bool, str]:
    """Return whether the new loss equals the table's, and a sentence on it."""
    if record is None:
        return False, f"{line.run}: table {line.loss!r}, new none: failed"
    same = record["loss"] == line.loss
    words = f"{line.run}: table {line.loss!r}, new {record['loss']!r}: "
    return same, words + ("same" if same else "differs") + reasons(line, record, same)


def reasons(line: Line, record: dict[str, Any], same: bool) -> str:
    """Return what is known to differ; else, for another loss, what may differ."""
    then, now = line.made_with, made_now(record)
    changed = [
        f"{name} {then[name]} there, {now[name]} here"
        for name in then
        if name in now and now[name] != then[name]
    ]
    if changed:
        return f" (a difference is expected: {'; '.join(changed)})"
    unknown = [words for name, words in OFTEN_UNKNOWN.items() if name not in then.keys() & now]
    verb = "differ" if len(unknown) > 1 else "differs"
    return f" (expected if {' or '.join(unknown)} {verb})" if unknown and not same else ""


def made_now(record: dict[str, Any]) -> dict[str, str]:
    """Return corpus, versions, device and processor of a new record, as far as it states them."""
    stated = {name: record[name] for name in MADE_WITH if name in record}
    return stated | record.get("libraries", {}) | {"corpus": record["corpus"]["digest"]}


def again(lines: list[Line], workers: int) -> int:
    """Train and compare; return the exit status."""
    specs = [spec_of(line) for line in lines]
    with tempfile.TemporaryDirectory(prefix="sweep-again-") as folder:
        failed = run_pending(Path(folder), workers, specs)
        records = [read_record(Path(folder), line.run) for line in lines]
    for message in failed:
        print(f"FAILED {message}")
    results = [compare(line, record) for line, record in zip(lines, records, strict=True)]
    for _, words in results:
        print(words)
    return 0 if all(same for same, _ in results) else 1


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep.again", description=__doc__)
    parser.add_argument("--rows", type=int, default=3, help="how many cheap rows to draw")
    parser.add_argument("--only", metavar="RUN", action="append", help="this run (repeat)")
    parser.add_argument("--seed", type=int, default=0, help="which rows are drawn")
    parser.add_argument("--workers", type=int, default=2, help="worker processes, one core each")
    arguments = parser.parse_args()
    if arguments.rows < 1 or arguments.workers < 1:
        parser.error("--rows and --workers should be 1 or more")
    lines = chosen_lines(arguments.only, arguments.rows, arguments.seed)
    return again(lines, arguments.workers)


if __name__ == "__main__":
    raise SystemExit(main())
