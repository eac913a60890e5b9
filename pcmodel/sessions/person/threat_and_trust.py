"""How serotonin that is released changes evidence: threat counts for less, and safety is believed.

An account of its own of MDMA, beside those of `pcmodel.neuromodulation.accounts`, which act on levels of the hierarchy.
In proportion to released serotonin the precision of what is felt and is bad falls, and what is good, felt or said, is less
often explained away. To make good news only more *precise* would do nothing: precise news that contradicts a sharp belief
is dismissed all the more. The direction follows lower responses to threat and more trust in people (in rodents' fear
Hake et al. 2019 and Young et al. 2015 disagree); the first strength is assumed, the second calibrated on Mitchell et al.
2023, and either can be 0.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Finite
from pcmodel.sessions.person.hierarchy import FELT
from pcmodel.sessions.protocol.events import STREAMS

IS_FELT = tuple(name in FELT for name in STREAMS)
IS_SAID = tuple(name == "therapist" for name in STREAMS)


class StreamChange(NamedTuple):
    """What is changed in each stream; exactly 1 and 0 where nothing is released.

    precision: factor on its precision.
    log_odds: added to the prior log odds that its evidence is valid.
    """

    precision: Float[Array, " streams"]
    log_odds: Float[Array, " streams"]


@runtime_checkable
class StreamAccount(Protocol):
    """A strategy that turns released serotonin into changes of evidence."""

    def change(
        self, released: Float[Array, ""], values: Float[Array, " streams"]
    ) -> StreamChange:
        """The change of each stream.

        released: serotonin, in multiples of its K at 5-HT2A; about 1 at the peak of 125 mg of MDMA.
        values: what each stream says, belief units.
        """
        ...


@checked_arguments
@dataclass(frozen=True)
class ThreatAndTrust:
    """Bad feelings count for less, and good evidence is believed, with released serotonin.

    threat: log precision lost by felt evidence below 0, per unit of released serotonin.
    trust: log odds of validity gained by evidence above 0 that is felt or said by the therapist, per unit.
    """

    threat: Finite = 1.0
    trust: Finite = 4.0

    def change(
        self, released: Float[Array, ""], values: Float[Array, " streams"]
    ) -> StreamChange:
        """As `StreamAccount` says."""
        felt, said = jnp.asarray(IS_FELT), jnp.asarray(IS_SAID)
        bad, good = felt & (values < 0), (felt | said) & (values > 0)
        return StreamChange(
            jnp.exp(jnp.where(bad, -self.threat, 0.0).astype(values.dtype) * released),
            jnp.where(good, self.trust, 0.0).astype(values.dtype) * released,
        )
