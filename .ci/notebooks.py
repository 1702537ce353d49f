"""Execute every notebook of a folder from its own cells; any error fails."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient


def main(folder: str) -> int:
    """Run the notebooks in name order; return 1 if there is none."""
    paths = sorted(Path(folder).glob("*.ipynb"))
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        with tempfile.TemporaryDirectory() as where:
            client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": where}})
            client.execute()
        print(f"{path}: {len(notebook.cells)} cells ran")
    return 0 if paths else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
