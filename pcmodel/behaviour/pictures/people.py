"""Every person's parameters on their natural scale, for a forest of intervals."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from pcmodel.behaviour.pictures.words import scale_in_words
from pcmodel.behaviour.posterior.fitted_posterior import Posterior


class Forest(NamedTuple):
    """One parameter of every person, on its natural scale.

    name: of the natural scale, in words.
    unit: "" for a pure number.
    people: names.
    mean: posterior means, over a person's series.
    low: lower ends of 95 % intervals.
    high: upper ends.
    group: mean and 95 % interval of the average of these people.
    """

    name: str
    unit: str
    people: tuple[str, ...]
    mean: Float[np.ndarray, " people"]
    low: Float[np.ndarray, " people"]
    high: Float[np.ndarray, " people"]
    group: Float[np.ndarray, "3"]


def forests(posterior: Posterior) -> tuple[Forest, ...]:
    """A forest for each parameter in which people differ.

    A person's series are averaged on the real line, where effects add, and the average is put on the natural scale.
    """
    hierarchy = posterior.hierarchy
    who, count = hierarchy.participant, hierarchy.num_participants
    share = np.zeros((hierarchy.num_series, count))
    share[np.arange(len(who)), who] = 1.0
    share = share / share.sum(axis=0)
    found = []
    for term in hierarchy.terms:
        if not term.design.varying_names:
            continue
        parameter = term.parameter
        drawn = posterior.sites[f"{parameter.name}_series"]
        real = drawn.reshape(-1, drawn.shape[-1]) @ share
        own = np.asarray(parameter.to_natural(real), dtype=float)
        low, high = np.quantile(own, (0.025, 0.975), axis=0)
        average = np.asarray(parameter.to_natural(real.mean(axis=1)), dtype=float)
        ends = np.quantile(average, (0.025, 0.975))
        found.append(
            Forest(
                scale_in_words(parameter.natural_name),
                parameter.unit,
                hierarchy.origin.people,
                own.mean(axis=0),
                low,
                high,
                np.asarray([average.mean(), *ends]),
            )
        )
    return tuple(found)
