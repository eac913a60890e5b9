"""The plasticity window that an administration opens: its drive, stages, routes, and course over days.

May import what `pcmodel.neuromodulation` may.
"""
