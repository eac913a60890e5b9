"""The training door and loop: what is refused, what repeats, and what a step computes."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.inference import TruncatedNewton
from pcmodel.learning import (
    FixedHiddenPrecision,
    Frozen,
    GradientStep,
    Learning,
    MovingAverage,
    PointEstimate,
    PosteriorSamples,
)
from pcmodel.learning.em import em_step, init_learning
from pcmodel.learning.loop import run_chunk
from pcmodel.networks.pure import as_model

DATA = np.random.default_rng(0).normal(size=(24, 4))


SAMPLES = PosteriorSamples(solver=TruncatedNewton(3))
"""A short program to compile."""


def network(seed=0, **options):
    return pcmodel.dense((4, 3, 2), rngs=nnx.Rngs(seed), **options)


def train(data=DATA, *, seed=0, given=None, **options):
    options = {"num_epochs": 2, "batch_size": 8, **options}
    options.setdefault("learning", SHORT)
    given = given or network()
    return pcmodel.train(given, data, key=jax.random.key(seed), **options)


SHORT = Learning(e_step=SAMPLES)


def arrays(result):
    return as_model(result.network)[1:]


def test_a_point_estimate_is_refused_precisions_and_told_why():
    """Prevents precisions that run away from being trained for hours before it shows."""
    with pytest.raises(pcmodel.UserError, match=r"diverges.*precision_step=Frozen"):
        train(learning=Learning(e_step=PointEstimate()))
    before = as_model(network())
    result = train(
        learning=Learning(
            e_step=PointEstimate(TruncatedNewton()), precision_step=Frozen()
        )
    )
    weights, log_precisions = arrays(result)
    jax.tree.map(np.testing.assert_array_equal, log_precisions, before.log_precisions)
    moved = jax.tree.map(lambda a, b: jnp.abs(a - b).max(), weights, before.weights)
    assert all(value > 1e-4 for value in jax.tree.leaves(moved["layers"]))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"data": DATA[0]}, r"\(examples, width\)"),
        ({"data": DATA[:, :3]}, "4 units"),
        ({"data": np.full((8, 4), np.nan)}, "NaN"),
        ({"batch_size": 25}, "exceeds the 24 examples"),
        ({"batch_size": 0}, "at least 1"),
        ({"num_epochs": 0}, "at least 1"),
        ({"plasticity": -0.5}, "plasticity must be one number, finite"),
        ({"learning": Learning(optax.sgd(float("nan")))}, "a step of nan"),
        ({"learning": Learning(optax.adam(float("inf")))}, "a step of -?(nan|inf)"),
        (
            {"learning": Learning(precision_step=GradientStep(optax.adam(np.nan)))},
            "GradientStep: the optimiser makes a step of nan",
        ),
        ({"clamp": {"top": np.zeros((23, 2))}}, "batch sizes disagree"),
    ],
)
def test_training_that_cannot_work_is_refused_in_one_sentence(options, words):
    """Prevents a mistake at the door from training something else than was asked."""
    with pytest.raises(pcmodel.UserError, match=words):
        train(**options)


@pytest.mark.parametrize("rate", [1.5, -0.1, float("nan")])
def test_a_moving_average_moves_by_a_share(rate):
    """Prevents a running variance from overshooting, or from becoming NaN."""
    with pytest.raises(pcmodel.UserError, match=r"MovingAverage: rate.*at most 1"):
        MovingAverage(rate)


@pytest.mark.parametrize("floor", [-1.0, float("nan"), float("inf"), "1"])
def test_a_variance_floor_is_a_variance(floor):
    """Prevents a negative floor from making a precision that no errors have."""
    with pytest.raises(pcmodel.UserError, match="variance_floor"):
        Learning(variance_floor=floor)


@pytest.mark.parametrize("number", [0, -1])
def test_posterior_samples_are_some(number):
    """Prevents an average over no draws, which is NaN, from reaching the weights."""
    with pytest.raises(pcmodel.UserError, match="1 or more"):
        PosteriorSamples(number)


def test_the_same_seed_trains_the_same_network_to_the_bit():
    """Prevents a result that cannot be reproduced, even on the same machine."""
    one, same, other = train(), train(), train(seed=1)
    jax.tree.map(np.testing.assert_array_equal, arrays(one), arrays(same))
    np.testing.assert_array_equal(one.curve.energy, same.curve.energy)
    weights = [result.network.layers[0].weight[...] for result in (one, other)]
    assert not np.allclose(*weights, rtol=1e-4)


def test_an_epoch_is_compiled_once_and_every_epoch_ticks():
    """Prevents every epoch, every network of a sweep, or every fresh optimiser from compiling anew."""
    ticks = []
    before = run_chunk._cache_size()
    for seed in range(2):
        train(
            given=network(seed),
            num_epochs=5,
            learning=Learning(optax.adam(5e-3), e_step=SAMPLES),
            advance=lambda: ticks.append(seed),  # noqa: B023
        )
    assert run_chunk._cache_size() - before == 1
    assert ticks == [0] * 5 + [1] * 5


def test_the_network_given_is_not_changed():
    """Prevents the untrained control from being trained through the back door."""
    given = network()
    train(given=given)
    jax.tree.map(np.testing.assert_array_equal, as_model(given), as_model(network()))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rate", "num_epochs"),
    [(1e200, 4), (1e200, 1)],
)
def test_an_absurd_learning_rate_ends_early_with_a_network_that_still_infers(
    rate, num_epochs
):
    """Prevents an exploded run from being returned, saved and analysed."""
    learning = Learning(optax.sgd(rate))
    result = train(learning=learning, num_epochs=num_epochs, batch_size=24)
    found = pcmodel.infer(result.network, DATA)
    finite = np.all(np.isfinite(np.asarray(found.energy)))
    if num_epochs == 1 and rate == 1e200:
        # One finite step, never evaluated: nothing yet says that it is bad.
        assert len(result.curve.energy) == 1
        return
    assert result.curve.stopped_early and finite
    assert result.stopped.startswith("stopped in epoch") and "finite" in result.stopped
    assert len(result.curve.energy) == 0
    jax.tree.map(np.testing.assert_array_equal, arrays(result), as_model(network())[1:])


def test_a_healthy_run_is_not_stopped():
    """Prevents the guard against divergence from ending learning at random."""
    result = train(num_epochs=3)
    curve = result.curve
    assert result.stopped == ""
    assert not curve.stopped_early and curve.energy.shape == (3,)
    assert curve.log_precisions.shape == (3, 3)


def test_the_weight_step_is_the_local_rule_at_clamped_latents():
    """Prevents a weight gradient without its precision, its bias, or its batch mean.

    One linear layer with both ends given: -dE/dW = mean of Pi (x0 - W x1 - b) x1'.
    """
    rng = np.random.default_rng(3)
    weight, bias = rng.normal(size=(3, 2)), rng.normal(size=3)
    precision = np.array([1.0, 4.0, 0.5])
    given = pcmodel.linear_gaussian([weight], [precision, 2.0], biases=[bias])
    below, above = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
    result = train(
        below,
        given=given,
        clamp={"top": above},
        learning=Learning(optax.sgd(0.1), precision_step=Frozen()),
        num_epochs=1,
    )
    weighted = (below - above @ weight.T - bias) * precision
    layer = result.network.layers[0]
    np.testing.assert_allclose(
        layer.weight[...], weight + 0.1 * weighted.T @ above / 8, rtol=1e-10
    )
    np.testing.assert_allclose(
        layer.bias[...], bias + 0.1 * weighted.mean(axis=0), rtol=1e-10
    )
    np.testing.assert_allclose(
        result.network.prior_mean[...], 0.1 * 2.0 * above.mean(axis=0), rtol=1e-10
    )


def test_the_precision_step_uses_the_errors_of_the_weights_before_the_step():
    """Prevents precisions from crediting the data with what the weights just learned."""
    rng = np.random.default_rng(3)
    weight = rng.normal(size=(3, 2))
    given = pcmodel.linear_gaussian([weight], [1.0, 1.0])
    below, above = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
    result = train(
        below,
        given=given,
        clamp={"top": above},
        learning=Learning(optax.sgd(0.1), precision_step=MovingAverage(0.25)),
        num_epochs=1,
    )
    moment = np.mean((below - above @ weight.T) ** 2)
    np.testing.assert_allclose(
        np.exp(-result.network.log_precision[0][...]), 0.75 + 0.25 * moment, rtol=1e-10
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["unit", "full"])
def test_a_variance_floor_bounds_the_precision_of_constant_pixels(kind):
    """Prevents border pixels, always black, from swallowing the likelihood."""
    floor = 0.01
    data = np.where(np.arange(4) < 2, 0.0, DATA)
    start = np.ones(4) if kind == "unit" else np.eye(4)

    def precisions(variance_floor):
        zero = [np.zeros((4, 2))]
        given = pcmodel.linear_gaussian(zero, [start, 1.0])
        learning = Learning(
            optax.set_to_zero(),
            precision_step=MovingAverage(1.0),
            variance_floor=variance_floor,
        )
        result = train(
            data, given=given, learning=learning, batch_size=24, num_epochs=2
        )
        learned = result.network.log_precision[0][...]
        bounds = np.exp(learned if kind == "unit" else np.diagonal(learned))
        return bounds, result.curve.stopped_early

    bounded, _ = precisions(floor)
    np.testing.assert_allclose(bounded[:2], 1 / floor, rtol=1e-9)
    assert np.all(bounded[2:] < 3)
    # Without it learning ends at once, and what is kept still has a likelihood.
    unbounded, stopped = precisions(0.0)
    assert stopped and np.all(unbounded == 1.0)


@pytest.mark.slow
def test_the_floor_belongs_to_the_data_alone():
    """Prevents hidden levels from being kept imprecise by noise that only pixels have."""
    pure = as_model(network())
    values = (jnp.asarray(DATA), jnp.zeros((24, 0)), jnp.zeros((24, 0)))
    structure = pose(network(), DATA).problem.structure
    found = []
    for floor in (0.0, 5.0):
        learning = Learning(
            optax.set_to_zero(), precision_step=MovingAverage(1.0), variance_floor=floor
        )
        state = init_learning(
            pure.weights, pure.log_precisions, learning, structure=structure
        )
        step = jax.jit(partial(em_step, structure=structure, learning=learning))
        moved, _ = step(state, values, jax.random.key(0))
        found.append(np.exp(-np.asarray(moved.log_precisions)))
    np.testing.assert_allclose(found[1] - found[0], [5.0, 0.0, 0.0], atol=1e-9)


HIDDEN_FIXED = Learning(
    optax.adam(1e-2),
    precision_step=MovingAverage(0.2),
    gauge=FixedHiddenPrecision(),
    e_step=SAMPLES,
)


def one_step(**options):
    result = train(learning=HIDDEN_FIXED, num_epochs=1, batch_size=24, **options)
    weights, precisions = arrays(result)
    variances = [np.exp(-np.asarray(value)) for value in precisions]
    return [*map(np.asarray, jax.tree.leaves(weights)), *variances]


@pytest.mark.slow
def test_plasticity_scales_what_a_step_changes():
    """Also under Adam, whose steps a rescaled gradient would leave as they are.

    A precision moves along its variance.  1 runs the program without plasticity, to the bit.
    """
    frozen, plain = one_step(plasticity=0.0), one_step()
    before = as_model(network())[1:]
    for got, expected in zip(frozen, jax.tree.leaves(before[0]), strict=False):
        np.testing.assert_array_equal(got, expected)
    compiled = run_chunk._cache_size()
    for plasticity in (0.25, 3.0):
        for got, whole, start in zip(
            one_step(plasticity=plasticity), plain, frozen, strict=True
        ):
            expected = start + plasticity * (whole - start)
            np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-9)
    for got, expected in zip(one_step(plasticity=1.0), plain, strict=True):
        np.testing.assert_array_equal(got, expected)
    assert run_chunk._cache_size() == compiled
