"""Whole studies: fitting, simulation, recovery, calibration, and the power of a design."""
