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
# # Formulas, and who differs
#
# Patients against controls: what a formula turns into, whom the intercept speaks of, and why people must be allowed to
# differ before their groups are compared.

# %%
import matplotlib.pyplot as plt
import numpy as np
from scipy import stats

from pcmodel.behaviour.hierarchy.design import build_design
from pcmodel.behaviour.hierarchy.formula import parse_formula
from pcmodel.errors import UserError

rng = np.random.default_rng(1)

# %% [markdown]
# ## The columns of a formula
#
# Twelve people; those above thirty came three times. The average person is averaged over people, not over visits.

# %%
age = rng.integers(20, 60, 12).astype(float)
visits = np.where(age > 30, 3, 1)
people = np.repeat(np.arange(12), visits)
group = np.array(["control", "patient"])[np.arange(12) % 2]
covariates = {"age": age[people], "group": group[people]}
design = build_design(parse_formula("x ~ group * center(age)"), covariates, people)
print(design.common_names)

once = build_design(parse_formula("x ~ age"), covariates, people).common[:, 1]
print("the middle of the ages:", covariates["age"][0] - once[0], "=", age.mean())
assert np.isclose(covariates["age"][0] - once[0], age.mean())
assert not np.isclose(age.mean(), covariates["age"].mean())

figure, axes = plt.subplots(figsize=(6, 3))
axes.imshow(design.common, aspect="auto", cmap="RdBu", vmin=-20, vmax=20)
axes.set_xticks(range(4), design.common_names, rotation=20, ha="right")
axes.set(ylabel="series", title="columns of group * center(age)")
figure.tight_layout()

# %% [markdown]
# ## What is refused
#
# The library reads `age**2` as `age` and stops reading at `%`. Each is refused, with what to write.

# %%
for text in ("age**2", "age % group", "age + 2", "log(age)", "np.log(age - 60)"):
    try:
        build_design(parse_formula(f"x ~ {text}"), covariates, people)
    except UserError as error:
        print(error)
    else:
        raise AssertionError(text)

# %% [markdown]
# ## Why people must differ
#
# Eight controls and eight patients, fifty trials each; people differ with SD 1, a trial's noise is 1, and the groups do
# not differ at all. Taking trials for people, the 95 % interval of the difference misses zero most of the time; with
# people who differ, it covers as it says. Here both in closed form, for normal responses.

# %%
num_studies, num_people, num_trials = 2000, 8, 50
means = rng.normal(size=(num_studies, 2, num_people))
means += rng.normal(size=means.shape) / num_trials**0.5
difference = means[:, 1].mean(1) - means[:, 0].mean(1)
pooled = np.full(num_studies, (2.0 / (num_people * num_trials)) ** 0.5)
between = (means.var(axis=2, ddof=1).sum(1) / num_people) ** 0.5

reach = {
    "(0 | participant)": 1.96 * pooled,
    "(1 | participant)": stats.t.ppf(0.975, 2 * num_people - 2) * between,
}
covered = {name: np.mean(np.abs(difference) <= width) for name, width in reach.items()}
print({name: f"{share:.1%}" for name, share in covered.items()})
assert covered["(0 | participant)"] < 0.4
assert abs(covered["(1 | participant)"] - 0.95) < 0.015

figure, panels = plt.subplots(1, 2, figsize=(8, 3.5), sharex=True, sharey=True)
for axes, (name, width) in zip(panels, reach.items(), strict=True):
    for i in range(40):
        misses = abs(difference[i]) > width[i]
        ends = difference[i] - width[i], difference[i] + width[i]
        axes.plot(ends, (i, i), color="C3" if misses else "C0", lw=1.5)
    axes.axvline(0.0, color="black", lw=0.8)
    axes.set(title=f"{name}: {covered[name]:.0%} cover", xlabel="patients - controls")
panels[0].set_ylabel("study")
figure.tight_layout()

# %% [markdown]
# `omega2 ~ group` therefore lets people differ; only `(0 | participant)` says that they do not.
# `benchmarks/group_coverage.py` asks the same of the fitted filter.

# %% [markdown]
# ## What an interaction says in natural units
#
# A drug adds 1 to the logit of everybody's learning rate, controls and patients alike: the coefficient of the interaction
# is zero. Patients start higher on the curve, and so their rate rises by less: in natural units there is a difference of
# differences. `effects.csv` of a fit tells both ([docs/fit-your-data.md](../docs/fit-your-data.md)).

# %%
logit = np.linspace(-4.0, 4.0, 200)
rate = 1.0 / (1.0 + np.exp(-logit))
starts = {"controls": -1.0, "patients": 2.0}
figure, axes = plt.subplots(figsize=(6, 3.5))
axes.plot(logit, rate, color="black", lw=1)
rises = {}
for i, (group, start) in enumerate(starts.items()):
    before, after = 1.0 / (1.0 + np.exp(-np.array([start, start + 1.0])))
    rises[group] = after - before
    axes.plot([start, start + 1.0], [before, after], "os"[i] + "-", label=group)
axes.set(xlabel="logit of the learning rate", ylabel="learning rate")
axes.legend()
figure.tight_layout()
print({group: f"{rise:+.2f}" for group, rise in rises.items()})
assert rises["controls"] > 3.0 * rises["patients"] > 0.0
