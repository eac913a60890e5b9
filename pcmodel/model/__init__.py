"""What a hierarchy is, as pure functions: widths, precisions, beliefs, modulations, and their energy.

May import: `inputs`.
"""
