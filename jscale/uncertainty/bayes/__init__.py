"""Posteriors: densities, priors, samplers."""
