"""One random key goes in at every door that draws; anything else is told in a sentence."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel.errors import UserError
from pcmodel.inputs.random_keys import check_key
from pcmodel.neuromodulation.compounds import load_compounds
from pcmodel.neuromodulation.participant import draw_participants, typical

NETWORK = pcmodel.dense((3, 2), rngs=nnx.Rngs(0))
DATA = np.zeros((4, 3))
SEEN = np.array([True, False, True])
POSTERIOR = pcmodel.posterior(NETWORK, DATA[0])
DOORS = {
    "activity": lambda key: pcmodel.activity(NETWORK, key, DATA[0]),
    "complete": lambda key: pcmodel.complete(
        NETWORK, DATA[0], SEEN, key=key, num_samples=1
    ),
    "diagnose": POSTERIOR.diagnose,
    "log_likelihood": lambda key: pcmodel.log_likelihood(NETWORK, DATA[0], key=key),
    "participants": lambda key: draw_participants(
        typical(load_compounds(), "LSD"), key, 2
    ),
    "posterior": lambda key: POSTERIOR.sample(key, 2),
    "sample": lambda key: pcmodel.sample(NETWORK, key),
    "sample_posterior": lambda key: pcmodel.sample_posterior(NETWORK, DATA[0], key=key),
    "train": lambda key: pcmodel.train(NETWORK, DATA, key=key, batch_size=2),
    "train_recognition": lambda key: pcmodel.train_recognition(
        pcmodel.recognition_for(NETWORK, rngs=nnx.Rngs(1)),
        NETWORK,
        DATA,
        key=key,
        batch_size=2,
    ),
}
NO_KEYS = {
    "is the number 7": 7,
    "is NoneType": None,
    "is str": "seed",
    "is list": [1, 2],
    "is float": 1.5,
    r"is an array of \(3,\) keys": jax.random.split(jax.random.key(0), 3),
    r"is an array of float\d+ of shape \(2,\)": jnp.zeros(2),
    r"is an array of u?int\d+ of shape \(3,\)": np.zeros(3, np.uint32),
}


@pytest.mark.parametrize(("words", "given"), NO_KEYS.items())
def test_what_is_no_key_is_told(words, given):
    with pytest.raises(UserError, match=rf"^key: {words}; expected"):
        check_key(given)


@pytest.mark.parametrize("door", DOORS)
def test_every_door_looks_at_its_key(door):
    for words in list(NO_KEYS)[-3:]:
        with pytest.raises(UserError, match=rf"^key: {words}; expected"):
            DOORS[door](jnp.asarray(NO_KEYS[words]))


def test_old_keys_of_plain_numbers_draw_the_same():
    old, new = jax.random.PRNGKey(5), jax.random.key(5)
    np.testing.assert_array_equal(check_key(np.asarray(old)), old)
    jax.tree.map(
        np.testing.assert_array_equal,
        pcmodel.sample(NETWORK, old, np.int64(3)),
        pcmodel.sample(NETWORK, new, 3),
    )


def test_a_key_may_be_traced():
    keys = jax.random.split(jax.random.key(1), 3)
    draws = jax.vmap(lambda key: pcmodel.sample(NETWORK, key)[0])(keys)
    for one, key in zip(draws, keys, strict=True):
        np.testing.assert_allclose(
            one, pcmodel.sample(NETWORK, key)[0], rtol=1e-12, atol=1e-12
        )
    assert check_key(keys[0]) is not None
