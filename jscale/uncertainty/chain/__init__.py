"""Chained laws, fitted in stages or jointly."""
