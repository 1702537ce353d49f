"""Run every Python block of a Markdown file, each in its own process and folder."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def main(path: str) -> int:
    """Run the blocks; return 1 if there is none or one fails."""
    blocks = BLOCK.findall(Path(path).read_text(encoding="utf-8"))
    for number, code in enumerate(blocks, start=1):
        with tempfile.TemporaryDirectory() as folder:
            # From a file, so that a law's source can be read as in a user's script.
            script = Path(folder) / "block.py"
            script.write_text(code, encoding="utf-8")
            done = subprocess.run([sys.executable, str(script)], cwd=folder, check=False)
        if done.returncode:
            print(f"{path}: Python block {number} failed", file=sys.stderr)
            return 1
    print(f"{path}: {len(blocks)} Python blocks ran")
    return 0 if blocks else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
