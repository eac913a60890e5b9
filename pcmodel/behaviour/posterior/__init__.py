"""Fitted posteriors: summaries, diagnostics, predictive checks and model comparison."""
