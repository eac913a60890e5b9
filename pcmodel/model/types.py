"""Shared types and conventions.

Level 0 is the bottom (the data, which are predicted) and the last level the top (which has a prior), so "high level"
means a high index, and predictions go *down* the index.  Conventions in the literature differ.

Errors are always latent minus prediction.  Precisions are stored as log-precisions.  Numerical functions are written
for one example and mapped over examples by `jax.vmap`.
"""

from typing import Any, TypeAlias

from jax import Array

Latents: TypeAlias = tuple[Array, ...]
"""One array per level, bottom first; level l has shape (width_l,)."""

LogPrecisions: TypeAlias = tuple[Array | None, ...]
"""One per level: scalar (), per unit (width,), full log-Cholesky (width, width), or
None for a level 0 without a precision (Bernoulli, categorical)."""

Weights: TypeAlias = Any
"""A pytree of arrays whose structure only the model needs to know."""
