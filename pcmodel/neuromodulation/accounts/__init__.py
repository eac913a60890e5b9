"""Rival accounts of what an effect does to a hierarchy, and where in it the receptors are."""
