"""Belief revision: its measures in closed form, its laws, and its controls."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hierarchies import network_of, random_hierarchy
from oracles import as_matrix, gained
from scipy.stats import norm

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.inference import infer_one
from pcmodel.inference.level_evidence import evidence_about
from pcmodel.inference.solvers.descent import trajectory
from pcmodel.model.energy import state_from_latents
from pcmodel.model.modulation import uniform
from pcmodel.paradigms.revision import readout_belief, revise, settling_time

SOLVER = pcmodel.GaussNewton()
WIDTHS = (5, 4, 3)
NAMES = ("data", "hidden1", "top")
KEY = jax.random.key(0)


@jax.jit
def measure(problem):
    return revise(problem, KEY, solver=SOLVER, num_samples=64)


@jax.jit
def at_top(problem):
    start = jnp.zeros((problem.structure.num_free,))
    found = infer_one(problem, SOLVER, start)
    return evidence_about(problem, found.whitened), found.latents


settle = jax.jit(settling_time)


def gains(*values):
    return pcmodel.Modulation(dict(enumerate(values)))


def chain(*precisions):
    """The scalar chain: a negative self-belief (-2) and one benign observation (+1)."""
    ones = [np.ones((1, 1))] * (len(precisions) - 1)
    network = pcmodel.linear_gaussian(ones, precisions, prior_mean=np.array([-2.0]))
    return pose(network, np.array([1.0])).problem


@pytest.fixture(scope="module")
def hierarchy():
    return random_hierarchy(np.random.default_rng(8), WIDTHS, ("unit", "full", "full"))


def presented(hierarchy, modulation=None):
    """One observation given to the hierarchy."""
    data = np.random.default_rng(9).normal(size=WIDTHS[0])
    return pose(network_of(hierarchy), data, modulation=modulation).problem


def dense_precision(hierarchy, gain=(1.0, 1.0, 1.0)):
    """The precision of (hidden1, top) given the data, level by level, in numpy."""
    low, mid, top = (
        gained(precision, g, width)
        for precision, g, width in zip(hierarchy.precisions, gain, WIDTHS, strict=True)
    )
    to_data, to_mid = hierarchy.weights
    return (
        np.block(
            [
                [to_data.T @ low @ to_data + mid, -mid @ to_mid],
                [-to_mid.T @ mid, to_mid.T @ mid @ to_mid + top],
            ]
        ),
        top,
    )


@pytest.mark.parametrize(
    ("precisions", "weight"),
    [
        ((1.0, 4.0, 4.0, 9.0), 0.068966),
        ((1.0, 4.0, 4.0, 2.25), 0.228571),
        ((0.25, 1.0, 1.0, 2.25), 0.068966),
        ((1.0, 1.0, 1.0, 2.25), 0.129032),
        ((1.0, 1.0, 1.0, 9.0), 0.035714),
        ((4.0, 4.0, 4.0, 9.0), 0.129032),
    ],
)
def test_revision_of_the_scalar_chain_is_the_series_law(precisions, weight):
    """Prevents the evidence's weight from ignoring the levels it passes through."""
    found = measure(chain(*precisions))
    through = 1 / np.sum(1 / np.array(precisions[:-1]))
    expected = through / (through + precisions[-1])
    np.testing.assert_allclose(found.revision, expected, rtol=1e-10)
    np.testing.assert_allclose(found.revision, weight, atol=1e-6)
    np.testing.assert_allclose(found.evidence_precision, through, rtol=1e-10)
    np.testing.assert_allclose(found.shift, 3 * expected, rtol=1e-10)


@pytest.mark.parametrize("seed", range(4))
def test_revision_lies_between_kept_and_evidence_and_falls_with_the_prior(seed):
    """Prevents an index that leaves [0, 1] or reverses, as a Euclidean projection does."""
    rng = np.random.default_rng(seed)
    one = random_hierarchy(rng, WIDTHS, ("unit", "full", "full"))
    found = np.array(
        [
            measure(presented(one, gains(1.0, 1.0, gain))).revision
            for gain in np.logspace(-5, 5, 11)
        ]
    )
    assert np.all((found > 0) & (found < 1)) and np.all(np.diff(found) < 0)
    assert found[0] > 0.98 and found[-1] < 0.02


def test_relaxing_the_levels_between_protects_the_belief():
    """Prevents 'relaxed priors' from being taken as one thing at every level."""
    found = [float(measure(chain(1, 4 * g, 4 * g, 9)).revision) for g in (1, 0.5, 0.25)]
    assert found[0] > found[1] > found[2]
    relaxed = float(measure(chain(1, 4, 4, 9 * 0.25)).revision)
    assert relaxed > found[0]


