"""The mathematical model as pure functions: hierarchy, precisions, beliefs, modulations and energy.

May import: `inputs`.
"""
