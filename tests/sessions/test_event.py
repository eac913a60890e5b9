"""One event against an independent implementation in numpy, and its theorems."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.model.modulation import Modulation
from pcmodel.neuromodulation import ACCOUNTS, Effects
from pcmodel.sessions.dynamics import Dynamics
from pcmodel.sessions.event import Event, State, at_rest, meet
from pcmodel.sessions.hierarchy import STREAMS, by_role, self_anatomy
from pcmodel.sessions.person import Traits
from tests.sessions import person_oracle

DYNAMICS = Dynamics(mean_rate=0.3, precision_rate=0.2, forgetting=0.03)
EMPTY = jnp.zeros(len(STREAMS))


def drawn_person(rng):
    return Traits(
        belief=rng.normal(-1, 1),
        log_precision=rng.normal(1, 1),
        suggestibility=rng.gamma(2, 0.5),
        expectancy=rng.gamma(2, 0.5),
        avoidance=rng.uniform(),
        rumination=rng.gamma(2, 0.5),
        alliance=rng.uniform(),
        alliance_growth=rng.gamma(2, 0.5),
        validity=rng.uniform(0.05, 0.95),
    )


def drawn_event(rng):
    return Event(
        mean=rng.normal(size=5),
        precision=rng.gamma(1, 1, size=5) * rng.integers(0, 2, size=5),
        replays_belief=bool(rng.integers(2)),
        is_chosen=bool(rng.integers(2)),
        alliance_building=rng.uniform(0, 0.5),
        until_next=rng.exponential(2),
        believed=rng.uniform(),
        learning=rng.uniform(0, 4),
    )


def arrays(tree, dtype=float):
    return jax.tree.map(
        lambda leaf: jnp.asarray(leaf, bool if isinstance(leaf, bool) else dtype), tree
    )


def state_of(rng, person):
    return State(
        person.belief + rng.normal(),
        person.log_precision + rng.normal(),
        person.belief + rng.normal(),
        person.log_precision + rng.normal(),
        rng.uniform(),
    )


@pytest.mark.parametrize("seed", range(20))
def test_an_event_is_that_of_the_equations(seed):
    rng = np.random.default_rng(seed)
    person, event = drawn_person(rng), drawn_event(rng)
    state = state_of(rng, person)
    top, middle, ends = np.exp(rng.normal(size=3))
    expected, (mu, variance, r) = person_oracle.meet(
        state, event, person, DYNAMICS, top_gain=top, middle_gain=middle, ends=ends
    )
    modulation = by_role(Modulation({0: ends, 1: middle, 2: top}))
    found, info = (
        jax.jit(meet)(
            arrays(state), arrays(event), arrays(person), DYNAMICS.numbers(), modulation
        )
        if False
        else meet(
            arrays(state), arrays(event), arrays(person), DYNAMICS.numbers(), modulation
        )
    )
    np.testing.assert_allclose(np.stack(found), expected, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(info.posterior, mu, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(info.variance, variance, rtol=1e-9)
    np.testing.assert_allclose(info.validity, r, rtol=1e-8)
