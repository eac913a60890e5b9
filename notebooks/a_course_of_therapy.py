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
# # A course of therapy
#
# The same simulated people go through four arms: a drug with therapy, therapy alone, the drug alone, and nothing. A negative
# belief about oneself meets evidence; the drug relaxes it for hours and lets it learn faster for days. Nothing here is
# clinical advice.

# %%
import jax
import matplotlib.pyplot as plt
import numpy as np

from pcmodel.sessions.cohort import follow, prepare
from pcmodel.sessions.protocol.load import load_protocol
from pcmodel.sessions.readouts import correlations, effect, share_of, symptoms

# %%
protocol = load_protocol("psilocybin_depression")
arms = ("drug_and_therapy", "therapy_alone", "drug_alone", "untreated")
study = prepare(protocol, num_people=40, key=jax.random.key(0), arms=arms)
cohort = follow(study)

# %% [markdown]
# ## Weeks of a belief
# Lines are means over people, bands two standard errors. The learning rate is the plasticity window of the drug.

# %%
figure, (belief, precision, window) = plt.subplots(
    3, 1, figsize=(8, 8), sharex=True, layout="constrained"
)
for number, arm in enumerate(arms):
    for axis, values in (
        (belief, np.asarray(cohort.belief[number])),
        (precision, np.exp(np.asarray(cohort.log_precision[number]))),
    ):
        middle = values.mean(axis=0)
        error = 2 * values.std(axis=0, ddof=1) / np.sqrt(len(values))
        axis.fill_between(cohort.days, middle - error, middle + error, alpha=0.2)
        axis.plot(cohort.days, middle, label=arm.replace("_", " "))
    faster = np.asarray(study.treatment.plasticity[number]).mean(axis=0)
    window.plot(cohort.event_days, faster)
belief.set_ylabel("Belief about the self")
precision.set_ylabel("Its precision")
window.set(ylabel="Learning rate, factor", xlabel="Days since the dosing")
belief.legend()
figure.savefig("a_course_of_therapy.png", dpi=120)

# %% [markdown]
# ## What trials would report
# The effect between two arms, how much of the gain therapy alone carries, and who improves.

# %%
day = 69
print(effect(cohort, "drug_and_therapy", "therapy_alone", day=day))
print(
    share_of(
        cohort, "therapy_alone", "drug_and_therapy", day=day, untreated="untreated"
    )
)
for trait, r in correlations(
    cohort,
    study.people,
    "drug_and_therapy",
    day=day,
    traits=("suggestibility", "avoidance", "validity"),
).items():
    print(f"{trait:16s} {r.value:+.2f} ({r.low:+.2f} to {r.high:+.2f})")
points = symptoms(cohort).mean(axis=1)
assert points[0, -1] < points[1, -1] < points[3, -1]

# %% [markdown]
# The drug alone does next to nothing: it adds no evidence, and what it relaxes meets an ordinary day.

# %%
both, drug = (
    points[number, 0] - points[number, -1] - points[3, 0] + points[3, -1]
    for number in (0, 2)
)
assert drug < 0.2 * both
