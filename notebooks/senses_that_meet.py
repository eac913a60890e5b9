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
# # Senses that meet
#
# What one sees and what one is told are two streams that meet at one belief, each with its own precision. Relaxing the
# middle of one stream hands its credit to the other. Then the belief moves in time, and is followed and learned.

# %%
import matplotlib.pyplot as plt
import numpy as np
from flax import nnx

import pcmodel
from pcmodel import Level
from pcmodel.networks.layers.dense import identity
from pcmodel.report.hierarchy import hierarchy_figure

# %%
streams = pcmodel.hierarchy(
    {
        "seen": Level(1, parents=["sight"], precision=4.0),
        "told": Level(1, parents=["word"], precision=4.0),
        "sight": Level(1, parents=["belief"], precision=4.0),
        "word": Level(1, parents=["belief"], precision=4.0),
        "belief": Level(1, precision=1.0),
    },
    activation=identity,
    rngs=nnx.Rngs(0),
)
for layer in streams.layers:
    layer.weight[...] = np.ones((1, 1))
hierarchy_figure(streams)

# %% [markdown]
# Eyes say +1, the word says -1. Alone, each stream reaches the belief with the precision of its path in series.

# %%
gains = np.geomspace(0.01, 100, 41)
evidence = {"seen": [1.0], "told": [-1.0]}
found = {
    name: [
        float(
            pcmodel.infer(
                streams, evidence, modulation=pcmodel.relax(name, gain)
            ).latents[-1][0]
        )
        for gain in gains
    ]
    for name in ("sight", "word")
}
changed, same = 1 / (1 / 4 + 1 / (4 * gains)), 1 / (1 / 4 + 1 / 4)
by_hand = (changed - same) / (1 + changed + same)
np.testing.assert_allclose(found["sight"], by_hand, atol=1e-5)
np.testing.assert_allclose(found["word"], -by_hand, atol=1e-5)

# %%
figure, axis = plt.subplots(figsize=(6, 3.6), layout="constrained")
axis.semilogx(gains, found["sight"], color="#0072B2", label="gain of sight")
axis.semilogx(gains, found["word"], color="#D55E00", label="gain of the word")
axis.plot(gains[::5], by_hand[::5], "k.", label="closed form")
axis.axhline(0, color="grey", lw=0.8)
axis.set_xlabel("precision gain of one stream's middle level")
axis.set_ylabel("belief")
axis.text(0.011, 0.32, "told is believed less", color="#D55E00", fontsize=9)
axis.text(0.011, -0.36, "seen is believed less", color="#0072B2", fontsize=9)
axis.legend(frameon=False)

# %% [markdown]
# ## A belief in time
#
# A hidden state that decays and is reported with noise, unrolled over forty steps with one layer and one precision for
# all of them.


# %%
def moving(decay, process, report):
    network = pcmodel.over_time(
        {
            "report": Level(1, parents=["state"], precision=report),
            "state": Level(1, parents=["state[-1]"], precision=process),
        },
        40,
        activation=identity,
        rngs=nnx.Rngs(0),
    )
    network.layers[0].weight[...] = np.ones((1, 1))
    network.layers[-1].weight[...] = np.full((1, 1), decay)
    return network


rng = np.random.default_rng(3)
truth = np.zeros((20, 40, 1))
truth[:, 0] = rng.normal(size=(20, 1))
for step in range(1, 40):
    truth[:, step] = 0.95 * truth[:, step - 1] + rng.normal(size=(20, 1)) / 2
reports = truth + rng.normal(size=truth.shape) / np.sqrt(2)

network = moving(0.95, 4.0, 2.0)
posterior = pcmodel.posterior(network, pcmodel.at_steps({"report": reports[0]}))
mean = pcmodel.over_steps(network, posterior.mean, "state")[:, 0]
sd = np.sqrt(pcmodel.over_steps(network, posterior.variances, "state")[:, 0])

# %%
figure, axis = plt.subplots(figsize=(7, 3.4), layout="constrained")
axis.plot(truth[0, :, 0], "k", lw=1.2, label="truth")
axis.plot(reports[0, :, 0], ".", color="grey", label="reports")
axis.plot(mean, color="#0072B2", label="belief")
axis.fill_between(
    np.arange(40), mean - 2 * sd, mean + 2 * sd, color="#0072B2", alpha=0.15, lw=0
)
axis.set_xlabel("step")
axis.set_ylabel("state")
axis.legend(frameon=False, ncols=3)
inside = np.abs(truth[0, :, 0] - mean) < 2 * sd
assert 0.8 < inside.mean() <= 1

# %% [markdown]
# ## Learning it
#
# Exact EM from a wrong beginning, with the layer of the reports held at one (else the scale of the state is free).

# %%
start = moving(0.5, 1.0, 1.0)
learned = pcmodel.linear_em(
    start,
    pcmodel.at_steps({"report": reports}),
    num_steps=60,
    fixed_layers=["report[0]"],
)
decay = float(learned.network.layers[-1].weight[...][0, 0])
index = learned.network.names.index
process, report = (
    float(np.exp(learned.network.log_precision[index(name)][...]))
    for name in ("state[1]", "report[0]")
)
print(f"decay {decay:.2f} (0.95), precisions {process:.1f} (4), {report:.1f} (2)")
assert abs(decay - 0.95) < 0.06 and abs(report - 2) < 0.4 and abs(process - 4) < 1.6

# %%
figure, axis = plt.subplots(figsize=(6, 3), layout="constrained")
axis.plot(learned.log_evidence, color="#0072B2")
axis.set_xlabel("EM step")
axis.set_ylabel("log evidence (nats)")
