"""Data that come with the package or are fetched once, and how they reach a network.

May import: `inputs`, `runtime`.
"""
