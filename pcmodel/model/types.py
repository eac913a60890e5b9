"""The vocabulary every part shares.

Level 0 is the bottom (what is predicted: the data), the last level is the top (the
belief held before the evidence), so "high level" means a high index and predictions
flow *down* the index.  The literature disagrees; this package does not.

Errors are always latent minus prediction.  Precisions are stored as log-precisions.
Everything numerical is written for one example and `jax.vmap`-ed outward.
"""

from typing import Any, TypeAlias

from jax import Array

Latents: TypeAlias = tuple[Array, ...]
"""One array per level, bottom first; level l has shape (width_l,)."""

LogPrecisions: TypeAlias = tuple[Array | None, ...]
"""One per level: scalar (), per unit (width,), full log-Cholesky (width, width), or
None for a level 0 without a precision (Bernoulli, categorical)."""

Weights: TypeAlias = Any
"""A pytree of arrays that only the model's `predict_level` looks into."""
