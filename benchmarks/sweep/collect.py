"""Turn finished runs into the embedded tables and their cards: `python -m ...sweep.collect`."""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
from pathlib import Path
from typing import Any

from .card import describe_table
from .grid import Settings, settle
from .noise import by_cell, seed_noise
from .plans import PARTS, spec_named
from .store import is_record_of, read_record, read_wall_seconds, write_atomically, write_json
from .tables import CURVES, FOLDER, MAIN, TABLES, Table

Record = dict[str, Any]
Row = dict[str, Any]
NAMED = 10


def finished_records(part: str, out: Path) -> tuple[list[Record], list[str]]:
    """The part's finished records in the plan's order, and the names of the missing runs."""
    records, missing = [], []
    for settings in (settle(spec) for spec in PARTS[part]()):
        record = read_record(out, settings.run)
        if record is None or not is_record_of(record, settings.as_dict()):
            missing.append(settings.run)
        else:
            records.append(record)
    return records, missing


def added_records(out: Path) -> tuple[list[Record], list[str]]:
    """The records of runs beyond the plan, and the names of those made by other rules."""
    records, foreign = [], []
    for run in sorted(path.stem for path in out.glob("w[0-9]*.json")):
        record = read_record(out, run) or {}
        if part_of(record) is None:
            print(f"note: {run}.json is no record of this sweep and is left out")
        if part_of(record) != "added":
            continue
        spec = spec_named(run)
        if spec is not None and is_record_of(record, settle(spec).as_dict()):
            records.append(record)
        else:
            foreign.append(run)
    return records, foreign


def part_of(record: Record) -> str | None:
    """The part that a record says; None in a record of an old format."""
    settings = record.get("settings")
    return settings.get("part") if isinstance(settings, dict) else None


def complaints(missing: list[str], foreign: list[str]) -> list[str]:
    """What is wrong with the runs in the out folder, in words."""
    said = []
    if missing:
        said.append(f"{len(missing)} runs are missing: {first_names(missing)}")
    if foreign:
        said.append(
            f"{len(foreign)} added runs were made by other rules: {first_names(foreign)}; delete "
            "their records, and add those still wanted again"
        )
    return said


def first_names(names: list[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" … and {more} more" if more > 0 else "")


def one_corpus(records: list[Record], out: Path) -> None:
    """Refuse records of different corpora: they are never put into one table."""
    digests = sorted({record["corpus"]["digest"] for record in records})
    if len(digests) > 1:
        raise SystemExit(f"the runs in {out} come from different corpora: {', '.join(digests)}")


def run_row(record: Record) -> Row:
    """One run as a line of a table."""
    settings = Settings(**record["settings"])
    shape, windows = settings.shape, settings.unique_windows
    unique = record["corpus"]["train_bytes"] if windows is None else windows * settings.context
    return {
        "run": settings.run,
        "split": settings.split,
        "part": settings.part,
        "N": shape.n_total,
        "N_non_embedding": shape.n_non_embedding,
        "D": settings.trained_bytes,
        "unique_bytes": unique,
        "C": settings.flops,
        "loss": record["loss"],
        "seed": settings.seed,
        "steps": settings.steps,
        "batch": settings.batch,
        "context": settings.context,
        "peak_lr": settings.peak_lr,
        "schedule": settings.schedule,
        "layers": settings.layers,
        "width": settings.width,
        "heads": settings.heads,
        "epochs": settings.trained_bytes / unique,
        "corpus": record["corpus"]["digest"],
        "jax": record["jax"],
        "python": record["python"],
        "device": record["device"],
        "seconds": record["seconds"],
    }


def curve_rows(record: Record) -> list[Row]:
    """One run's loss curve, a line per measurement."""
    settings = Settings(**record["settings"])
    per_step = settings.batch * settings.context
    return [
        {
            "run": settings.run,
            "schedule": settings.schedule,
            "N": settings.shape.n_total,
            "step": step,
            "D": step * per_step,
            "learning_rate": rate,
            "loss": loss,
            "steps": settings.steps,
            "peak_lr": settings.peak_lr,
            "final_loss": record["loss"],
        }
        for step, rate, loss in record["curve"]
    ]


def table_rows(table: Table, records: list[Record]) -> list[Row]:
    """The lines of one table."""
    if table.name == CURVES:
        return [row for record in records for row in curve_rows(record)]
    rows = [run_row(record) for record in records]
    if table.name != MAIN:
        rows = [{key: value for key, value in row.items() if key != "split"} for row in rows]
    if "seeds" in table.parts:
        several = by_cell(rows)
        return [row for row in rows if (row["N"], row["D"]) in several]
    return rows


def records_of(rows: list[Row], records: list[Record]) -> list[Record]:
    """The records whose run is in the table."""
    runs = {row["run"] for row in rows}
    return [record for record in records if record["settings"]["run"] in runs]


def as_csv(rows: list[Row]) -> str:
    """CSV text; floats as `repr`, so that reading them back gives the same bits."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({k: repr(v) if isinstance(v, float) else v for k, v in row.items()})
    return text.getvalue()


def collect(out: Path, into: Path, partial: bool) -> None:
    """Write all tables and their cards; refuses missing runs unless `partial`."""
    found = {part: finished_records(part, out) for part in PARTS}
    missing = [name for _, names in found.values() for name in names]
    found["added"] = added_records(out)
    foreign = found["added"][1]
    if (missing or foreign) and not partial:
        raise SystemExit("\n".join(complaints(missing, foreign)))
    records = {part: done for part, (done, _) in found.items()}
    one_corpus([record for done in records.values() for record in done], out)
    noise = seed_noise([run_row(record) for record in records["grid"] + records["seeds"]])
    for table in TABLES:
        chosen = [record for part in table.parts for record in records[part]]
        rows = table_rows(table, chosen)
        if not rows:
            print(f"{table.name}: no finished run")
            continue
        lacking = [name for part in table.parts for name in found[part][1]]
        text = as_csv(rows)
        digest = hashlib.sha256(text.encode()).hexdigest()
        card = describe_table(table, records_of(rows, chosen), rows, lacking, digest)
        if table.name == MAIN:
            card["sweep_wall_seconds"] = round(read_wall_seconds(out), 1)
        write_atomically(into / f"{table.name}.csv", text)
        write_json(into / f"{table.name}.json", card | {"seed_noise": noise})
        absent = len(set(lacking).difference(foreign))
        print(f"{table.name}: {len(rows)} rows written, {absent} runs missing")
    for words in complaints([], foreign):  # the missing ones are counted above, table by table
        print(words)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep.collect", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("sweep-results"))
    parser.add_argument("--into", type=Path, help="folder of the tables (default: the package's)")
    parser.add_argument("--partial", action="store_true", help="accept missing runs")
    arguments = parser.parse_args()
    if arguments.partial and arguments.into is None:
        raise SystemExit("--partial would replace the package's tables: say --into FOLDER")
    into = arguments.into or FOLDER
    try:
        into.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SystemExit(f"cannot make the folder {into}: {error}") from error
    collect(arguments.out, into, arguments.partial)


if __name__ == "__main__":
    main()
