"""Certificates: bounds on the distance of a solution from a mode, and tests for saddles, kinks and corners."""
