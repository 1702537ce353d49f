"""The parts of benchmarks/extrapolation.py: the questions, and fits with SciPy alone."""
