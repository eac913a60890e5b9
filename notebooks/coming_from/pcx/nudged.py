# %% [markdown]
# # Nudging
#
# PCX's benchmark (Pinchetti et al. 2025) finds its best results where the label is not clamped but *nudged*: moved a part of
# the way from the prediction to the target, or away from it. The gradient is then one of a difference. In a linear network it can
# be written down: centred nudging follows $\frac12 r^\top S^{-1} r$ with the covariance $S$ held fixed, at any strength, where
# learning at equilibrium also moves $S$. That is asserted for the weights after one step of each rule.

# %%
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

import pcmodel
from pcmodel.data.digits import load_digits_split, one_hot
from pcmodel.learning import Equilibrium, Nudged, classical
from pcmodel.networks.layers.dense import identity

jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(0)
labels, images = rng.normal(size=(16, 3)), rng.normal(size=(16, 4))
network = pcmodel.dense((3, 5, 4), activation=identity, rngs=nnx.Rngs(0))


# %%
def loss(weights, held=None):
    """Mean of the residuals' squares weighted by the inverse of S, which may be held."""
    low, high = weights
    spread = jnp.eye(3) + low @ low.T if held is None else held
    off = labels - images @ high.T @ low.T
    return 0.5 * jnp.sum(off.T * jnp.linalg.solve(spread, off.T)) / len(labels)


weights = [jnp.asarray(layer.weight[...]) for layer in network.layers]
held = jnp.eye(3) + weights[0] @ weights[0].T
wanted = {
    "at equilibrium": (Equilibrium(), jax.grad(loss)(weights)),
    "nudged 0.5": (Nudged(0.5), jax.grad(loss)(weights, held)),
    "nudged 2": (Nudged(2.0), jax.grad(loss)(weights, held)),
}
rate = 1e-2
for name, (rule, slope) in wanted.items():
    moved = pcmodel.train(
        network,
        labels,
        clamp={"top": images},
        key=jax.random.key(0),
        learning=classical(optax.sgd(rate), solver=pcmodel.Exact(), rule=rule),
        num_epochs=1,
        batch_size=16,
    ).network
    for layer, before, each in zip(moved.layers, weights, slope, strict=True):
        change = before - np.asarray(layer.weight[...])
        np.testing.assert_allclose(change, rate * each, rtol=1e-6, atol=1e-12)
    print(f"{name}: the change of the weights is the gradient of its loss")

# %% [markdown]
# ## On digits
#
# Both rules, with the same rates.

# %%
jax.config.update("jax_enable_x64", False)
data = load_digits_split()
settle = pcmodel.StateDescent(optax.sgd(0.1), tolerance=0, max_steps=10)
for name, rule in {
    "clamped": Equilibrium(),
    "positive": Nudged(0.5, (1,)),
    "centred": Nudged(0.5, (1, -1)),
}.items():
    done = pcmodel.train(
        pcmodel.dense((10, 64, 64, 64), rngs=nnx.Rngs(0)),
        one_hot(data.train_labels),
        clamp={"top": data.train_images},
        key=jax.random.key(0),
        learning=classical(optax.adam(1e-3), solver=settle, rule=rule),
        num_epochs=20,
        batch_size=32,
    ).network
    named = pcmodel.predict(done, data.test_images).argmax(1)
    accuracy = np.mean(named == data.test_labels)
    print(f"{name}: {100 * accuracy:.1f} %")
    assert accuracy > 0.9
