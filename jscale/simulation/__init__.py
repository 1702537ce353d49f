"""Simulated runs: designs, planted worlds and noise."""
