"""Precisions that several levels share, learned from draws: freezing, floors, and steps of the natural gradient."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import pcmodel
from pcmodel import Learning, Level
from pcmodel.learning.e_step import PosteriorSamples
from pcmodel.learning.gauge import FixedHiddenPrecision
from pcmodel.learning.precisions.m_step import (
    ClosedForm,
    Draws,
    GradientStep,
    LevelRule,
)
from pcmodel.learning.precisions.natural_gradient import NaturalGradient
from pcmodel.learning.precisions.tying import pooled, ruled, untied
from pcmodel.networks.pure import as_model

STILL = optax.set_to_zero()


def network_with_ties():
    """An end and a hidden level that share one precision, and two ends that share another."""
    return pcmodel.hierarchy(
        {
            "a": Level(2, parents=["h"], precision=3.0),
            "h": Level(2, parents=["t"], precision=2.0),
            "b": Level(3, parents=["t"], precision="h"),
            "c": Level(1, parents=["t"], precision="a"),
            "t": Level(2),
        },
        activation=lambda x: x,
        rngs=nnx.Rngs(0),
    )


def learned(network, options, **given):
    rng = np.random.default_rng(0)
    widths = dict(zip(network.names, network.widths, strict=True))
    values = {name: rng.normal(size=(8, widths[name])) for name in ("a", "b", "c")}
    result = pcmodel.train(
        network,
        values,
        clamp=given or None,
        key=jax.random.key(0),
        num_epochs=1,
        batch_size=8,
        learning=Learning(STILL, **{"precision_step": ClosedForm(), **options}),
    )
    precisions = {
        name: float(np.exp(value[...]))
        for name, value in zip(network.names, result.network.log_precision, strict=True)
    }
    return values, precisions, result


@pytest.mark.parametrize(
    "options, kept, moved",
    [
        ({"frozen_precisions": "a"}, "ac", "bh"),
        ({"frozen_precisions": "c"}, "ac", "bh"),
        ({"frozen_precisions": "h"}, "bh", "ac"),
        ({"frozen_precisions": "b"}, "bh", "ac"),
        ({"gauge": FixedHiddenPrecision()}, "bh", "ac"),
    ],
)
def test_a_precision_is_kept_if_any_level_that_shares_it_is(options, kept, moved):
    first = {"a": 3.0, "c": 3.0, "b": 2.0, "h": 2.0}
    _, precisions, result = learned(network_with_ties(), options)
    told = dict(zip(result.network.names, result.precisions.settled, strict=True))
    for name in kept:
        np.testing.assert_allclose(precisions[name], first[name], 1e-6)
        assert told[name] is None
    for name in moved:
        assert abs(precisions[name] / first[name] - 1) > 0.01
        assert told[name] is not None


def test_the_floor_counts_for_the_units_of_ends_alone():
    """All levels given: precision of b and h = 5 units / (their mean squares + floor on 3 of them)."""
    network, rng = network_with_ties(), np.random.default_rng(1)
    for layer in network.layers:
        layer.weight[...] = 0 * layer.weight[...]
    h, t = rng.normal(size=(2, 8, 2))
    options = {"variance_floor": 0.5}
    values, precisions, _ = learned(network, options, h=h, t=t)
    squares = np.sum(values["b"] ** 2, 1) + np.sum(h**2, 1) + 3 * 0.5
    np.testing.assert_allclose(precisions["b"], 5 / squares.mean(), 1e-5)
    np.testing.assert_allclose(precisions["h"], 5 / squares.mean(), 1e-5)


def test_the_natural_gradient_settles_where_many_levels_share_precisions_of_units():
    """Prevents steps that are as many times too long as levels share the precision."""
    steps, floor = 12, 0.25
    seen = np.random.default_rng(0).normal(size=(32, steps, 2)) * [0.5, 2.0]
    expected = -np.log(np.mean(seen**2, axis=(0, 1)) + floor)
    begin = np.exp(expected) * [1.2, 0.9]
    network = pcmodel.over_time(
        {
            "seen": Level(2, parents=["state"], precision=begin),
            "state": Level(1, parents=["state[-1]"]),
        },
        steps,
        activation=lambda x: x,
        rngs=nnx.Rngs(0),
    )
    for layer in network.layers:
        layer.weight[...] = 0 * layer.weight[...]
    result = pcmodel.train(
        network,
        pcmodel.at_steps({"seen": seen}),
        key=jax.random.key(0),
        num_epochs=60,
        batch_size=32,
        learning=Learning(
            STILL,
            e_step=PosteriorSamples(num_samples=2),
            precision_step=NaturalGradient(burn_in=0, settle=30, largest_move=3.0),
            variance_floor=floor,
        ),
    )
    found = result.network.log_precision[0][...]
    np.testing.assert_allclose(found, expected, atol=1e-3)
    # The same standard error at every step, that of the shared number.
    errors = result.precisions.standard_errors
    for level in range(steps):
        assert result.precisions.settled[level], result.precisions.reasons
        np.testing.assert_array_equal(errors[level], errors[0])


def shared_by_three(precision):
    """Three levels of two units with one precision, of which "h" is hidden; "c" and "t" have their own."""
    return pcmodel.hierarchy(
        {
            "a": Level(2, parents=["t"], precision=precision),
            "b": Level(2, parents=["t"], precision="a"),
            "h": Level(2, parents=["t"], precision="a"),
            "c": Level(1, parents=["h"]),
            "t": Level(1),
        },
        rngs=nnx.Rngs(0),
    )


def after(step, network, errors, floor):
    """The shared log-precision after one M-step from errors of each level."""
    model, _, values = as_model(network)
    draws = Draws(
        tuple(jnp.asarray(errors[name])[None] for name in model.names),
        lambda: pytest.fail("no scores are needed"),
    )
    ends = {"a", "b", "c"}
    rules = [LevelRule(1.0, floor if name in ends else 0.0) for name in model.names]
    own = untied(values, model)
    moved, _ = step.update(
        own, pooled(draws, values, model), ruled(rules, model), step.init(own)
    )
    return moved[0]


def energy_of_shared(log_precision, levels, floor):
    """Mean over examples of the sum over levels and units, with noise of variance `floor` at ends; written anew."""
    if log_precision.ndim == 2:
        lower = jnp.tril(log_precision, -1) + jnp.diag(
            jnp.exp(0.5 * jnp.diag(log_precision))
        )
        precision = lower @ lower.T
    else:
        precision = jnp.diag(jnp.exp(jnp.broadcast_to(log_precision, (2,))))
    total = jnp.zeros(())
    for errors in levels:
        squares = jnp.einsum("ni,ij,nj->n", errors, precision, errors)
        total += 0.5 * (jnp.mean(squares) - jnp.linalg.slogdet(precision)[1])
    # The floor is averaged over the units of all three levels, of which "h" is hidden and has none.
    return total + 0.5 * (2 / 3) * floor * len(levels) * jnp.trace(precision)


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
@pytest.mark.parametrize(
    "precision", [2.0, np.array([2.0, 0.5]), np.array([[2.0, 0.3], [0.3, 0.5]])]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_gradient_of_a_shared_precision_is_the_sum_over_its_levels(
    precision, scale, dtype
):
    """Prevents a precision per unit, or a full one, that k levels share from moving by a k-th of its gradient."""
    network = shared_by_three(precision / scale**2)
    network.log_precision[0].set_value(network.log_precision[0][...].astype(dtype))
    rng, floor, rate = np.random.default_rng(0), 0.5 * scale**2, 1e-3
    drawn = scale * rng.normal(size=(3, 8, 2))
    errors = dict(zip("abh", drawn.astype(dtype), strict=True))
    errors |= {name: np.ones((8, 1), dtype) for name in "ct"}
    start = network.log_precision[0][...]

    def gradient(log_precision):
        return jax.grad(energy_of_shared)(
            jnp.asarray(log_precision, float), drawn, floor
        )

    moved = after(GradientStep(optax.sgd(rate)), network, errors, floor) - start
    near = 1e-6 if dtype == "float64" else 1e-3
    expected = -rate * gradient(start)
    atol = near * np.abs(expected).max() + 1e-6 * (dtype == "float32")
    np.testing.assert_allclose(moved, expected, rtol=near, atol=atol)
    # Where the closed form ends, the sum has no slope.
    slope = gradient(after(ClosedForm(), network, errors, floor))
    np.testing.assert_allclose(slope, 0.0, atol=near * np.abs(gradient(start)).max())
