"""How precisions are learned: M-steps, natural gradient, and whether they have settled."""
