"""Simulation-based calibration and recovery of a whole fit.

Truths are drawn from the prior, data from the truths, and the data are fitted. If all
is correct, the rank of each truth among its posterior draws is uniform (Talts et al. 2018,
arXiv:1804.06788) and intervals have their stated coverage.
"""

import warnings
from collections.abc import Callable, MutableMapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key
from scipy import stats

from pcmodel.behaviour.hierarchy.hierarchical_model import (
    Hierarchy,
    series_log_likelihood,
)
from pcmodel.behaviour.posterior.fitted_posterior import Posterior, effect_names
from pcmodel.behaviour.posterior.predictive import (
    draw_prior,
    series_values,
    simulate_series,
)
from pcmodel.behaviour.sampling.nuts import (
    NUTS_DEFAULTS,
    Nuts,
    Sampler,
    build_sampler,
    fit_side_by_side,
)
from pcmodel.behaviour.studies.possible import IMPOSSIBLE
from pcmodel.errors import UserError

MAX_ATTEMPTS = 200
# Thinned draws among which a truth is ranked. The 100 ranks are equally likely if thinned draws are independent;
# otherwise the outermost ranks are too frequent, so each fit's effective sample size is reported.
NUM_RANKED = 99
PEOPLE_TOGETHER = 50  # in all replications that are fitted in one program


class Replication(NamedTuple):
    """One truth and its fit; the fields are one row of `Calibration`."""

    truth: Float[np.ndarray, " effects"]
    mean: Float[np.ndarray, " effects"]
    low: Float[np.ndarray, " effects"]
    high: Float[np.ndarray, " effects"]
    rank: Int[np.ndarray, " effects"]
    num_divergent: Int[np.ndarray, ""]
    rhat: Float[np.ndarray, ""]
    ess: Float[np.ndarray, ""]


class Calibration(NamedTuple):
    """Truths and fits of every replication.

    names: of the effects.
    truth: drawn from the prior.
    mean: of the posterior.
    low: 5 % quantile of the posterior.
    high: 95 % quantile of the posterior.
    rank: of the truth among the draws, 0 to NUM_RANKED.
    num_divergent: divergent draws.
    rhat: of the halves of the one chain, the largest.
    ess: effective sample size, the smallest.
    """

    names: tuple[str, ...]
    truth: Float[np.ndarray, "replications effects"]
    mean: Float[np.ndarray, "replications effects"]
    low: Float[np.ndarray, "replications effects"]
    high: Float[np.ndarray, "replications effects"]
    rank: Int[np.ndarray, "replications effects"]
    num_divergent: Int[np.ndarray, " replications"]
    rhat: Float[np.ndarray, " replications"]
    ess: Float[np.ndarray, " replications"]

    @property
    def coverage(self) -> Float[np.ndarray, " effects"]:
        """Share of truths within the 90 % interval."""
        return ((self.low <= self.truth) & (self.truth <= self.high)).mean(axis=0)

    @property
    def correlation(self) -> Float[np.ndarray, " effects"]:
        """Correlation of truth and posterior mean over replications."""
        pairs = zip(self.truth.T, self.mean.T, strict=True)
        return np.asarray([np.corrcoef(a, b)[0, 1] for a, b in pairs])

    @property
    def uniformity(self) -> Float[np.ndarray, " effects"]:
        """p value of a test that each effect's ranks are uniform (Kolmogorov-Smirnov)."""
        return np.asarray([rank_test(ranks) for ranks in self.rank.T])


def rank_test(ranks: Int[np.ndarray, " replications"]) -> float:
    """p value of uniform ranks; ranks are jittered within their bins, since the test is for continuous values."""
    jitter = np.random.default_rng(0).random(len(ranks))
    return float(stats.kstest((ranks + jitter) / (NUM_RANKED + 1), "uniform").pvalue)


