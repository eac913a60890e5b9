r"""How far an answer may still be from the mode: one certificate for every solver.

The distance is the Newton decrement $\delta = \sqrt{g^\top H^{-1} g}$ at the answer: posterior standard deviations to
the mode, and $\delta^2 / 2$ nats of excess energy.  With $H = I + S^\top S$ it is bounded without solving anything: for
*every* vector t

$$ \delta^2 \le |g + S^\top t|^2 + |t|^2 , $$

with equality at $t = S v$, $v = -H^{-1} g$ (the gap between the quadratic model and its Fenchel dual).  So whatever
found v, a bad v makes the bound large and never small; g, S v and S'S v are measured where the answer is.

Two things are added.  `last_digit` is how far the answer moves when every latent moves in its last digit (no number of
this float type lies nearer), with the rounding of the sums in g as usually estimated: where errors of a thousand
standard deviations cancel, that estimate has been seen ten times too small.  What an activation loses itself is not in
it: in single precision 1 - tanh(x)^2 is a multiple of 6e-8, a quarter of its size at x = 8, so that a unit held there
by errors of 600 standard deviations has been certified 0.17 from its mode.  Where predictions bend, a few products
with the *true* Hessian tell the least curvature they meet per that of H, which widens the bound, and whether there
is a direction without any, along which the answer is no mode.
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
    """Posterior standard deviations: where rounding leaves more than this nothing is certified."""
    return 1e-4 if dtype == jnp.float64 else 0.05


DIGITS = 4.0
"""Multiples of `last_digit` at which an answer counts as found if the tolerance cannot be had."""
PROBES = 500
"""Products with the true Hessian that look for negative curvature, at most."""
UNSEEN = 0.003
"""Share of a probing vector's length that may be left unexplained.

No product takes the part along a direction of negative curvature away before it is found, and one direction of `n`
has less than this of a random vector with probability .8 UNSEEN sqrt(n): one in a hundred of 16, three of 128.
"""


class Certificate(NamedTuple):
    """residual: posterior standard deviations to the mode; a bound but for what `last_digit` estimates.
    converged: whether it is as small as was asked, or as floats allow.
    """

    residual: Float[Array, ""]
    converged: Bool[Array, ""]


def decrement_bound(
    gradient: Float[Array, " free"], solution: LinearSolution
) -> Float[Array, ""]:
    """Bound on the Newton decrement at a point, given any approximate Newton step there."""
    bound2 = jnp.sum((gradient + solution.pulled) ** 2) + jnp.sum(solution.pushed**2)
    # `minimum` keeps a NaN, which then certifies nothing.
    return jnp.sqrt(jnp.minimum(jnp.sum(gradient**2), bound2))


def last_digit(
    problem: Problem, whitened: Float[Array, " free"], linear: Linearisation
) -> Float[Array, ""]:
    """Posterior standard deviations that rounding leaves: of every free latent's last digit, and of the gradient's sums."""
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
    """What a measured bound and the rounding of the answer together allow to be said.

    stalled: rounding has ended all progress, so that what is left is its doing.
    """
    residual = jnp.sqrt(bound**2 + digit**2)
    most = certifiable(bound.dtype)
    rounding = jnp.where(stalled, most, jnp.minimum(DIGITS * digit, most))
    return Certificate(residual, residual <= jnp.maximum(tolerance, rounding))


def true_hessian(problem: Problem, whitened: Float[Array, " free"]):
    """v -> H v with the true Hessian at a point; costs nothing until it is asked."""

    def gradient(z: Array) -> Array:
        return jax.grad(objective, argnums=1)(problem, z)

    return lambda vector: jax.jvp(gradient, (whitened,), (vector,))[1]


def linearised_hessian(problem: Problem, whitened: Float[Array, " free"]):
    """The same, for many products: what depends on the point alone is computed first."""
    return jax.linearize(jax.grad(lambda z: objective(problem, z)), whitened)[1]


def probing(linear: Linearisation, seed: int = 1) -> Float[Array, " free"]:
    """A fixed draw of N(0, I + S'S): it favours no direction of the preconditioned Hessian."""
    dtype = linear.gradient.dtype
    rhs = normal(linear.gradient.shape[0], seed, dtype)
    if linear.num_outputs:
        rhs += linear.pull(normal(linear.num_outputs, seed + 1, dtype))
    return rhs


def squared_length(linear: Linearisation, vector: Float[Array, " free"]) -> Array:
    """v'(I + S'S) v: in posterior standard deviations by the Gauss-Newton Hessian."""
    return jnp.sum(vector**2) + jnp.sum(linear.push(vector) ** 2)


def widening(least: Float[Array, ""]) -> Float[Array, ""]:
    """Factor from Gauss-Newton's standard deviations to the true Hessian's, from the least curvature met per its own."""
    return 1 / jnp.sqrt(jnp.maximum(least, jnp.finfo(least.dtype).tiny))


HIDDEN = 1e10
"""Widening that tells no curvature: what a look did not explain may be anything."""


def widened(residual: Array, factor: Array) -> Array:
    """The residual in the true Hessian's standard deviations; infinite where nothing is known, even of no residual."""
    return jnp.where(factor > HIDDEN, jnp.inf, factor * residual)


def is_convex(problem: Problem) -> bool:
    """Whether the Gauss-Newton Hessian is the true one: affine predictions, and data whose Fisher information is the
    Hessian. Of a likelihood that is not the package's own nothing is known.
    """
    own = type(problem.structure.model.likelihood)
    known = own in (Gaussian, Bernoulli, Categorical)
    return problem.structure.model.is_linear and known
