"""Whole studies: fit, simulate, recover, calibrate, and the power of a design."""
