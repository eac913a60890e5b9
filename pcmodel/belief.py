r"""A belief: a Gaussian over one level, or jointly over several.

A belief held before the evidence is a residual of its own in the energy.  At the top
level it *is* the prior (it replaces the network's own); at a lower level it is a
*temporal prior* beside the prediction from above.  One `Belief` over several levels
holds their joint covariance, which is what makes a trial-by-trial update a Kalman
filter; several single-level beliefs are the mean-field form for wide levels.

Where a lower level has both a temporal prior and a prediction from above, the energy is minus
the log of the *product* of the two normalised Gaussians: the evidence is then that of the data
together with a pseudo-observation $x_\ell - f_\ell(x_{\ell+1}) = 0$ of precision $\Pi_\ell$.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from pcmodel.errors import UserError
from pcmodel.levels import Level, as_levels
from pcmodel.precision import (
    covariance_to_log_precision,
    from_precision,
    unpack_cholesky,
)
from pcmodel.small import solve_lower, solve_lower_transposed


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Belief:
    """Gaussian belief over the concatenated units of `levels` (ascending order).

    mean: (n,) with n the sum of the levels' widths, or (batch, n).
    log_precision: (), (n,) or (n, n) as in `pcmodel.precision`, or (batch, n, n).
    levels: level indices or names, ascending; static.
    """

    # JAX also builds beliefs of axes and placeholders, which a checker would refuse.
    mean: Array | Any
    log_precision: Array | Any
    levels: tuple[Level, ...] = field(default=("top",), metadata={"static": True})

    @classmethod
    def of(
        cls,
        mean: ArrayLike,
        precision: ArrayLike,
        *,
        level: Level | Sequence[Level] = "top",
    ) -> Belief:
        """Belief with the given mean and (positive) precision about `level`."""
        levels = as_levels(level)
        mean = jnp.atleast_1d(jnp.asarray(mean, dtype=float))
        if not np.all(np.isfinite(np.asarray(mean))):
            raise UserError(f"belief about {levels}: the mean must be finite.")
        log_precision = from_precision(precision, where=f"belief about {levels}")
        return cls(mean, log_precision.astype(mean.dtype), levels)

    @classmethod
    def from_covariance(
        cls, mean: Array, covariance: Array, levels: tuple[Level, ...]
    ) -> Belief:
        """Belief with a full covariance (traceable; not validated)."""
        return cls(mean, covariance_to_log_precision(covariance), levels)

    @property
    def covariance(self) -> Array:
        """Covariance matrix (n, n), one per example of a batched belief."""
        if self.mean.ndim > 1:
            return self._map(lambda belief: belief.covariance)
        width = self.mean.shape[-1]
        if self.log_precision.ndim < 2:
            return jnp.diag(jnp.exp(-jnp.broadcast_to(self.log_precision, (width,))))
        lower = unpack_cholesky(self.log_precision)
        identity = jnp.eye(width, dtype=lower.dtype)
        return solve_lower_transposed(lower, solve_lower(lower, identity))

    def propagate(
        self, *, transition: Array | None = None, noise_covariance: ArrayLike = 0.0
    ) -> Belief:
        """The prior of the next trial: mean A m, covariance A P A' + Q.

        `noise_covariance` is a scalar (times the identity), a vector (diagonal) or a
        matrix Q; `transition` None means A = I (the belief is only widened).
        """
        if self.mean.ndim > 1:
            return self._map(
                lambda belief: belief.propagate(
                    transition=transition, noise_covariance=noise_covariance
                )
            )
        width = self.mean.shape[-1]
        noise = jnp.asarray(noise_covariance, dtype=self.mean.dtype)
        if noise.ndim < 2:
            noise = jnp.diag(jnp.broadcast_to(noise, (width,)))
        mean, covariance = self.mean, self.covariance
        if transition is not None:
            mean, covariance = transition @ mean, transition @ covariance @ transition.T
        return Belief.from_covariance(mean, covariance + noise, self.levels)

    def _map(self, function: Callable[[Belief], Any]) -> Any:
        """`function` of each belief of a batch (whose precision may be shared)."""
        axis = 0 if self.log_precision.ndim == 3 else None
        return jax.vmap(
            lambda mean, log_precision: function(
                replace(self, mean=mean, log_precision=log_precision)
            ),
            in_axes=(0, axis),
        )(self.mean, self.log_precision)
