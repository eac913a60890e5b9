"""Optax steps on weights: one entry per layer, and layers of a stack together where a step allows it."""
