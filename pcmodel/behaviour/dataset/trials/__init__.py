"""Which rows are trials, of which session, and in which order."""
