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
# # Activity of a brain
#
# A hierarchy of brain networks learned from streams. Its spontaneous activity is inference without data: draws of what it
# believes possible. What fMRI would show follows exactly, with and without a drug. Nothing here is clinical advice.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import pcmodel
import pcmodel.neuromodulation as nm
from pcmodel.brain import dynamics
from pcmodel.brain.measures import (
    eigenspectrum_entropy,
    gaussian_dwell,
    network_coupling,
)
from pcmodel.report.hierarchy import hierarchy_figure

# %%
brain = dynamics.brain_hierarchy(jax.random.key(0))
hierarchy_figure(brain.network)

# %% [markdown]
# ## A few seconds, eyes closed and with a film

# %%
rest = dynamics.linear_activity(brain, dynamics.EyesClosed())
film = dynamics.linear_activity(brain, dynamics.Film(variance=4.0))
figure, axes = plt.subplots(2, 1, sharex=True, figsize=(9, 4))
for axis, activity, title in zip(
    axes, (rest, film), ("eyes closed", "film"), strict=True
):
    path = dynamics.sample_activity(
        activity, jax.random.key(1), step=0.02, num_samples=250
    )
    axis.plot(np.arange(250) * 0.02, np.asarray(path)[:, -12:-8], lw=1)
    axis.set(title=f"the self, {title}", ylabel="latent")
axes[1].set(xlabel="seconds")

# %% [markdown]
# ## What fMRI shows
#
# The covariance of filtered activity is exact. Without noise of a scanner.

# %%
effects = nm.Effects(*(jnp.asarray(0.72),) * 3)
conditions = {
    "placebo": None,
    "REBUS, measured map": dynamics.brain_modulation(
        brain, nm.ACCOUNTS["rebus"](), effects
    ),
    "REBUS, top favoured": dynamics.brain_modulation(
        brain, nm.ACCOUNTS["rebus"](selectivity=2.0), effects
    ),
}
figure, axes = plt.subplots(1, 3, figsize=(11, 3.6))
for axis, (name, modulation) in zip(axes, conditions.items(), strict=True):
    activity = dynamics.linear_activity(
        brain, dynamics.EyesClosed(), modulation=modulation
    )
    read = dynamics.read_regions(brain, activity)
    matrix = dynamics.as_correlation(
        dynamics.haemodynamic_covariance(activity, read.weights)
    )
    axis.imshow(matrix, vmin=-1, vmax=1, cmap="RdBu_r")
    axis.set(title=name, xticks=[], yticks=[])
    told = network_coupling(matrix, read.networks)
    hold = dynamics.self_hold(brain, activity)
    print(
        f"{name}: within {told.within:.3f}, between {told.between:.3f}, entropy "
        f"{eigenspectrum_entropy(matrix).value:.3f}, the self explains {hold.share:.1%}"
    )

# %% [markdown]
# A relaxed self varies more, and what it predicts follows it: its share rises. And a relaxed level is slower as well as less
# precise, which the slow filter of fMRI shows as a change of connectivity: `keeps="time constant"` takes speed out.

# %% [markdown]
# ## Dwelling in a belief
#
# A self that is negative by half a standard deviation (lowered here by hand), and how long its mean stays below 0 when the
# default mode is as precise as it was learned, eight times as precise, and a fifth as precise. `pcmodel run rumination` asks
# what frees it, and for how long.

# %%
units = np.arange(4)  # the self's units, first of the top level
prior = brain.network.prior_mean
prior[...] = prior[...].at[units].add(-0.5)
for gain in (1.0, 8.0, 0.2):
    activity = dynamics.linear_activity(
        brain, dynamics.EyesClosed(), modulation=pcmodel.relax("default", gain)
    )
    places = activity.structure.free_slices()[-1].start + units
    belief = activity._replace(read=activity.read[places].mean(axis=0, keepdims=True))
    now, then = dynamics.lagged_covariances(belief, 0.1, lags=1)[:, 0, 0]
    mean = float(activity.activity[places].mean())
    dwell = gaussian_dwell(mean, float(now), float(then), step=0.1)
    print(
        f"precision x {gain:g}: below 0 for {dwell.share:.0%} of the time, {dwell.stay:.1f} s at a time"
    )
