"""Exact EM of linear-Gaussian hierarchies, whole or at a rate: `moments` (E-step), `maximisation` (M-step), their loop."""
