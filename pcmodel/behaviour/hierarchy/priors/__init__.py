"""Priors: as a user writes them, as a model of one person has them, and as the sampler's coordinates of spreads."""
