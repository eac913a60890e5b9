"""The particle filter against the sum over all partitions of up to seven trials."""

import jax
import numpy as np
import pytest
from memory.cause_oracle import PAPER
from memory.path_oracle import enumerate_paths, partitions

from pcmodel.errors import UserError
from pcmodel.memory import CauseOptions, CauseParameters, make_trials
from pcmodel.memory.designs.published import extinction_only, retrieval_extinction
from pcmodel.memory.particles import compare_with_map, filter_causes

REPEATS = 12


def random_case(rng, count):
    design = {
        "time": np.cumsum(rng.integers(1, 6, count)).astype(float),
        "outcome": rng.integers(0, 2, count).astype(float),
        "stimuli": rng.integers(0, 2, (count, 2)).astype(float),
    }
    drug = {
        "gain": rng.uniform(0.5, 2, count),
        "plasticity": rng.uniform(0.5, 1.5, count),
        "amnesia": (rng.random(count) < 0.3) * 0.5,
    }
    p = PAPER | {
        "alpha": rng.uniform(0.1, 2),
        "g": rng.uniform(0.2, 1.5),
        "eta": rng.uniform(0.1, 0.5),
        "sr": rng.uniform(0.2, 1.0),
        "w0": 0.1,
    }
    trials = make_trials(
        **design,
        outcome_gain=drug["gain"],
        learning_gain=drug["plasticity"],
        amnesia=drug["amnesia"],
    )
    parameters = CauseParameters(p["alpha"], p["g"], p["eta"], 0.1, -np.log(p["sr"]))
    return trials, parameters, enumerate_paths(**design, p=p, **drug)


def test_partitions_are_counted_by_bell():
    assert [len(partitions(n)) for n in range(8)] == [1, 1, 2, 5, 15, 52, 203, 877]


@pytest.mark.parametrize("count", [1, 2, 5, 7])
def test_equals_the_sum_over_all_partitions(count):
    """Within 5 standard errors of the filter's own scatter over keys, which must be small."""
    trials, parameters, exact = random_case(np.random.default_rng(count), count)
    keys = jax.random.split(jax.random.key(count), REPEATS)
    found = jax.vmap(
        lambda key: filter_causes(
            key,
            trials,
            parameters,
            num_particles=2000,
            options=CauseOptions(num_causes=8),
        )
    )(keys)
    # The evidence itself is unbiased; its logarithm is not.
    ratio = np.exp(np.asarray(found.log_evidence) - exact["evidence"])
    for told, truth in (
        (found.prediction, exact["V"]),
        (found.newness, exact["newness"]),
        (found.together, exact["together"]),
        (found.num_causes, exact["causes"]),
        (ratio, 1.0),
    ):
        told = np.asarray(told)
        error = told.std(axis=0, ddof=1) / np.sqrt(REPEATS)
        assert np.all(error < 0.01)
        assert np.all(np.abs(told.mean(axis=0) - truth) < 5 * error + 1e-9)
    assert not found.truncated.any()


@pytest.mark.parametrize("below", [0.0, 1.0])
def test_resampling_never_or_always_gives_the_same_posterior(below):
    trials, parameters, exact = random_case(np.random.default_rng(30), 6)
    found = jax.vmap(
        lambda key: filter_causes(
            key, trials, parameters, num_particles=2000, resample_below=below
        )
    )(jax.random.split(jax.random.key(1), REPEATS))
    told = np.exp(np.asarray(found.log_evidence) - exact["evidence"])
    error = told.std(ddof=1) / np.sqrt(REPEATS)
    assert abs(told.mean() - 1) < 5 * error < 0.05
    told = np.asarray(found.together)
    error = told.std(axis=0, ddof=1) / np.sqrt(REPEATS)
    assert np.all(np.abs(told.mean(axis=0) - exact["together"]) < 5 * error + 1e-9)


def test_one_cause_leaves_nothing_to_sample():
    trials, parameters, _ = random_case(np.random.default_rng(4), 6)
    found = compare_with_map(
        jax.random.key(0),
        trials,
        parameters._replace(concentration=0.0),
        num_particles=3,
    )
    np.testing.assert_allclose(found.difference, 0.0, atol=1e-12)
    assert found.particles.num_causes == 1
    np.testing.assert_allclose(found.particles.together, 1.0)


