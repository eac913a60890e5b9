r"""Hamiltonian Monte Carlo in whitened error coordinates: draws from the exact posterior.

Where predictions are nonlinear the Laplace posterior is biased, and precision learning with it.  A
Metropolis-corrected trajectory (Duane et al. 1987; Neal 2011, Handbook of MCMC, ch. 5) is exact:
$z$ moves under $U(z) = \texttt{objective}(z)$ with momentum $p \sim N(0, I)$,

$$\dot z = R\, p, \qquad \dot p = -R^\top \nabla U(z), \qquad R R^\top = M^{-1},$$

with `potential` = U: HMC with mass $M$ and momentum $R^{-\top} p$, written so that the kernel neither factors nor
solves.  In these coordinates the prior has unit scale, and the Gauss-Newton posterior precision is $I + S^\top S$, which
is a good mass $M$.

One leapfrog step is the Metropolis-adjusted Langevin algorithm (Roberts & Tweedie 1996, Bernoulli 2:341), with
noise of variance $\epsilon^2 M^{-1}$; with `persistence` near 1 it is underdamped Langevin dynamics (Horowitz 1991).
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float, Int

from pcmodel.inference.whitened import objective
from pcmodel.model.problem import Problem

DIVERGED = 1000.0
"""Energy error, nats, beyond which a trajectory counts as divergent."""


Potential = Callable[[Float[Array, " free"]], Float[Array, ""]]
"""Minus a log density, up to a constant."""


class HmcState(NamedTuple):
    """State of one chain.

    whitened: present point, whitened errors.
    energy: potential at the point, nats.
    gradient: gradient of the potential there.
    momentum: present momentum, for partial refreshment.
    """

    whitened: Float[Array, " free"]
    energy: Float[Array, ""]
    gradient: Float[Array, " free"]
    momentum: Float[Array, " free"]


class HmcInfo(NamedTuple):
    """Diagnostics of one step.

    acceptance: probability with which the end of the trajectory is accepted.
    energy_error: total energy at the end minus that at the start of the trajectory, nats.
    diverged: whether that error is NaN or above 1000 nats.
    """

    acceptance: Float[Array, ""]
    energy_error: Float[Array, ""]
    diverged: Bool[Array, ""]


def potential_of(problem: Problem) -> Potential:
    """The potential whose density is the posterior of whitened errors."""
    return partial(objective, problem)


def init_hmc(potential: Potential, whitened: Float[Array, " free"]) -> HmcState:
    """State of a chain at a point, with zero momentum."""
    energy, gradient = jax.value_and_grad(potential)(whitened)
    return HmcState(whitened, energy, gradient, jnp.zeros_like(whitened))


def hmc_step(
    potential: Potential,
    key: Array,
    state: HmcState,
    *,
    step_size: float | Array,
    num_leapfrog: int | Array,
    root: Array | None = None,
    jitter: float = 0.0,
    persistence: float = 0.0,
) -> tuple[HmcState, HmcInfo]:
    r"""The state after one trajectory, accepted or rejected, and diagnostics; leaves the posterior invariant.

    step_size: of the leapfrog integrator, in units of the inverse root of the mass.
    num_leapfrog: leapfrog steps of the trajectory.
    root: R with $R R^\top$ the inverse mass: a matrix (free, free), its diagonal (free,), or None for the
        identity.  It must not depend on the chain's current state.
    jitter: relative half-width of the uniform distribution of each trajectory's step size, which avoids
        periodic trajectories near a Gaussian.
    persistence: correlation of the momentum with that of the last step (0 draws it anew).

    `state.energy` and `state.gradient` must belong to this potential: after a change of weights or precisions,
    start again from `init_hmc`.
    """
    momentum_key, accept_key, jitter_key = jax.random.split(key, 3)
    fresh = jax.random.normal(momentum_key, state.whitened.shape, state.whitened.dtype)
    momentum = persistence * state.momentum + (1 - persistence**2) ** 0.5 * fresh
    if jitter:
        spread = jax.random.uniform(
            jitter_key, (), state.energy.dtype, 1 - jitter, 1 + jitter
        )
        step_size = step_size * spread
    start = state._replace(momentum=momentum)
    end = leapfrog(
        potential, start, step_size=step_size, num_leapfrog=num_leapfrog, root=root
    )
    error = end.energy - start.energy + kinetic(end.momentum) - kinetic(momentum)
    diverged = ~(error <= DIVERGED)
    acceptance = jnp.where(diverged, 0.0, jnp.exp(jnp.minimum(-error, 0.0)))
    accepted = jax.random.uniform(accept_key, (), acceptance.dtype) < acceptance
    # The momentum is reversed after a rejection: with persistence the posterior is invariant only then.
    stay = start._replace(momentum=-momentum)
    following = jax.tree.map(partial(jnp.where, accepted), end, stay)
    return following, HmcInfo(acceptance, error, diverged)


def leapfrog(
    potential: Potential,
    state: HmcState,
    *,
    step_size: float | Array,
    num_leapfrog: int | Array,
    root: Array | None = None,
) -> HmcState:
    """The end of one leapfrog trajectory, which is time reversible and preserves volume."""

    def step(_: Int[Array, ""], state: HmcState) -> HmcState:
        half = state.momentum - 0.5 * step_size * pull(root, state.gradient)
        whitened = state.whitened + step_size * push(root, half)
        energy, gradient = jax.value_and_grad(potential)(whitened)
        momentum = half - 0.5 * step_size * pull(root, gradient)
        return HmcState(whitened, energy, gradient, momentum)

    return jax.lax.fori_loop(0, num_leapfrog, step, state)


def log_step_change(
    acceptance: Any,
    target: float,
    number: Any,
    *,
    first: float = 0.5,
    settling: float = 5.0,
) -> Any:
    r"""Change of the logarithm of a step size after observing the acceptance of its proposals.

    The stochastic approximation of Robbins & Monro (1951, Ann Math Stat 22:400): longer steps are accepted less, and
    the gain decreases from `first` as $1 / \sqrt{1 + n / \mathrm{settling}}$, so that the step size converges to where
    the mean acceptance is `target`.

    number: n, number of acceptances observed before; numpy or jax, like `acceptance`.
    """
    gain = first / (1 + number / settling) ** 0.5
    return gain * (acceptance - target)


def kinetic(momentum: Float[Array, " free"]) -> Float[Array, ""]:
    """Kinetic energy |p|^2 / 2."""
    return 0.5 * jnp.sum(momentum**2)


def push(root: Array | None, vector: Float[Array, " free"]) -> Float[Array, " free"]:
    """R v."""
    if root is None:
        return vector
    return root * vector if root.ndim == 1 else root @ vector


def pull(root: Array | None, vector: Float[Array, " free"]) -> Float[Array, " free"]:
    """R' v."""
    if root is None:
        return vector
    return root * vector if root.ndim == 1 else root.T @ vector
