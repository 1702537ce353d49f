"""The discrepancy of a law: a Gaussian process for the departure of the truth from the law."""
