"""What is called converged is the mode: generated problems against independent oracles."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import optax
import pytest
from flax import nnx

import pcmodel
from benchmarks.accuracy.bent import bent_battery, bent_word
from benchmarks.accuracy.linear import (
    draw_numbers,
    draw_shape,
    judge,
    linear_battery,
    pose_linear,
    word,
)
from pcmodel.api.infer import run_inference
from pcmodel.api.pose import Posed, pose
from pcmodel.inference import GaussNewton, TruncatedNewton
from pcmodel.inference.certificates.kinks import has_kinks
from pcmodel.inference.certificates.newton_decrement import decrement_bound
from pcmodel.inference.linear.dual_primal import LinearSolution
from pcmodel.inference.whitened import linearise


def single(posed):
    """The same problem in float32."""
    problem = jax.tree.map(lambda array: array.astype(jnp.float32), posed.problem)
    return Posed(problem, posed.batching)


def quiet(_):
    """No progress lines."""


def in_single(count, seed, solver, each=20):
    """Verdicts of linear problems in float32, whatever the default type is."""
    rng, verdicts = np.random.default_rng(seed), []
    while len(verdicts) < count:
        shape = draw_shape(rng)
        for _ in range(each):
            posed = single(pose_linear(shape, draw_numbers(rng, shape)))
            if posed.problem.structure.num_free == 0:
                break
            verdicts.append(judge(posed.problem, run_inference(posed, solver)))
    return verdicts


def test_a_vague_top_over_precise_senses_is_moved_in_single_precision():
    """One unit on one unit in closed form: precisions 1e6 and 1e-2, weight .7, prior .2, data 1.3."""
    network = pcmodel.linear_gaussian(
        [np.array([[0.7]])], [1e6, 1e-2], prior_mean=np.array([0.2])
    )
    precision = 1e6 * 0.7**2 + 1e-2
    mode = (1e6 * 0.7 * 1.3 + 1e-2 * 0.2) / precision
    found = run_inference(single(pose(network, np.array([1.3]))), GaussNewton())
    assert found.converged
    assert float(found.latents[1][0]) == pytest.approx(mode, rel=1e-6)
    evidence = pcmodel.posterior(network, np.array([1.3])).log_evidence
    spread = 0.7**2 / 1e-2 + 1e-6
    expected = -0.5 * ((1.3 - 0.7 * 0.2) ** 2 / spread + np.log(2 * np.pi * spread))
    assert float(evidence) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    "solver",
    [
        GaussNewton(),
        pytest.param(GaussNewton(pcmodel.Dual()), marks=pytest.mark.slow),
        pytest.param(GaussNewton(pcmodel.Primal()), marks=pytest.mark.slow),
        pytest.param(GaussNewton(pcmodel.ConjugateGradient()), marks=pytest.mark.slow),
        pytest.param(pcmodel.Exact(), marks=pytest.mark.slow),
    ],
)
def test_nothing_certified_is_wrong_in_single_precision(solver):
    """Precisions of ratios to 1e8, gains to 1e-6, parts clamped, beliefs: within 0.1 s.d. of the mode.

    `Exact` is differentiated through and so cannot correct its factor: where that fails it says that it did.
    """
    count = 20 if solver == GaussNewton() else 120
    share = 0.95 if solver == pcmodel.Exact() else 0.98
    words = [word(verdict) for verdict in in_single(count, 3, solver, each=20)]
    assert "certified wrong" not in words
    assert words.count("right") >= share * len(words), words


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_battery_of_a_thousand_linear_problems():
    """At least 99 % right in either float type, none wrong and certified."""
    for verdicts in (
        in_single(1000, 1, GaussNewton()),
        linear_battery(1000, 1, report=quiet),
    ):
        words = [word(verdict) for verdict in verdicts]
        assert "certified wrong" not in words
        assert words.count("right") >= 0.99 * len(words)


def test_a_bad_newton_step_never_shortens_the_distance():
    """The bound of the certificate holds for any step, and is the decrement for the right one."""
    rng = np.random.default_rng(0)
    shape = draw_shape(rng)
    problem = pose_linear(shape, draw_numbers(rng, shape)).problem
    whitened = jnp.asarray(rng.normal(size=problem.structure.num_free))
    linear = linearise(problem, whitened)
    matrix = np.asarray(jax.vmap(linear.push)(jnp.eye(whitened.shape[0]))).T
    hessian = np.eye(len(whitened)) + matrix.T @ matrix
    gradient = np.asarray(linear.gradient)
    exact = np.linalg.solve(hessian, -gradient)
    decrement = np.sqrt(-gradient @ exact)

    def bound(step):
        pushed = linear.push(jnp.asarray(step))
        solution = LinearSolution(
            jnp.asarray(step), pushed, linear.pull(pushed), jnp.zeros(()), jnp.zeros(())
        )
        return float(decrement_bound(linear.gradient, solution))

    assert bound(exact) == pytest.approx(decrement, rel=1e-6)
    assert bound(0 * exact) == pytest.approx(np.linalg.norm(gradient), rel=1e-9)
    for _ in range(20):
        wrong = exact * rng.normal() + rng.normal(size=exact.size)
        assert bound(wrong) >= decrement * (1 - 1e-6)


def rectified(activation):
    """One unit on one unit on one unit, weights 1, biases 0."""
    network = pcmodel.dense((1, 1, 1), activation=activation, rngs=nnx.Rngs(0))
    for layer in network.layers:
        layer.weight[...] = jnp.ones((1, 1))
        layer.bias[...] = jnp.zeros(1)
    return network


@pytest.mark.parametrize("start", [None, (3.0, 0.0, 0.0)])
def test_a_rectifier_at_rest_is_left(start):
    """(3 - x)^2 + (x - t)^2 + t^2 over positive x and t: least at 2 and 1; at rest nothing has a gradient."""
    initial = None if start is None else tuple(jnp.asarray([x]) for x in start)
    found = pcmodel.infer(rectified(jax.nn.relu), np.array([3.0]), initial=initial)
    assert found.converged
    np.testing.assert_allclose(np.concatenate(found.latents), [3, 2, 1], rtol=1e-6)
    energy = 0.5 * (1 + 1 + 1) + 1.5 * np.log(2 * np.pi)
    assert float(found.energy) == pytest.approx(energy, rel=1e-9)


@pytest.mark.parametrize("start", [None, (3.0, 0.0, 0.0)])
def test_a_saddle_is_left(start):
    """x^2 predicts 3 from rest: the energy falls to both sides. Stationary where 2 x (x^2 - 3) + x / 2 = 0."""
    initial = None if start is None else tuple(jnp.asarray([x]) for x in start)
    found = pcmodel.infer(rectified(jnp.square), np.array([3.0]), initial=initial)
    assert found.converged
    assert abs(float(found.latents[1][0])) == pytest.approx(np.sqrt(2.75), rel=1e-6)


def test_corners_are_read_from_operations():
    """Prevents smooth networks from paying for corners, and others from not being looked at."""
    for activation, expected in (
        (jax.nn.relu, True),
        (jax.nn.leaky_relu, True),
        (jnp.abs, True),
        (jnp.tanh, False),
        (jax.nn.gelu, False),
        (jax.nn.sigmoid, False),
    ):
        problem = pose(rectified(activation), np.array([3.0])).problem
        assert has_kinks(problem) == expected, activation


@pytest.mark.parametrize(
    "solver",
    [
        pcmodel.StateDescent(optax.sgd(0.1)),
        pcmodel.ErrorDescent(optax.sgd(0.1)),
        TruncatedNewton(3),
    ],
)
def test_no_solver_calls_a_dead_rectifier_a_mode(solver):
    """At rest every gradient is zero, and every solver stays there; beside it the energy falls."""
    network = rectified(jax.nn.relu)
    start = (jnp.array([3.0]), jnp.zeros(1), jnp.zeros(1))
    found = pcmodel.infer(network, np.array([3.0]), solver=solver, initial=start)
    assert float(found.latents[1][0]) == 0 and not found.converged


def test_certified_modes_of_nonlinear_networks_have_no_way_down_beside_them():
    """Hand-written energies and SciPy, from beside each answer."""
    words = [
        bent_word(v) for v in bent_battery(4, 5, each=2, num_starts=2, report=quiet)
    ]
    assert "certified, no mode" not in words
    assert "right" in words


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_battery_of_nonlinear_problems():
    """No certified answer is no mode; where the start did not move at most 1 % are above the best of twenty."""
    verdicts = bent_battery(400, 2, report=quiet)
    words = [bent_word(verdict) for verdict in verdicts]
    assert "certified, no mode" not in words
    assert words.count("did not move") <= 0.01 * len(words)


@dataclass(frozen=True)
class StudentT:
    """A user's own likelihood, whose Fisher information is not its Hessian."""

    freedom: float = 3.0
    name = "student_t"

    def mean(self, logits):
        return logits

    def energy_terms(self, logits, data, gain):
        wide = jnp.log1p((data - logits) ** 2 / self.freedom)
        return gain * 0.5 * (self.freedom + 1) * wide

    def push_root(self, logits, gain, vector):
        del logits
        return jnp.sqrt(gain * (self.freedom + 1) / (self.freedom + 3)) * vector

    def pull_root(self, logits, gain, vector):
        return self.push_root(logits, gain, vector)

    def sample(self, key, logits):
        return logits + jax.random.t(key, self.freedom, logits.shape)


