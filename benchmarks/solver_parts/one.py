"""Run one task in a separate process and print the result as JSON.

python -m benchmarks.solver_parts.one TASK [NUMBER …]
"""

from __future__ import annotations

import json
import resource
import sys
import warnings

warnings.simplefilter("ignore")


def main() -> None:
    """Run the task named on the command line."""
    from benchmarks.solver_parts import growth, hard_laws, ours, peers

    tasks = {**ours.TASKS, **peers.TASKS, **growth.TASKS, **hard_laws.TASKS}
    name, *numbers = sys.argv[1:]
    try:
        found = tasks[name](*(int(n) for n in numbers))
    except ImportError as error:
        found = {"missing": str(error)}
    found["rss"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found))


if __name__ == "__main__":
    main()
