"""How much faster each person learns on the days of the events: the plasticity window that the doses open."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import NotNegative
from pcmodel.neuromodulation.plasticity.drive import Administrations
from pcmodel.neuromodulation.plasticity.routes import ROUTES, PlasticityRoute
from pcmodel.neuromodulation.plasticity.window import plasticity_window


@checked_arguments
@dataclass(frozen=True)
class Plasticity:
    """The window of `pcmodel.neuromodulation.plasticity_window`, as a factor on the rates of learning.

    routes: rival hypotheses of what opens it, whose actions add.
    peak: rise of the rates at its peak after psilocybin 25 mg; None: that of the table; 0: no window.
    """

    routes: tuple[PlasticityRoute, ...] = ROUTES
    peak: NotNegative | None = None


def learning_factors(
    window: Plasticity,
    taken: Sequence[Administrations],
    day: Float[np.ndarray, " events"],
    *,
    num_people: int,
) -> Float[Array, "people events"]:
    """Factors on the rates of learning, 1 or more; exactly 1 before the first dose and without an active compound.

    taken: by these people, in order of days.
    day: of each event, days since time 0.
    """
    after = np.unique(day[day >= 0])
    if not taken or not len(after):
        return jnp.ones((num_people, len(day)))
    # What several administrations do adds, so that one program, of one of them, serves all.
    rise = jnp.zeros((num_people, len(after)))
    for one in taken:
        found = plasticity_window(one, after, routes=window.routes, peak=window.peak)
        rise += found.gain - 1
    index = np.searchsorted(after, np.maximum(day, after[0]))
    return jnp.where(jnp.asarray(day < 0)[None], 1.0, 1 + rise[:, index])
