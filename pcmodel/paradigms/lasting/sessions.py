"""A session: evidence that is met on one day, under what, and how strongly it is learned."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.api.pose import Clamps, Observation
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.arrays import read_numbers
from pcmodel.inputs.ranges import Finite, NotNegative
from pcmodel.model.modulation import Modulation
from pcmodel.networks.network import Network
from pcmodel.neuromodulation.accounts.accounts import Account, Effects, effects
from pcmodel.neuromodulation.accounts.maps import Anatomy
from pcmodel.neuromodulation.course import Course
from pcmodel.paradigms.belief_checks import anatomy_for


@checked_arguments
@dataclass(frozen=True, eq=False)
class Session:
    """Evidence that is met on one day.

    day: on which it is met, in days of the same clock as the days that are read.
    observations: as for `pcmodel.infer`, one example or (examples, width); None without.
    clamp: values of further levels, as for `pcmodel.infer`.
    modulation: the drug under which it is met, such as `pcmodel.relax("top", 0.1)` or that of a dose (`modulation_at`);
        None: sober. Its plasticity multiplies the rate.
    rate: factor on the learning rate, 0 or more; a window multiplies it again.

    A session without observations and clamp (a dose alone) teaches nothing, whatever its modulation: with nothing seen the
    posterior is what the model expects, and the expected change of every parameter is 0.
    """

    day: Finite
    observations: Observation | None = None
    clamp: Clamps | None = None
    modulation: Modulation | None = None
    rate: NotNegative = 1.0

    @property
    def has_evidence(self) -> bool:
        """Whether anything is seen or clamped."""
        return self.observations is not None or bool(self.clamp)


@checked_arguments
def modulation_at(
    drug: Course | Effects,
    hour: Finite | None = None,
    *,
    times: np.ndarray | jax.Array | None = None,
    account: Account,
    network: Network,
    anatomy: Anatomy | None = None,
) -> Modulation:
    """The modulation at one moment of a dose, as a session takes it.

    drug: one person's `Course` (`pcmodel.neuromodulation.simulate`), or `Effects` of one moment.
    hour: after the first dose, of a course; effects between its times are interpolated linearly.
    times: the hours of the course, ascending.
    account: of what effects do to precisions.
    anatomy: as for `pcmodel.paradigms.believe`.

    What acts on activity alone (top_down, temperature) is left out, because learning knows nothing of it.
    Raises UserError for an hour outside the course and for effects of more than one moment.
    """
    if isinstance(drug, Course):
        if hour is None or times is None:
            raise UserError(
                "an hour, and the times of the course, are missing",
                where="modulation_at",
                expected="modulation_at(course, 3.0, times=hours, account=..., network=...)",
            )
        own = np.asarray(read_numbers(times, where="modulation_at: times"), float)
        curves = [np.asarray(each, float) for each in effects(drug)]
        if own.shape != curves[0].shape:
            raise UserError(
                f"times have shape {own.shape}, the course {curves[0].shape}",
                where="modulation_at",
                expected="the times that the course was simulated at",
            )
        if not own[0] <= hour <= own[-1]:
            raise UserError(
                f"hour {hour:g} is outside of the course",
                where="modulation_at",
                expected=f"{own[0]:g} to {own[-1]:g} hours",
            )
        felt = [np.interp(hour, own, curve) for curve in curves]
    else:
        felt = [np.asarray(each, float) for each in drug]
        if any(np.shape(each) for each in felt):
            raise UserError(
                "the effects are those of several moments",
                where="modulation_at",
                expected="the numbers of one moment",
            )
    places = anatomy_for(network, anatomy)
    moment = Effects(*(jnp.asarray(each) for each in felt))
    return account.modulate(moment, places).in_inference()
