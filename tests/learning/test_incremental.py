"""Weights that move while inference runs: each schedule against the same steps taken one by one."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import pcmodel
from pcmodel.learning import Incremental, classical
from pcmodel.networks.layers.dense import identity
from pcmodel.networks.pure import as_model

RNG = np.random.default_rng(0)
LABELS, IMAGES = RNG.normal(size=(6, 2)), RNG.normal(size=(6, 3))
RATE, PACE = 0.05, 0.1


def linear():
    """A linear network label <- hidden <- image: inference begins where every error is zero."""
    network = pcmodel.dense(
        (2, 4, 3), activation=identity, precisions=(2.0, 5.0, 1.0), rngs=nnx.Rngs(0)
    )
    network.layers[0].bias[...] = jnp.array([0.3, -0.2])
    return network


def trained(rule=None, solver=None, epochs=1):
    learning = classical(optax.sgd(RATE), solver=solver)
    if rule is not None:
        learning = classical(optax.sgd(RATE), rule=rule)
    result = pcmodel.train(
        linear(),
        LABELS,
        clamp={"top": IMAGES},
        key=jax.random.key(0),
        learning=learning,
        num_epochs=epochs,
        batch_size=len(LABELS),
    )
    return jax.tree.leaves(as_model(result.network).weights["layers"])


def by_hand(num_steps, moves, last):
    """The same in NumPy: the weights' gradient is a mean over examples, that of a latent its own."""
    layers = linear().layers
    w0, b0 = np.array(layers[0].weight[...]), np.array(layers[0].bias[...])
    w1, b1 = np.array(layers[1].weight[...]), np.array(layers[1].bias[...])
    hidden = IMAGES @ w1.T + b1
    for step in range(num_steps + last):
        low = 2.0 * (LABELS - hidden @ w0.T - b0)
        high = 5.0 * (hidden - IMAGES @ w1.T - b1)
        pull = high - low @ w0
        if step == num_steps or step in moves:
            size = len(LABELS)
            w0 = w0 + RATE * low.T @ hidden / size
            b0 = b0 + RATE * low.mean(0)
            w1 = w1 + RATE * high.T @ IMAGES / size
            b1 = b1 + RATE * high.mean(0)
        hidden = hidden - PACE * pull
    return w0, b0, w1, b1


@pytest.mark.parametrize(
    ("options", "moves"),
    [
        ({}, range(7)),
        ({"warmup": 2}, range(2, 7)),
        ({"warmup": 1, "every": 3}, (1, 4)),
        ({"every": 3, "last": True}, (0, 3, 6)),
        ({"warmup": 9, "last": True}, ()),
    ],
    ids=str,
)
def test_weights_move_when_the_schedule_says_so(options, moves):
    """Prevents a schedule that is off by one, or takes the gradient at another point than the inference step."""
    got = trained(Incremental(7, optax.sgd(PACE), **options))
    w0, b0, w1, b1 = by_hand(7, set(moves), options.get("last", False))
    for one, other in zip(got, (b0, w0, b1, w1), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)


def test_the_latest_possible_schedule_is_learning_at_equilibrium():
    """Prevents the two ways to say it (T steps, then the weights) from being two algorithms."""
    steps = pcmodel.StateDescent(optax.sgd(PACE), tolerance=0.0, max_steps=5)
    rule = Incremental(5, optax.sgd(PACE), warmup=5, last=True)
    for one, other in zip(
        trained(rule, epochs=3), trained(solver=steps, epochs=3), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-10)


def test_a_schedule_that_never_moves_the_weights_is_refused():
    with pytest.raises(pcmodel.UserError, match="never move"):
        Incremental(4, warmup=4)
    assert Incremental(4, warmup=4, last=True).last


def test_classical_learning_moves_weights_alone():
    """Prevents precisions from being learned from a point estimate, and norms from being held, unasked."""
    network = linear()
    before = as_model(network)
    result = pcmodel.train(
        network,
        LABELS,
        clamp={"top": IMAGES},
        key=jax.random.key(0),
        learning=classical(optax.sgd(RATE)),
        num_epochs=30,
        batch_size=3,
    )
    after = as_model(result.network)
    for one, other in zip(before.log_precisions, after.log_precisions, strict=True):
        np.testing.assert_array_equal(one, other)
    norms = [
        float(jnp.linalg.norm(pure.weights["layers"][1]["weight"]))
        for pure in (before, after)
    ]
    assert abs(norms[1] / norms[0] - 1) > 0.01


def bent_trained(learning):
    """A tanh network after one step of plain descent; its inference took no step."""
    network = pcmodel.dense((2, 4, 4, 3), rngs=nnx.Rngs(1))
    result = pcmodel.train(
        network,
        LABELS,
        clamp={"top": IMAGES},
        key=jax.random.key(0),
        learning=learning,
        num_epochs=1,
        batch_size=len(LABELS),
    )
    moved = jax.tree.map(
        lambda a, b: float(jnp.max(jnp.abs(a - b))),
        as_model(result.network).weights["layers"],
        as_model(network).weights["layers"],
    )
    return [max(entry.values()) for entry in moved]


def test_levels_that_no_signal_has_reached_do_not_learn():
    """Prevents the start of inference, a little beside the sweep, from being learned as if it were an error."""
    none = pcmodel.StateDescent(optax.sgd(PACE), tolerance=0.0, max_steps=0)
    bottom, *others = bent_trained(classical(optax.sgd(RATE), solver=none))
    assert bottom > 1e-3 and max(others) == 0
    bottom, *others = bent_trained(
        classical(optax.sgd(RATE), rule=Incremental(1, optax.sgd(PACE), at_sweep=True))
    )
    assert bottom > 1e-3 and max(others) == 0
    beside = bent_trained(
        classical(optax.sgd(RATE), rule=Incremental(1, optax.sgd(PACE)))
    )
    assert min(beside) > 0
