"""Are the latent causes' posteriors calibrated, and which of their parameters are found again?"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.behaviour.models import ConditioningModel, LatentCauses
from pcmodel.behaviour.sampling.map_estimates import (
    fit_modes,
    free_parameters,
    person_scale,
)
from pcmodel.behaviour.sampling.nuts import Nuts
from pcmodel.behaviour.studies.sbc import NUM_RANKED, calibrate
from pcmodel.memory import CauseOptions, Soft

MODEL = ConditioningModel(LatentCauses(CauseOptions(4, 3, Soft())))
REPLICATIONS = 50


def rats(count, extinction=8):
    """Conditioning, extinction a day later (every second rat with two shocks in it), tests a day and a month later."""
    starts = {0.0: 3, 24.0: extinction, 48.0: 2, 768.0: 2}
    time = np.concatenate([t + 0.05 * np.arange(n) for t, n in starts.items()])
    shape = (count, len(time))
    outcome = np.zeros(shape)
    outcome[:, :3] = 1.0
    outcome[1::2, [4, 6]] = 1.0
    values = {
        "time": np.tile(time, (count, 1)),
        "outcome": outcome,
        "response": np.full(shape, 0.5),
    }
    return Series(values, np.ones(shape, bool), np.arange(count), {}, {})


def largest_gap(ranks):
    """Largest distance of the ranks' cumulative distribution from that of uniform ranks."""
    counts = np.bincount(ranks, minlength=NUM_RANKED + 1)
    reached = np.cumsum(counts) / len(ranks)
    return np.abs(reached - np.arange(1, NUM_RANKED + 2) / (NUM_RANKED + 1)).max()


def band(replications, share, draws=4000):
    """The gap that ranks of a calibrated fit exceed with that probability."""
    rng = np.random.default_rng(0)
    uniform = rng.integers(0, NUM_RANKED + 1, (draws, replications))
    return np.quantile([largest_gap(each) for each in uniform], 1.0 - share)


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_ranks_of_the_truth_are_uniform():
    """By a chi-square of ten bins, and by bands of the cumulative distribution; one in a thousand may fail by chance."""
    hierarchy = build_hierarchy(MODEL, rats(2), pooled=True)
    options = Nuts(
        num_warmup=250, num_samples=400, num_chains=1, chunk=50, max_tree_depth=6
    )
    found = calibrate(
        jax.random.key(0), hierarchy, num_replications=REPLICATIONS, options=options
    )
    least = 1e-3 / len(found.names)
    widest = band(REPLICATIONS, least)
    for name, ranks in zip(found.names, found.rank.T, strict=True):
        bins = np.bincount(ranks * 10 // (NUM_RANKED + 1), minlength=10)
        assert stats.chisquare(bins).pvalue > least, (name, bins)
        assert largest_gap(ranks) < widest, name


def test_bands_find_ranks_that_are_not_uniform():
    """Prevents bands that nothing leaves."""
    rng = np.random.default_rng(1)
    even = rng.integers(0, NUM_RANKED + 1, REPLICATIONS)
    assert largest_gap(even) < band(REPLICATIONS, 1e-3)
    assert largest_gap(even // 2) > band(REPLICATIONS, 1e-3)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_what_one_animal_determines_and_what_it_does_not():
    """Of one animal's few responses the noise and the threshold are found again; the terms of memory hardly."""
    count = 45
    model, series = ConditioningModel(LatentCauses()), rats(count, 24)
    free = free_parameters(model)
    rng = np.random.default_rng(0)
    normal = rng.normal(size=(len(free), count))
    mean = np.asarray([p.mean for p in free])
    truth = mean[:, None] + person_scale(free)[:, None] * normal
    values = {p.name: jnp.full(count, p.mean) for p in model.parameters}
    values |= {p.name: jnp.asarray(own) for p, own in zip(free, truth, strict=True)}
    keys = jax.random.split(jax.random.key(0), count)
    data = jax.vmap(model.simulate)(keys, values, model.prepare(series))
    modes = fit_modes(model, data)
    assert modes.settled.mean() > 0.8
    found = {
        p.name: np.corrcoef(own[modes.settled], modes.column(p.name)[modes.settled])[
            0, 1
        ]
        for p, own in zip(free, truth, strict=True)
    }
    assert found["log_response_noise"] > 0.85
    assert found["response_threshold"] > 0.5
    memory = ("log_concentration", "log_temporal_decay", "outcome_log_precision")
    assert all(found[name] < 0.75 for name in memory)
