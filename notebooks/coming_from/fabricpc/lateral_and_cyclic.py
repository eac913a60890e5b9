# %% [markdown]
# # Lateral connections, and a cycle
#
# Two of FabricPC's graphs. In the first two lateral nodes run beside the hidden ones: several parents, no cycle. In the second
# the hidden levels feed back: hidden1, hidden2, lateral, hidden1. Neither demo prints its accuracies. A hierarchy has no
# cycles, but an energy of squared errors can be written without them: where the cycle closes, hidden1 is made a top without
# a prior to speak of, and "hidden1 minus its prediction is zero" a level below it. The energy is the same; what cannot be had
# is a density to sample from, which a cyclic graph does not define either.

# %%
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

import pcmodel
from pcmodel import Categorical, Level
from pcmodel.data.digits import load_digits_split, one_hot
from pcmodel.learning import classical
from pcmodel.networks.layers.dense import identity

data = load_digits_split()
images, labels = data.train_images[:1152], one_hot(data.train_labels[:1152])

# %% [markdown]
# ## Lateral connections
#
# An edge from `source` to `target` says that the source predicts the target: it is a parent.

# %%
lateral = pcmodel.hierarchy(
    {
        "class": Level(10, Categorical(), parents=["hidden2"]),
        "hidden2": Level(24, parents=["hidden1", "lateral2"]),
        "hidden1": Level(32, parents=["pixels", "lateral1"]),
        "lateral2": Level(16, parents=["lateral1"]),
        "lateral1": Level(16, parents=["pixels"]),
        "pixels": Level(64),
    },
    activation=jnp.tanh,
    rngs=nnx.Rngs(0),
)
settle = pcmodel.StateDescent(optax.sgd(0.05), tolerance=0, max_steps=20)
result = pcmodel.train(
    lateral,
    labels,
    clamp={"pixels": images},
    key=jax.random.key(0),
    learning=classical(optax.adamw(3e-3), solver=settle),
    num_epochs=15,
    batch_size=32,
)
named = pcmodel.predict(result.network, data.test_images, level="pixels").argmax(1)
accuracy = np.mean(named == data.test_labels)
print(f"lateral: {100 * accuracy:.1f} %")
assert accuracy > 0.9


# %% [markdown]
# ## A cycle


# %%
class Closing(nnx.Module):
    """hidden1 minus what pixels and the lateral level predict of it."""

    def __init__(self, rngs):
        self.seen = pcmodel.Dense(64, 32, activation=identity, rngs=rngs)
        self.fed = pcmodel.Dense(16, 32, activation=jnp.tanh, scale=0.5, rngs=rngs)

    def __call__(self, hidden1, pixels, lateral):
        return hidden1 - self.seen(pixels) - self.fed(lateral)


rngs = nnx.Rngs(1)
cyclic = pcmodel.hierarchy(
    {
        "class": Level(10, parents=["hidden2"]),
        "closing": Level(
            32, parents=["hidden1", "pixels", "lateral"], layer=Closing(rngs)
        ),
        "lateral": Level(16, parents=["hidden2"]),
        "hidden2": Level(24, parents=["hidden1"]),
        "hidden1": Level(32, precision=1e-6),
        "pixels": Level(64),
    },
    activation=jnp.tanh,
    rngs=rngs,
)
given = {"closing": np.zeros((8, 32)), "pixels": images[:8]}
found = pcmodel.infer(cyclic, labels[:8], clamp=given)
at = dict(zip(cyclic.names, found.latents, strict=True))
layers = dict(zip(cyclic.names, cyclic.layers, strict=False))


def energy(hidden1, hidden2, lateral):
    """The cyclic graph's own energy, of one example."""
    errors = [
        labels[0] - layers["class"](hidden2),
        hidden2 - layers["hidden2"](hidden1),
        lateral - layers["lateral"](hidden2),
        hidden1 - layers["closing"].seen(images[0]) - layers["closing"].fed(lateral),
    ]
    return 0.5 * sum(jnp.sum(error**2) for error in errors)


mode = tuple(at[name][0] for name in ("hidden1", "hidden2", "lateral"))
slopes = jax.grad(energy, argnums=(0, 1, 2))(*mode)
steepest = max(float(jnp.max(jnp.abs(slope))) for slope in slopes)
print(
    f"cyclic: certified {np.mean(found.converged):.2f}, steepest slope {steepest:.1e}"
)
assert bool(found.converged.all()) and steepest < 1e-3

# %%
trained = pcmodel.train(
    cyclic,
    labels,
    clamp={"closing": np.zeros((len(labels), 32)), "pixels": images},
    key=jax.random.key(0),
    learning=classical(optax.adamw(3e-3), solver=settle),
    num_epochs=10,
    batch_size=32,
).network
found = pcmodel.infer(
    trained,
    clamp={"closing": np.zeros((300, 32)), "pixels": data.test_images[:300]},
    solver=pcmodel.StateDescent(optax.sgd(0.1), tolerance=0, max_steps=200),
)
accuracy = np.mean(found.latents[0].argmax(1) == data.test_labels[:300])
print(f"cyclic: {100 * accuracy:.1f} %")
assert accuracy > 0.85
