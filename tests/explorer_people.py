"""The shipped people of the therapy scene as a `Study`, so that `follow` meets what the page meets."""

import jax.numpy as jnp
import numpy as np

from pcmodel.explorer.tables import DATA
from pcmodel.explorer.therapy import settings_of
from pcmodel.neuromodulation.accounts.accounts import Effects
from pcmodel.sessions.cohort import DYNAMICS, Study
from pcmodel.sessions.person.traits import Traits
from pcmodel.sessions.protocol.load import load_protocol
from pcmodel.sessions.timeline import timeline
from pcmodel.sessions.treatment.acute import Acute
from pcmodel.sessions.treatment.blinding import believed_allocation
from pcmodel.sessions.treatment.treat import Treatment


def as_study(course, arm, scale, window):
    """One arm of a course. `scale`: index into its multiples of the doses, -1 for no drug."""
    with np.load(DATA / "therapy.npz") as file:
        own = {
            name.split(".")[1]: file[name]
            for name in file.files
            if name.startswith(course.protocol)
        }
    protocol = settings_of(load_protocol(course.protocol))
    line = timeline(protocol, arms=[arm])
    people, events = own["luck"].shape[0], len(line.day)
    columns = own["columns"]

    def spread(name, *, forward=False):
        whole = np.zeros((people, events))
        if scale >= 0:
            whole[:, columns] = own[name][scale]
        return np.maximum.accumulate(whole, axis=1) if forward else whole

    peak = jnp.asarray(spread("peak", forward=True))
    rise = (
        own["rise"][scale].astype(float) if scale >= 0 else np.zeros((people, events))
    )
    effects = Effects(
        *(jnp.asarray(spread(name)) for name in ("effect_2a", "response_1a")),
        jnp.zeros((people, events)),
    )
    acute = Acute(effects, jnp.asarray(spread("released")), peak)
    believed = believed_allocation(line, 0, peak, unblinding=DYNAMICS.unblinding)
    treatment = Treatment(acute, believed, jnp.asarray(1 + window * rise))
    return Study(
        (arm,),
        own["readings"],
        line,
        Traits(*(jnp.asarray(row, float) for row in own["traits"])),
        jnp.asarray(own["luck"], float),
        Treatment(
            Acute(
                Effects(*(each[None] for each in treatment.acute.effects)),
                treatment.acute.released[None],
                treatment.acute.peak[None],
            ),
            treatment.believed[None],
            treatment.plasticity[None],
        ),
    )
