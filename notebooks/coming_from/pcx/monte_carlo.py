# %% [markdown]
# # Monte Carlo predictive coding
#
# With noise in inference the latents wander through the posterior instead of settling at its mode, and learning fits the
# *distribution* of the data (Oliviers, Bogacz & Meulemans 2024). PCX's last tutorial fits one number: $x = w z + $ noise,
# $z \sim N(b, 1)$, data of mean 1 and variance 5. Everything has a closed form: $w^2 + 1$ is the variance of the data, $w b$ its
# mean. PCX prints no numbers in the stored notebook.

# %%
import jax
import numpy as np
import optax

import pcmodel
from pcmodel.learning import (
    FixedHiddenPrecision,
    Frozen,
    Learning,
    PosteriorSamples,
    classical,
)

jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(0)
data = 1 + 5**0.5 * rng.normal(size=(2048, 1))
spread, centre = data.var(), data.mean()

# %% [markdown]
# ## Noisy steps are draws, nearly
#
# Langevin steps are an optax optimiser: a gradient step and noise of variance twice the rate. At a curvature $h$ their
# stationary variance is $1 / (h (1 - \eta h / 2))$: the posterior's, but for the size of the step.

# %%
rate = 0.05
langevin = optax.chain(
    optax.sgd(rate), optax.add_noise(eta=2 * rate, gamma=0.0, key=jax.random.key(1))
)
chain = pcmodel.linear_gaussian([[[2.0]]], [1.0, 1.0])
wander = pcmodel.StateDescent(langevin, tolerance=0, max_steps=200)
same = (
    3.0 + 1e-9 * np.arange(4000)[:, None]
)  # noise differs between examples that differ
drawn = np.asarray(pcmodel.infer(chain, same, solver=wander).latents[1])
curvature = 2.0**2 + 1
wanted = 1 / (curvature * (1 - rate * curvature / 2))
print(f"mean {drawn.mean():.3f}, of the posterior {2 * 3 / curvature:.3f}")
print(
    f"variance {drawn.var():.4f}, of such steps {wanted:.4f}, of the posterior 0.2000"
)
assert abs(drawn.mean() - 2 * 3 / curvature) < 5 * (wanted / 4000) ** 0.5
assert abs(drawn.var() / wanted - 1) < 5 * (2 / 4000) ** 0.5

# %% [markdown]
# ## Learning from draws, from noisy steps, and from the mode
#
# `PosteriorSamples` draws from the posterior itself (exactly, where predictions are affine). From the mode alone the weight
# is not learned: squared errors fall without end as it grows and the latent shrinks.


# %%
def fit(learning):
    network = pcmodel.linear_gaussian([[[1.0]]], [1.0, 1.0])
    network = pcmodel.train(
        network,
        data,
        key=jax.random.key(0),
        learning=learning,
        num_epochs=60,
        batch_size=256,
    ).network
    weight = float(network.layers[0].weight[...][0, 0])
    mean, variance = pcmodel.predict(network, network.prior_mean[...]), weight**2 + 1
    return weight, float(mean[0]), variance


adam = optax.adam(2e-2)
draws = Learning(
    adam,
    precision_step=Frozen(),
    e_step=PosteriorSamples(1),
    gauge=FixedHiddenPrecision(),
)
short = pcmodel.StateDescent(langevin, tolerance=0, max_steps=100)
for name, learning in {
    "posterior draws": draws,
    "noisy steps": classical(adam, solver=short),
    "the mode": classical(adam, solver=pcmodel.Exact()),
}.items():
    weight, mean, variance = fit(learning)
    print(f"{name}: weight {weight:.2f}, mean {mean:.2f}, variance {variance:.2f}")
    if name == "the mode":
        assert variance > 2 * spread
    else:
        assert abs(mean - centre) < 0.15 and abs(variance / spread - 1) < 0.15
print(f"data: mean {centre:.2f}, variance {spread:.2f}")
