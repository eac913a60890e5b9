# %% [markdown]
# # Two moons, by predictive coding and by backpropagation
#
# PCX's first two tutorials: a network of two hidden levels of 32 leaky rectifiers names the moon of a point, with a
# categorical label, eight steps of inference with momentum, AdamW. The stored notebooks print no accuracies, so the bar is
# what a straight line reaches.

# %%
import jax
import matplotlib.pyplot as plt
import numpy as np
import optax
from flax import nnx
from sklearn.datasets import make_moons
from sklearn.linear_model import LogisticRegression

import pcmodel
from pcmodel.learning import Backpropagation, classical

points, moons = make_moons(1024, noise=0.2, random_state=42)
test_points, test_moons = make_moons(512, noise=0.2, random_state=0)
points, test_points = points.astype(np.float32), test_points.astype(np.float32)
labels = np.eye(2, dtype=np.float32)[moons]

# %% [markdown]
# In PCX a node holds what is *after* the activation, $x = f(W z + b)$; a `Dense` layer of this package applies it to the
# level that it reads. A layer of one's own keeps PCX's order.


# %%
class After(nnx.Module):
    """f(W z + b), as a `pxnn.Linear` and an activation before a `Vode`."""

    def __init__(self, above, below, activation, rngs):
        self.linear = pcmodel.Dense(
            above, below, activation=lambda x: x, scale=3**-0.5, rngs=rngs
        )
        self.activation = activation

    def __call__(self, above):
        return self.activation(self.linear(above))


def network(seed):
    rngs, leaky = nnx.Rngs(seed), jax.nn.leaky_relu
    layers = [
        After(32, 2, lambda x: x, rngs),
        After(32, 32, leaky, rngs),
        After(2, 32, leaky, rngs),
    ]
    return pcmodel.Network(
        layers,
        (2, 32, 32, 2),
        log_precisions=[None, 0.0, 0.0, 0.0],
        likelihood=pcmodel.Categorical(),
        names=("label", "hidden2", "hidden1", "point"),
    )


# %% [markdown]
# `optim_h` is the optimiser of a `StateDescent`, `T` its steps; `optim_w` is that of learning. `Backpropagation` is the
# twin of tutorial 0b: the same network, data and order of batches.

# %%
settle = pcmodel.StateDescent(
    optax.sgd(1e-2, momentum=0.5, nesterov=True), tolerance=0, max_steps=8
)
weights = optax.adamw(1e-2)
rules = {
    "predictive coding": classical(weights, solver=settle),
    "backpropagation": classical(weights, rule=Backpropagation()),
}
line = LogisticRegression().fit(points, moons).score(test_points, test_moons)
print(f"a straight line: {100 * line:.1f} %")
trained = {}
for name, learning in rules.items():
    trained[name] = pcmodel.train(
        network(0),
        labels,
        clamp={"point": points},
        key=jax.random.key(0),
        learning=learning,
        num_epochs=8,
        batch_size=32,
    ).network
    named = pcmodel.predict(trained[name], test_points).argmax(1)
    accuracy = np.mean(named == test_moons)
    print(f"{name}: {100 * accuracy:.1f} %")
    assert accuracy > line + 0.06

# %%
grid = np.stack(np.meshgrid(np.linspace(-2, 3, 80), np.linspace(-1.5, 2, 60)), -1)
figure, axes = plt.subplots(1, 2, figsize=(7, 2.8), layout="constrained", sharey=True)
for axis, (name, done) in zip(axes, trained.items(), strict=True):
    second = pcmodel.predict(done, grid.reshape(-1, 2).astype(np.float32))[:, 1]
    axis.contourf(
        *np.moveaxis(grid, -1, 0), np.asarray(second).reshape(60, 80), cmap="RdBu_r"
    )
    axis.scatter(
        *test_points[:200].T, c=test_moons[:200], s=16, cmap="PuOr", ec="w", lw=0.4
    )
    axis.set_title(name)
figure