def test_evidence_at_the_top_is_the_schur_complement(hierarchy):
    """Prevents evidence lost, or counted twice, on the way through hidden levels."""
    gain = (0.5, 3.0, 0.2)
    problem = presented(hierarchy, gains(*gain))
    top, latents = at_top(problem)
    whole, prior = dense_precision(hierarchy, gain)
    a, b, c = whole[:4, :4], whole[:4, 4:], whole[4:, 4:] - prior
    evidence = c - b.T @ np.linalg.solve(a, b)
    shift = latents[-1] - hierarchy.prior_mean
    for got, expected in [
        (top.prior_precision, prior),
        (top.evidence_precision, evidence),
        (top.covariance, np.linalg.inv(whole)[4:, 4:]),
        (top.shift, shift),
        (top.information, (evidence + prior) @ shift),
    ]:
        np.testing.assert_allclose(got, expected, rtol=1e-8, atol=1e-10)
    # The index is then what its definition says.
    expected = (shift @ top.information) / (
        top.information @ np.linalg.pinv(evidence) @ top.information
    )
    np.testing.assert_allclose(measure(problem).revision, expected, rtol=1e-7)


def test_surprise_and_entropy_are_the_gaussian_closed_forms(hierarchy):
    """Prevents a divergence taken the wrong way round, or an entropy without its 2 pi e."""
    found = measure(presented(hierarchy))
    prior = as_matrix(hierarchy.precisions[-1], 3)
    covariance, shift = found.covariance, found.mode - hierarchy.prior_mean
    spread = np.trace(prior @ covariance) + shift @ prior @ shift - 3
    log_det = np.linalg.slogdet(covariance)[1]
    kl = 0.5 * (spread - log_det - np.linalg.slogdet(prior)[1])
    np.testing.assert_allclose(found.surprise, kl, rtol=1e-9)
    entropy = 0.5 * (log_det + 3 * np.log(2 * np.pi * np.e))
    np.testing.assert_allclose(found.entropy, entropy, rtol=1e-9)


def test_levels_share_the_squared_error_and_evidence_is_counted_per_unit(hierarchy):
    """And the belief is that of the posterior, inference having arrived."""
    problem = presented(hierarchy)
    found, (_, latents) = measure(problem), at_top(problem)
    errors = [
        latents[0] - hierarchy.weights[0] @ latents[1] - hierarchy.biases[0],
        latents[1] - hierarchy.weights[1] @ latents[2] - hierarchy.biases[1],
        latents[2] - hierarchy.prior_mean,
    ]
    squares = np.asarray(
        [
            error @ as_matrix(precision, len(error)) @ error
            for error, precision in zip(errors, hierarchy.precisions, strict=True)
        ]
    )
    np.testing.assert_allclose(found.energy_share, squares / squares.sum(), rtol=1e-8)
    whole, prior = dense_precision(hierarchy)
    a, b, c = whole[:4, :4], whole[:4, 4:], whole[4:, 4:] - prior
    evidence = np.trace(c - b.T @ np.linalg.solve(a, b)) / 3
    np.testing.assert_allclose(found.evidence_precision, evidence, rtol=1e-8)
    np.testing.assert_allclose(found.shift, np.linalg.norm(errors[-1]), rtol=1e-8)
    assert bool(found.converged) and 0 <= found.residual < 1e-8
    draws = np.random.default_rng(0).multivariate_normal(
        found.mode, found.covariance, 20_000
    )
    wins = np.bincount(draws.argmax(axis=1), minlength=3) / 20_000
    error = np.sqrt(wins * (1 - wins) / 64)
    assert np.all(np.abs(found.belief - wins) < 4 * error + 1e-3)


def test_the_readout_belief_of_two_hypotheses_is_its_integral():
    """Prevents the winner's probability from ignoring how the readouts covary."""
    mode = jnp.array([0.4, 0.0])
    covariance = jnp.array([[1.0, 0.6], [0.6, 0.5]])
    found = readout_belief(mode, jnp.linalg.cholesky(covariance), KEY, 40_000)
    spread = np.sqrt(1.0 + 0.5 - 2 * 0.6)
    np.testing.assert_allclose(found[0], norm.cdf(0.4 / spread), atol=0.01)
    np.testing.assert_allclose(found.sum(), 1.0, rtol=1e-12)


