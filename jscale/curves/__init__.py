"""Curves read off raw runs: the frontier of loss over compute, and isoFLOP tables."""
