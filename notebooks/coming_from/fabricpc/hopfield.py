# %% [markdown]
# # Hopfield memories
#
# FabricPC's `StorkeyHopfield` adds $\frac{s}{2D} z^\top (W^2 - W) z$ to a node's energy. That is no prediction error, but nearly:
#
# $$W^2 - W = (W - \tfrac12 I)^2 - \tfrac14 I \qquad (W \text{ symmetric}),$$
#
# so it is the error of a level clamped to zero whose prediction is $(W - \frac12 I) z$, of precision $s/D$, and a little less
# precision on $z$ itself. The first half asserts that; the second recalls patterns, as its second demo does (which prints
# no numbers), by a memory that needs no lateral energy: a hierarchy that has *learned* them.

# %%
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

import pcmodel
from pcmodel import Level
from pcmodel.learning import classical

jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(0)
units, number = 64, 7
patterns = rng.choice([-1.0, 1.0], size=(number, units))

# %% [markdown]
# ## The energy of a Hopfield node

# %%
storing = patterns.T @ patterns / units
strength = 20.0
share = strength / units
less = 1 - share / 4  # what is left of the unit precision
probe = patterns[0] * np.where(rng.random(units) < 0.2, -1, 1)


class Times(nnx.Module):
    """A fixed matrix."""

    def __init__(self, matrix):
        self.matrix = nnx.Variable(jnp.asarray(matrix))

    def __call__(self, above):
        return self.matrix[...] @ above


node = pcmodel.hierarchy(
    {
        "pulled": Level(
            units,
            parents=["memory"],
            precision=share,
            layer=Times(storing - 0.5 * np.eye(units)),
        ),
        "memory": Level(
            units, parents=["probe"], precision=less, layer=Times(np.eye(units) / less)
        ),
        "probe": Level(units),
    },
    rngs=nnx.Rngs(0),
)
found = pcmodel.infer(node, np.zeros(units), clamp={"probe": probe})
curvature = np.eye(units) + share * (storing @ storing - storing)
np.testing.assert_allclose(
    found.latents[1], np.linalg.solve(curvature, probe), rtol=1e-6
)
print("the mode of both energies is the same, to six digits")


# %% [markdown]
# ## Recall from corrupted patterns
#
# A top of seven units predicts the pattern through a softmax: one cause at a time. It learns the patterns with the causes
# clamped, one to each; then a probe with flipped signs is explained by inference, and predicted again (a modern Hopfield
# network is such a step). Beside it the classical network, $x \leftarrow \mathrm{sign}(W x)$ to rest. Up to a fifth
# of flipped signs both recall all; at three in ten the classical one is better, since causes here may also share a probe.


# %%
def one_cause(top):
    return jax.nn.softmax(4 * top)


layer = pcmodel.Dense(number, units, activation=one_cause, rngs=nnx.Rngs(0))
memory = pcmodel.train(
    pcmodel.Network([layer], (units, number), log_precisions=[0.0, -2.0]),
    patterns,
    clamp={"top": 2 * np.eye(number)},
    key=jax.random.key(0),
    learning=classical(optax.adam(5e-2)),
    num_epochs=300,
    batch_size=number,
).network


def classical_recall(states):
    for _ in range(50):
        states = np.where(
            states @ (storing - np.diag(np.diag(storing))) >= 0, 1.0, -1.0
        )
    return states


def exactly(recalled, wanted):
    return float(np.mean(np.all(np.sign(recalled) == wanted, axis=1)))


print("flipped   hierarchy   classical")
for noise in (0.0, 0.1, 0.2, 0.3):
    wanted = np.tile(patterns, (10, 1))
    probes = wanted * np.where(rng.random(wanted.shape) < noise, -1, 1)
    ours = exactly(pcmodel.reconstruct(memory, probes), wanted)
    theirs = exactly(classical_recall(probes), wanted)
    print(f"{noise:7.1f} {100 * ours:9.0f} % {100 * theirs:9.0f} %")
    assert noise > 0.2 or (ours > 0.95 and ours >= theirs - 0.03)
