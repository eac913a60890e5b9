"""Data sets of the package and downloaded ones, and their preparation for networks.

May import: `inputs`, `runtime`.
"""
