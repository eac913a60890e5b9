"""Exact EM at a rate and under a modulation, against the same equations by hand and against what they promise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel.api.learning.linear_em import linear_plan
from pcmodel.api.pose import pose
from pcmodel.learning.linear.linear_em import linear_em_step
from pcmodel.learning.linear.moments import Parameters
from pcmodel.model.slopes import Factors, factors_of
from pcmodel.networks.layers.dense import Dense, identity
from pcmodel.networks.pure import as_model

RNG = np.random.default_rng(11)
DATA = RNG.normal(1.0, 2.0, size=(7, 3))


def dense(rows, columns, seed):
    """A linear map with weights and bias of its own."""
    made = Dense(columns, rows, activation=identity, rngs=nnx.Rngs(seed))
    draw = np.random.default_rng(seed)
    made.weight[...] = jnp.asarray(draw.normal(size=(rows, columns)))
    assert made.bias is not None
    made.bias[...] = jnp.asarray(draw.normal(size=rows))
    return made


def tree(scale=1.0):
    """Two ends, a hidden level and two tops; precisions of every kind, two of them multiplied."""
    full = np.array([[2.0, 0.4], [0.4, 1.0]])
    return pcmodel.hierarchy(
        {
            "seen": pcmodel.Level(
                3, parents=["middle"], layer=dense(3, 2, 1), precision=1.5
            ),
            "heard": pcmodel.Level(
                2,
                parents=["top"],
                layer=dense(2, 1, 2),
                precision=np.array([1.0, 3.0]),
            ),
            "middle": pcmodel.Level(
                2, parents=["top"], layer=dense(2, 1, 3), precision=full * scale
            ),
            "top": pcmodel.Level(1, precision=2.0 * scale, prior_mean=np.array([0.5])),
        },
        rngs=nnx.Rngs(0),
    )


def posed_step(network, data, modulation=None, **fixed):
    """The pure step of a network and its parameters; data: of "seen", and of "heard" if they are a mapping."""
    pure = as_model(network)
    problem = pose(network, data).problem
    dtype = pure.weights["prior_mean"].dtype
    factors = None if modulation is None else factors_of(modulation, pure.model, dtype)
    plan = linear_plan(network, **fixed)

    @jax.jit
    def step(parameters, values, rate=None, factors=factors, weights=None):
        return linear_em_step(
            parameters,
            values,
            structure=problem.structure,
            plan=plan,
            rate=rate,
            factors=factors,
            weights=weights,
        )

    size = max(len(value) if value.ndim == 2 else 1 for value in problem.inputs.values)
    values = tuple(
        jnp.broadcast_to(value, (size, value.shape[-1]))
        for value in problem.inputs.values
    )
    return step, Parameters(pure.weights, pure.log_precisions), values


def assert_trees(found, expected, **tolerance):
    for got, right in zip(
        jax.tree.leaves(found), jax.tree.leaves(expected), strict=True
    ):
        np.testing.assert_allclose(got, right, **tolerance)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("gain", [1e-8, 0.3, 1.0, 1e8])
@pytest.mark.parametrize("rate", [1e-8, 0.1, 1.0])
def test_one_unit_moves_as_the_formulas_say(rate, gain, dtype):
    """m += r d; 1 / Pi = (1 - r) / Pi + r g (V + (1 - r) d^2), with the gain in inference as well."""
    prior, noise, mean, seen = 4.0, 0.5, -1.0, np.array([2.0, 1.0, 3.5])
    with jax.enable_x64(dtype == np.float64):
        network = pcmodel.linear_gaussian(
            [np.ones((1, 1))], [noise, prior], prior_mean=np.array([mean])
        )
        step, start, values = posed_step(
            network,
            seen[:, None].astype(dtype),
            pcmodel.relax("top", gain),
            fixed_layers="data",
            fixed_precisions="data",
        )
        found = step(start, values, rate).parameters
    assert found.weights["prior_mean"].dtype == dtype
    variance = 1 / (gain * prior + noise)
    belief = variance * (gain * prior * mean + noise * seen)
    moved = mean + rate * (belief.mean() - mean)
    errors = variance + np.mean((belief - moved) ** 2)
    expected = (1 - rate) * (1 / prior + gain * (moved - mean) ** 2)
    expected += rate * gain * errors
    wide = dtype == np.float64
    np.testing.assert_allclose(
        found.weights["prior_mean"], [moved], rtol=1e-9 if wide else 1e-5
    )
    np.testing.assert_allclose(
        np.exp(-found.log_precisions[1]), expected, rtol=1e-7 if wide else 1e-5
    )
    np.testing.assert_array_equal(found.log_precisions[0], start.log_precisions[0])


def joint_of(weights, log_precisions, gains):
    """Mean and covariance of (seen, heard, middle, top) under the gains, by hand in numpy."""
    widths = (3, 2, 2, 1)
    start = np.cumsum((0, *widths))
    matrix, offset = np.zeros((8, 8)), np.zeros(8)
    noise = np.zeros((8, 8))
    for level, parent in ((0, 2), (1, 3), (2, 3)):
        own = slice(start[level], start[level + 1])
        above = slice(start[parent], start[parent + 1])
        matrix[own, above] = weights["layers"][level]["weight"]
        offset[own] = weights["layers"][level]["bias"]
    offset[7:] = weights["prior_mean"]
    for level, value in enumerate(map(np.asarray, log_precisions)):
        own = slice(start[level], start[level + 1])
        if value.ndim == 2:
            lower = np.tril(value, -1) + np.diag(np.exp(np.diag(value) / 2))
            covariance = np.linalg.inv(lower @ lower.T)
        else:
            covariance = np.diag(np.broadcast_to(np.exp(-value), widths[level]))
        root = 1 / np.sqrt(np.broadcast_to(gains[level], widths[level]))
        noise[own, own] = root[:, None] * covariance * root[None]
    inverse = np.linalg.inv(np.eye(8) - matrix)
    return inverse @ offset, inverse @ noise @ inverse.T


def by_hand(weights, log_precisions, gains, data, rate):
    """One step by mixing raw second moments of the batch with those of the model, then ordinary regression."""
    mean, covariance = joint_of(weights, log_precisions, gains)
    given, hidden = np.arange(5), np.arange(5, 8)
    pull = covariance[np.ix_(hidden, given)] @ np.linalg.inv(
        covariance[np.ix_(given, given)]
    )
    first, second = np.zeros(8), np.zeros((8, 8))
    left = covariance[np.ix_(hidden, hidden)] - pull @ covariance[np.ix_(given, hidden)]
    for row in data:
        x = np.concatenate([row, mean[hidden] + pull @ (row - mean[given])])
        first += x / len(data)
        second += np.outer(x, x) / len(data)
    second[np.ix_(hidden, hidden)] += left
    first = (1 - rate) * mean + rate * first
    second = (1 - rate) * (covariance + np.outer(mean, mean)) + rate * second
    bordered = np.block([[second, first[:, None]], [first[None], np.ones((1, 1))]])
    units = ([0, 1, 2], [3, 4], [5, 6], [7])
    parents = ([5, 6, 8], [7, 8], [7, 8], [8])
    found = []
    for level, (own, above) in enumerate(zip(units, parents, strict=True)):
        cross, outer = bordered[np.ix_(own, above)], bordered[np.ix_(above, above)]
        layer = cross @ np.linalg.inv(outer)
        errors = bordered[np.ix_(own, own)] - layer @ cross.T
        root = np.sqrt(np.broadcast_to(gains[level], len(own)))
        found.append((layer, root[:, None] * errors * root[None]))
    return found


@pytest.mark.parametrize("rate", [None, 0.4])
def test_every_parameter_moves_as_by_hand(rate):
    """Layers, biases, one precision, precisions of units and a full one, under gains: raw moments and their regression."""
    data = {"seen": DATA, "heard": RNG.normal(size=(7, 2))}
    gains = (0.5, np.array([0.2, 4.0]), np.array([3.0, 0.1]), 0.25)
    names = ("seen", "heard", "middle", "top")
    modulation = pcmodel.Modulation(dict(zip(names, gains, strict=True)))
    step, start, values = posed_step(tree(), data, modulation)
    found = step(start, values, rate).parameters
    joined = np.hstack([data["seen"], data["heard"]])
    share = 1.0 if rate is None else rate
    expected = by_hand(start.weights, start.log_precisions, gains, joined, share)
    for level in range(3):
        own = found.weights["layers"][level]
        got = np.hstack([own["weight"], np.asarray(own["bias"])[:, None]])
        np.testing.assert_allclose(got, expected[level][0], rtol=1e-8)
    np.testing.assert_allclose(
        found.weights["prior_mean"], expected[3][0][0], rtol=1e-9
    )
    logs = list(map(np.asarray, found.log_precisions))
    np.testing.assert_allclose(
        np.exp(-logs[0]), np.mean(np.diag(expected[0][1])), rtol=1e-8
    )
    np.testing.assert_allclose(np.exp(-logs[1]), np.diag(expected[1][1]), rtol=1e-8)
    lower = np.tril(logs[2], -1) + np.diag(np.exp(np.diag(logs[2]) / 2))
    np.testing.assert_allclose(
        np.linalg.inv(lower @ lower.T), expected[2][1], rtol=1e-8
    )
    np.testing.assert_allclose(np.exp(-logs[3]), expected[3][1].item(), rtol=1e-8)


@pytest.mark.parametrize("rate", [0.05, 0.5, 1.0])
@pytest.mark.parametrize("gain", [1e-3, 1.0, 30.0])
def test_the_evidence_falls_at_no_rate(rate, gain):
    """Under the modulation in which the data were experienced."""
    modulation = pcmodel.Modulation(
        {"top": gain, "seen": np.array([0.3, 1.0, 2.0])},
        slopes={"middle": np.array([0.5, 2.0])},
    )
    told = pcmodel.linear_em(
        tree(), {"seen": DATA}, num_steps=12, rate=rate, modulation=modulation
    )
    rises = np.diff(told.log_evidence)
    assert np.all(rises > -1e-9 * np.abs(told.log_evidence[0]))
    assert rises[0] > 0.01 * rate


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("rate", [0.0, 0.01, 0.9, None])
def test_without_evidence_nothing_moves_under_any_drug(rate, dtype):
    """Prevents a relaxed belief from lasting by itself: with nothing seen the posterior is what the model expects."""
    with jax.enable_x64(dtype == np.float64):
        modulation = pcmodel.Modulation(
            {"top": 1e-6, "middle": np.array([1e6, 0.1]), "seen": 7.0},
            slopes={"middle": 3.0},
        )
        step, start, values = posed_step(tree(), None, modulation)
        parameters = start
        for _ in range(20):
            parameters = step(parameters, values, rate).parameters
    error = 1e-10 if dtype == np.float64 else 3e-4
    assert_trees(parameters, start, rtol=error, atol=error)


def test_a_rate_of_nothing_moves_nothing_whatever_is_seen():
    step, start, values = posed_step(tree(), {"seen": 1e3 * DATA})
    assert_trees(step(start, values, 0.0).parameters, start, rtol=1e-12, atol=1e-12)


def test_examples_without_weight_are_not_there():
    """People with different numbers of events are one batch: NaN-free, and exact."""
    step, start, values = posed_step(tree(), {"seen": DATA})
    few = tuple(value[:4] for value in values)
    padded = tuple(value.at[4:].set(1e6) for value in values)
    weights = jnp.asarray([2.0] * 4 + [0.0] * 3)
    found = step(start, padded, 0.3, weights=weights)
    expected = step(start, few, 0.3)
    assert_trees(found.parameters, expected.parameters, rtol=1e-9)
    np.testing.assert_allclose(found.log_evidence[:4], expected.log_evidence)
    np.testing.assert_array_equal(found.log_evidence[4:], 0)
    none = step(start, padded, 0.3, weights=jnp.zeros(7)).parameters
    assert_trees(none, start, rtol=1e-12, atol=1e-12)


def test_people_together_are_people_one_by_one():
    """`vmap` over parameters, rates, gains and data."""
    step, start, values = posed_step(tree(), {"seen": DATA})
    people = 3
    draws = np.random.default_rng(2)
    starts = jax.tree.map(
        lambda leaf: leaf[None] + 0.1 * draws.normal(size=(people, *leaf.shape)), start
    )
    rates = jnp.asarray([0.1, 0.5, 1.0])
    gains = jnp.asarray([1e-3, 1.0, 1e3])
    seen = jnp.asarray(draws.normal(size=(people, *values[0].shape)))

    def one(parameters, seen, rate, gain):
        factors = Factors((jnp.ones(()), jnp.ones(()), jnp.ones(()), gain))
        return step(parameters, (seen, *values[1:]), rate, factors).parameters

    together = jax.vmap(one)(starts, seen, rates, gains)
    for person in range(people):
        own = jax.tree.map(lambda leaf, p=person: leaf[p], (starts, seen, rates, gains))
        expected = one(*own)
        assert_trees(
            jax.tree.map(lambda leaf, p=person: leaf[p], together), expected, rtol=1e-9
        )


def test_the_door_counts_steps_rates_and_plasticity():
    """`linear_em` is its pure step, n times, at rate times plasticity, up to 1."""
    modulation = pcmodel.Modulation({"top": 0.2}, plasticity=3.0)
    told = pcmodel.linear_em(
        tree(), {"seen": DATA}, num_steps=2, rate=0.2, modulation=modulation
    )
    step, parameters, values = posed_step(tree(), {"seen": DATA}, modulation)
    for number in range(2):
        found = step(parameters, values, 0.6)
        np.testing.assert_allclose(
            told.log_evidence[number], jnp.sum(found.log_evidence), rtol=1e-10
        )
        parameters = found.parameters
    assert_trees(as_model(told.network)[1:], tuple(parameters), rtol=1e-9)


def test_a_neutral_modulation_and_a_whole_rate_are_none_to_the_bit():
    plain = pcmodel.linear_em(tree(), {"seen": DATA}, num_steps=2)
    neutral = pcmodel.linear_em(
        tree(),
        {"seen": DATA},
        num_steps=2,
        rate=1.0,
        modulation=pcmodel.Modulation({"top": 1.0}),
    )
    for got, expected in zip(
        jax.tree.leaves(as_model(neutral.network)[1:]),
        jax.tree.leaves(as_model(plain.network)[1:]),
        strict=True,
    ):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rate": 0.0}, "rate"),
        ({"rate": 1.5}, "rate"),
        ({"rate": float("nan")}, "rate"),
        ({"modulation": pcmodel.Modulation(temperature=2.0)}, "in_inference"),
        ({"modulation": pcmodel.relax("nobody", 0.5)}, "nobody"),
    ],
)
def test_what_has_no_meaning_is_refused(options, words):
    with pytest.raises(pcmodel.UserError, match=words):
        pcmodel.linear_em(tree(), {"seen": DATA}, **options)


@pytest.mark.parametrize("size", [1.0, 1e4, 1e6, 1e8])
@pytest.mark.parametrize("wide", [False, True])
def test_a_whole_step_keeps_the_variance_that_is_left(size, wide):
    """One datum, whatever its surprise: at rate 1 the mean goes to it, and the variance is the posterior's.

    Prevents that the variance is the difference of two squares of the surprise, which is rounding.
    """
    with jax.enable_x64(wide):
        told = pcmodel.linear_em(
            pcmodel.linear_gaussian(
                [np.eye(1)], [1.0, 4.0], prior_mean=-2.0 * np.ones(1)
            ),
            np.full((1, 1), size),
            num_steps=1,
            rate=1.0,
            fixed_layers="data",
            fixed_precisions="data",
        ).network
        mean, log_precision = told.prior_mean[0], told.log_precision[1][...]
        assert mean.dtype == (np.float64 if wide else np.float32)
        np.testing.assert_allclose(float(mean), (size - 8) / 5, rtol=1e-5)
        np.testing.assert_allclose(np.exp(float(log_precision)), 5, rtol=1e-5)
