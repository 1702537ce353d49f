"""The noise of new runs."""
