"""Execute the notebooks of a folder from their own cells, two at a time; any error fails."""

from __future__ import annotations

import argparse
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nbformat
from nbclient import NotebookClient

AT_ONCE = 2


def execute(path: Path) -> str:
    """Execute one notebook in an empty folder."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": folder}})
        client.execute()
    return f"{path}: {len(notebook.cells)} cells ran"


def chosen(paths: list[Path], part: str, also: list[str]) -> list[Path]:
    """Choose every N-th notebook, from the I-th on, and those that are named."""
    first, every = map(int, part.split("/"))
    names = {Path(name).name for name in also}
    return [p for i, p in enumerate(paths) if i % every == first or p.name in names]


def main() -> int:
    """Run the notebooks; return 1 if there is none."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", default="0/1", metavar="I/N", help="every N-th, from the I-th on")
    parser.add_argument("--also", nargs="*", default=[], help="notebooks to run in any case")
    options = parser.parse_args()
    paths = chosen(sorted(options.folder.glob("*.ipynb")), options.part, options.also)
    with ProcessPoolExecutor(AT_ONCE) as pool:
        for line in pool.map(execute, paths):
            print(line, flush=True)
    return 0 if paths else 1


if __name__ == "__main__":
    sys.exit(main())
