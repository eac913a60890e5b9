"""Pareto-smoothed importance sampling from the Laplace posterior, and leave-one-out predictive accuracy."""
