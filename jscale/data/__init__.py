"""Tables of runs: the glossary of columns, units, FLOPs, validation, and data sets."""
