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
# # What choices tell of how they are made
#
# Two pictures that tell models of decisions apart before anything is fitted: whether a first choice is repeated, in the two-step
# task, and what an amount is worth that comes later.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from pcmodel.behaviour.models import find_model
from pcmodel.behaviour.studies.simulate import make_up

# %% [markdown]
# ## Habit and planning
#
# A first choice was rewarded after a *rare* transition. Whoever follows what paid repeats it; whoever plans would rather take
# the other one, which leads more often to where the reward was (Daw et al. 2011). Two hundred sessions of each kind, without
# perseveration.

# %%
series = make_up("two_step", num_participants=100, num_trials=200)


def stay_probabilities(name, **changed):
    """How often the first choice is repeated, by reward (rows) and common or rare transition, at strong choices."""
    model = find_model("two_step", name)
    values = {p.name: jnp.asarray(float(p.mean)) for p in model.parameters}
    own = {"log_beta_first": 1.6, "log_beta_second": 1.6, "stickiness": 0.0}
    own |= {"first_rate_logit": 0.0, "second_rate_logit": 0.0} | changed
    values |= {n: jnp.asarray(v) for n, v in own.items() if n in values}
    data = model.prepare(series)
    keys = jax.random.split(jax.random.key(1), len(data.made))
    drawn = jax.jit(jax.vmap(lambda k, d: model.simulate(k, values, d)))(keys, data)
    first, won = np.asarray(drawn.first), np.asarray(drawn.outcome) > 0
    stays = first[:, 1:] == first[:, :-1]
    won, common = won[:, :-1], np.asarray(drawn.is_common)[:, :-1]
    return [[stays[(won == w) & (common == c)].mean() for c in (1, 0)] for w in (1, 0)]


kinds = {
    "model_free": {},
    "model_based": {},
    "hybrid": {"model_based_logit": 0.0},
}
found = {name: np.array(stay_probabilities(name, **own)) for name, own in kinds.items()}
figure, panels = plt.subplots(1, 3, figsize=(8, 2.8), sharey=True)
for axes, (name, stays) in zip(panels, found.items(), strict=True):
    for column, (label, colour) in enumerate(
        (("common transition", "#0072B2"), ("rare transition", "#E69F00"))
    ):
        places = np.arange(2) + 0.38 * (column - 0.5)
        heights = stays[:, column] - 0.5
        axes.bar(places, heights, 0.36, bottom=0.5, color=colour, label=label)
    axes.axhline(0.5, color="0.4", lw=0.8)
    axes.set_xticks((0, 1), ("rewarded", "not"))
    axes.set(title=name.replace("_", "-"), ylim=(0.4, 0.9))
panels[0].set_ylabel("first choice repeated")
panels[-1].legend(fontsize=7, frameon=False)
figure.tight_layout()

# %% [markdown]
# Model-free: reward counts, the transition hardly. Model-based: what counts is whether they agree.


# %%
def interaction(stays):
    """By how much more a reward makes one stay after a common transition than after a rare one."""
    return (stays[0, 0] - stays[1, 0]) - (stays[0, 1] - stays[1, 1])


def main_effect(stays):
    """By how much more one stays after a reward."""
    return stays[0].mean() - stays[1].mean()


print({name: (main_effect(own), interaction(own)) for name, own in found.items()})
assert main_effect(found["model_free"]) > 3 * abs(main_effect(found["model_based"]))
assert interaction(found["model_based"]) > 3 * abs(interaction(found["model_free"]))
assert 0 < interaction(found["hybrid"]) < interaction(found["model_based"])

# %% [markdown]
# ## What comes later
#
# Four discount functions that leave half of an amount's worth after thirty days. By the hyperbola people change their mind as
# time goes by: the curves of a smaller amount sooner and a larger one later cross. Of the exponential they never do.

# %%
days = np.linspace(0.0, 180.0, 400)
half = 30.0
rates = {
    "hyperbolic": 1 / half,
    "exponential": np.log(2) / half,
    "quasi_hyperbolic": np.log(2 * 0.8) / half,
    "constant_sensitivity": np.log(2) ** 2 / half,
}
more = {
    "present_logit": np.log(0.8 / 0.2),
    "log_sensitivity": np.log(0.5),
}
figure, axes = plt.subplots(figsize=(5.5, 3))
for form, rate in rates.items():
    model = find_model("discounting", form)
    values = {n: jnp.asarray(v) for n, v in more.items()}
    values |= {"log_discount": jnp.asarray(np.log(rate))}
    share = np.exp(model.log_factor(values, jnp.asarray(days)))
    axes.plot(days, share, label=form.replace("_", " "))
    at_half = np.exp(model.log_factor(values, jnp.asarray(half)))
    assert np.isclose(at_half, 0.5, atol=1e-5)
axes.axvline(half, color="0.8", zorder=0)
axes.set(xlabel="delay, days", ylabel="share of the amount left", ylim=(0, 1.02))
axes.legend(fontsize=8, frameon=False)
figure.tight_layout()


# %%
def preference(form, wait):
    """The value of 30 in 60 days less that of 20 in 30 days, both `wait` days further away."""
    model = find_model("discounting", form)
    values = {n: jnp.asarray(v) for n, v in more.items()}
    values |= {"log_discount": jnp.asarray(np.log(rates[form]))}

    def worth(amount, delay):
        return amount * np.exp(model.log_factor(values, jnp.asarray(delay + wait)))

    return float(worth(30.0, 60.0) - worth(20.0, 30.0))


for form in ("hyperbolic", "exponential"):
    print(form, [round(preference(form, wait), 2) for wait in (-30.0, 0.0, 90.0)])
assert preference("hyperbolic", -30.0) < 0 < preference("hyperbolic", 90.0)
assert preference("exponential", -30.0) < 0 and preference("exponential", 90.0) < 0
