"""Comparing laws on runs they have not seen."""
