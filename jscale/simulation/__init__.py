"""Simulated runs: designs, worlds, noise."""
