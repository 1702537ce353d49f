"""The batched solver: starts, searches, steps."""
