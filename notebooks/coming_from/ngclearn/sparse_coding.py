# %% [markdown]
# # Sparse coding
#
# ngc-learn's exhibit learns a dictionary with a Cauchy prior on the codes or with soft thresholds (Olshausen & Field 1996),
# and shows filters, no numbers. Priors here are Gaussian. A sparse one is a Gaussian seen through a curve: if $u$ is standard
# normal, $c = F^{-1}(\Phi(u))$ has the distribution $F$. An activation of one's own makes it; what changes is only of which
# variable the mode is taken.
#
# Why sparse: a Gaussian code can be rotated without any change of the data's distribution, so that its atoms cannot be known;
# those of a sparse code can. Both halves are asserted, for patches made of known atoms: by the exact evidence of a linear
# network, and by annealed importance sampling for the curved one. The exhibit's iterative thresholding, of which no density
# knows, is in `ista.py`.

# %%
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

import pcmodel
from pcmodel.networks.layers.dense import identity

atoms, pixels, examples = 6, 12, 100
rng = np.random.default_rng(0)


def laplacian(u):
    """A Laplace variable of unit variance from a standard normal one; computed from the nearer tail."""
    tail = jax.scipy.stats.norm.logcdf(-jnp.abs(u)) + jnp.log(2.0)
    return -jnp.sign(u) * tail / 2**0.5


normal = rng.standard_normal(100_000)
seen = np.asarray(laplacian(normal))
kurtosis = np.mean(seen**4) / np.mean(seen**2) ** 2
print(f"variance of the code {seen.var():.2f}, kurtosis {kurtosis:.1f} (Laplace: 1, 6)")
assert abs(seen.var() - 1) < 0.03 and abs(kurtosis - 6) < 0.6

# %%
dictionary = np.linalg.qr(rng.normal(size=(pixels, atoms)))[0] * 2
rotation = np.linalg.qr(rng.normal(size=(atoms, atoms)))[0]
codes = rng.laplace(scale=2**-0.5, size=(examples, atoms))
patches = codes @ dictionary.T + 0.2 * rng.normal(size=(examples, pixels))


def network(weights, activation):
    layer = pcmodel.Dense(atoms, pixels, activation=activation, rngs=nnx.Rngs(0))
    layer.weight[...] = weights
    return pcmodel.Network(
        [layer],
        (pixels, atoms),
        log_precisions=[np.log(25.0), 0.0],
        is_linear=activation is identity,
    )


# %% [markdown]
# ## A Gaussian code: the same evidence for every rotation

# %%
rotated = dictionary @ rotation
true, other = (
    np.sum(pcmodel.posterior(network(weights, identity), patches).log_evidence)
    for weights in (dictionary, rotated)
)
print(f"Gaussian: true atoms {true:.2f} nats, rotated {other:.2f}")
assert abs(true - other) < 0.1

# %% [markdown]
# ## A sparse code: the true atoms explain better
#
# The estimate is unbiased in the likelihood; the difference is many times what it may be off.

# %%
likely = {
    name: pcmodel.log_likelihood(
        network(weights, laplacian),
        patches,
        key=jax.random.key(0),
        num_steps=100,
        num_particles=8,
    )
    for name, weights in (("true", dictionary), ("rotated", rotated))
}
gain = np.asarray(likely["true"].log_likelihood - likely["rotated"].log_likelihood)
error = gain.std() / examples**0.5
print(
    f"sparse: the true atoms gain {gain.mean():.2f} nats a patch, give or take {error:.2f}"
)
assert gain.mean() > 4 * error

# %% [markdown]
# The codes that are inferred are sparse as well: their kurtosis is far above a Gaussian's 3.

# %%
found = pcmodel.infer(network(dictionary, laplacian), patches).latents[1]
inferred = np.asarray(laplacian(found))
kurtosis = np.mean(inferred**4) / np.mean(inferred**2) ** 2
alike = np.corrcoef(inferred.ravel(), codes.ravel())[0, 1]
print(
    f"codes inferred: kurtosis {kurtosis:.1f}, correlation with the true ones {alike:.3f}"
)
assert kurtosis > 4 and alike > 0.95