def calibrate(
    key: Key[Array, ""],
    hierarchy: Hierarchy,
    *,
    num_replications: int,
    options: Nuts = NUTS_DEFAULTS,
    advance: Callable[[], None] = lambda: None,
    stored: MutableMapping[int, Replication] | None = None,
    together: int | None = None,
) -> Calibration:
    """Simulate from the prior and fit, in every replication, with the data's design.

    hierarchy: its data give the design (outcomes, trials, missing responses); its responses are replaced.
    advance: called after each replication.
    stored: replications by number; those found are used, and new ones are added as soon as they are done.
    together: replications fitted in one program, by default as many as make fifty people.
    Each replication has keys of its own, so that an interrupted calibration gives the numbers of an
    uninterrupted one.
    """
    data_key, fit_key = jax.random.split(key)
    draw = jax.jit(partial(draw_study, hierarchy))
    sampler = build_sampler(hierarchy, options)
    stored = {} if stored is None else stored
    size = together or max(1, PEOPLE_TOGETHER // hierarchy.num_participants)
    for first in range(0, num_replications, size):
        # Always a whole block, so that rounding does not depend on which of them are stored.
        block = range(first, min(first + size, num_replications))
        if not all(i in stored for i in block):
            keys = [jax.random.fold_in(data_key, i) for i in block]
            studies = [draw_possible(own, draw) for own in keys]
            fits = _fit_all(
                [jax.random.fold_in(fit_key, i) for i in block],
                [hierarchy._replace(data=study.data) for study in studies],
                options,
                sampler,
            )
            for i, fit, study in zip(block, fits, studies, strict=True):
                if i not in stored:
                    stored[i] = _replication(fit, as_effects(hierarchy, study.sites))
        for _ in block:
            advance()
    rows = [stored[i] for i in range(num_replications)]
    columns = [np.stack(column) for column in zip(*rows, strict=True)]
    return Calibration(effect_names(hierarchy), *columns)


def _fit_all(
    keys: list[Array], hierarchies: list[Hierarchy], options: Nuts, sampler: Sampler
) -> list[Posterior]:
    """The fits without their warnings: complaints are counted over all replications."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return fit_side_by_side(keys, hierarchies, options, sampler=sampler)


class SimulatedDataset(NamedTuple):
    """A truth from the prior and data simulated from it.

    sites: with a leading axis of one draw.
    data: of the hierarchy's design.
    possible: false where the filter's approximation fails.
    """

    sites: dict[str, Array]
    data: Any
    possible: Bool[Array, ""]


def draw_study(hierarchy: Hierarchy, key: Key[Array, ""]) -> SimulatedDataset:
    """One truth for the group and all participants, and responses in the data's design."""
    prior_key, data_key = jax.random.split(key)
    sites = draw_prior(prior_key, hierarchy, 1)
    values = {name: v[0] for name, v in series_values(hierarchy, sites).items()}
    data = simulate_series(data_key, hierarchy, values)
    pointwise = series_log_likelihood(hierarchy, values, data)
    return SimulatedDataset(sites, data, jnp.all(pointwise > IMPOSSIBLE))


def draw_possible(
    key: Key[Array, ""], draw: Callable[[Array], SimulatedDataset]
) -> SimulatedDataset:
    """Truth and data that the model itself does not exclude; UserError if none is found.

    The standard filter fails at some parameters that its prior allows (a seventh of the
    people at the defaults); a fit excludes these, so the truths must as well.
    """
    for attempt in range(MAX_ATTEMPTS):
        study = draw(jax.random.fold_in(key, attempt))
        if bool(study.possible):
            return study
    raise UserError(
        f"its approximation failed in all of {MAX_ATTEMPTS} studies drawn from the prior",
        where="model",
        expected="an enhanced filter (ehgf3), or fewer participants",
    )


def as_effects(hierarchy: Hierarchy, sites: dict[str, Array]) -> dict[str, np.ndarray]:
    """The group's effects and spreads among sites whose leading axis is draws."""
    one_chain = {name: np.asarray(values)[None] for name, values in sites.items()}
    view = Posterior(hierarchy, one_chain, {}, None, "prior")
    return {name: draws[0] for name, draws in view.effects.items()}


def _replication(fit: Posterior, truth: dict[str, np.ndarray]) -> Replication:
    draws = np.stack([fit.effects[name].ravel() for name in truth], axis=-1)
    true = np.asarray([float(value[0]) for value in truth.values()])
    picks = np.linspace(0, len(draws) - 1, NUM_RANKED).astype(int)
    low, high = np.quantile(draws, (0.05, 0.95), axis=0)
    return Replication(
        true,
        draws.mean(axis=0),
        low,
        high,
        (draws[picks] < true).sum(axis=0),
        np.asarray(fit.sample_stats["diverging"].sum()),
        np.asarray(getattr(fit.diagnostics, "rhat", np.nan)),
        np.asarray(getattr(fit.diagnostics, "ess", np.nan)),
    )
