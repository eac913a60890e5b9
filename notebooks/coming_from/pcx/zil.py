# %% [markdown]
# # Zero-divergence inference learning is backpropagation
#
# With a step of one, and each layer's weights moved at the one moment when the error reaches it, predictive coding takes
# the gradient of backpropagation exactly (Song et al. 2020; Salvatori et al. 2022). PCX's tutorial builds that from masks.
# It is written out here in a dozen lines, and its weights compared with those of the rule `Backpropagation`.

# %%
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from sklearn.datasets import make_moons

import pcmodel
from pcmodel.learning import Backpropagation, classical

points, moons = make_moons(256, noise=0.2, random_state=42)
labels = np.eye(2, dtype=np.float32)[moons]
points = points.astype(np.float32)
network = pcmodel.dense(
    (2, 32, 32, 2),
    activation=jax.nn.leaky_relu,
    precisions=[None, 1.0, 1.0, 1.0],
    likelihood=pcmodel.Categorical(),
    names=("label", "hidden2", "hidden1", "point"),
    rngs=nnx.Rngs(0),
)


# %%
def energies(weights, levels):
    """Of each layer's prediction, summed over examples; levels from the label up."""
    leaky = jax.nn.leaky_relu
    low, middle, high = weights
    logits = leaky(levels[1]) @ low[0].T + low[1]
    second = levels[1] - leaky(levels[2]) @ middle[0].T - middle[1]
    first = levels[2] - levels[3] @ high[0].T - high[1]
    label = -jnp.sum(levels[0] * jax.nn.log_softmax(logits))
    return jnp.stack([label, 0.5 * jnp.sum(second**2), 0.5 * jnp.sum(first**2)])


def zero_divergence(weights, rate):
    """Weights after one batch: layer l moves at step l, on the errors of that moment."""
    high, middle = weights[2], weights[1]
    hidden1 = points @ high[0].T + high[1]
    hidden2 = jax.nn.leaky_relu(hidden1) @ middle[0].T + middle[1]
    levels, moved = [labels, hidden2, hidden1, points], list(weights)
    for layer in range(3):
        slope = jax.grad(lambda w, at=tuple(levels): jnp.sum(energies(w, at)))(weights)
        pull = jax.grad(lambda at: jnp.sum(energies(weights, at)))(levels)
        moved[layer] = tuple(
            w - rate * g / len(points)
            for w, g in zip(weights[layer], slope[layer], strict=True)
        )
        if layer < 2:  # the error reaches one level further
            levels[layer + 1] = levels[layer + 1] - pull[layer + 1]
    return moved


rate = 0.2
weights = [(layer.weight[...], layer.bias[...]) for layer in network.layers]
by_hand = zero_divergence(weights, rate)
by_rule = pcmodel.train(
    network,
    labels,
    clamp={"point": points},
    key=jax.random.key(0),
    learning=classical(optax.sgd(rate), rule=Backpropagation()),
    num_epochs=1,
    batch_size=256,
).network
for layer, (weight, bias), (start, _) in zip(
    by_rule.layers, by_hand, weights, strict=True
):
    change = float(jnp.max(jnp.abs(weight - start)))
    apart = float(jnp.max(jnp.abs(layer.weight[...] - weight)))
    print(f"the weights moved by up to {change:.1e} and differ by {apart:.1e}")
    assert apart < 1e-5 * change + 1e-7
    np.testing.assert_allclose(layer.bias[...], bias, atol=1e-6)
