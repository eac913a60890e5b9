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
# # A belief over weeks
#
# A drug relaxes a belief for hours. What is left the day after, and weeks later? Inference forgets: the belief lasts only if
# something was *learned*, and what was learned is partly kept. Two beliefs are followed here, a small one about the self, all
# of whose numbers can be checked by hand, and one about digits. Nothing here is clinical advice, and the rates of learning
# and forgetting are assumptions.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from flax import nnx

import pcmodel
import pcmodel.neuromodulation as nm
from pcmodel import Level
from pcmodel.data.digits import load_digits_split, one_hot
from pcmodel.networks.layers.dense import Dense, identity
from pcmodel.paradigms.lasting import (
    Probe,
    Retention,
    Session,
    TopLearning,
    follow,
    modulation_at,
)

# %% [markdown]
# ## A self-belief
#
# The self predicts a feeling, which predicts what is met every day, what is remembered, and the body; a therapist speaks
# about the self directly.


# %%
def same():
    """A map that passes its only unit on as it is."""
    layer = Dense(1, 1, activation=identity, bias=False, rngs=nnx.Rngs(0))
    layer.weight[...] = jnp.ones((1, 1))
    return layer


streams = ("everyday", "memory", "body")
self_belief = pcmodel.hierarchy(
    {
        **{name: Level(1, parents=["feeling"], layer=same()) for name in streams},
        "therapist": Level(1, parents=["self"], layer=same(), precision=0.5),
        "feeling": Level(1, parents=["self"], layer=same(), precision=4.0),
        "self": Level(1, precision=9.0, prior_mean=[-2.0]),
    },
    rngs=nnx.Rngs(0),
)

# 25 mg of psilocybin, two and a half hours in, by the account of relaxed beliefs: at every level above the senses (what is met,
# remembered, felt in the body and said), as the nearly flat map of receptors says, or (an assumption) at the self alone.
hours = np.linspace(0, 8, 97)
library = nm.load_compounds()
course = nm.simulate(
    nm.regimen(nm.Dose("psilocybin", 25.0), library=library),
    hours,
    nm.typical(library, "psilocybin"),
)
everywhere = modulation_at(
    course,
    2.5,
    times=hours,
    account=nm.ACCOUNTS["rebus"](strength=2.0, sign=-1, exemption=1.0),
    network=self_belief,
    anatomy=nm.anatomy(*["sensory"] * 3, "control", "control", "default"),
)
levels = self_belief.names
gains = {levels[level]: float(gain) for level, gain in everywhere.gains.items()}
at_self = pcmodel.relax("self", gains["self"])
print({name: round(gain, 2) for name, gain in gains.items()})

# %% [markdown]
# Two sessions, three weeks apart. Counter-evidence is a memory met with another feeling, and a therapist's word. Everyone's
# belief is asked by the same probe: an everyday event that is as good as the belief is bad.

# %%
counter = {"memory": [[1.0]], "therapist": [[1.0]]}
when = (7.0, 28.0)
arms = {
    "dose (self) and evidence": [Session(d, counter, modulation=at_self) for d in when],
    "dose (all) and evidence": [
        Session(d, counter, modulation=everywhere) for d in when
    ],
    "evidence alone": [Session(d, counter) for d in when],
    "dose alone": [Session(d, modulation=at_self) for d in when],
}
days = np.arange(0, 85)
retention = Retention(labile_days=3.0, consolidation=0.7, forgetting_per_day=0.01)
asked = {
    "days": days,
    "learning": TopLearning(rate=0.2),
    "probes": {"a good day": Probe({"everyday": [2.0]})},
    "key": jax.random.key(0),
}
told = {
    name: follow(self_belief, sessions, retention=retention, **asked)
    for name, sessions in arms.items()
}
for name, one in told.items():
    print(
        f"{name}: the day after {one.mean[8, 0]:.2f}, at the end {one.mean[-1, 0]:.2f}"
    )

# %% [markdown]
# The trained belief itself has moved, and with no evidence it has not: a gain without evidence leaves the posterior what the
# model expects, which is a theorem and not a result. A drug that relaxes the feeling, too, weakens the path by which memories
# reach the self, and leaves less than one that relaxes the self alone.

# %%
assert np.all(told["dose alone"].mean == -2)
moved = [one.mean[-1, 0] + 2 for one in told.values()]
assert moved[0] > 1.1 * moved[1] and moved[1] > 2 * moved[2] > moved[3] == 0

# %% [markdown]
# By hand, the first session alone: the mean moves by the rate, times the share of the evidence, times its distance.

# %%
heard, replayed, held = 0.5, 1 / (1 + 1 / 4), 9.0
for name, gain in (("dose (self) and evidence", gains["self"]), ("evidence alone", 1)):
    share = (heard + replayed) / (heard + replayed + held * gain)
    assert abs(told[name].mean[7, 0] - (-2 + 0.2 * share * 3)) < 1e-4

# %% [markdown]
# ## What time keeps
#
# The same sessions under other assumptions about retention, and with a window of plasticity: learning rates that are three
# times as high after a session and fall within a week.

