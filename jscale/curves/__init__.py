"""Curves from raw runs: frontiers of loss over compute, isoFLOP tables, schedules, optima."""
