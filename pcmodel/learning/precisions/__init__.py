"""How precisions are learned: M-steps, natural gradient, and tests of their convergence."""
