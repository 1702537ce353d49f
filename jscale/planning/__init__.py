"""Plans: what to train on a budget, what a target requires, and which recipe is better where."""
