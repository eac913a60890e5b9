"""The senses of a directed hierarchy are all its ends: accounts against formulas, and a belief against its closed form."""

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel import Level
from pcmodel.errors import UserError
from pcmodel.model.generative import chain_parents
from pcmodel.networks.layers.dense import Dense, identity
from pcmodel.neuromodulation import ACCOUNTS, CORTEX, Effects, anatomy
from pcmodel.neuromodulation.accounts.accounts import (
    Dimmer,
    NmdaBlock,
    Rebus,
    Sebus,
    Sensory,
    Uniform,
)
from pcmodel.neuromodulation.accounts.maps import Anatomy
from pcmodel.paradigms import believe
from pcmodel.paradigms.lasting import modulation_at

FELT = Effects(jnp.asarray(0.6), jnp.asarray(0.3), jnp.asarray(0.5))
# Five streams, of which three meet in a feeling and two reach the self directly.
STREAMS = ((5,), (5,), (5,), (6,), (6,), (6,), ())
THREE = anatomy("sensory", "control", "default")
SEVEN = anatomy(*["sensory"] * 5, "control", "default").of(STREAMS)


def numbers(levels):
    return {level: float(value) for level, value in levels.items()}


def words(modulation):
    factors = ("gains", "slopes", "error_transmission")
    scalars = ("top_down", "temperature", "plasticity")
    return {
        **{word: numbers(getattr(modulation, word)) for word in factors},
        **{word: float(getattr(modulation, word)) for word in scalars},
    }


@pytest.mark.parametrize("name", ACCOUNTS)
def test_a_chain_is_a_chain_to_the_bit_whoever_says_so(name):
    own, given = anatomy(*CORTEX), anatomy(*CORTEX).of(chain_parents(4))
    account = ACCOUNTS[name]()
    assert words(account.modulate(FELT, own)) == words(account.modulate(FELT, given))


def test_the_levels_of_a_hierarchy_that_meet_the_world_are_those_without_children():
    assert SEVEN.ends == (0, 1, 2, 3, 4) and SEVEN.senders == (0, 1, 2, 3, 4, 5)
    assert SEVEN.heights == (0, 0, 0, 0, 0, 1, 2)
    assert anatomy(*CORTEX).ends == (0,) and anatomy(*CORTEX).senders == (0, 1, 2)
    skipping = anatomy(*CORTEX).of(((1, 3), (2,), (3,), ()))
    assert skipping.heights == (0, 1, 2, 3) and skipping.ends == (0,)
    two_tops = anatomy(*CORTEX).of(((2, 3), (3,), (), ()))
    assert two_tops.ends == (0, 1) and two_tops.senders == (0, 1)


@pytest.mark.parametrize(
    "account",
    [
        Rebus(),
        Rebus(3.0, sign=1, selectivity=1.5, exemption=0.4, restoring_1a=0.7),
        Sensory(),
        Sebus(selectivity=2.0, exemption=0.0),
        Dimmer(),
        NmdaBlock(0.8, 0.5),
        NmdaBlock(lowest=0),
        Uniform(),
    ],
)
def test_streams_are_acted_on_like_the_one_level_of_senses_of_a_chain(account):
    """Prevents evidence from being relaxed with the priors, and a further stream from changing what the top loses."""
    one, several = (words(account.modulate(FELT, places)) for places in (THREE, SEVEN))
    role = (0, 0, 0, 0, 0, 1, 2)
    for word, factors in one.items():
        if not isinstance(factors, dict):
            assert several[word] == factors
            continue
        assert set(several[word]) == {at for at, r in enumerate(role) if r in factors}
        for level, factor in several[word].items():
            np.testing.assert_allclose(factor, factors[role[level]], rtol=1e-6)


def same(weight):
    """A map that multiplies its only unit."""
    layer = Dense(1, 1, activation=identity, bias=False, rngs=nnx.Rngs(0))
    layer.weight[...] = jnp.full((1, 1), weight)
    return layer