@pytest.fixture
def unannotated():
    """As users run the package: annotations, which name its own likelihoods only, are not checked."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.usefixtures("unannotated")
@pytest.mark.parametrize("data", [(-10.0, 10.0), (10.0, 10.0)])
def test_own_likelihoods_are_looked_at_for_saddles_however_linear_the_network(data):
    """Two data, one unit: between outliers lies a maximum, a prediction away from both; the mode by a grid."""
    weights = [np.ones((2, 1))]
    network = pcmodel.linear_gaussian(
        weights, [None, 0.01], likelihood=pcmodel.Bernoulli()
    )
    network.likelihood = StudentT()
    found = pcmodel.infer(network, np.array(data))
    x = np.linspace(-12, 12, 2_400_001)
    energy = 0.005 * x**2 + sum(2 * np.log1p((y - x) ** 2 / 3) for y in data)
    inside = energy[1:-1]
    modes = x[1:-1][(inside < energy[:-2]) & (inside < energy[2:])]
    assert found.converged
    assert np.min(np.abs(modes - float(found.latents[1][0]))) < 2e-5


@pytest.mark.parametrize(("ratio", "precision"), [(-0.05, 1000.0), (-0.2, 100.0)])
def test_one_direction_down_among_many_up_is_not_certified(ratio, precision):
    """Squares in single precision: x_i^2 is told y_i; the modes are 0 or the roots of y_i - p / 2 by the ratio's sign."""
    size = 16
    ratios = np.random.default_rng(0).uniform(0.05, 3, size)
    ratios[7] = ratio
    network = pcmodel.dense(
        (size, size, 1),
        activation=jnp.square,
        precisions=[1.0, precision, 1.0],
        rngs=nnx.Rngs(0),
    )
    network.layers[0].weight[...] = jnp.eye(size)
    network.layers[1].weight[...] = jnp.zeros((size, 1))
    problem = pose(network, (1 - ratios) * precision / 2)
    single = jax.tree.map(lambda array: array.astype(jnp.float32), problem.problem)
    found = run_inference(Posed(single, problem.batching), GaussNewton())
    right = np.abs(float(found.latents[1][7])) - np.sqrt(-ratio * precision / 2)
    assert not found.converged or abs(right) < 1e-3
