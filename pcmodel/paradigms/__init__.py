"""Evidence streams, and what is measured of a belief that meets them.

May import: `inputs`, `model`, `inference`, `networks`, `api`, `neuromodulation`.
"""
