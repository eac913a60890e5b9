"""Models written by hand in NumPyro, for the benchmark `fit_by_hand`."""
