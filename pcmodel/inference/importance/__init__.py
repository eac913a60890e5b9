"""Importance ratios of draws from the Laplace posterior, Pareto-smoothed, and leave-one-out with them."""
