"""The parts of benchmarks/extrapolation.py: the questions, and what one does with SciPy alone."""
