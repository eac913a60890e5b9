# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # When to trust an answer
#
# A belief relaxed a hundred million times, in single precision; a network that bends; a posterior that is no Gaussian.
# Each time the answer says itself how good it is.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from flax import nnx

import pcmodel

# %% [markdown]
# ## Relaxing a vague top over precise senses
#
# Two hidden levels predict eight senses. The top's precision falls from 1 to $10^{-8}$ while that of the senses is
# $10^4$. The mode is known: weighted least squares in double precision.

# %%
rng = np.random.default_rng(0)
weights = [rng.normal(size=(8, 12)) / 12**0.5, rng.normal(size=(12, 4)) / 2]
observed = rng.normal(size=8)
tops = 10.0 ** -np.arange(0, 9)


def by_least_squares(top):
    """The top's mode and standard deviations: rows of prediction errors, each times the root of its precision."""
    senses = np.hstack([weights[0], np.zeros((8, 4))]) * 100
    between = np.hstack([np.eye(12), -weights[1]])
    prior = np.hstack([np.zeros((4, 12)), np.eye(4)]) * top**0.5
    matrix = np.vstack([senses, between, prior])
    target = np.concatenate([observed * 100, np.zeros(16)])
    mode = np.linalg.lstsq(matrix, target, rcond=None)[0][12:]
    spread = np.sqrt(np.diag(np.linalg.inv(matrix.T @ matrix)))[12:]
    return mode, spread


off, residual, certified = [], [], []
for top in tops:
    network = pcmodel.linear_gaussian(weights, [1e4, 1.0, top])
    found = pcmodel.infer(network, observed.astype(np.float32))
    mode, spread = by_least_squares(top)
    off.append(np.max(np.abs(np.asarray(found.latents[2], float) - mode) / spread))
    residual.append(float(found.residual))
    certified.append(bool(found.converged))
assert max(off) < 0.1
# Single precision rounds differently on different processors: a right answer may go uncertified.
assert sum(certified) >= len(tops) - 2

# %%
figure, axis = plt.subplots(figsize=(6, 3.5), layout="constrained")
axis.loglog(tops, np.maximum(off, 1e-12), "o-", label="distance from the right mode")
axis.loglog(tops, residual, "s--", label="what the answer says (residual)")
axis.axhline(0.05, color="0.6", lw=1)
axis.text(1, 0.06, "never certified above this line", ha="left", va="bottom")
axis.set_ylim(1e-8, 1)
axis.invert_xaxis()
axis.set_xlabel("precision of the top (relaxed to the right)")
axis.set_ylabel("posterior standard deviations")
figure.legend(loc="outside upper center", ncols=1, frameon=False)
figure

# %% [markdown]
# ## Points where nothing moves
#
# One rectifier that sees 3. At rest all its gradients are zero, and it is no mode: the energy is lower beside it.

# %%
rectifier = pcmodel.dense((1, 1, 1), activation=jax.nn.relu, rngs=nnx.Rngs(0))
for layer in rectifier.layers:
    layer.weight[...] = jnp.ones((1, 1))
at_rest = (jnp.array([3.0]), jnp.zeros(1), jnp.zeros(1))
found = pcmodel.infer(rectifier, [3.0], initial=at_rest)


def energy(middle):
    """Least energy for a given middle unit: the top is then at half of it."""
    return 0.5 * (3 - np.maximum(middle, 0)) ** 2 + 0.25 * middle**2


middle = np.linspace(-1, 3.5, 300)
figure, axis = plt.subplots(figsize=(6, 3.5), layout="constrained")
axis.plot(middle, energy(middle))
axis.plot(0, energy(0.0), "x", color="C3", ms=9, label="at rest: no gradient")
axis.plot(2, energy(2.0), "o", color="C2", label="found, and certified")
axis.set_xlabel("middle unit")
axis.set_ylabel("energy (nats)")
axis.legend()
np.testing.assert_allclose(found.latents[1], 2.0, atol=1e-3)
figure

# %% [markdown]
# ## A posterior that is no Gaussian
#
# One unit, through tanh, and six yes/no observations: where tanh is flat the data no longer hold the belief. The
# Gaussian at the mode knows nothing of that. It says so by its Pareto k, and names what to use; the truth is here an
# integral over one number.

# %%
layer = pcmodel.Dense(1, 6, scale=3.0, rngs=nnx.Rngs(1))
steep = pcmodel.Network(
    [layer],
    (6, 1),
    log_precisions=[None, float(np.log(0.05))],
    likelihood=pcmodel.Bernoulli(),
)
bits = np.array([1.0, 0, 1, 1, 0, 0])
posterior = pcmodel.posterior(steep, bits)
told = posterior.diagnose(jax.random.key(0))
drawn = pcmodel.sample_posterior(steep, bits, key=jax.random.key(1), num_samples=10_000)
top = np.asarray(drawn.latents[-1]).ravel()

grid = np.linspace(-20, 20, 4001)
logits = np.tanh(grid)[:, None] * np.asarray(layer.weight[...])[:, 0]
log_density = np.sum(bits * logits - np.logaddexp(0, logits), axis=1)
density = np.exp(log_density - 0.5 * 0.05 * grid**2)
density /= density.sum() * (grid[1] - grid[0])
mean = np.sum(grid * density) / density.sum()
variance = np.sum((grid - mean) ** 2 * density) / density.sum()
print(told)
print(
    "the Gaussian is trusted:", bool(told.trusted), "- the chains agree:", drawn.mixed
)
print(f"variance of the top: {variance:.2f} by integration,", end=" ")
print(f"{float(posterior.variances[-1][0]):.2f} Gaussian, {top.var():.2f} drawn")
assert not told.trusted and drawn.mixed
# The tail is long (kurtosis 15): a tenth as many draws would know the variance to a fifth only.
assert abs(top.var() - variance) < 0.2 * variance

# %%
figure, axis = plt.subplots(figsize=(6, 3.5), layout="constrained")
axis.hist(top, bins=80, density=True, color="C0", alpha=0.4, label="drawn")
axis.plot(grid, density, color="k", lw=1, label="by integration")
centre, width = float(posterior.mean[-1][0]), float(posterior.variances[-1][0]) ** 0.5
bell = np.exp(-0.5 * ((grid - centre) / width) ** 2) / (width * np.sqrt(2 * np.pi))
axis.plot(grid, bell, color="C1", label="Gaussian at the mode")
axis.set_xlim(-4, 14)
axis.set_xlabel("top unit")
axis.set_ylabel("density")
axis.legend()
figure
