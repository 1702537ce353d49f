"""Turn finished runs into the table `stdlib_lm.csv` and its card: `python -m ...sweep.collect`."""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
from pathlib import Path
from typing import Any

from .card import describe_table
from .grid import Settings, settle
from .noise import seed_noise
from .plans import PLANS
from .store import is_finished, read_record, read_wall_seconds, write_atomically, write_json

TABLES = Path(__file__).resolve().parents[2] / "jscale" / "data" / "tables"
TABLE_NAME = "stdlib_lm"
PILOT_CSV = Path(__file__).with_name("pilot.csv")
REPEATS_CSV = Path(__file__).with_name("repeats.csv")


def card_digest() -> str | None:
    """The corpus digest that the table's card states; None while there is no card."""
    try:
        card = json.loads((TABLES / f"{TABLE_NAME}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return card["corpus"]["digest"]


def corpus_matches_card(digest: str) -> bool | None:
    """Whether this corpus is the one of the card; None while there is no card."""
    stated = card_digest()
    return None if stated is None else stated == digest


def finished_records(plan: str, out: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """The plan's finished records in the plan's order, and the names of the missing runs.

    Records of different corpora are never put into one table.
    """
    records, missing = [], []
    for settings in (settle(spec) for spec in PLANS[plan]()):
        record = read_record(out, settings.run)
        if record is None or not is_finished(out, settings.as_dict(), record["corpus"]["digest"]):
            missing.append(settings.run)
        else:
            records.append(record)
    digests = {record["corpus"]["digest"] for record in records}
    if len(digests) > 1:
        raise SystemExit(f"the runs in {out} come from different corpora: {sorted(digests)}")
    return records, missing


def table_row(record: dict[str, Any]) -> dict[str, Any]:
    """One line of the table."""
    settings = Settings(**record["settings"])
    shape, unique = settings.shape, record["corpus"]["train_bytes"]
    return {
        "run": settings.run,
        "split": settings.split,
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


def as_csv(rows: list[dict[str, Any]]) -> str:
    """CSV text; floats as `repr`, so that reading them back gives the same bits."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({k: repr(v) if isinstance(v, float) else v for k, v in row.items()})
    return text.getvalue()


def collect_table(out: Path, partial: bool) -> None:
    """Write the table and its card; refuses missing runs unless `partial`."""
    records, missing = finished_records("grid", out)
    if missing and not partial:
        raise SystemExit(f"{len(missing)} runs are missing: {', '.join(missing)}")
    if not records:
        raise SystemExit(f"no finished run in {out}")
    rows = [table_row(record) for record in records]
    text = as_csv(rows)
    write_atomically(TABLES / f"{TABLE_NAME}.csv", text)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    card = describe_table(records, missing, sha256, read_wall_seconds(out))
    card["seed_noise"] = seed_noise(rows, REPEATS_CSV)
    write_json(TABLES / f"{TABLE_NAME}.json", card)
    print(f"{len(records)} runs written to {TABLES}, {len(missing)} missing")


def collect_side_table(plan: str, out: Path, target: Path) -> None:
    """Write the finished runs of the pilot or of the repeats beside this code."""
    records, missing = finished_records(plan, out)
    if not records:
        raise SystemExit(f"no finished run of the plan {plan!r} in {out}")
    write_atomically(target, as_csv([table_row(record) for record in records]))
    print(f"{len(records)} runs written to {target}, {len(missing)} missing")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep.collect", description=__doc__)
    parser.add_argument("--plan", choices=sorted(PLANS), default="grid")
    parser.add_argument("--out", type=Path, default=Path("sweep-results"))
    parser.add_argument("--partial", action="store_true", help="accept missing runs")
    arguments = parser.parse_args()
    if arguments.plan == "grid":
        collect_table(arguments.out, arguments.partial)
    else:
        target = PILOT_CSV if arguments.plan == "pilot" else REPEATS_CSV
        collect_side_table(arguments.plan, arguments.out, target)


if __name__ == "__main__":
    main()
