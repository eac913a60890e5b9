"""Levels and parts in what users give and get: clamped values, beliefs, latents to start from, results by name."""
