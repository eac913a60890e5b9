"""Generated inference problems over extremes, and oracles that share no code with the package."""
