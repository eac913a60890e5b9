"""The traces that a reference drive leaves: chains that share their first stages.

The gain and the activity of stages are scaled to a peak of 1, spines and SV2A to their published size a
day after the reference dose.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.neuromodulation.plasticity.chain import peak, through
from pcmodel.neuromodulation.plasticity.constants import ONSET, PlasticityTable
from pcmodel.neuromodulation.plasticity.routes import ENTRIES


class Traces(NamedTuple):
    """The traces over days.

    rise: the rise of the learning rate over its peak after the reference drive.
    bdnf: activity of the stage over its peak after the reference drive.
    trkb: the same of TrkB signalling.
    mtor: the same of protein synthesis.
    spines: density above rest, share.
    sv2a: synaptic vesicle protein above rest, share.
    """

    rise: Float[Array, "*some days"]
    bdnf: Float[Array, "*some days"]
    trkb: Float[Array, "*some days"]
    mtor: Float[Array, "*some days"]
    spines: Float[Array, "*some days"]
    sv2a: Float[Array, "*some days"]


class Pace(NamedTuple):
    """The rates of all stages, 1/day, and the size of the structural traces.

    onset: of BDNF release, TrkB signalling and protein synthesis after each compound.
    closing: of the learning-rate gain; NaN where none is known.
    typical: of the onset after the reference dose.
    spines: of their loss.
    sv2a: of its maturation and its loss.
    day_1: spines and SV2A a day after the reference dose, above rest, share.
    """

    onset: Float[Array, "compounds 3"]
    closing: Float[Array, " compounds"]
    typical: Float[Array, "3"]
    spines: Float[Array, "1"]
    sv2a: Float[Array, "2"]
    day_1: Float[Array, "2"]


def pace_of(compounds: Sequence[str], table: PlasticityTable) -> Pace:
    """The rates of a table for these compounds."""

    def rates(days: list) -> Array:
        return jnp.asarray(1 / np.asarray(days, float), float)

    slow = [table.value("sv2a", stage) for stage in ("maturation", "loss")]
    rises = [table.value(trace, "day_1") for trace in ("spines", "sv2a")]
    return Pace(
        rates(
            [[table.of_compound(name, stage) for stage in ONSET] for name in compounds]
        ),
        rates([table.of_compound(name, "closing") for name in compounds]),
        rates([table.value("stages", stage) for stage in ONSET]),
        rates([table.value("spines", "loss")]),
        rates(slow),
        jnp.asarray(rises, float),
    )


def kernels_of(
    since: Float[Array, "administrations days"], entry: str, pace: Pace
) -> Traces:
    """The traces after a reference drive, (compounds, administrations, days); 0 before it.

    since: days since each administration, negative before it.
    entry: the first stage that is driven, one of `ENTRIES`.
    pace: of all stages.
    """
    first = ENTRIES.index(entry)

    def over(rates: Float[Array, " stages"]) -> Float[Array, "administrations days"]:
        contents = jax.vmap(jax.vmap(through, (0, None)), (0, None))
        return jnp.where(since >= 0, contents(jnp.maximum(since, 0), rates), 0.0)

    def activity(
        rates: Float[Array, " stages"],
    ) -> Float[Array, "administrations days"]:
        return over(rates) / peak(rates)

    def trace(onset: Array, slow: Array, rise: Array) -> Array:
        reference = jnp.concatenate([pace.typical[first:], slow])
        at_day_1 = through(jnp.ones((), slow.dtype), reference)
        return rise / at_day_1 * over(jnp.concatenate([onset[first:], slow]))

    def of_compound(onset: Array, closing: Array) -> Traces:
        return Traces(
            activity(jnp.append(onset[first:], closing)),
            over(onset[:1]) if first == 0 else jnp.zeros_like(since),
            activity(onset[first:2]),
            activity(onset[first:3]),
            trace(onset, pace.spines, pace.day_1[0]),
            trace(onset, pace.sv2a, pace.day_1[1]),
        )

    # What is not known closes at any rate: its weight is 0 or NaN.
    closing = jnp.where(jnp.isfinite(pace.closing), pace.closing, 1.0)
    return jax.vmap(of_compound)(pace.onset, closing)
