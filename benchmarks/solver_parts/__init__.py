"""The parts of benchmarks/solver.py: tasks, our solver, other tools, growth."""
