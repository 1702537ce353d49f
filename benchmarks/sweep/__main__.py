"""`python -m benchmarks.sweep`."""

from .run import main

raise SystemExit(main())
