"""Precisions by natural gradient: both scores are the likelihood's, and the step uses what the data tell."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hierarchies import network_of, random_hierarchy
from oracles import KnownUnits, exact_posterior
from precision_learning import learn_precisions

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.inference.infer import infer_one
from pcmodel.inference.posterior import sample_latents
from pcmodel.learning import (
    Backpropagation,
    ClosedForm,
    Equilibrium,
    Frozen,
    GradientStep,
    Hmc,
    Incremental,
    Learning,
    NaturalGradient,
    Nudged,
    PointEstimate,
    PosteriorSamples,
    settling,
)
from pcmodel.learning.precisions.fisher_information import (
    covariance,
    inverse_information,
)
from pcmodel.learning.precisions.m_step import (
    Draws,
    LevelRule,
    move_precision,
    precision_energy,
)
from pcmodel.learning.precisions.scores import scores

EXACT = PosteriorSamples(2, pcmodel.GaussNewton(max_iterations=1))
"""Two independent draws of a linear network's posterior."""
EIGHT = PosteriorSamples(8, pcmodel.GaussNewton(max_iterations=1))


def test_both_scores_have_the_likelihood_s_gradient_as_their_mean():
    """Fisher's identity, against numerical derivatives of the exact evidence.

    Prevents a control variate whose mean is not zero, which would move every fixed point.
    """
    rng = np.random.default_rng(1)
    hierarchy = random_hierarchy(rng, (3, 2, 2), ("scalar", "unit", "scalar"))
    data = rng.normal(size=3)
    problem = pose(network_of(hierarchy), data).problem

    @jax.jit
    def many(key):
        mode = infer_one(problem, pcmodel.GaussNewton(), jnp.zeros(4))
        draws = sample_latents(problem, mode.whitened, key, 20_000)
        return jax.vmap(partial(scores, problem))(draws)

    both = many(jax.random.key(0))
    known = [KnownUnits(0, np.arange(3), data)]
    for level, (held, difference) in enumerate(zip(*both, strict=True)):
        for unit in range(held.size // 20_000):
            changed = []
            for sign in (1, -1):
                precisions = [np.array(p, float) for p in hierarchy.precisions]
                precisions[level].reshape(-1)[unit] *= np.exp(sign * 1e-4)
                moved = hierarchy._replace(precisions=precisions)
                changed.append(exact_posterior(moved, known).log_evidence)
            exact = (changed[0] - changed[1]) / 2e-4
            for part in (held, held + difference):
                values = np.asarray(part).reshape(20_000, -1)[:, unit]
                error = values.std() / np.sqrt(20_000)
                assert abs(values.mean() - exact) < 4 * error + 1e-6
        # Not two names for one thing: only level 0, all given, has a single score.
        assert (np.std(difference) > 0.1) == (level > 0)


def test_information_is_not_inflated_by_the_noise_of_draws():
    """Prevents steps as short as EM's: the noise's own variance is ten times the information."""
    rng = np.random.default_rng(0)
    between = rng.normal(size=(20_000, 1, 2)) @ np.array([[1.0, 0.5], [0.0, 0.8]])
    draws = between + np.sqrt(10) * rng.normal(size=(20_000, 2, 2))
    expected = np.array([[1.0, 0.5], [0.5, 0.89]])
    np.testing.assert_allclose(covariance(jnp.asarray(draws)), expected, atol=0.3)
    single = covariance(jnp.asarray(draws[:, :1]))
    np.testing.assert_allclose(np.diag(single), 10 + np.diag(expected), rtol=0.05)


def test_a_step_lies_between_em_s_and_its_bound():
    """Where nothing is missing it is EM's, where nothing seems known 1 / least_share of it."""
    complete = jnp.asarray([10.0, 2.5])
    everything = inverse_information(jnp.diag(3 * complete), complete, 0.02)
    np.testing.assert_allclose(everything, np.diag(1 / complete), rtol=1e-9)
    nothing = inverse_information(-jnp.diag(complete), complete, 0.02)
    np.testing.assert_allclose(nothing, np.diag(50 / complete), rtol=1e-9)
    half = jnp.asarray([[5.0, 1.0], [1.0, 1.0]])
    inverse = inverse_information(half, complete, 0.02)
    np.testing.assert_allclose(inverse, np.linalg.inv(half), rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["scalar", "unit"])
def test_the_scalar_reference_is_found_where_em_has_hardly_moved(kind):
    """y = 1.5 x + noise: the maximum is mean y^2 - 1.5^2, the information (v / (2.25 + v))^2 / 2.

    3 % of the complete information: near the end EM multiplies its distance by 0.97 a step.
    """
    rng = np.random.default_rng(3)
    data = rng.normal(size=(4000, 1)) * np.sqrt(2.25 + 0.5)
    start = np.ones(1) if kind == "unit" else 1.0
    network = pcmodel.linear_gaussian([np.array([[1.5]])], [start, 1.0])
    step = NaturalGradient(burn_in=5, settle=40, largest_move=0.3)
    state, curve = learn_precisions(network, data, EIGHT, step, steps=80, frozen=(1,))
    variance = np.mean(data**2) - 2.25
    levels = settling(state.precision, 4000, frozen=(1,))
    expected = np.sqrt(2 / 4000) * (2.25 + variance) / variance
    # The running mean remembers some 40 batches of noisy products: 7 % of noise.
    np.testing.assert_allclose(np.squeeze(levels[0].error), expected, rtol=0.2)
    found = -np.log(variance)
    # To the data's own error; EM is twice as far away, after a quarter of the steps.
    np.testing.assert_allclose(curve.log_precisions[-1, 0], found, atol=expected)
    em = ClosedForm()
    _, slow = learn_precisions(network, data, EXACT, em, steps=20, frozen=(1,))
    assert abs(slow.log_precisions[-1, 0] - found) > 2 * expected
    np.testing.assert_array_equal(curve.log_precisions[:, 1], 0.0)
    assert levels[1] is None


def test_burn_in_moves_nothing_and_no_move_exceeds_its_bound():
    """Prevents precisions from running ahead of chains that have not arrived."""
    rng = np.random.default_rng(3)
    network = pcmodel.linear_gaussian([rng.normal(size=(4, 2))], [1.0, 1.0])
    step = NaturalGradient(burn_in=4, settle=20, rate=1.0, largest_move=0.05)
    _, curve = learn_precisions(
        network, 10 * rng.normal(size=(50, 4)), EXACT, step, steps=12
    )
    np.testing.assert_array_equal(curve.log_precisions[:4], 0.0)
    moves = np.abs(np.diff(curve.log_precisions[3:], axis=0)).max(axis=1)
    assert np.all(moves <= 0.05 + 1e-6) and np.all(moves > 0.04)


@pytest.mark.parametrize("kind", ["scalar", "unit", "full"])
def test_the_gradient_vanishes_at_the_closed_form(kind):
    """Prevents a gradient step from having another fixed point than EM; the floor included."""
    rng = np.random.default_rng(2)
    errors = jnp.asarray(rng.normal(size=(50, 2, 3)) @ rng.normal(size=(3, 3)))
    start = jnp.zeros({"scalar": (), "unit": (3,), "full": (3, 3)}[kind])
    best = move_precision(start, errors, rate=1.0, floor=0.2)
    slope = jax.grad(precision_energy)(best, errors, 0.2)
    np.testing.assert_allclose(slope, jnp.zeros_like(slope), atol=1e-9)
    assert np.abs(jax.grad(precision_energy)(start, errors, 0.2)).max() > 0.1
    rules = (LevelRule(1.0, 0.2), LevelRule(None))
    draws = Draws((errors, errors), lambda: None)  # type: ignore[arg-type, return-value]
    step = GradientStep(optax.sgd(0.1))
    moved, _ = step.update((start, start), draws, rules, step.init((start, start)))
    expected = start - 0.1 * jax.grad(precision_energy)(start, errors, 0.2)
    np.testing.assert_allclose(moved[0], expected, rtol=1e-12)
    np.testing.assert_array_equal(moved[1], start)


@pytest.mark.parametrize("step", [NaturalGradient(), ClosedForm(), GradientStep()])
def test_no_step_learns_precisions_from_modes(step):
    """Prevents a new M-step from bringing the divergence back."""
    learning = Learning(e_step=PointEstimate(), precision_step=step)
    network = pcmodel.linear_gaussian([np.ones((3, 2))], [1.0, 1.0])
    with pytest.raises(pcmodel.UserError, match="cannot learn precisions"):
        pcmodel.train(
            network,
            np.ones((4, 3)),
            key=jax.random.key(0),
            learning=learning,
            batch_size=4,
        )


def test_precisions_are_learned_from_draws_of_the_posterior_alone():
    """Whose spread an error's second moment needs: no E-step that hands over a mode, no rule that moves its target."""
    able, unable = (PosteriorSamples(), Hmc()), (PointEstimate(),)
    plain, moving = (Equilibrium(),), (Backpropagation(), Nudged(), Incremental())
    for e_step in (*able, *unable):
        for rule in (*plain, *moving):
            learning = Learning(e_step=e_step, rule=rule)
            wrong = e_step in unable or rule in moving
            assert learning.asks_point_estimates_for_precisions == wrong
            still = dataclasses.replace(learning, precision_step=Frozen())
            assert not still.asks_point_estimates_for_precisions


@pytest.mark.parametrize(
    "options",
    [{"rate": 0.0}, {"least_share": 2.0}, {"largest_move": -1.0}, {"burn_in": 500}],
)
def test_options_that_cannot_work_are_refused(options):
    """Prevents a step that never moves, or moves for ever."""
    with pytest.raises(pcmodel.UserError, match=next(iter(options))):
        NaturalGradient(**options).check()
