"""Beliefs carried from trial to trial: products of experts, joint priors, the Kalman
filter.

A belief over the top replaces the network's prior; over lower levels it stands beside
the prediction from above.  Trial-by-trial models of behaviour are this and nothing
else, so an error here biases every fitted learning rate.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hierarchies import (
    RTOL,
    ask,
    assert_exact,
    network_of,
    random_clamps,
    random_hierarchy,
    random_spd,
)
from oracles import (
    Gaussian,
    JointBelief,
    KnownUnits,
    exact_posterior,
    kalman_filter,
)

import pcmodel
from pcmodel import Belief, Modulation
from pcmodel.api.pose import pose
from pcmodel.inference import BlockTridiagonal, GaussNewton, infer_one
from pcmodel.inference import posterior as laplace
from pcmodel.model.levels import Units

WIDTHS, KINDS = (3, 3, 2, 2), ("unit", "full", "scalar", "full")

# name: (levels of each belief, clamped levels, solver)
DEAR = ("joint over every latent level, data in part",)
BELIEFS = {
    "top replaced": (((3,),), {0: ()}, GaussNewton()),
    "mean field, every latent level": (
        ((1,), (2,), (3,)),
        {0: ()},
        GaussNewton(BlockTridiagonal()),
    ),
    "joint over the top and a level not next to it": (
        ((1, 3),),
        {0: ()},
        GaussNewton(),
    ),
    "joint over every latent level, data in part": (
        ((1, 2, 3),),
        {0: (1,)},
        GaussNewton(),
    ),
    "joint beside a single one, a level clamped in part": (
        ((2, 3), (1,)),
        {0: (), 1: (0,)},
        GaussNewton(),
    ),
}


def random_beliefs(rng, groups):
    """Joint Gaussian beliefs with full covariances: for the package, for the oracle."""
    ours, theirs = [], []
    for levels in groups:
        size = sum(WIDTHS[level] for level in levels)
        mean, covariance = rng.normal(size=size), random_spd(rng, size)
        ours.append(
            Belief.from_covariance(jnp.array(mean), jnp.array(covariance), levels)
        )
        theirs.append(JointBelief(levels, mean, covariance))
    return ours, theirs


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if name in DEAR else name
        for name in BELIEFS
    ],
)
def test_beliefs_enter_as_the_gaussians_they_are(name):
    """Prevents a prior belief from being counted twice, dropped, or decorrelated."""
    groups, masks, solver = BELIEFS[name]
    for seed in range(3):
        rng = np.random.default_rng(seed)
        hierarchy = random_hierarchy(rng, WIDTHS, KINDS)
        clamps, known = random_clamps(rng, WIDTHS, masks)
        ours, theirs = random_beliefs(rng, groups)
        gains = 10 ** rng.uniform(-1, 1, size=4)
        got = ask(
            network_of(hierarchy),
            clamp=clamps,
            prior=ours,
            modulation=Modulation(dict(enumerate(gains))),
            solver=solver,
        )
        exact = exact_posterior(hierarchy, known, beliefs=theirs, gains=gains)
        assert_exact(got, exact)


def test_diagonal_beliefs_are_full_ones_without_correlation():
    """Prevents the mean-field form from meaning another belief than the joint form."""
    rng = np.random.default_rng(3)
    hierarchy = random_hierarchy(rng, (2, 2, 2), ("unit", "scalar", "unit"))
    mean, precision = rng.normal(size=4), rng.uniform(0.5, 2, size=4)
    network, data = network_of(hierarchy), rng.normal(size=2)
    joint = Belief.of(mean, np.diag(precision), level=(1, 2))
    per_unit = Belief.of(mean, precision, level=(1, 2))
    split = [
        Belief.of(mean[:2], precision[:2], level=1),
        Belief.of(mean[2:], precision[2:], level=2),
    ]
    modes = [
        np.concatenate(pcmodel.infer(network, data, prior=prior).latents)
        for prior in (joint, per_unit, split)
    ]
    np.testing.assert_allclose(modes[1], modes[0], rtol=RTOL)
    np.testing.assert_allclose(modes[2], modes[0], rtol=RTOL)


@pytest.mark.parametrize("moves", [False, True])
def test_inference_over_trials_is_the_kalman_filter(moves):
    """Prevents fitted learning rates from being those of another model.

    Three states, two sensors, 25 trials; with and without a transition of its own.
    """
    rng = np.random.default_rng(11)
    emission, trials = rng.normal(size=(2, 3)), rng.normal(size=(25, 2))
    noise, process = random_spd(rng, 2, 0.5), random_spd(rng, 3, 0.1)
    start = Gaussian(rng.normal(size=3), random_spd(rng, 3))
    transition = np.eye(3) + moves * 0.2 * rng.normal(size=(3, 3))
    exact = kalman_filter(
        trials,
        start,
        transition=transition,
        process_noise=process,
        emission=emission,
        observation_noise=noise,
    )
    network = pcmodel.linear_gaussian([emission], [np.linalg.inv(noise), 1.0])
    belief = Belief.from_covariance(*map(jnp.array, start), levels=("top",))
    for trial, truth in zip(trials, exact, strict=True):
        found = pcmodel.posterior(network, trial, prior=belief)
        belief = found.belief("top")
        assert found.result.converged
        np.testing.assert_allclose(belief.mean, truth.mean, rtol=RTOL, atol=RTOL)
        np.testing.assert_allclose(belief.covariance, truth.covariance, rtol=RTOL)
        np.testing.assert_allclose(found.log_evidence, truth.log_evidence, rtol=RTOL)
        belief = belief.propagate(
            transition=jnp.array(transition) if moves else None,
            noise_covariance=process,
        )


def test_a_joint_belief_over_two_levels_filters_a_hierarchy():
    """Prevents a hierarchical filter (state and its drift) from losing their
    correlation.

    Every trial observes the lower of two latent levels and couples it to the upper one;
    the exact filter carries the covariance between them to the next trial.
    """
    rng = np.random.default_rng(5)
    hierarchy = random_hierarchy(rng, (2, 2, 1), ("unit", "scalar", "unit"))
    network, noise = network_of(hierarchy), 0.3
    mean, covariance = rng.normal(size=3), random_spd(rng, 3)
    belief = Belief.from_covariance(jnp.array(mean), jnp.array(covariance), (1, 2))
    for trial in rng.normal(size=(6, 2)):
        exact = exact_posterior(
            hierarchy,
            [KnownUnits(0, np.arange(2), trial)],
            beliefs=[JointBelief((1, 2), mean, covariance)],
        )
        mean = exact.mean[2:]
        covariance = exact.covariance[2:, 2:]
        belief = pcmodel.posterior(network, trial, prior=belief).belief(1, 2)
        np.testing.assert_allclose(belief.mean, mean, rtol=RTOL, atol=RTOL)
        np.testing.assert_allclose(belief.covariance, covariance, rtol=RTOL)
        covariance = covariance + noise * np.eye(3)
        belief = belief.propagate(noise_covariance=noise)


STEADY_GAINS = {0.1: 0.270156, 1.0: 0.618034, 4.0: 0.828427}


def test_steady_gains_of_the_local_level_model():
    """Prevents a learning rate that departs from the printed steady-state values."""
    network = pcmodel.linear_gaussian([np.eye(1)], [1.0, 1.0])
    posed = pose(network, np.ones(1), prior=Belief.of(np.zeros(1), np.eye(1))).problem

    @jax.jit
    def steady(drift):
        def trial(belief, _):
            problem = replace_belief(posed, belief)
            found = infer_one(problem, GaussNewton(), jnp.zeros((1,)))
            after = laplace.joint_belief(problem, found.whitened, (Units(1),))
            gain = jnp.exp(-after[1][0, 0])  # with r = 1 the posterior variance is K
            return Belief(*after, (1,)).propagate(noise_covariance=drift), gain

        return jax.lax.scan(trial, posed.inputs.beliefs[0], length=200)[1][-1]

    for drift, gain in STEADY_GAINS.items():
        assert round(float(steady(drift)), 6) == gain


def replace_belief(problem, belief):
    """The same problem with another prior."""
    return type(problem)(problem.structure, problem.inputs._replace(beliefs=(belief,)))