def test_absent_trials_change_nothing():
    trials, parameters, exact = random_case(np.random.default_rng(9), 5)
    more = make_trials(
        np.append(trials.time, 99.0),
        np.append(trials.outcome, 1.0),
        np.vstack([trials.stimuli, np.ones(2)]),
        outcome_gain=np.append(trials.outcome_gain, 1.0),
        learning_gain=np.append(trials.learning_gain, 1.0),
        amnesia=np.append(trials.amnesia, 0.0),
        present=[True] * 5 + [False],
    )
    found = filter_causes(jax.random.key(0), more, parameters, num_particles=4000)
    assert abs(found.log_evidence - exact["evidence"]) < 0.1
    assert found.prediction[-1] == found.newness[-1] == 0
    assert not np.any(np.asarray(found.together)[-1])


def test_too_few_places_are_told():
    trials, parameters, _ = random_case(np.random.default_rng(2), 6)
    found = filter_causes(
        jax.random.key(0), trials, parameters, options=CauseOptions(num_causes=1)
    )
    assert found.truncated
    never = parameters._replace(concentration=0.0)
    assert not filter_causes(
        jax.random.key(0), trials, never, options=CauseOptions(num_causes=1)
    ).truncated
    with pytest.raises(UserError, match="num_particles"):
        filter_causes(jax.random.key(0), trials, parameters, num_particles=0)


@pytest.mark.slow
def test_the_local_map_exaggerates_the_benefit_of_retrieval():
    """A read-out, not a proof: what the paper's shortcut adds to its own model."""
    local, whole = [], []
    for design in (extinction_only(), retrieval_extinction(3.0)):
        test = design.index("test")[0]
        found = compare_with_map(jax.random.key(3), design.trials, num_particles=20_000)
        local.append(float(found.local_map.prediction[test]))
        whole.append(float(found.particles.prediction[test]))
    assert local[0] - local[1] > 0.03
    assert abs(whole[0] - whole[1]) < local[0] - local[1]


@pytest.mark.parametrize("wide", [True, False], ids=["float64", "float32"])
def test_extremes_are_numbers_and_the_limits_are_right(wide):
    """Nothing is NaN, and where one path is certain its prediction is the closed form."""
    with jax.enable_x64(wide):
        trials, parameters, _ = random_case(np.random.default_rng(11), 5)
        for name in ("concentration", "stimulus_variance", "temporal_decay"):
            for size in (1e-8, 1.0, 1e8):
                found = filter_causes(
                    jax.random.key(0),
                    trials,
                    parameters._replace(**{name: size}),
                    num_particles=64,
                )
                for field in found:
                    assert np.all(np.isfinite(field)), (name, size)
                np.testing.assert_allclose(np.diag(found.together), 1.0, atol=1e-4)
        for log_precision in (-18.0, 18.0):
            found = filter_causes(
                jax.random.key(0),
                trials,
                parameters._replace(outcome_log_precision=log_precision),
                num_particles=64,
            )
            assert all(np.all(np.isfinite(field)) for field in found)
        apart = parameters._replace(concentration=1e8)
        found = filter_causes(jax.random.key(0), trials, apart, num_particles=64)
        start = np.asarray(trials.stimuli).sum(axis=1) * 0.1
        np.testing.assert_allclose(found.prediction, start, atol=1e-5)
        np.testing.assert_allclose(found.newness, 1.0, atol=1e-5)
        assert abs(found.num_causes - 5) < 1e-4


def test_one_particle_and_one_trial():
    trials = make_trials([3.0], [1.0], [1.0])
    found = filter_causes(jax.random.key(0), trials, num_particles=1)
    spread = 0.5 * np.log(2 * np.pi * 2.0), 0.5 * np.log(2 * np.pi * 0.4)
    exact = -(0.25 + spread[0]) - (1.0 / 0.8 + spread[1])
    np.testing.assert_allclose(found.log_evidence, exact, atol=1e-12)
    assert found.newness[0] == found.together[0, 0] == found.num_causes == 1
