"""Solvers that descend from an initial point to a mode.

Their linear solves are in `linear`, the bounds on their errors in `certificates`.
"""
