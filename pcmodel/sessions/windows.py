"""The plasticity window of each person after the doses of one arm."""

from typing import Protocol, runtime_checkable

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.neuromodulation.dosing import Regimen
from pcmodel.sessions.acute import Population


@runtime_checkable
class Window(Protocol):
    """A strategy that tells how much faster each person learns on each day."""

    def factors(
        self, doses: Regimen, day: Float[np.ndarray, " events"], population: Population
    ) -> Float[Array, "people events"]:
        """Factors on the rates of learning, 1 or more; exactly 1 without an active compound.

        doses: of one arm, with hours since time 0.
        day: of each event, days since time 0.
        """
        ...


class Interim:
    peak = 1.0

    def factors(self, doses, day, population):
        total = np.ones(len(day))
        for dose in doses:
            d = np.maximum(np.asarray(day) - dose.hours / 24, 0)
            shape = np.exp(-d / 7) - np.exp(-d / 0.5)
            total = total + self.peak * (float(dose.mg) > 0) * shape / 0.75
        return jnp.broadcast_to(
            jnp.asarray(total, jnp.zeros(()).dtype), (population.num_people, len(day))
        )
