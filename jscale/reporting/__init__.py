"""The report: one page, the explorer, the recipe, the console."""
