"""Which trials are of which person and session, and in which order."""
