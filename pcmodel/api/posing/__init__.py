"""Levels and parts in what users give and get: clamped values, beliefs, results by name."""
