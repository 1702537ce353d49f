"""Parts of the benchmark of forecasts: the corpus, scores, other ways of forecasting, pictures."""
