r"""Binocular rivalry: two eyes that report incompatible things, and a prior that only one of them is there.

The cause x is one of two (+m for the left eye's, -m for the right's), known with the top's precision; a blend b follows the
cause, and each eye reports it, the left +1 and the right -1:

$$E(x) = -\log \sum_{k = \pm 1} \tfrac12 N(x; k m, 1/(g_2 \pi_2)) + \tfrac12 J (\alpha_1 \alpha_2 x)^2, \qquad
  J^{-1} = (2 g_0 \pi_0)^{-1} + \alpha_1^2 (g_1 \pi_1)^{-1} .$$

The eyes together say "both", which the prior forbids.  Perception wanders over E as overdamped Langevin dynamics of
mobility 1 (sampling; the blend follows at once), dx = -E' dt + sqrt(2 T) dW, whose mean time from one cause to the other is
exact (Gardiner 2009, 5.5.3):

$$\tau = \frac1T \int_{-m}^{m} e^{E(y)/T} \int_{-\infty}^{y} e^{-E(z)/T}\, dz\, dy .$$

A percept is mixed where activity is nearer the middle than to either cause, |a| < m/2.  There is no adaptation here: switching is
by noise alone.  Slower switching and more mixed percepts under psilocybin: Carter et al. 2005, 2007 (from memory).
Predictive coding of rivalry: Hohwy, Roepstorff & Friston 2008 Cognition 108:687 (from memory).
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.scipy.special import ndtr
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Positive
from pcmodel.networks.network import linear_gaussian
from pcmodel.networks.pure import as_model
from pcmodel.neuromodulation.accounts.accounts import Account, Effects
from pcmodel.neuromodulation.accounts.maps import Anatomy
from pcmodel.neuromodulation.accounts.maps import anatomy as anatomy_of
from pcmodel.neuromodulation.course import Course
from pcmodel.neuromodulation.group import Group
from pcmodel.paradigms.factors import Factors, factors_of
from pcmodel.paradigms.perception.size_illusion import PLACES

POINTS = 4001


@checked_arguments
@dataclass(frozen=True)
class Rivalry:
    """Two eyes and two exclusive causes.

    Attributes:
        cause: m, how far the causes lie from a blend.
        precisions: of each eye, of the blend, and of each cause, lowest first.

    Raises UserError for numbers that are not positive, and for other than three precisions.
    """

    cause: Positive = 1.0
    precisions: tuple[Positive, ...] = (1.0, 4.0, 6.0)

    def __post_init__(self):
        if len(self.precisions) != 3:
            raise UserError(
                f"{len(self.precisions)} precisions",
                where="rivalry",
                expected="3: of eyes, blend and causes",
            )


class Switching(NamedTuple):
    """How perception alternates; the leading axes are those of the effects.

    log_dwell: log of the mean time from one cause to the other, in 1 / mobility.
    mixed: share of time in which the percept is mixed.
    barrier: energy of the blend over that of a cause, nats; below 0 the blend is the likelier.
    """

    log_dwell: Float[Array, "..."]
    mixed: Float[Array, "..."]
    barrier: Float[Array, "..."]


@checked_arguments
def rivalry(
    rival: Rivalry,
    drug: Group | Course | Effects,
    *,
    account: Account,
    anatomy: Anatomy | None = None,
) -> Switching:
    """Switching under an account of a drug, at every moment of everyone.

    rival: the eyes and causes.  Other arguments and errors as for `size_illusion`; a share from above mixes the percept
    with draws of the prior, and leaves the dynamics.
    """
    chain = linear_gaussian(
        [jnp.ones((2, 1)), jnp.ones((1, 1))],
        list(rival.precisions),
        names=("eyes", "blend", "causes"),
    )
    factors = factors_of(
        as_model(chain), drug, account=account, anatomy=anatomy or anatomy_of(*PLACES)
    )
    shape = factors.top_down.shape
    flat = jax.tree.map(
        lambda leaf: leaf.reshape((-1, *leaf.shape[len(shape) :])), factors
    )
    dtype = flat.top_down.dtype
    given = (jnp.asarray(each, dtype) for each in (rival.cause, rival.precisions))
    return jax.tree.map(lambda leaf: leaf.reshape(shape), _switching(*given, flat))


@jax.jit
def _switching(cause: Array, precisions: Array, factors: Factors) -> Switching:
    def one(factors: Factors) -> Switching:
        eyes, blend, causes = factors.gains * precisions
        _, of_blend, of_cause = factors.slopes
        series = 1 / (1 / (2 * eyes) + of_blend**2 / blend)
        pull = series * (of_blend * of_cause) ** 2

        def energy(x: Array) -> Array:
            sides = -0.5 * causes * jnp.stack([(x - cause) ** 2, (x + cause) ** 2])
            return -jax.nn.logsumexp(sides, axis=0) + 0.5 * pull * x**2

        spread = jnp.sqrt(factors.temperature / (causes + pull))
        grid = jnp.linspace(-1.0, 1.0, POINTS, dtype=cause.dtype) * (cause + 8 * spread)
        scaled = energy(grid) / factors.temperature
        weights = jax.nn.softmax(-scaled)
        step = jnp.log(grid[1] - grid[0])
        # Trapezoids: half of each sample belongs to either side.
        below = jax.lax.cumlogsumexp(-scaled) + jnp.log1p(
            -0.5 * jnp.exp(-scaled - jax.lax.cumlogsumexp(-scaled))
        )
        between = jnp.abs(grid) <= cause
        log_dwell = (
            jax.nn.logsumexp(jnp.where(between, scaled + below, -jnp.inf))
            + 2 * step
            - jnp.log(factors.temperature)
        )
        mixed = jnp.sum(weights * nearness(grid, cause, causes, factors.top_down))
        ends = energy(jnp.stack([jnp.zeros_like(cause), cause]))
        return Switching(log_dwell, mixed, ends[0] - ends[1])

    return jax.vmap(one)(factors)


def nearness(grid: Array, cause: Array, precision: Array, share: Array) -> Array:
    """Probability that activity is mixed at each x, with a share drawn from the prior."""
    inside = (jnp.abs(grid) < cause / 2).astype(grid.dtype)
    spread = jnp.where(share > 0, share / jnp.sqrt(precision), 1.0)

    def below(limit: Array) -> Array:
        own = limit - (1 - share) * grid
        sides = [ndtr((own - sign * share * cause) / spread) for sign in (1, -1)]
        return 0.5 * (sides[0] + sides[1])

    return jnp.where(share > 0, below(cause / 2) - below(-cause / 2), inside)
