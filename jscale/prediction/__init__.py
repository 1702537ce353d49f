"""Predictions from fits and draws, and tables simulated from a law."""
