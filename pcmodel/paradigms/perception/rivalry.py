r"""Binocular rivalry: two eyes that report incompatible things, and a prior that only one of them is there.

The cause x is one of two (+m for the left eye's, -m for the right's), known with the top's precision; a blend b follows the
cause, and each eye reports it, the left +1 and the right -1, with strengths $s_L$ and $s_R$ of its own:

$$E(x) = -\log \sum_{k = \pm 1} w_k N(x; k m, 1/(g_2 \pi_2)) + \tfrac12 J (y - \alpha_1 \alpha_2 x)^2, \qquad
  J^{-1} = ((s_L + s_R) g_0 \pi_0)^{-1} + \alpha_1^2 (g_1 \pi_1)^{-1}, \quad y = \frac{s_L - s_R}{s_L + s_R} .$$

Eyes alike together say "both", which the prior forbids.  Perception wanders over E as overdamped Langevin dynamics of
mobility 1 (sampling; the blend follows at once), dx = -E' dt + sqrt(2 T) dW.  `rivalry` keeps the prior's odds even
($w_k = 1/2$): switching is by noise alone, and the mean time from the left cause to the right is exact (Gardiner 2009, 5.5.3; the
other way likewise):

$$\tau = \frac1T \int_{-m}^{m} e^{E(y)/T} \int_y^{\infty} e^{-E(z)/T}\, dz\, dy .$$

`alternation` (of its own module) lets the odds tire.  A percept is mixed where activity is nearer the middle than to either
cause, |a| < m/2.  Predictive coding of rivalry: Hohwy, Roepstorff & Friston 2008 Cognition 108:687 (from memory).
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
        precisions: of an eye of strength 1, of the blend, and of each cause, lowest first.
        strengths: of what the left and the right eye see (contrast, say), factors on their precisions: assumed.

    Raises UserError for numbers that are not positive, and for other than three precisions or two strengths.
    """

    cause: Positive = 1.0
    precisions: tuple[Positive, ...] = (1.0, 4.0, 14.0)
    strengths: tuple[Positive, ...] = (1.0, 1.0)

    def __post_init__(self):
        if len(self.precisions) != 3:
            raise UserError(
                f"{len(self.precisions)} precisions",
                where="rivalry",
                expected="3: of eyes, blend and causes",
            )
        if len(self.strengths) != 2:
            raise UserError(
                f"{len(self.strengths)} strengths",
                where="rivalry",
                expected="2: of the left and the right eye",
            )


class Switching(NamedTuple):
    """How perception alternates; the leading axes are those of the effects.

    log_dwell: log of the mean time from the left cause to the right, in 1 / mobility.
    mixed: share of time in which the percept is mixed.
    barrier: energy of the blend over that of the left cause, nats; below 0 the blend is the likelier.
    log_dwell_right: log of the mean time from the right cause to the left; with eyes of one strength that of the left.
    """

    log_dwell: Float[Array, "..."]
    mixed: Float[Array, "..."]
    barrier: Float[Array, "..."]
    log_dwell_right: Float[Array, "..."]


class Landscape(NamedTuple):
    """The energy over which perception wanders, of one moment.

    cause, causes: m and the precision of each cause.
    evidence, slope, target: J, the slope through which a cause predicts, and y of the module's text.
    temperature, share: of activity; the share that is generated from above.
    """

    cause: Array
    causes: Array
    evidence: Array
    slope: Array
    target: Array
    temperature: Array
    share: Array


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
    factors = rivalry_factors(rival, drug, account, anatomy)
    shape = factors.top_down.shape
    flat, given = flattened(rival, factors)
    return jax.tree.map(lambda leaf: leaf.reshape(shape), _switching(*given, flat))


def rivalry_factors(
    rival: Rivalry,
    drug: Group | Course | Effects,
    account: Account,
    anatomy: Anatomy | None,
) -> Factors:
    """What an account makes of a drug in the chain of eyes, blend and causes."""
    chain = linear_gaussian(
        [jnp.ones((2, 1)), jnp.ones((1, 1))],
        list(rival.precisions),
        names=("eyes", "blend", "causes"),
    )
    return factors_of(
        as_model(chain), drug, account=account, anatomy=anatomy or anatomy_of(*PLACES)
    )


