"""Prior and posterior predictive checks, and comparison of models.

Replicated responses, drawn person by person from the prior or the posterior, are compared
with the real ones through statistics of each series; leave-one-out accuracy compares
models (`pcmodel.inference.importance.psis`).
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key
from numpyro.infer import Predictive

from pcmodel.behaviour.hierarchy.hierarchical_model import (
    NUMPYRO,
    Hierarchy,
    hierarchical_model,
    series_log_likelihood,
    with_held,
)
from pcmodel.behaviour.models.interface import Course
from pcmodel.behaviour.posterior.fitted_posterior import Posterior
from pcmodel.errors import UserError
from pcmodel.inference.importance.psis import Loo, psis_loo

Statistic = Callable[[np.ndarray], np.ndarray]


class Check(NamedTuple):
    """One statistic of the responses, observed and replicated.

    name: of the statistic.
    observed: its value in the data.
    low: the 5 % quantile of the replications.
    high: the 95 % quantile of the replications.
    """

    name: str
    observed: float
    low: float
    high: float

    @property
    def inside(self) -> bool:
        """Whether the observed value is within the middle 90 % of the replications."""
        return self.low <= self.observed <= self.high


def simulate_series(
    key: Key[Array, ""], hierarchy: Hierarchy, values: dict[str, Array]
) -> Any:
    """The data with simulated responses; `values` are the parameters, (series,) each."""
    keys = jax.random.split(key, hierarchy.num_series)
    return jax.vmap(hierarchy.model.simulate)(
        keys, with_held(hierarchy, values), hierarchy.data
    )


def draw_prior(
    key: Key[Array, ""], hierarchy: Hierarchy, num_draws: int
) -> dict[str, Array]:
    """Draws of every site from the prior, (draws, ...)."""
    model = partial(hierarchical_model, hierarchy)
    with NUMPYRO:
        return Predictive(model, num_samples=num_draws)(key)


def series_values(hierarchy: Hierarchy, sites: dict[str, Any]) -> dict[str, Array]:
    """By name the parameters of every series, from the sites."""
    names = [term.parameter.name for term in hierarchy.terms]
    return {name: jnp.asarray(sites[f"{name}_series"]) for name in names}


def replicate(
    key: Key[Array, ""], hierarchy: Hierarchy, sites: dict[str, Any]
) -> Float[np.ndarray, "draws series trials"]:
    """Simulated responses for each draw of the sites; NaN where none is scored."""
    values = series_values(hierarchy, sites)
    num_draws = len(next(iter(values.values())))

    def one(args):
        draw_key, own = args
        return hierarchy.model.responses(simulate_series(draw_key, hierarchy, own))

    keys = jax.random.split(key, num_draws)
    return np.asarray(jax.jit(partial(jax.lax.map, one))((keys, values)))


def thin(posterior: Posterior, num_draws: int) -> dict[str, np.ndarray]:
    """Evenly spaced draws of all chains, (draws, ...)."""
    flat = {k: v.reshape(-1, *v.shape[2:]) for k, v in posterior.sites.items()}
    total = len(next(iter(flat.values())))
    picks = np.unique(np.linspace(0, total - 1, min(num_draws, total)).astype(int))
    return {name: values[picks] for name, values in flat.items()}


def mean_response(responses: np.ndarray) -> np.ndarray:
    """Mean response of each series."""
    return np.nanmean(responses, axis=-1)


def switch_rate(responses: np.ndarray) -> np.ndarray:
    """Share of the responses of each series that differ from the one before."""
    before, after = responses[..., :-1], responses[..., 1:]
    both = np.isfinite(before) & np.isfinite(after)
    return (both & (before != after)).sum(axis=-1) / np.maximum(both.sum(axis=-1), 1)


STATISTICS: dict[str, Statistic] = {
    "mean response": mean_response,
    "share of changed responses": switch_rate,
}


def predictive_checks(
    hierarchy: Hierarchy, replicated: Float[np.ndarray, "draws series trials"]
) -> tuple[Check, ...]:
    """Checks of the mean over series, and the SD between them, of each statistic."""
    observed = np.asarray(hierarchy.model.responses(hierarchy.data))
    usable = np.isfinite(observed).any(axis=-1)
    found = []
    for name, statistic in STATISTICS.items():
        real = statistic(observed[usable])
        drawn = statistic(replicated[:, usable])
        for summary, word in ((np.mean, "mean"), (np.std, "spread over series")):
            low, high = np.quantile(summary(drawn, axis=-1), (0.05, 0.95))
            found.append(
                Check(f"{name}, {word}", float(summary(real)), float(low), float(high))
            )
    return tuple(found)


def leave_one_out(posterior: Posterior, *, num_draws: int = 400) -> Loo:
    """Pareto-smoothed leave-one-out accuracy of every scored response, by series and trial."""
    hierarchy = posterior.hierarchy
    values = series_values(hierarchy, thin(posterior, num_draws))

    def one(own):
        return series_log_likelihood(hierarchy, own, hierarchy.data)

    pointwise = np.asarray(jax.jit(partial(jax.lax.map, one))(values))
    return psis_loo(pointwise[:, scored_mask(hierarchy)])


def scored_mask(hierarchy: Hierarchy) -> np.ndarray:
    """Whether each response is scored, (series, trials)."""
    return np.isfinite(np.asarray(hierarchy.model.responses(hierarchy.data)))


class Comparison(NamedTuple):
    """A model's leave-one-out accuracy against another's.

    difference: of the log predictive densities, in nats; positive where the model is better.
    standard_error: of the difference over participants, in nats.
    """

    difference: float
    standard_error: float

    @property
    def verdict(self) -> str:
        """The words "better" or "worse" beyond two standard errors, else "inconclusive"."""
        # One participant alone yields a standard error of NaN, which is inconclusive.
        if not abs(self.difference) > 2.0 * self.standard_error:
            return "inconclusive"
        return "better" if self.difference > 0.0 else "worse"


def compare(own: Posterior, other: Posterior, *, num_draws: int = 400) -> Comparison:
    """Difference of the leave-one-out accuracy of two fits.

    UserError where the fits score different responses.
    """
    mask = scored_mask(own.hierarchy)
    if not np.array_equal(mask, scored_mask(other.hierarchy)):
        raise UserError(
            "the two fits score different responses",
            where="compare",
            expected="fits to the same trials",
        )
    gap = np.zeros(mask.shape)
    loos = [leave_one_out(p, num_draws=num_draws).pointwise for p in (own, other)]
    gap[mask] = loos[0] - loos[1]
    people = np.bincount(own.hierarchy.participant, gap.sum(axis=1))
    return Comparison(
        float(people.sum()), float(np.sqrt(len(people)) * people.std(ddof=1))
    )


def mean_course(posterior: Posterior, series: int) -> Course:
    """One series' beliefs at the posterior mean of its parameters."""
    hierarchy = posterior.hierarchy
    sites = {k: v.mean(axis=(0, 1)) for k, v in posterior.sites.items()}
    values = with_held(hierarchy, series_values(hierarchy, sites))
    own = {name: value[series] for name, value in values.items()}
    data = jax.tree.map(lambda leaf: jnp.asarray(leaf)[series], hierarchy.data)
    found = jax.jit(hierarchy.model.course)(own, data)
    return jax.tree.map(np.asarray, found)
