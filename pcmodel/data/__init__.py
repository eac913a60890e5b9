"""Data that come with the package, and how to read them."""
