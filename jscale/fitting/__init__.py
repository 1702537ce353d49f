"""From a law and runs to a fit: objective, problem, starts, solver, diagnostics, notes."""