def flattened(
    rival: Rivalry, factors: Factors
) -> tuple[Factors, tuple[Array, Array, Array]]:
    """The factors with one axis of moments, and cause, precisions and strengths of their type."""
    axes, dtype = len(factors.top_down.shape), factors.top_down.dtype
    flat = jax.tree.map(lambda leaf: leaf.reshape((-1, *leaf.shape[axes:])), factors)
    given = (rival.cause, rival.precisions, rival.strengths)
    cause, precisions, strengths = (jnp.asarray(each, dtype) for each in given)
    return flat, (cause, precisions, strengths)


def landscape(
    cause: Array, precisions: Array, strengths: Array, factors: Factors
) -> Landscape:
    """The landscape under the factors of one moment."""
    eyes, blend, causes = factors.gains * precisions
    _, of_blend, of_cause = factors.slopes
    left, right = strengths[0], strengths[1]
    evidence = 1 / (1 / ((left + right) * eyes) + of_blend**2 / blend)
    return Landscape(
        cause,
        causes,
        evidence,
        of_blend * of_cause,
        (left - right) / (left + right),
        factors.temperature,
        factors.top_down,
    )


@jax.jit
def _switching(
    cause: Array, precisions: Array, strengths: Array, factors: Factors
) -> Switching:
    def one(factors: Factors) -> Switching:
        where = landscape(cause, precisions, strengths, factors)
        causes, temperature = where.causes, where.temperature
        pull = where.evidence * where.slope**2

        def energy(x: Array) -> Array:
            sides = -0.5 * causes * jnp.stack([(x - cause) ** 2, (x + cause) ** 2])
            left = where.target - where.slope * x
            return -jax.nn.logsumexp(sides, axis=0) + 0.5 * where.evidence * left**2

        spread = jnp.sqrt(temperature / (causes + pull))
        # How far evidence for one eye moves a minimum.
        moved = where.evidence * where.slope * jnp.abs(where.target) / (causes + pull)
        far = cause + moved + 8 * spread
        grid = jnp.linspace(-1.0, 1.0, POINTS, dtype=cause.dtype) * far
        scaled = energy(grid) / temperature
        between = jnp.abs(grid) <= cause
        step = jnp.log(grid[1] - grid[0])

        def log_dwell(scaled: Array) -> Array:
            """From the low end's minimum to the high end's."""
            # Trapezoids: half of each sample belongs to either side.
            below = jax.lax.cumlogsumexp(-scaled)
            below = below + jnp.log1p(-0.5 * jnp.exp(-scaled - below))
            over = jax.nn.logsumexp(jnp.where(between, scaled + below, -jnp.inf))
            return over + 2 * step - jnp.log(temperature)

        near = nearness(grid, cause, causes, where.share)
        mixed = jnp.sum(jax.nn.softmax(-scaled) * near)
        ends = energy(jnp.stack([jnp.zeros_like(cause), cause]))
        return Switching(
            log_dwell(scaled[::-1]), mixed, ends[0] - ends[1], log_dwell(scaled)
        )

    return jax.vmap(one)(factors)


def nearness(
    grid: Array,
    cause: Array,
    precision: Array,
    share: Array,
    log_odds: Array | float = 0.0,
) -> Array:
    """Probability that activity is mixed at each x, with a share drawn from the prior.

    log_odds: of the left cause in the prior.
    """
    inside = (jnp.abs(grid) < cause / 2).astype(grid.dtype)
    spread = jnp.where(share > 0, share / jnp.sqrt(precision), 1.0)
    weights = [jax.nn.sigmoid(sign * jnp.asarray(log_odds)) for sign in (1, -1)]

    def below(limit: Array) -> Array:
        own = limit - (1 - share) * grid
        return sum(
            (
                weight * ndtr((own - sign * share * cause) / spread)
                for sign, weight in zip((1, -1), weights, strict=True)
            ),
            jnp.zeros_like(grid),
        )

    return jnp.where(share > 0, below(cause / 2) - below(-cause / 2), inside)
