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
# # From a dose to a belief
#
# A negative belief about oneself meets one benign observation while psilocybin comes and goes. Three accounts of what the
# drug does, in the same twenty people. Nothing here is clinical advice.

# %%
import jax
import matplotlib.pyplot as plt
import numpy as np

import pcmodel
from pcmodel.neuromodulation import Dose, Noise, Rebus, Sensory, simulate_group
from pcmodel.paradigms import believe

# %%
self_belief = pcmodel.linear_gaussian(
    [np.ones((1, 1))] * 3,
    [1.0, 4.0, 4.0, 9.0],
    prior_mean=[-2.0],
    names=("senses", "attention", "control", "self"),
)
hours = np.linspace(0, 8, 97)
group = simulate_group(
    Dose("psilocybin", 25.0), hours, num_people=20, key=jax.random.key(0)
)

accounts = {
    "priors relaxed (REBUS)": Rebus(),
    "senses raised": Sensory(),
    "activity noisier": Noise(),
}
found = {
    name: believe(
        self_belief,
        [1.0],
        group,
        account=account,
        hypothesis=lambda top: top[0] < -1.5,
        key=jax.random.key(1),
        num_draws=2000,
    )
    for name, account in accounts.items()
}
for belief in found.values():
    assert np.all(belief.converged)

# %% [markdown]
# ## The belief over the hours
#
# Line: the typical person. Band: one standard deviation of the belief itself, what it leaves open. The dotted lines are
# the belief held before (-2) and what is observed (+1).

# %%
figure, axes = plt.subplots(1, 3, figsize=(10, 3.4), sharey=True, layout="constrained")
for axis, (name, belief) in zip(axes, found.items(), strict=True):
    mean, sd = np.asarray(belief.mean[3][0, :, 0]), np.asarray(belief.sd[3][0, :, 0])
    axis.fill_between(hours, mean - sd, mean + sd, alpha=0.25)
    axis.plot(hours, mean)
    axis.axhline(-2, color="grey", linestyle=":", linewidth=1)
    axis.axhline(1, color="grey", linestyle=":", linewidth=1)
    axis.set(title=name, xlabel="hours after 25 mg psilocybin")
axes[0].text(8, -2.05, "held before", ha="right", va="top", color="grey")
axes[0].text(8, 0.95, "observed", ha="right", va="top", color="grey")
axes[0].set_ylabel("self-belief (negative below 0)")
figure.savefig("beliefs.png", dpi=120)

# %% [markdown]
# The first two move the mean alike; only the first widens the belief, and the third widens without moving it. A mean
# alone cannot tell them apart.

# %%
rebus, sensory, noise = found.values()
peak = int(np.argmax(rebus.revision[0]))
print(
    "revision at the peak:",
    [round(float(b.revision[0, peak]), 3) for b in found.values()],
)
print(
    "s.d. of the belief, over that without the drug:",
    [round(float(b.sd[3][0, peak, 0] / b.sd[3][0, 0, 0]), 2) for b in found.values()],
)
assert rebus.sd[3][0, peak, 0] > rebus.sd[3][0, 0, 0] > sensory.sd[3][0, peak, 0]

# %% [markdown]
# ## People differ
#
# Each line is one person under REBUS: how probable it seems that the self is worse than -1.5. Thick: the typical one.

# %%
figure, axis = plt.subplots(figsize=(5.5, 3.4), layout="constrained")
axis.plot(
    hours, np.asarray(rebus.probability[1:]).T, color="tab:blue", alpha=0.3, linewidth=1
)
axis.plot(hours, rebus.probability[0], color="tab:blue", linewidth=2.5)
axis.set(
    xlabel="hours after 25 mg psilocybin",
    ylabel="probability of a self below -1.5",
    ylim=(0, 1),
    title="One drug, twenty-one people",
)
figure.savefig("people.png", dpi=120)
plt.close("all")
