r"""A belief: a Gaussian over one level, or jointly over several.

A prior belief adds a residual to the energy.  At the top level it *is* the prior (it replaces the network's); at a
lower level it is a *temporal prior* in addition to the prediction from above.  One `Belief` over several levels
has their joint covariance, with which a trial-by-trial update is a Kalman filter; several single-level beliefs are
the mean-field form for wide levels.

Where a lower level has both a temporal prior and a prediction from above, the energy is minus
the log of the *product* of the two normalised Gaussians: the evidence is then that of the data
together with a pseudo-observation $x_\ell - f_\ell(x_{\ell+1}) = 0$ of precision $\Pi_\ell$.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.typing import ArrayLike

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.arrays import (
    default_dtype,
    is_traced,
    is_wide,
    read_numbers,
    to_dtype,
)
from pcmodel.inputs.covariances import check_covariance, check_noise, check_transition
from pcmodel.model.levels import LevelName, plain_levels
from pcmodel.model.linalg import solve_lower, solve_lower_transposed
from pcmodel.model.precision import (
    check_log_precision,
    covariance_to_log_precision,
    from_precision,
    unpack_cholesky,
)


@dataclass(frozen=True)
class Belief:
    """Gaussian belief over the concatenated units of `levels` or parts of them (ascending order).

    mean: (n,) with n the sum of the levels' widths, or (batch, n).
    log_precision: (), (n,) or (n, n) as in `pcmodel.model.precision`, or (batch, n, n).
    levels: level indices or names, or names of parts, by level ascending; static.

    Raises UserError for a wrong shape and for numbers that are not finite; traced values are not checked.
    """

    mean: Array | Any
    log_precision: Array | Any
    levels: tuple[LevelName, ...] = ("top",)

    def __post_init__(self):
        levels = plain_levels(self.levels)
        where = f"belief about {levels}"
        mean = _as_array(self.mean, where=f"mean of the {where}")
        log_precision = _as_array(self.log_precision, where=f"precision of the {where}")
        mean = jnp.atleast_1d(mean)
        if mean.ndim > 2 or not mean.size:
            raise UserError(
                f"has shape {mean.shape}",
                where=f"mean of the {where}",
                expected="(units,) or (batch, units)",
            )
        _set(self, mean, log_precision, levels)

    @classmethod
    def unchecked(
        cls, mean: Any, log_precision: Any, levels: tuple[LevelName, ...]
    ) -> Belief:
        """A belief without checks, because JAX also builds beliefs of axes and placeholders."""
        return _set(object.__new__(cls), mean, log_precision, levels)

    @classmethod
    @checked_arguments
    def of(
        cls,
        mean: ArrayLike,
        precision: ArrayLike,
        *,
        level: LevelName | Sequence[LevelName] = "top",
    ) -> Belief:
        """Belief about `level` (a level, a part, or several) with the given mean and precision (inverse variance, positive).

        precision: scalar, one per unit, or a positive definite matrix.

        Raises UserError for another shape or sign.
        """
        levels = plain_levels(level)
        where = f"belief about {levels}"
        numbers = read_numbers(mean, where=f"mean of the {where}")
        log_precision = from_precision(precision, where=f"precision of the {where}")
        mean = jnp.asarray(to_dtype(numbers, default_dtype(), where=where))
        return cls(mean, log_precision.astype(mean.dtype), levels)

    @classmethod
    @checked_arguments
    def from_covariance(
        cls,
        mean: ArrayLike,
        covariance: ArrayLike,
        levels: LevelName | Sequence[LevelName],
    ) -> Belief:
        """Belief with a full covariance (traceable).

        Raises UserError for a matrix that is not a covariance, or too close to singular to be inverted.
        """
        where = f"covariance of the belief about {plain_levels(levels)}"
        matrix = jnp.asarray(check_covariance(covariance, where=where))
        log_precision = covariance_to_log_precision(matrix)
        if not is_traced(log_precision) and not np.all(np.isfinite(log_precision)):
            raise UserError(
                f"cannot be inverted in {matrix.dtype}",
                where=where,
                expected="a positive definite matrix that is not nearly singular",
            )
        return cls(mean, log_precision, plain_levels(levels))

    def in_dtype(self, dtype: Any, levels: tuple[int, ...]) -> Belief:
        """The belief in a network's dtype with level indices; raises UserError for values beyond the dtype's range."""
        where = f"belief about {self.levels}"
        mean, log_precision = self.mean, self.log_precision
        if not is_traced(mean):
            mean = to_dtype(np.asarray(mean), dtype, where=where)
        if not is_traced(log_precision):
            check_log_precision(log_precision, where=where, dtype=dtype)
        return Belief.unchecked(
            jnp.asarray(mean, dtype), jnp.asarray(log_precision, dtype), levels
        )

    @property
    def covariance(self) -> Array:
        """Covariance matrix (n, n), one per example of a batched belief."""
        self._check_shapes()
        if self.mean.ndim > 1:
            return self._map(lambda belief: belief.covariance)
        width = self.mean.shape[-1]
        if self.log_precision.ndim < 2:
            return jnp.diag(jnp.exp(-jnp.broadcast_to(self.log_precision, (width,))))
        lower = unpack_cholesky(self.log_precision)
        identity = jnp.eye(width, dtype=lower.dtype)
        return solve_lower_transposed(lower, solve_lower(lower, identity))

    def propagate(
        self, *, transition: ArrayLike | None = None, noise_covariance: ArrayLike = 0.0
    ) -> Belief:
        """The prior of the next trial: mean A m, covariance A P A' + Q, with P the covariance of this belief.

        transition: A, (n, n); None: the identity.
        noise_covariance: Q as a scalar (times the identity), a vector (its diagonal) or a matrix.

        Raises UserError for a negative or asymmetric Q, and for another size.
        """
        width = self.mean.shape[-1]
        noise = check_noise(noise_covariance, width, self.mean.dtype)
        if transition is not None:
            transition = check_transition(transition, width, self.mean.dtype)
        if self.mean.ndim > 1:
            return self._map(lambda belief: belief._propagate(transition, noise))
        return self._propagate(transition, noise)

    def _propagate(self, transition: Array | None, noise: Array) -> Belief:
        mean, covariance = self.mean, self.covariance
        if transition is not None:
            mean, covariance = transition @ mean, transition @ covariance @ transition.T
        return Belief.from_covariance(mean, covariance + noise, self.levels)

    def _check_shapes(self) -> None:
        """Raise a UserError unless the shapes of mean and precision agree."""
        mean, shape = self.mean.shape, self.log_precision.shape
        one, width = self.mean.ndim == 1, mean[-1]
        allowed = [(), (width,), (width, width)] + ([] if one else [(*mean, width)])
        if self.mean.ndim > 2 or shape not in allowed:
            raise UserError(
                f"the precision of shape {shape} does not fit a mean of shape {mean}",
                where=f"belief about {self.levels}",
                expected=" or ".join(map(str, allowed)),
            )

    def _map(self, function: Callable[[Belief], Any]) -> Any:
        """`function` applied to each belief of a batch (whose precision may be shared)."""
        axis = 0 if self.log_precision.ndim == 3 else None
        return jax.vmap(
            lambda mean, log_precision: function(
                Belief.unchecked(mean, log_precision, self.levels)
            ),
            in_axes=(0, axis),
        )(self.mean, self.log_precision)


def _set(belief: Belief, mean: Any, log_precision: Any, levels: Any) -> Belief:
    for name, value in zip(
        ("mean", "log_precision", "levels"), (mean, log_precision, levels), strict=True
    ):
        object.__setattr__(belief, name, value)
    return belief


def _as_array(given: Any, *, where: str) -> Array:
    """The numbers as a jax array, finite; in the default dtype unless they already are a jax array."""
    numbers = read_numbers(given, where=where)
    if is_wide(given):
        return given
    if isinstance(numbers, Tracer):
        return jnp.asarray(numbers, default_dtype())
    return jnp.asarray(to_dtype(numbers, default_dtype(), where=where))


def _flatten(belief: Belief):
    keys = map(jax.tree_util.GetAttrKey, ("mean", "log_precision"))
    children = (belief.mean, belief.log_precision)
    return tuple(zip(keys, children, strict=True)), belief.levels


jax.tree_util.register_pytree_with_keys(
    Belief,
    _flatten,
    lambda levels, parts: Belief.unchecked(*tuple(parts)[:2], levels=levels),
    lambda belief: ((belief.mean, belief.log_precision), belief.levels),
)
