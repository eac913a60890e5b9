"""The residual of nudging: never small where inference is wrong, measured against the closed form of a linear network."""

from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.learning import EvenOdd, FixedPoint, Incremental, NudgedLoss, classical
from pcmodel.learning.em import em_step, init_learning, problem_of
from pcmodel.learning.nudging.distance import PRODUCTS, distance_left, solution_norm
from pcmodel.networks.pure import as_model

CASES = 300
CONVERGED = 0.1
"""The limit of `LearningInfo.converged`."""
INFERENCES = [FixedPoint(1), FixedPoint(2), FixedPoint(60), EvenOdd(5), EvenOdd(60)]


def generated(widths, dtype, rng):
    """Random weights, log-precisions, data and signed strengths, one case a row."""
    shapes = list(pairwise(widths))
    weights = [rng.normal(size=(CASES, *shape)) / np.sqrt(shape[1]) for shape in shapes]
    precisions = rng.uniform(-8, 8, (CASES, len(widths))) * np.log(10)
    precisions[: CASES // 2, 0] = 0  # the published case: a label precision of 1
    precisions[: CASES // 4, 1:] = precisions[: CASES // 4, 1:2]
    strengths = 10 ** rng.uniform(-4, 0, CASES) * rng.choice([-1, 1], CASES)
    # Some lie beside the singular Hessian of a negative nudge, where a last step says nothing.
    ends = [rng.normal(size=(CASES, width)) for width in (widths[0], widths[-1])]
    given = weights, precisions, ends, strengths
    near = slice(CASES // 4, CASES // 3)
    curvature = np.array([top_curvature(*row(given, i)[:2]) for i in range(CASES)])
    strengths[near] = -rng.choice([0.9, 0.99, 0.999, 1.01, 1.5], CASES)[near]
    strengths[near] /= curvature[near]
    return jax.tree.map(lambda leaf: np.asarray(leaf, dtype), given)


def row(given, i):
    """One case in float64."""
    return jax.tree.map(lambda leaf: np.asarray(leaf[i], np.float64), given)


def sensitivity(weights, precisions):
    """Whitened errors of the label per whitened error of the hidden levels."""
    roots, product, blocks = np.exp(precisions / 2), np.eye(weights[0].shape[0]), []
    for weight, root in zip(weights[:-1], roots[1:-1], strict=True):
        product = product @ weight
        blocks.append(-roots[0] * product / root)
    return np.concatenate(blocks, axis=1)


def top_curvature(weights, precisions):
    return np.linalg.norm(sensitivity(weights, precisions), 2) ** 2


def equilibrium(weights, precisions, ends, strength):
    """z of (1 + w J'J) z = -w J'r, by the outputs' own small system."""
    label, image = ends
    for weight in reversed(weights):
        image = weight @ image
    row = np.exp(precisions[0] / 2) * (label - image)
    jacobian = sensitivity(weights, precisions)
    left, values, right = np.linalg.svd(jacobian, full_matrices=False)
    return right.T @ (-strength * values / (1 + strength * values**2) * (left.T @ row))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("widths", [(1, 1, 1), (3, 1, 4, 2), (2, 6, 5, 3)])
def test_nothing_wrong_is_called_converged(widths, dtype):
    """Over precisions of 1e-8 to 1e8, strengths of 1e-4 to 1, both signs and near-singular Hessians: where the residual is
    below a tenth the latents are within a quarter of the closed form; where iteration contracts it is small."""
    with jax.enable_x64(dtype == np.float64):
        given = generated(widths, dtype, np.random.default_rng(len(widths)))
        truths = [equilibrium(*row(given, i)) for i in range(CASES)]
        contraction = np.array(
            [
                abs(case[3]) * top_curvature(*case[:2])
                for case in (row(given, i) for i in range(CASES))
            ]
        )
        network = pcmodel.linear_gaussian(
            [weight[0] for weight in given[0]], [1.0] * len(widths)
        )
        pure = as_model(network)
        posed = pose(pure, given[2][0][0], clamp={"top": given[2][1][0]})
        structure = posed.problem.structure

        def found(inference, weights, precisions, ends, strength):
            layers = tuple(
                {**layer, "weight": weight}
                for layer, weight in zip(pure.weights["layers"], weights, strict=True)
            )
            empty = jnp.zeros((0,), dtype)
            values = (ends[0], *[empty] * (len(widths) - 2), ends[1])
            problem = problem_of(
                structure,
                {**pure.weights, "layers": layers},
                tuple(precisions),
                values,
            )
            whitened = inference.settle(problem, strength)
            return whitened, distance_left(problem, whitened, strength)

        right = 0
        for inference in INFERENCES:
            run = jax.jit(jax.vmap(lambda *case, by=inference: found(by, *case)))
            whitened, residual = map(np.asarray, run(*given))
            assert not np.any(np.isnan(residual))
            for z, left, truth in zip(whitened, residual, truths, strict=True):
                if left < CONVERGED:
                    away = np.linalg.norm(np.float64(z) - truth)
                    assert away < 0.25 * np.linalg.norm(truth), (inference, left)
                    right += 1
            if inference in (FixedPoint(2), FixedPoint(60)):
                assert np.all(residual[contraction < 0.2] < CONVERGED)
            assert np.all(residual[(contraction > 3)][:, None] > CONVERGED)
        assert right > CASES  # of five times as many


def hard_problem(hidden):
    """A label that strong weights predict, under a hidden precision, and its data."""
    network = pcmodel.dense(
        (3, 6, 5, 4), precisions=[1.0, hidden, hidden, 1.0], rngs=nnx.Rngs(0)
    )
    rng = np.random.default_rng(0)
    return network, rng.normal(size=(8, 3)), rng.normal(size=(8, 4))


def info_of(network, rule, labels, images, rate=1e-3):
    """What one learning step tells."""
    pure = as_model(network)
    structure = pose(pure, labels, clamp={"top": images}).problem.structure
    learning = classical(optax.sgd(rate), rule=rule)
    state = init_learning(
        pure.weights, pure.log_precisions, learning, structure=structure
    )
    dtype = pure.weights["prior_mean"].dtype
    empty = [jnp.zeros((len(labels), 0), dtype)] * (len(network.widths) - 2)
    values = (jnp.asarray(labels, dtype), *empty, jnp.asarray(images, dtype))
    step = jax.jit(
        lambda state, values: em_step(
            state, values, jax.random.key(0), structure=structure, learning=learning
        )
    )
    return step(state, values)[1]


@pytest.mark.parametrize("sign", ["centred", "random", "positive", "negative"])
@pytest.mark.parametrize("inference", [FixedPoint(2), FixedPoint(40), EvenOdd(5)])
def test_low_hidden_precisions_are_told(sign, inference):
    """Prevents a run of diverging inference from looking like any other."""
    for hidden, share in ((1e-8, 0.0), (1e-4, 0.0), (1.0, 1.0), (1e8, 1.0)):
        rule = NudgedLoss(0.02, sign, inference, measured=8)
        info = info_of(*with_rule(hidden, rule))
        assert float(info.converged) == share
        assert (float(info.residual) < CONVERGED) == bool(share)


def with_rule(hidden, rule):
    network, labels, images = hard_problem(hidden)
    return network, rule, labels, images


def test_the_worse_sign_and_every_measured_example_count():
    """Prevents a mean over both signs from hiding one, and a measure of other examples than asked for."""
    network, labels, images = hard_problem(0.05)
    told = {
        sign: info_of(network, NudgedLoss(0.02, sign, measured=8), labels, images)
        for sign in ("centred", "positive", "negative")
    }
    both = max(float(told[sign].residual) for sign in ("positive", "negative"))
    assert float(told["centred"].residual) >= both * (1 - 1e-5)
    one = info_of(network, NudgedLoss(0.02), labels[:1], images[:1])
    first = info_of(network, NudgedLoss(0.02), labels, images)
    assert float(one.residual) == pytest.approx(float(first.residual), rel=1e-4)


def test_incremental_coding_tells_how_far_from_the_mode_it_ends():
    """A bound that falls with inference steps, is small at the mode and infinite where descent diverges."""
    network, labels, images = hard_problem(4.0)
    residuals = [
        float(
            info_of(
                network,
                Incremental(steps, optax.sgd(rate), warmup=steps, last=True),
                labels,
                images,
                rate=1e-12,
            ).residual
        )
        for steps, rate in ((2, 0.05), (20, 0.05), (600, 0.05), (200, 50.0))
    ]
    assert residuals[0] > residuals[1] > 1e-3 > residuals[2]
    assert residuals[3] == np.inf


@pytest.mark.parametrize("size", [1, 2, PRODUCTS, 9])
def test_the_solution_is_exact_in_few_dimensions_and_otherwise_not_below(size):
    """Against a dense solve, of indefinite matrices, a zero right side and one whose space is exhausted at once."""
    rng = np.random.default_rng(size)
    for scale in (1e-3, 1.0, 1e3) if size <= PRODUCTS else (1e-3, 0.1, 1.0):
        half = rng.normal(size=(size, size)) * scale
        matrix = np.eye(size) - half @ half.T
        for right in (rng.normal(size=size), np.linalg.eigh(matrix)[1][:, 0]):
            truth = np.linalg.norm(np.linalg.solve(matrix, right))
            with jax.enable_x64(True):
                product = partial(jnp.matmul, jnp.asarray(matrix))
                told = float(solution_norm(product, jnp.asarray(right)))
            if size <= PRODUCTS:
                assert told == pytest.approx(truth, rel=1e-6)
            else:
                assert told > 0.9 * truth
    assert float(solution_norm(lambda v: v, jnp.zeros(3))) == 0


@pytest.mark.parametrize("strength", [1e-6, 1e-4, 0.02])
def test_even_and_odd_levels_lose_the_digits_that_their_docstring_says(strength):
    """In float32 the two inferences of one point differ by rounding over the strength, and the residual tells it."""
    with jax.enable_x64(False):
        network, labels, images = hard_problem(1.0)
        pure = as_model(network)
        structure = pose(pure, labels, clamp={"top": images}).problem.structure
        empty = jnp.zeros((0,), np.float32)

        def both(label, image):
            values = (label, empty, empty, image)
            problem = problem_of(structure, pure.weights, pure.log_precisions, values)
            weight = jnp.float32(strength)
            one, two = (
                way(12).settle(problem, weight) for way in (FixedPoint, EvenOdd)
            )
            return one, two, distance_left(problem, two, weight)

        found = jax.vmap(both)(jnp.float32(labels), jnp.float32(images))
    one, two, told = (np.asarray(each, np.float64) for each in found)
    off = np.linalg.norm(two - one, axis=1) / np.linalg.norm(one, axis=1)
    digits = np.finfo(np.float32).eps / strength
    assert 0.02 * digits < np.median(off) < 5 * digits
    assert np.all(told > 0.3 * off)
