"""Doors of behaviour: trials and participants."""

import jax.numpy as jnp
import numpy as np

import pcmodel.behaviour as behaviour
from pcmodel.behaviour.change_point.participant import ParticipantParameters

from .disguises import KEY
from .door import Door, of, used

ARRAY = np.ndarray
SOMEONE = ParticipantParameters(*(jnp.zeros(()) for _ in ParticipantParameters._fields))
TRIALS = behaviour.simulate_task(KEY, num_trials=4, noise_sds=(10.0,))
POSITIONS = np.array([10.0, 20.0, 30.0])
FLAGS = np.array([True, False, False])
BEHAVIOUR = [
    Door(
        "make_trials",
        behaviour.make_trials,
        dict(
            outcome=POSITIONS,
            report=POSITIONS,
            noise_sd=POSITIONS,
            helicopter=POSITIONS,
            helicopter_seen=FLAGS,
            block_start=FLAGS,
        ),
        behaviour.make_trials,
        dict.fromkeys(
            (
                "outcome",
                "report",
                "noise_sd",
                "helicopter",
                "helicopter_seen",
                "block_start",
            ),
            ARRAY,
        )
        | {"push": ARRAY | None},
    ),
    of(behaviour.simulate_task, key=KEY, num_trials=4),
    of(
        behaviour.run_participant,
        parameters=SOMEONE,
        trials=TRIALS,
        agent=behaviour.Agent(),
    ),
    of(
        behaviour.log_likelihood,
        "behaviour.log_likelihood",
        parameters=SOMEONE,
        trials=TRIALS,
        agent=behaviour.Agent(),
    ),
    of(
        behaviour.simulate_participant,
        key=KEY,
        parameters=SOMEONE,
        trials=TRIALS,
        agent=behaviour.Agent(),
    ),
    of(behaviour.psis_loo, log_likelihood=np.linspace(-2, -1, 60).reshape(30, 2)),
    used(
        behaviour.Agent,
        lambda made: behaviour.run_participant(SOMEONE, TRIALS, agent=made),
    ),
]
