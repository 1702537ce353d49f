"""The parts of benchmarks/solver.py: the work, our solver on it, other tools, growth."""
