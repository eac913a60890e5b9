"""How serotonin that is released changes evidence: threat counts for less, and people count for more.

An account of its own of MDMA, beside those of `pcmodel.neuromodulation.accounts`, which act on levels of the hierarchy:
the precision of what is felt and is bad falls, that of what the therapist says rises, each in proportion to released
serotonin. The direction follows lower amygdala responses to threat and more trust (Hake et al. 2019 and Young et al.
2015 disagree on fear in rodents); both strengths are assumed, and either can be 0.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Finite
from pcmodel.sessions.person.hierarchy import FELT
from pcmodel.sessions.protocol.events import STREAMS

IS_FELT = tuple(name in FELT for name in STREAMS)
IS_SAID = tuple(name == "therapist" for name in STREAMS)


@runtime_checkable
class StreamAccount(Protocol):
    """A strategy that turns released serotonin into factors on the precision of each stream."""

    def factors(
        self, released: Float[Array, ""], values: Float[Array, " streams"]
    ) -> Float[Array, " streams"]:
        """Factors on precisions, exactly 1 where nothing is released.

        released: serotonin, in multiples of its K at 5-HT2A.
        values: what each stream says, belief units.
        """
        ...


@checked_arguments
@dataclass(frozen=True)
class ThreatAndTrust:
    """Log precision of bad feelings falls, and that of the therapist's words rises, with released serotonin.

    threat: log precision lost by felt evidence below 0, per unit of released serotonin.
    trust: log precision gained by what the therapist says, per unit.
    """

    threat: Finite = 1.0
    trust: Finite = 0.5

    def factors(
        self, released: Float[Array, ""], values: Float[Array, " streams"]
    ) -> Float[Array, " streams"]:
        """As `StreamAccount` says."""
        bad = jnp.asarray(IS_FELT) & (values < 0)
        change = jnp.where(bad, -self.threat, 0.0)
        change = jnp.where(jnp.asarray(IS_SAID), self.trust, change)
        return jnp.exp(change.astype(values.dtype) * released)