def self_belief():
    levels = {
        "event": Level(1, parents=["self"], layer=same(0.7)),
        "therapist": Level(1, parents=["self"], layer=same(-1.3)),
        "self": Level(1, prior_mean=np.full(1, -2.0), precision=4.0),
    }
    return pcmodel.hierarchy(levels, rngs=nnx.Rngs(0))


@pytest.mark.parametrize("effect", [0.0, 0.3, 1.0, 3.0])
def test_a_belief_revised_by_two_streams_is_that_of_the_closed_form(effect):
    """Rebus takes precision from the prior of the self alone; both streams keep their precision of 1."""
    network, seen = self_belief(), {"event": np.ones(1), "therapist": np.full(1, 0.5)}
    felt = Effects(np.asarray([effect]), np.zeros(1), np.zeros(1))
    places = anatomy("sensory", "sensory", "sensory")
    found = believe(network, seen, felt, account=Rebus(), anatomy=places)
    prior = 4 * np.exp(-2 * effect)
    total = prior + 0.7**2 + 1.3**2
    mean = (prior * -2 + 0.7 * 1.0 - 1.3 * 0.5) / total
    np.testing.assert_allclose(found.mean[2][0, 0], mean, rtol=1e-6)
    np.testing.assert_allclose(found.sd[2][0, 0], total**-0.5, rtol=1e-6)
    np.testing.assert_array_equal(found.gains[0, :2], 1.0)
    moment = Effects(*(each[0] for each in felt))
    at = modulation_at(moment, account=Rebus(), network=network, anatomy=places)
    np.testing.assert_allclose([at.gains[i] for i in (0, 1, 2)], found.gains[0])


def test_selectivity_follows_the_steps_to_the_senses_and_not_the_order_of_levels():
    diamond = anatomy(*["control"] * 4).of(((1, 2), (3,), (3,), ()))
    gains = numbers(Rebus(selectivity=2.0).modulate(FELT, diamond).gains)
    assert gains[1] == gains[2] > gains[3]
    weights = np.asarray([0, 0.25, 0.25, 1]) / (1.5 / 4)
    np.testing.assert_allclose(np.log(list(gains.values())), -1.2 * weights, rtol=1e-6)


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: Anatomy(("a", "b"), (1.0,), (1.0, 1.0)), "density_2a.*2 levels"),
        (lambda: Anatomy(("a", "b"), (1.0, 1.0), (1.0, np.nan)), "density_1a"),
        (lambda: Anatomy(("a", "b"), (1.0, -1.0), (1.0, 1.0)), "density_2a"),
        (lambda: THREE.of(((1,), (2,))), "parents.*3 levels"),
        (lambda: THREE.of(((0,), (2,), ())), "higher"),
        (lambda: THREE.of(((1,), (3,), ())), "higher"),
        (
            lambda: believe(
                self_belief(),
                {"event": np.ones(1), "therapist": np.ones(1)},
                Effects(np.ones(1), np.zeros(1), np.zeros(1)),
                account=Rebus(),
                anatomy=THREE.of(chain_parents(3)),
            ),
            "anatomy: has the parents",
        ),
        (
            lambda: NmdaBlock(lowest=1).modulate(FELT, THREE.of(((2,), (2,), ()))),
            "lowest is level 1",
        ),
    ],
)
def test_anatomies_that_are_none_are_refused(build, said):
    with pytest.raises(UserError, match=said):
        build()


def test_receptors_may_be_missing_below_and_not_everywhere_above():
    """As where only the top is assumed to be reached; without any above, a share of their mean is no number."""
    only_top = Anatomy(("sensory", "default"), (0.0, 2.0), (1.0, 1.0))
    felt = Effects(jnp.asarray(1.0), jnp.asarray(0.0), jnp.asarray(0.0))
    gains = ACCOUNTS["rebus"]().modulate(felt, only_top).gains
    assert all(np.isfinite(float(gain)) for gain in gains.values())
    with pytest.raises(UserError, match="density_2a is 0 at every level above"):
        Anatomy(("sensory", "default"), (1.0, 0.0), (1.0, 1.0))
