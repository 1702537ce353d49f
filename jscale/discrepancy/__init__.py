"""The discrepancy of a law: a Gaussian process by which the truth may bend away from it."""
