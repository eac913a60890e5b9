# %% [markdown]
# # Saddles that become strict
#
# At the origin of its weights a linear network deeper than two layers has a squared error whose Hessian is zero: gradient
# descent stays. The *equilibrated energy* of predictive coding falls there in some direction (Innocenti et al. 2024, with
# `jpc.linear_equilib_energy`): the Hessian is $-\langle y y^\top \rangle$ in the last layer and zero elsewhere. Both Hessians are
# computed here, and both rules started near the origin.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax
from flax import nnx

import pcmodel
from pcmodel.learning import Backpropagation, classical
from pcmodel.networks.layers.dense import identity

jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(0)
images = rng.normal(size=(64, 2))
labels = images @ np.array([[1.0, 0.5], [-0.5, 1.0]]).T
shapes = [(2, 2)] * 4


# %% [markdown]
# ## Two Hessians at the origin
#
# `infer` can be differentiated: the energy of its mode is a function of the weights, and JAX does the rest.


# %%
def split(flat):
    return [part.reshape(2, 2) for part in jnp.split(flat, len(shapes))]


def equilibrated(flat):
    network = pcmodel.linear_gaussian(split(flat), [1.0] * 5)
    found = pcmodel.infer(
        network, labels, clamp={"top": images}, solver=pcmodel.Exact()
    )
    return jnp.mean(found.energy)


def squared_error(flat):
    network = pcmodel.linear_gaussian(split(flat), [1.0] * 5)
    return jnp.mean(0.5 * jnp.sum((labels - pcmodel.predict(network, images)) ** 2, 1))


def hessian_at_origin(function):
    """By differences of the gradient, a step of 1e-4 on either side."""
    gradient = jax.jit(jax.grad(function))
    steps = 1e-4 * np.eye(16)
    return np.stack([(gradient(s) - gradient(-s)) / 2e-4 for s in steps])


of_energy = hessian_at_origin(equilibrated)
of_error = hessian_at_origin(squared_error)
second_moment = labels.T @ labels / len(labels)
wanted = np.zeros((16, 16))
wanted[:4, :4] = -np.kron(second_moment, np.eye(2))
np.testing.assert_allclose(of_energy, wanted, atol=1e-6)
np.testing.assert_allclose(of_error, 0, atol=1e-6)
print("lowest curvature at the origin:")
print(f"  equilibrated energy {np.linalg.eigvalsh(of_energy)[0]:.4f}")
print(f"  squared error       {np.linalg.eigvalsh(of_error)[0]:.4f}")


# %% [markdown]
# ## Starting near the origin


# %%
def loss_curve(rule):
    network = pcmodel.dense((2,) * 5, activation=identity, scale=0.05, rngs=nnx.Rngs(1))
    losses = []
    for epoch in range(20):
        off = labels - pcmodel.predict(network, images)
        losses.append(0.5 * float(jnp.mean(jnp.sum(off**2, axis=1))))
        network = pcmodel.train(
            network,
            labels,
            clamp={"top": images},
            key=jax.random.key(epoch),
            learning=classical(optax.sgd(0.2), solver=pcmodel.Exact(), **rule),
            num_epochs=25,
            batch_size=64,
        ).network
    return np.array(losses)


coding = loss_curve({})
backprop = loss_curve({"rule": Backpropagation()})
print(f"loss after 500 steps: predictive coding {coding[-1]:.2e}, ", end="")
print(f"backpropagation {backprop[-1]:.2f} (it began at {backprop[0]:.2f})")
assert coding[-1] < 0.05 * coding[0]
assert backprop[-1] > 0.9 * backprop[0]

# %%
figure, axis = plt.subplots(figsize=(5, 3), layout="constrained")
axis.plot(25 * np.arange(20), coding, label="predictive coding")
axis.plot(25 * np.arange(20), backprop, label="backpropagation")
axis.set_xlabel("steps of the weights")
axis.set_ylabel("squared error (nats per example)")
axis.legend()
figure
