r"""Bounds on the Newton decrement: how far a solver's result may be from the mode.

The distance is the Newton decrement $\delta = \sqrt{g^\top H^{-1} g}$ at the result: posterior standard deviations to
the mode, and $\delta^2 / 2$ nats of excess energy.  With $H = I + S^\top S$ it has an upper bound that needs no solve: for
*every* vector t

$$ \delta^2 \le |g + S^\top t|^2 + |t|^2 , $$

with equality at $t = S v$, $v = -H^{-1} g$ (the gap between the quadratic model and its Fenchel dual).  An inaccurate
Newton step v therefore loosens the bound but cannot invalidate it; g, S v and S'S v are evaluated at the result.

Two corrections apply.  `last_digit` estimates the effect of rounding: the distance the result moves when every latent
changes in its last digit, and the usual estimate of the rounding of the sums in g, which was found up to ten times too
small where errors of a thousand standard deviations cancel.  It excludes the rounding within activations: in single
precision 1 - tanh(x)^2 is a multiple of 6e-8, a quarter of its size at x = 8, so that a unit held there by errors of 600
standard deviations was certified 0.17 from its mode.  Where predictions are nonlinear, a few products with the *true*
Hessian find its least curvature relative to H, by which the bound is widened, and directions of negative curvature,
along which the result is not a mode.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float

from pcmodel.inference.fixed_draws import normal, signs
from pcmodel.inference.linear.dual_primal import LinearSolution
from pcmodel.inference.solvers.sufficient_decrease import ROUNDING, gradient_rounding
from pcmodel.inference.whitened import (
    Linearisation,
    objective,
    unroll,
    unrolled_objective,
    whitened_from_latents,
)
from pcmodel.model.energy import latents_from_state, state_from_latents
from pcmodel.model.likelihood import Bernoulli, Categorical, Gaussian
from pcmodel.model.problem import Problem


def certifiable(dtype: jnp.dtype) -> float:
    """Largest effect of rounding that is certified, in posterior standard deviations."""
    return 1e-4 if dtype == jnp.float64 else 0.05


DIGITS = 4.0
"""Multiple of `last_digit` at which a result counts as converged if the tolerance is below rounding."""
PROBES = 500
"""Largest number of products with the true Hessian in the search for negative curvature."""
UNSEEN = 0.003
"""Largest unexplained fraction of a probing vector's length at which curvature counts as known.

The component along an undiscovered direction of negative curvature remains unexplained.  One of `n` directions has a
smaller share of a random vector with probability 0.8 UNSEEN sqrt(n): 1 % for n = 16, 3 % for n = 128.
"""


class Certificate(NamedTuple):
    """How far a result may be from the mode.

    residual: bound on the distance in posterior standard deviations, including an estimate of rounding.
    converged: whether the residual is within the tolerance, or the limit of rounding.
    """

    residual: Float[Array, ""]
    converged: Bool[Array, ""]


def decrement_bound(
    gradient: Float[Array, " free"], solution: LinearSolution
) -> Float[Array, ""]:
    """Upper bound on the Newton decrement at a point, from any approximate Newton step there."""
    bound2 = jnp.sum((gradient + solution.pulled) ** 2) + jnp.sum(solution.pushed**2)
    # `minimum` propagates a NaN, which is never certified.
    return jnp.sqrt(jnp.minimum(jnp.sum(gradient**2), bound2))


def last_digit(
    problem: Problem, whitened: Float[Array, " free"], linear: Linearisation
) -> Float[Array, ""]:
    """Effect of rounding, of every free latent's last digit and the gradient's sums, in posterior standard deviations."""
    unrolled = unroll(problem, whitened)
    state = state_from_latents(problem.structure, unrolled.latents)
    value = unrolled_objective(problem, whitened, unrolled)
    epsilons = ROUNDING * jnp.finfo(value.dtype).eps
    sums = gradient_rounding(epsilons * jnp.abs(value))
    directions = signs(state.shape[0], 0, state.dtype)
    change = jnp.finfo(state.dtype).eps * state * directions

    def to_whitened(state: Array) -> Array:
        return whitened_from_latents(problem, latents_from_state(problem, state))

    _, moved = jax.jvp(to_whitened, (state,), (change,))
    return jnp.sqrt(squared_length(linear, moved) + sums**2)


def conclude(
    bound: Float[Array, ""],
    digit: Float[Array, ""],
    tolerance: float,
    *,
    stalled: Array | bool = False,
) -> Certificate:
    """The certificate from a bound on the decrement and the effect of rounding.

    bound: bound on the Newton decrement, posterior standard deviations.
    digit: effect of rounding, see `last_digit`.
    stalled: whether rounding has ended all progress, so that the remaining residual is attributed to it.
    """
    residual = jnp.sqrt(bound**2 + digit**2)
    most = certifiable(bound.dtype)
    rounding = jnp.where(stalled, most, jnp.minimum(DIGITS * digit, most))
    return Certificate(residual, residual <= jnp.maximum(tolerance, rounding))


def true_hessian(problem: Problem, whitened: Float[Array, " free"]):
    """The function v -> H v with the true Hessian at a point; nothing is computed before it is called."""

    def gradient(z: Array) -> Array:
        return jax.grad(objective, argnums=1)(problem, z)

    return lambda vector: jax.jvp(gradient, (whitened,), (vector,))[1]


def linearised_hessian(problem: Problem, whitened: Float[Array, " free"]):
    """The same for many products: computations that depend on the point alone are done once."""
    return jax.linearize(jax.grad(lambda z: objective(problem, z)), whitened)[1]


def probing(linear: Linearisation, seed: int = 1) -> Float[Array, " free"]:
    """A fixed draw of N(0, I + S'S), isotropic for the preconditioned Hessian."""
    dtype = linear.gradient.dtype
    rhs = normal(linear.gradient.shape[0], seed, dtype)
    if linear.num_outputs:
        rhs += linear.pull(normal(linear.num_outputs, seed + 1, dtype))
    return rhs


def squared_length(linear: Linearisation, vector: Float[Array, " free"]) -> Array:
    """v'(I + S'S) v, squared posterior standard deviations by the Gauss-Newton Hessian."""
    return jnp.sum(vector**2) + jnp.sum(linear.push(vector) ** 2)


def widening(least: Float[Array, ""]) -> Float[Array, ""]:
    """Factor on a residual for the true Hessian, whose least curvature relative to Gauss-Newton's is `least`."""
    return 1 / jnp.sqrt(jnp.maximum(least, jnp.finfo(least.dtype).tiny))


HIDDEN = 1e10
"""Widening above which the curvature counts as unknown."""


def widened(residual: Array, factor: Array) -> Array:
    """The residual in standard deviations of the true Hessian; infinite where the curvature is unknown."""
    return jnp.where(factor > HIDDEN, jnp.inf, factor * residual)


def is_convex(problem: Problem) -> bool:
    """Whether the Gauss-Newton Hessian is the true one: affine predictions, and a likelihood of the package, whose
    Fisher information is its Hessian; False for a user's likelihood.
    """
    model = problem.structure.model
    kinds = (Gaussian, Bernoulli, Categorical)
    return model.is_linear and all(type(own) in kinds for own in model.likelihoods)
