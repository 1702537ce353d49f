"""Plans: what to train with a budget, what a target takes, and which recipe wins where."""
