"""Draws from the posterior of a hierarchical model: MAP estimates, initialisation, NUTS, variational inference."""
