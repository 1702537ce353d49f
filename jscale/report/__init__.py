"""Pictures and printed tables of fits and predictions."""
