"""Three studies, each as the package has it and as a careful person writes it in NumPyro in an afternoon."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist

from pcmodel.behaviour.dataset import Series, find_task, load_series
from pcmodel.behaviour.dataset.reading import Reading
from pcmodel.behaviour.hierarchy.hierarchical_model import Hierarchy, build_hierarchy
from pcmodel.behaviour.models import find_model
from pcmodel.behaviour.posterior.predictive import simulate_series
from pcmodel.behaviour.studies.simulate import draw_wins

PRIORS = {  # of the group: mean and SD of the mean, scale of the half-normal SD between people
    "learning_rate_logit": (-1.0, 1.5, 1.0),
    "log_beta": (1.5, 0.7, 0.5),
    "stickiness": (0.5, 1.0, 0.7),
    "omega2": (-3.0, 2.0, 1.0),
    "log_zeta": (1.0, 1.0, 0.7),
}
LAPSE = 1.0 / (1.0 + np.exp(4.0))


class Study(NamedTuple):
    """One comparison.

    hierarchy: the package's.
    model: by hand; takes `arguments`.
    arguments: of the model by hand.
    names: of the group's numbers, the same on both sides.
    """

    hierarchy: Hierarchy
    model: Callable
    arguments: tuple
    names: tuple[str, ...]


def person_values(name: str, people: int, shift: Any = 0.0) -> jax.Array:
    """A parameter of each person, non-centred."""
    mean, sd, spread = PRIORS[name]
    centre = numpyro.sample(name, dist.Normal(mean, sd))
    width = numpyro.sample(f"{name}_sd", dist.HalfNormal(spread))
    with numpyro.plate(f"{name}_people", people):
        return centre + shift + width * numpyro.sample(f"{name}_raw", dist.Normal())


def bandit_by_hand(choice: jax.Array, outcome: jax.Array) -> None:
    """Rescorla-Wagner with a softmax, perseveration and a small lapse."""
    people = len(choice)
    rate = jax.nn.sigmoid(person_values("learning_rate_logit", people))[:, None]
    beta = jnp.exp(person_values("log_beta", people))[:, None]
    stickiness = person_values("stickiness", people)[:, None]

    def trial(state, seen):
        value, last = state
        own = jax.nn.one_hot(seen[0], 2)
        chance = jax.nn.softmax(beta * value + stickiness * last, axis=1)
        chance = (1.0 - LAPSE) * jnp.sum(own * chance, axis=1) + 0.5 * LAPSE
        value = value + own * rate * (seen[1][:, None] - value)
        return (value, own), jnp.log(chance)

    start = (jnp.full((people, 2), 0.5), jnp.zeros((people, 2)))
    _, scores = jax.lax.scan(trial, start, (choice.T, outcome.T))
    numpyro.factor("choices", scores.sum())


def filter_by_hand(outcome: jax.Array, response: jax.Array, group=None) -> None:
    """The two-level binary filter; with groups the step size of the second differs."""
    people, shift = len(outcome), 0.0
    if group is not None:
        shift = numpyro.sample("omega2_difference", dist.Normal(0.0, 1.0)) * group
    step = jnp.exp(person_values("omega2", people, shift))
    zeta = jnp.exp(person_values("log_zeta", people))

    def trial(belief, seen):
        mean, precision = belief
        predicted = 1.0 / (1.0 / precision + step)
        chance = jax.nn.sigmoid(mean)
        new = predicted + chance * (1.0 - chance)
        drive = zeta * mean
        score = jax.nn.log_sigmoid(jnp.where(seen[1] > 0.5, drive, -drive))
        return (mean + (seen[0] - chance) / new, new), score

    start = (jnp.zeros(people), jnp.ones(people))
    _, scores = jax.lax.scan(trial, start, (outcome.T, response.T))
    numpyro.factor("responses", scores.sum())


def bandit(people: int, trials: int, table: Path | None) -> Study:
    """A two-armed bandit with wins at .7 and .3, or the table's."""
    model = find_model("bandit", "rescorla_wagner")
    if table is None:
        hierarchy = build_hierarchy(model, _bandit_series(people, trials))
        truth = _truth(people, ("learning_rate_logit", "log_beta", "stickiness"))
        data = simulate_series(jax.random.key(0), hierarchy, truth)
        hierarchy = hierarchy._replace(data=data)
    else:
        reading = Reading(codes={"outcome": ("-1", "1")})
        hierarchy = build_hierarchy(
            model, load_series(table, find_task("bandit"), reading=reading)
        )
    inputs = hierarchy.data.inputs
    return Study(
        hierarchy,
        bandit_by_hand,
        (inputs.arm, inputs.outcome),
        _with_sds("learning_rate_logit", "log_beta", "stickiness"),
    )


def binary_filter(people: int, trials: int, table: Path | None) -> Study:
    """A binary filter of people around the priors' centres."""
    hierarchy = _filter_hierarchy(people, trials, {}, ())
    data = hierarchy.data
    return Study(
        hierarchy,
        filter_by_hand,
        (data.inputs.outcome, data.response),
        _with_sds("omega2", "log_zeta"),
    )


def groups(people: int, trials: int, table: Path | None) -> Study:
    """Two groups of eight (of half as many people as the others, at least two)."""
    each = max(2, round(0.4 * people))
    labels = {"group": np.repeat(["control", "patient"], each)}
    hierarchy = _filter_hierarchy(2 * each, trials, labels, ("omega2 ~ group",))
    data = hierarchy.data
    return Study(
        hierarchy,
        filter_by_hand,
        (data.inputs.outcome, data.response, jnp.repeat(jnp.arange(2.0), each)),
        (*_with_sds("omega2", "log_zeta"), "omega2_difference"),
    )


STUDIES = {"bandit": bandit, "filter": binary_filter, "groups": groups}
TRIALS = {"bandit": 100, "filter": 160, "groups": 160}


def _with_sds(*names: str) -> tuple[str, ...]:
    return tuple(part for name in names for part in (name, f"{name}_sd"))


def _truth(people: int, names: tuple[str, ...]) -> dict[str, jax.Array]:
    rng = np.random.default_rng(1)
    return {
        name: jnp.asarray(PRIORS[name][0] + 0.6 * rng.normal(size=people))
        for name in names
    }


def _bandit_series(people: int, trials: int) -> Series:
    rng = np.random.default_rng(0)
    choice = rng.integers(1, 3, (people, trials)).astype(float)
    chance = np.where(choice == 1, 0.7, 0.3)
    outcome = (rng.random(choice.shape) < chance).astype(float)
    return Series(
        {"choice": choice, "outcome": outcome},
        np.ones(choice.shape, bool),
        np.arange(people),
        {},
        {},
    )


def _filter_hierarchy(people, trials, covariates, formulas) -> Hierarchy:
    rng = np.random.default_rng(0)
    outcome = draw_wins(rng, (people, trials), 2)[..., 0].astype(float)
    series = Series(
        {"outcome": outcome, "response": np.zeros(outcome.shape)},
        np.ones(outcome.shape, bool),
        np.arange(people),
        covariates,
        {},
    )
    hierarchy = build_hierarchy(
        find_model("binary", "hgf2"), series, formulas=list(formulas)
    )
    truth = _truth(people, ("omega2", "log_zeta"))
    return hierarchy._replace(data=simulate_series(jax.random.key(0), hierarchy, truth))
