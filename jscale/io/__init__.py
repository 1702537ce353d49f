"""Saved results: fits as JSON files."""
