"""Nothing is certified where the energy beside an answer is not what its gradient and curvature say there."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest
from hierarchies import Mixed, mixed

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.inference import TruncatedNewton
from pcmodel.inference.certificates.newton_decrement import widened
from pcmodel.inference.certificates.smooth_operations import is_smooth


@pytest.mark.parametrize(
    "solver",
    [
        *(pcmodel.GaussNewton(), pcmodel.StateDescent(), pcmodel.ErrorDescent()),
        TruncatedNewton(),
    ],
    ids=lambda solver: type(solver).__name__,
)
def test_a_way_down_between_two_corners_is_not_certified_away(solver):
    """Prevents rest at zero, 150 nats above the mode at (10, -10): the way there raises one unit and lowers the other."""
    network = mixed(jax.nn.relu, ((1.0, 0.0), (1.0, 1.0)))
    found = pcmodel.infer(network, np.array([30.0, -300.0]), solver=solver)
    assert found.energy > 45300.0 + np.log(2 * np.pi) * 2 + 1.0
    assert not found.converged


@dataclass(frozen=True)
class Rectified:
    """Data with a spread of 1 / sqrt(50) around a rectified prediction."""

    name = "rectified"

    def mean(self, logits):
        return jax.nn.relu(logits)

    def energy_terms(self, logits, data, gain):
        return gain * 25 * (jax.nn.relu(logits) - data) ** 2

    def push_root(self, logits, gain, vector):
        return jnp.sqrt(50 * gain) * vector

    pull_root = push_root

    def sample(self, key, logits):
        return jax.nn.relu(logits)


@pytest.fixture
def unannotated():
    """As users run the package: annotations, which name its own likelihoods only, are not checked."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def observed_by(likelihood):
    """One unit of precision 1 under a likelihood of the user's."""
    network = pcmodel.linear_gaussian(
        [np.ones((1, 1))], [None, 1.0], likelihood=pcmodel.Bernoulli()
    )
    network.likelihood = likelihood
    return network


@pytest.mark.usefixtures("unannotated")
def test_corners_of_a_likelihood_are_asked():
    """Prevents rest at zero, where the likelihood has no slope; the mode is 50 * 2 / 51."""
    network = observed_by(Rectified())
    found = pcmodel.infer(network, np.array([2.0]))
    np.testing.assert_allclose(found.latents[1], 100 / 51, rtol=1e-6)
    assert found.converged
    stays = pcmodel.infer(network, np.array([2.0]), solver=pcmodel.StateDescent())
    assert np.abs(np.asarray(stays.latents[1]) - 100 / 51).max() > 0.1
    assert not stays.converged


@dataclass(frozen=True)
class Counts(Rectified):
    """Poisson without log d!: an energy that may be negative."""

    name = "counts"

    def energy_terms(self, logits, data, gain):
        return gain * (jnp.exp(logits) - data * logits)

    def push_root(self, logits, gain, vector):
        return jnp.sqrt(gain * jnp.exp(logits)) * vector

    pull_root = push_root


@pytest.mark.usefixtures("unannotated")
def test_a_negative_energy_has_a_rounding_of_its_own():
    """Prevents a residual that is not a number: exp(x) + x = 50 at the mode."""
    network = observed_by(Counts())
    found = pcmodel.infer(network, np.array([50.0]))
    x = float(found.latents[1][0])
    np.testing.assert_allclose(np.exp(x) + x, 50.0, rtol=1e-6)
    assert found.energy < -50 and found.converged and found.residual < 1e-6


def test_a_derivative_that_is_not_the_function_s_certifies_nothing():
    """`stop_gradient`: the gradient vanishes at 0, the energy falls to 1.5."""
    found = pcmodel.infer(mixed(jax.lax.stop_gradient), np.array([3.0]))
    assert found.latents[1][0] < 1.0 and not found.converged


@pytest.mark.parametrize("y", [0.8610355, -0.1025932])
def test_a_derivative_that_is_not_its_own_is_seen_in_several_directions(y):
    """In one direction alone 0.2 standard deviations were certified away, 0.02 nats above the minimum."""
    layers = [
        Mixed([[1.0]], jnp.square),
        Mixed([[1.0]], lambda x: x + jax.lax.stop_gradient(jnp.sin(x))),
    ]
    network = pcmodel.Network(
        layers,
        (1, 1, 1),
        log_precisions=[0.81067598, -1.4021769, 1.6023326],
        prior_mean=np.array([2.569567]),
    )
    problem = pose(network, np.array([y])).problem
    single = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), problem.inputs)
    found = pcmodel.inference.infer_one(
        replace(problem, inputs=single), pcmodel.GaussNewton()
    )
    assert not found.converged


def test_a_residual_that_reaches_over_the_rim_certifies_nothing():
    """x^4 seen as 10,000 rests at 0 within 0.005; single precision cannot tell where in 0.01."""
    network = mixed(lambda x: x**4)
    problem = pose(network, np.array([1e4])).problem
    single = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), problem.inputs)
    problem = replace(problem, inputs=single)
    found = pcmodel.inference.infer_one(problem, pcmodel.GaussNewton())
    assert abs(float(found.latents[1][0])) < 1e-2
    assert found.residual > 1e-3 and not found.converged


@pytest.mark.parametrize(
    ("function", "smooth"),
    [
        *((each, True) for each in (jnp.tanh, jax.nn.gelu, jax.nn.silu, jnp.sin)),
        *((each, False) for each in (jax.nn.elu, jax.nn.relu, jnp.square)),
        (jax.nn.softplus, False),
    ],
)
def test_smooth_functions_are_told_from_others(function, smooth):
    assert is_smooth(pose(mixed(function), np.array([0.5])).problem) == smooth


@pytest.mark.parametrize(
    "function",
    [
        jnp.tanh,
        jax.nn.gelu,
        pytest.param(jax.nn.silu, marks=pytest.mark.slow),
        pytest.param(jnp.sin, marks=pytest.mark.slow),
    ],
)
def test_smooth_functions_are_certified_without_being_asked(function):
    network = mixed(function)
    assert pcmodel.infer(network, np.array([0.5])).converged


@pytest.mark.parametrize(
    "function",
    [
        jax.nn.elu,
        jax.nn.relu,
        pytest.param(jax.nn.softplus, marks=pytest.mark.slow),
        jnp.square,
    ],
)
def test_other_functions_are_certified_where_they_agree_with_their_curvature(function):
    network = mixed(function)
    assert pcmodel.infer(network, np.array([0.5])).converged


def test_nothing_known_is_no_distance_even_of_no_residual():
    factors = jnp.array([1.0, 3.0, 1e19])
    np.testing.assert_array_equal(widened(jnp.zeros(3), factors), [0.0, 0.0, np.inf])
    np.testing.assert_array_equal(widened(jnp.full(3, 2.0), factors), [2, 6, np.inf])