# %%
rivals = {
    "70 % consolidated": retention,
    "all consolidated": Retention(3.0, 1.0, 0.01),
    "nothing consolidated": Retention(3.0, 0.0, 0.01),
}
kept = {
    name: follow(self_belief, arms["dose (self) and evidence"], retention=one, **asked)
    for name, one in rivals.items()
}


def window(day: float) -> float:
    """Learning rate over that without a drug."""
    since = min((day - d for d in when if day >= d), default=np.inf)
    return 1 + 2 * np.exp(-since / 5)


integration = [
    *arms["dose (self) and evidence"],
    *(Session(d + k, counter, rate=0.3) for d in when for k in (2, 4, 6)),
]
for name, factor in (("integration", None), ("integration in the window", window)):
    kept[name] = follow(
        self_belief, integration, retention=retention, window=factor, **asked
    )

# %% [markdown]
# ## A belief about digits
#
# A hierarchy learns digits, and is then sure that it will see a 3. It meets ten 8s in each of two sessions.

# %%
data = load_digits_split()
images, labels = data.train_images[:300], data.train_labels[:300]
trained = pcmodel.train(
    pcmodel.dense((64, 32, 10), precisions=[10] * 3, rngs=nnx.Rngs(0)),
    images,
    clamp={"top": one_hot(labels)},
    key=jax.random.key(0),
    learning=pcmodel.Learning(variance_floor=0.01),
    num_epochs=8,
    batch_size=20,
).network
convinced = nnx.clone(trained)
convinced.prior_mean[...] = jnp.asarray(one_hot(np.array([3]))[0])
convinced.log_precision[-1][...] = jnp.log(400.0)

eights = images[labels == 8][:10]
relaxed = pcmodel.relax("top", 0.02)
weeks = np.arange(0, 61, 4)
digits = {
    name: follow(
        convinced,
        [Session(d, seen, modulation=under) for d in (8.0, 28.0)],
        days=weeks,
        learning=TopLearning(rate=0.6),
        retention=retention,
        probes={"an 8": Probe(data.test_images[data.test_labels == 8][0])},
        key=jax.random.key(1),
    )
    for name, seen, under in (
        ("dose (self) and evidence", eights, relaxed),
        ("evidence alone", eights, None),
        ("dose alone", None, relaxed),
    )
}
for name, one in digits.items():
    assert one.converged.all()
    print(f"{name}: 3 at {one.mean[-1, 3]:.2f}, 8 at {one.mean[-1, 8]:.2f}")
assert np.all(digits["dose alone"].mean == digits["dose alone"].mean[0])
eight = [one.mean[-1, 8] for one in digits.values()]
assert eight[0] > eight[1] > eight[2]

# %% [markdown]
# ## The four pictures

# %%
figure, axes = plt.subplots(2, 2, figsize=(10, 7), layout="constrained")
colours = dict(
    zip(arms, ("tab:blue", "tab:cyan", "tab:orange", "tab:grey"), strict=True)
)
for name, one in told.items():
    axes[0, 0].plot(days, one.mean[:, 0], color=colours[name], label=name)
    axes[0, 1].plot(days, np.exp(one.log_precision[:, 0]), color=colours[name])
for name, one in kept.items():
    axes[1, 0].plot(days, one.mean[:, 0], label=name)
for name, one in digits.items():
    axes[1, 1].plot(weeks, one.mean[:, 3], color=colours[name])
    axes[1, 1].plot(weeks, one.mean[:, 8], color=colours[name], linestyle="--")
axes[0, 0].set(title="The self-belief", ylabel="prior mean of the self")
axes[0, 1].set(title="How sure it is", ylabel="prior precision of the self")
axes[1, 0].set(title="What time keeps", ylabel="prior mean of the self")
axes[1, 1].set(title="A belief about digits", ylabel="prior mean")
axes[1, 1].text(60, 0.9, "3 (solid)", ha="right")
axes[1, 1].text(60, 0.32, "8 (dashed)", ha="right")
for axis in axes.flat:
    axis.set_xlabel("days")
    for day in when:
        axis.axvline(day, color="black", alpha=0.15, linewidth=1)
axes[0, 0].legend(frameon=False, fontsize=9)
axes[1, 0].set_ylim(top=-0.1)
axes[1, 0].legend(frameon=False, fontsize=8, loc="upper right")
figure.savefig("weeks.png", dpi=110)
plt.close("all")

# %% [markdown]
# The mean always moves further where the prior gave way. How sure the belief is afterwards is another matter. Its variance is
# learned from gain times squared error, the rule by which a dose alone moves nothing; a shift that evidence of precision J
# makes then counts as $g\, d^2 \propto g / (g \Pi + J)^2$, most where the relaxed prior is just as precise as the evidence. The
# self becomes less sure by the drug, the digits' believer, relaxed far beyond that, more so.

# %%
for start, followed, at in ((9.0, told, 7), (400.0, digits, 2)):
    precise = {
        name: round(float(np.exp(followed[name].log_precision[at, 0])) / start, 3)
        for name in ("dose (self) and evidence", "evidence alone")
    }
    print("precision of the belief on the day of a session, over that before:", precise)
