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
# # Reconsolidation or extinction?
#
# A rat learns that a tone is followed by a shock. Then the tone comes alone, many times, and the fear goes; weeks later it is
# back. One reminder before the lone tones is said to prevent that. Here is how a learner that asks "is this the
# same situation as before?" can show it, and how easily it does not.

# %%
import jax
import matplotlib.pyplot as plt
import numpy as np

from pcmodel.memory import (
    CauseParameters,
    compare_with_map,
    learn_causes,
    learn_values,
    stack_trials,
)
from pcmodel.memory.designs.published import (
    extinction_only,
    reinstatement,
    renewal,
    retrieval_extinction,
)

# %% [markdown]
# ## One memory or two
#
# Left without a reminder, lone tones are surprising enough to get a memory of their own; the old one keeps what it
# predicted. With a reminder three units before, the old memory explains them, and unlearns.

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True)
for axis, (name, design) in zip(
    axes,
    {
        "extinction alone": extinction_only(),
        "after a reminder": retrieval_extinction(),
    }.items(),
    strict=True,
):
    history = learn_causes(design.trials)
    weights = np.asarray(history.weights[:, -1, 0, :2])
    axis.plot(weights[:, 0], label="first memory")
    if history.num_causes > 1:
        axis.plot(weights[:, 1], label="second memory")
    axis.set(
        xlabel="trial",
        title=f"{name}: response {history.response[-1]:.2f}",
        ylim=(-0.05, 1),
    )
    axis.legend()
axes[0].set_ylabel("outcome predicted")
figure.tight_layout()

# %% [markdown]
# ## The window
#
# All intervals at once: the designs are stacked and mapped. Both edges are steps, not slopes.

# %%
intervals = np.array([0, 1, 2, 3, 5, 10, 20, 30, 50, 70, 100, 150])
trials = stack_trials([retrieval_extinction(float(i)).trials for i in intervals])
found = jax.jit(jax.vmap(learn_causes))(trials)
for interval, response, causes in zip(
    intervals, found.response[:, -1], found.num_causes, strict=True
):
    print(f"interval {interval:3d}: response {response:.2f}, {causes:.0f} memories")
assert found.response[3, -1] < 0.1 and found.response[10, -1] > 0.8

figure, axes = plt.subplots(figsize=(6, 3))
axes.semilogx(np.maximum(intervals, 0.5), found.response[:, -1], "o-")
axes.set(xlabel="interval after the reminder (0 shown at 0.5)", ylabel="response")
figure.tight_layout()

# %% [markdown]
# ## What brings fear back
#
# An unsignalled shock brings back only what was not rewritten. The context of acquisition brings back both: there the
# model disagrees with the report of Monfils et al. (2009).

# %%
cases = {
    "shock": (reinstatement(), reinstatement(retrieval=None)),
    "context": (renewal("B"), renewal("B", retrieval=None)),
}
for name, pair in cases.items():
    after, alone = (float(learn_causes(each.trials).response[-1]) for each in pair)
    print(f"{name}: {after:.2f} with a reminder, {alone:.2f} without")

# %% [markdown]
# ## How easily it does not
#
# Slightly more or less precise outcomes, or a readiness to invent causes that is twice or half as large, and the benefit is gone.

# %%
pair = stack_trials([extinction_only().trials, retrieval_extinction().trials])
for variance in (0.2, 0.3, 0.4, 0.5, 0.6):
    own = CauseParameters(outcome_log_precision=-np.log(variance))
    responses = jax.vmap(learn_causes, in_axes=(0, None))(pair, own).response[:, -1]
    print(f"variance {variance}: {responses[0]:.2f} alone, {responses[1]:.2f} reminded")

# %% [markdown]
# ## Is it the model, or its shortcut?
#
# The paper commits to one cause for each trial. The full posterior keeps them all, here by 2000 particles. And a learner
# without causes never recovers at all.

# %%
for name, design in (
    ("alone", extinction_only()),
    ("reminded", retrieval_extinction()),
):
    told = compare_with_map(jax.random.key(1), design.trials, num_particles=2000)
    print(
        f"{name}: {told.local_map.prediction[-1]:.3f} by the shortcut, "
        f"{told.particles.prediction[-1]:.3f} by the posterior"
    )
print("without causes:", float(learn_values(extinction_only().trials).prediction[-1]))
