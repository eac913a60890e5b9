"""The chains of the E-step: they persist, tune themselves, and find what Laplace draws miss."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from precision_learning import learn_precisions, tanh_case

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.inference import ConjugateGradient, GaussNewton
from pcmodel.inference.infer import infer_one
from pcmodel.inference.linear.dual_primal import output_jacobian
from pcmodel.inference.whitened import linearise
from pcmodel.learning import (
    ClosedForm,
    Hmc,
    NaturalGradient,
    PosteriorSamples,
    settling,
)
from pcmodel.learning.loop import run_chunk

MODE = GaussNewton(ConjugateGradient(), max_iterations=10, tolerance=1e-2)


def visits(e_step, problem, num_visits, num_examples=1):
    """Memory after each visit of one example."""
    memory = e_step.init(problem, num_examples, jax.random.key(0))
    own = jax.tree.map(lambda leaf: leaf[0], memory.examples)
    shared, seen = memory.shared, []

    @jax.jit
    def visit(key, own, shared):
        found, own = e_step.expect(problem, key, own, shared)
        batch = jax.tree.map(lambda leaf: leaf[None], found)
        return found, own, e_step.adapt(shared, batch)

    for key in jax.random.split(jax.random.key(1), num_visits):
        found, own, shared = visit(key, own, shared)
        seen.append((found, own, shared))
    return seen


def test_a_chain_starts_once_and_goes_on_from_where_it_was():
    """Prevents chains from being restarted at every visit: they would never mix."""
    network, data = tanh_case((4, 3, 2), (3.0, 2.0, 1.0), 1)
    problem = pose(network, data[0]).problem
    frozen = Hmc(step_size=1e-9, num_leapfrog=1, target_acceptance=0.999)
    first, second = visits(frozen, problem, 2)
    start, again = first[1].whitened, second[1].whitened
    np.testing.assert_allclose(again, start, atol=1e-6)
    assert np.abs(start[0] - start[1]).max() > 0.1  # two draws, not the mode twice
    assert first[1].started and second[2].unvisited == 0


def test_half_a_period_leads_to_the_other_side_unless_its_length_varies():
    """A prior alone, and trajectories of length pi: each point is the last one's opposite, whatever the momentum."""
    network = pcmodel.linear_gaussian([np.zeros((1, 3))], [1.0, 1.0])
    problem = pose(network, np.zeros(1)).problem
    for jitter, opposite in ((0.0, True), (0.5, False)):
        e_step = Hmc(jitter=jitter, step_size=np.pi / 60, num_leapfrog=60)
        memory = e_step.init(problem, 1, jax.random.key(0))
        own = jax.tree.map(lambda leaf: leaf[0], memory.examples)
        _, first = e_step.expect(problem, jax.random.key(1), own, memory.shared)
        shared = memory.shared._replace(unvisited=jnp.zeros(()))
        _, second = e_step.expect(problem, jax.random.key(2), first, shared)
        sums = np.asarray(first.whitened + second.whitened)
        assert (np.abs(sums).max() < 0.05) == opposite


@pytest.mark.slow
def test_the_shared_mass_is_the_mean_curvature_without_a_second_derivative():
    """E[grad U grad U'] = E[Hessian]: exact for a linear network, I + S'S.

    Prevents a metric of the chains' positions (its inverse), or one of their noise.
    """
    rng = np.random.default_rng(0)
    network = pcmodel.linear_gaussian([2 * rng.normal(size=(4, 3))], [3.0, 1.0])
    problem = pose(network, rng.normal(size=4)).problem
    _, _, shared = visits(Hmc(num_chains=200, num_leapfrog=4), problem, 60)[-1]
    mode = infer_one(problem, GaussNewton(), jnp.zeros(3)).whitened
    matrix = output_jacobian(linearise(problem, mode))
    expected = np.eye(3) + matrix.T @ matrix
    np.testing.assert_allclose(
        shared.curvature, expected, atol=0.1 * np.abs(expected).max()
    )
    assert expected[0, 0] > 5


@pytest.mark.slow
def test_the_step_size_finds_the_acceptance_asked_for():
    """Prevents tuning in the wrong direction, which ends in chains that stand still."""
    network, data = tanh_case((4, 3, 2), (30.0, 2.0, 1.0), 1)
    problem = pose(network, data[0]).problem
    for begin in (0.1, 2.0):
        seen = visits(Hmc(num_chains=50, step_size=begin), problem, 60)
        late = np.mean([found.acceptance for found, _, _ in seen[-20:]])
        np.testing.assert_allclose(late, 0.8, atol=0.05)


@pytest.mark.slow
def test_chains_recover_where_laplace_draws_are_biased():
    """Small: N = 400, one hidden level between. The slow test below is the real one."""
    truth = (4.0, 2.0, 1.0)
    network, data = tanh_case((12, 6, 3), truth, 400)
    step = NaturalGradient(burn_in=10, settle=50)
    state, curve = learn_precisions(network, data, Hmc(num_leapfrog=6), step, steps=90)
    errors = np.asarray([each.error for each in settling(state.precision, 400)])
    away = curve.log_precisions[-1] - np.log(truth)
    assert np.all(np.abs(away) < 3 * errors) and np.all(errors < 0.25)
    assert 0.7 < curve.acceptance[-1] < 0.9
    start = list(np.log(truth))  # from the truth: what then moves is bias
    network, _ = tanh_case((12, 6, 3), truth, 1, start=start)
    draws = PosteriorSamples(2, MODE)
    _, laplace = learn_precisions(network, data, draws, ClosedForm(), steps=30)
    biased = np.abs(laplace.log_precisions[-1] - np.log(truth))
    assert biased[0] > 4 * errors[0]


@pytest.mark.slow
@pytest.mark.parametrize("truth", [(5.0, 4.0, 3.0, 1.0), (1.0, 3.0, 4.0, 5.0)])
def test_four_levels_are_recovered_falling_and_rising(truth):
    """N = 1,000, to 5 % or three standard errors of the data, from precisions of 1.

    EM with the same chains is still several errors away after as many steps.
    """
    network, data = tanh_case((30, 20, 10, 5), truth, 1000)
    state, curve = learn_precisions(
        network, data, Hmc(), NaturalGradient(settle=80), steps=120
    )
    errors = np.asarray([each.error for each in settling(state.precision, 1000)])
    away = np.abs(curve.log_precisions[-1] - np.log(truth))
    assert np.all(away < np.maximum(0.05, 3 * errors)) and np.all(errors < 0.25)


@pytest.mark.slow
def test_new_networks_and_data_do_not_compile_again():
    """Prevents every seed of a study from compiling its own chains."""
    e_step, step = Hmc(num_leapfrog=2), NaturalGradient(burn_in=1, settle=2)
    before = None
    for seed in range(3):
        network, data = tanh_case((3, 2), (2.0, 1.0), 8, seed=seed)
        learn_precisions(network, data, e_step, step, steps=2, seed=seed)
        before = before or run_chunk._cache_size()
        assert run_chunk._cache_size() == before


@pytest.mark.parametrize(
    "options",
    [
        {"num_chains": 0},
        {"step_size": 0.0},
        {"target_acceptance": 1.0},
        {"jitter": -0.1},
    ],
)
def test_options_that_cannot_work_are_refused(options):
    """Prevents chains that stand still."""
    with pytest.raises(pcmodel.UserError, match=next(iter(options))):
        Hmc(**options)
