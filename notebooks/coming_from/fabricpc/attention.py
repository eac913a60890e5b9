# %% [markdown]
# # Attention as a layer
#
# FabricPC's transformers are nodes whose predictions attend over positions. A layer of one's own does that here: levels are flat
# arrays, and the layer gives them their shape. The task needs attention: four pairs of key and value, then one of the keys;
# its value is to be named. A layer that only averages the values can be right in one case of four, or somewhat more.
#
# Here one position is asked; a model that predicts at every position, as FabricPC's of Tiny Shakespeare, is in `characters.py`.

# %%
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

import pcmodel
from pcmodel.learning import classical
from pcmodel.networks.layers.dense import identity

PAIRS, KEYS, VALUES, WIDTH = 4, 8, 8, 16
rng = np.random.default_rng(0)


def examples(number):
    """Flat: four one-hot pairs, then the queried key; and the one-hot value."""
    keys = np.stack([rng.permutation(KEYS)[:PAIRS] for _ in range(number)])
    values = rng.integers(0, VALUES, (number, PAIRS))
    asked = rng.integers(0, PAIRS, number)
    rows = np.arange(number)
    pairs = np.concatenate([np.eye(KEYS)[keys], np.eye(VALUES)[values]], axis=-1)
    query = np.eye(KEYS)[keys[rows, asked]]
    flat = np.hstack([pairs.reshape(number, -1), query])
    return flat.astype(np.float32), np.eye(VALUES)[values[rows, asked]]


class Attention(nnx.Module):
    """One head: the query's key attends to the pairs' keys, and their values are averaged so."""

    def __init__(self, rngs, *, attends=True):
        self.ask = pcmodel.Dense(KEYS, WIDTH, activation=identity, scale=2, rngs=rngs)
        self.match = pcmodel.Dense(KEYS, WIDTH, activation=identity, scale=2, rngs=rngs)
        self.value = pcmodel.Dense(VALUES, WIDTH, activation=identity, rngs=rngs)
        self.attends = attends

    def __call__(self, tokens):
        pairs = tokens[:-KEYS].reshape(PAIRS, KEYS + VALUES)
        matched = jax.vmap(self.match)(pairs[:, :KEYS])
        fit = matched @ self.ask(tokens[-KEYS:]) if self.attends else jnp.zeros(PAIRS)
        return jax.nn.softmax(fit) @ jax.vmap(self.value)(pairs[:, KEYS:])


def network(attends):
    rngs = nnx.Rngs(0)
    readout = pcmodel.Dense(WIDTH, VALUES, activation=identity, rngs=rngs)
    return pcmodel.Network(
        [readout, Attention(rngs, attends=attends)],
        (VALUES, WIDTH, PAIRS * (KEYS + VALUES) + KEYS),
        log_precisions=[None, 0.0, 0.0],
        likelihood=pcmodel.Categorical(),
        names=("answer", "read", "tokens"),
    )


# %%
tokens, answers = examples(2048)
test_tokens, test_answers = examples(512)
settle = pcmodel.StateDescent(optax.sgd(0.1), tolerance=0, max_steps=10)
reached = {}
for attends in (True, False):
    done = pcmodel.train(
        network(attends),
        answers,
        clamp={"tokens": tokens},
        key=jax.random.key(0),
        learning=classical(optax.adam(1e-2), solver=settle),
        num_epochs=20,
        batch_size=64,
    ).network
    named = pcmodel.predict(done, test_tokens).argmax(1)
    reached[attends] = float(np.mean(named == test_answers.argmax(1)))
print(
    f"with attention {100 * reached[True]:.1f} %, averaging {100 * reached[False]:.1f} %"
)
assert reached[True] > 0.95 and reached[False] < 0.6
