r"""Blinding: what a person believes to have been given, from what was told and from what is felt.

The odds of having had the drug start at those that were told. Once there has been time for an effect, each unit by
which the strongest effect so far exceeds a middling one multiplies them,

$$ \log \frac{b}{1 - b} = \log \frac{t}{1 - t} + u\,(\text{felt} - \text{half}), $$

so that a strong effect unblinds the drug's arm, none the placebo's, and an active placebo deceives. Expected improvement
counts in proportion to b: what inflates the difference between arms without any pharmacology.
"""

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.special import expit, logit
from jaxtyping import Float

from pcmodel.sessions.timeline import Timeline

PATIENCE = 6.0
"""Hours after the first intake from which no effect counts as none: assumed."""
HALF = 0.25
"""Share of a full effect that speaks neither for the drug nor against it: assumed."""


def believed_allocation(
    timeline: Timeline,
    arm: int,
    peak: Float[Array, "people events"],
    *,
    unblinding: float,
) -> Float[Array, "people events"]:
    """Probability that each person gives to having had the drug, at every event.

    arm: its number.
    peak: strongest effect of the drug felt so far, share of a full one.
    unblinding: log odds per unit by which it exceeds `HALF`.
    """
    days, intake = np.asarray(timeline.day, float), float(timeline.intake[arm])
    told = jnp.broadcast_to(timeline.told[arm], peak.shape)
    if bool(timeline.masked[arm]) or intake == np.inf:
        return told
    begun = jnp.asarray(days >= intake)[None]
    waited = jnp.asarray(24 * (days - intake) >= PATIENCE)[None]
    # An active placebo is felt from its intake on.
    felt = jnp.maximum(peak, jnp.where(begun, timeline.felt[arm], 0.0))
    surplus = felt - HALF
    surplus = jnp.where(waited, surplus, jnp.maximum(surplus, 0.0))
    return expit(logit(told) + unblinding * jnp.where(begun, surplus, 0.0))
