"""A user's own models: read from a Python file, checked before anything is fitted, then models as any others."""
