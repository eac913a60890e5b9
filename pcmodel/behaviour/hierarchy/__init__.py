"""Formulas, their design matrices, and the hierarchical model over people that they define."""