@pytest.mark.slow
def test_a_belief_about_a_lower_level_adds_its_error_and_no_normaliser(hierarchy):
    """Prevents energy shares that change with the units of a temporal prior."""
    data = np.random.default_rng(9).normal(size=WIDTHS[0])
    held = pcmodel.Belief.of(np.ones(4), 50.0, level="hidden1")
    problem = pose(network_of(hierarchy), data, prior=held).problem
    found, (_, latents) = measure(problem), at_top(problem)
    errors = [
        data - hierarchy.weights[0] @ latents[1] - hierarchy.biases[0],
        latents[1] - hierarchy.weights[1] @ latents[2] - hierarchy.biases[1],
        latents[2] - hierarchy.prior_mean,
    ]
    squares = [
        error @ as_matrix(precision, len(error)) @ error
        for error, precision in zip(errors, hierarchy.precisions, strict=True)
    ]
    squares[1] += 50.0 * np.sum((latents[1] - 1) ** 2)
    expected = np.array(squares) / np.sum(squares)
    np.testing.assert_allclose(found.energy_share, expected, rtol=1e-8)


def test_settling_time_is_the_slowest_direction_of_gradient_inference(hierarchy):
    """Prevents a time constant that gradient inference does not have."""
    problem = presented(hierarchy)
    _, latents = at_top(problem)
    time = settle(problem, latents)
    eigenvalues = np.linalg.eigvalsh(dense_precision(hierarchy)[0])
    np.testing.assert_allclose(time, 1 / eigenvalues[0], rtol=1e-8)
    # The distance still to go falls by e every `time / rate` steps, once faster ones died.
    rate, steps = 0.2 / eigenvalues[-1], 4000
    mode = state_from_latents(problem.structure, latents)
    start = mode + jnp.ones_like(mode)
    path = trajectory(pcmodel.StateDescent(optax.sgd(rate)), problem, start, steps)
    distance = np.linalg.norm(path.points - mode[None], axis=1)
    last = np.flatnonzero(distance > 1e-8 * distance[0])[-1]
    decay = np.log(distance[last // 2] / distance[last]) / (last - last // 2)
    np.testing.assert_allclose(decay, -np.log1p(-rate / float(time)), rtol=0.02)


def test_all_gains_alike_move_no_mode_and_all_but_one_do(hierarchy):
    """Prevents a change of overall precision from being reported as revision."""
    plain = measure(presented(hierarchy))
    alike = measure(presented(hierarchy, uniform(0.25, NAMES)))
    np.testing.assert_allclose(alike.mode, plain.mode, rtol=1e-8)
    np.testing.assert_allclose(alike.revision, plain.revision, rtol=1e-8)
    np.testing.assert_allclose(alike.covariance, 4 * plain.covariance, rtol=1e-8)
    np.testing.assert_allclose(
        alike.entropy, plain.entropy + 1.5 * np.log(4), rtol=1e-8
    )
    for spared in range(3):
        wrong = [1.0 if level == spared else 0.25 for level in range(3)]
        moved = measure(presented(hierarchy, gains(*wrong)))
        assert np.abs(moved.mode - plain.mode).max() > 1e-3, spared


def test_raised_sensory_precision_is_all_others_relaxed_and_nothing_less(hierarchy):
    """Prevents two accounts that no belief can tell apart from being told apart by one."""
    sensory = measure(presented(hierarchy, gains(4.0, 1.0, 1.0)))
    others = measure(presented(hierarchy, gains(1.0, 0.25, 0.25)))
    np.testing.assert_allclose(others.mode, sensory.mode, rtol=1e-8)
    np.testing.assert_allclose(others.revision, sensory.revision, rtol=1e-8)
    np.testing.assert_allclose(others.covariance, 4 * sensory.covariance, rtol=1e-8)
    for wrong in ((1.0, 0.25, 1.0), (1.0, 1.0, 0.25), (0.25, 1.0, 1.0)):
        moved = measure(presented(hierarchy, gains(*wrong)))
        assert np.abs(moved.mode - sensory.mode).max() > 1e-3, wrong


def test_relaxation_without_evidence_moves_nothing(hierarchy):
    """Prevents the drug from passing for the therapy."""
    network = network_of(hierarchy)
    nothing = pose(network, modulation=pcmodel.relax("top", 0.1)).problem
    found = measure(nothing)
    np.testing.assert_allclose(found.mode, hierarchy.prior_mean, rtol=1e-10)
    np.testing.assert_allclose([found.revision, found.shift], 0.0, atol=1e-10)
    # The same relaxation with evidence does move it.
    moved = measure(presented(hierarchy, pcmodel.relax("top", 0.1)))
    assert moved.shift > 0.05 and moved.revision > 0.05
