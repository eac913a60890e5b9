"""What an optimiser sees: one entry a layer, stacked or not, and on request the value; its noise."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from optax import contrib

import pcmodel
from pcmodel.inference.solvers.optax_steps import begin_each, move
from pcmodel.learning import Frozen, Incremental, Learning, Nudged, PointEstimate
from pcmodel.learning.optimisation.optimisers import (
    Together,
    as_optimised,
    init_optimiser,
    step_optimiser,
)
from pcmodel.learning.rules import Slope
from pcmodel.networks import pure as networks
from pcmodel.networks.layers.rates import scale_by_depth
from pcmodel.networks.pure import as_model

LEVELS = 8


def deep():
    """Six equal residual layers of three units between a label of two and an input of four."""
    rngs = nnx.Rngs(3)
    blocks = [pcmodel.Residual(pcmodel.Dense(3, 3, rngs=rngs)) for _ in range(6)]
    layers = [pcmodel.Dense(3, 2, rngs=rngs), *blocks, pcmodel.Dense(4, 3, rngs=rngs)]
    return pcmodel.Network(layers, (2, *(3,) * 7, 4), log_precisions=[0.0] * 9)


def objective(weights):
    """Couples nothing, but is no sum of squares: every array moves in its own way."""
    leaves = jax.tree.leaves(weights)
    return sum((jnp.sum(jnp.sin(3 * x) + x**2) for x in leaves), start=jnp.zeros(()))


def matrices(weights):
    return jax.tree.map(lambda leaf: leaf.ndim > 1, weights)


def by_level(special, *others):
    """Labels of every array: level 3, inside the stack, has its own."""
    names = [special if level == 3 else others[0] for level in range(LEVELS)]
    return {"layers": tuple(names), "prior_mean": others[0]}


OPTIMISERS = {
    "adam": optax.adam(0.1),
    "lamb": optax.lamb(0.1, weight_decay=0.1),
    "lars": optax.lars(0.1, weight_decay=0.1),
    "muon": contrib.muon(0.1),
    "adafactor": optax.adafactor(0.1, min_dim_size_to_factor=2),
    "decay of matrices": optax.adamw(0.1, weight_decay=0.3, mask=matrices),
    "masked": optax.masked(optax.sgd(0.3), matrices),
    "one level frozen": optax.multi_transform(
        {"still": optax.set_to_zero(), "fast": optax.adam(0.1)},
        by_level("still", "fast"),
    ),
    "global norm": optax.chain(optax.clip_by_global_norm(0.1), optax.adam(0.1)),
    "block norm": optax.chain(optax.adaptive_grad_clip(0.01), optax.sgd(0.1)),
    "noise": optax.noisy_sgd(0.1, key=jax.random.key(0)),
    "plateau": optax.chain(optax.adam(0.1), contrib.reduce_on_plateau(patience=1)),
    "line search": optax.lbfgs(),
    "schedule free": contrib.schedule_free_adamw(0.1),
    "if finite": optax.apply_if_finite(optax.adam(0.1), 3),
}
SLOW = {"lars", "schedule free", "if finite", "line search", "block norm", "muon"}
TOGETHER = {
    "adam",
    "lamb",
    "muon",
    "adafactor",
    "decay of matrices",
    "masked",
    "plateau",
}


def three_steps(optimiser):
    """The weights after three steps, one entry a layer; whether stacks stayed together."""
    model, weights, _ = as_model(deep())
    state = init_optimiser(optimiser, model, weights)
    together = isinstance(state, Together)

    @jax.jit
    def step(weights, state):
        value, gradient = jax.value_and_grad(objective)(weights)
        slope = Slope(value, gradient, objective)
        updates, state = step_optimiser(optimiser, model, weights, slope, state)
        return optax.apply_updates(weights, updates), state

    for _ in range(3):
        weights, state = step(weights, state)
    return as_optimised(model, weights), together


@pytest.mark.parametrize(
    "kind",
    [pytest.param(k, marks=pytest.mark.slow) if k in SLOW else k for k in OPTIMISERS],
)
def test_a_stack_is_optimised_as_its_layers_would_be(kind, monkeypatch):
    """Prevents norms, ranks, labels and factored moments from being taken over a whole stack."""
    stacked, together = three_steps(OPTIMISERS[kind])
    monkeypatch.setattr(networks, "STACKED_FROM", 99)
    plain, apart = three_steps(OPTIMISERS[kind])
    jax.tree.map(
        partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-12), stacked, plain
    )
    assert not apart
    if kind in TOGETHER:
        assert together


def test_one_level_of_a_stack_stays_and_its_neighbours_do_not():
    """Prevents a label of one level from reaching the others, or none."""
    moved, _ = three_steps(OPTIMISERS["one level frozen"])
    before = as_optimised(*as_model(deep())[:2])
    change = [
        max(
            float(jnp.abs(a - b).max())
            for a, b in zip(*map(jax.tree.leaves, pair), strict=True)
        )
        for pair in zip(moved["layers"], before["layers"], strict=True)
    ]
    assert change[3] == 0 and min(change[:3] + change[4:]) > 0.1


def test_the_factors_of_depth_are_one_entry_a_layer():
    """Prevents `scale_by_depth` from fitting only networks that are not stacked."""
    network = pcmodel.residual_mlp(4, 3, depth=6, num_classes=2, rngs=nnx.Rngs(0))
    model, weights, _ = as_model(network)
    scale = scale_by_depth(network)
    ones = jax.tree.map(jnp.ones_like, as_optimised(model, weights))
    scaled, _ = scale.update(ones, scale.init(ones))
    rates = [layer.branch.scaling.weight_rate for layer in network.layers[1:-1]]
    found = [float(e["branch"]["weight"][0, 0]) for e in scaled["layers"][1:-1]]
    np.testing.assert_allclose(found, rates)


LABELS = np.random.default_rng(0).normal(size=(6, 2))
IMAGES = np.random.default_rng(1).normal(size=(6, 3))


def recording(seen):
    """Plain descent that shows what it was told."""

    def update(updates, state, params=None, *, value, grad, value_fn, **extra):
        del extra
        jax.debug.callback(
            lambda *told: seen.append(told), value, value_fn(params), grad
        )
        return jax.tree.map(lambda g: -0.1 * g, updates), state

    return optax.GradientTransformationExtraArgs(lambda params: (), update)


def trained(optimiser, **options):
    options = {"e_step": PointEstimate(pcmodel.GaussNewton()), **options}
    learning = Learning(optimiser, precision_step=Frozen(), **options)
    return pcmodel.train(
        pcmodel.dense((2, 3, 3), rngs=nnx.Rngs(0)),
        LABELS,
        clamp={"top": IMAGES},
        key=jax.random.key(0),
        learning=learning,
        num_epochs=1,
        batch_size=6,
    )


@pytest.mark.parametrize(
    "rule",
    [
        pcmodel.learning.Equilibrium(),
        pytest.param(pcmodel.learning.Backpropagation(), marks=pytest.mark.slow),
        pytest.param(Nudged(0.5, (1, -1)), marks=pytest.mark.slow),
        pytest.param(Incremental(1), marks=pytest.mark.slow),
    ],
)
def test_an_optimiser_is_told_the_value_of_what_it_descends(rule):
    """Prevents `reduce_on_plateau` from watching another function than the one descended: at the present
    weights the function given has the value given."""
    seen = []
    result = trained(recording(seen), rule=rule)
    *_, (value, again, _) = seen  # the first was a trial of its step
    np.testing.assert_allclose(value, again, rtol=1e-10)
    if isinstance(rule, pcmodel.learning.Equilibrium):
        np.testing.assert_allclose(value, result.curve.energy[0], rtol=1e-10)


@pytest.mark.parametrize(
    ("optimiser", "words"),
    [
        (contrib.sophia(0.1), "obj_fn"),
        (
            optax.masked(optax.adam(0.1), {"layers": (True,), "prior_mean": True}),
            "one entry a layer",
        ),
    ],
)
def test_an_optimiser_that_cannot_be_served_is_refused_in_a_sentence(optimiser, words):
    """Prevents optax's own error from reaching a user."""
    with pytest.raises(pcmodel.UserError, match=words):
        trained(optimiser)


def test_a_value_of_another_type_does_not_change_the_state():
    """Prevents a loop from failing where the network is in single and the value in double precision."""
    optimiser = contrib.reduce_on_plateau()
    point = jnp.ones(2, jnp.float32)
    state = optimiser.init(point)
    moved = move(optimiser, jnp.sum, point, jnp.ones((), jnp.float64), point, state)
    assert jax.tree.map(jnp.result_type, moved.state) == jax.tree.map(
        jnp.result_type, state
    )


def spread_of(solver, data):
    network = pcmodel.dense((2, 3), rngs=nnx.Rngs(0))
    return np.asarray(pcmodel.infer(network, data, solver=solver).latents[1])


def shaken(key):
    """Descent with noise of the given generator, typed or of words."""
    if jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
        return optax.noisy_sgd(0.05, key=key)

    def update(gradient, state, params=None):
        following, own = jax.random.split(state)
        leaves, tree = jax.tree.flatten(gradient)
        keys = jax.random.split(own, len(leaves))
        moves = [
            -0.05 * (g + jax.random.normal(k, g.shape, g.dtype))
            for g, k in zip(leaves, keys, strict=True)
        ]
        return jax.tree.unflatten(tree, moves), following

    return optax.GradientTransformation(lambda params: key, update)


@pytest.mark.parametrize("kind", [pcmodel.StateDescent, pcmodel.ErrorDescent])
@pytest.mark.parametrize("key", [jax.random.key(3), jax.random.PRNGKey(3)])
def test_noise_in_descent_differs_between_examples_and_repeats(kind, key):
    """Equal examples, one program: their noise is independent, and the same call gives it again.

    Prevents a batch from being disturbed as one, which averages nothing out.
    """
    solver = kind(shaken(key), tolerance=0.0, max_steps=40)
    data = np.tile([0.5, -0.2], (64, 1))
    found = spread_of(solver, data)
    assert len(np.unique(found[:, 0])) == 64
    between = np.corrcoef(found[:32, 0], found[32:, 0])[0, 1]
    assert abs(between) < 4 / np.sqrt(32)
    np.testing.assert_array_equal(found, spread_of(solver, data))


def test_noise_of_incremental_learning_is_each_examples_own():
    """Prevents the points of a batch from being moved by one and the same noise."""
    optimiser = optax.noisy_sgd(0.1, key=jax.random.key(0))
    points = jnp.zeros((50, 4))
    states = begin_each(optimiser, points, jax.random.key(1))
    updates, _ = jax.vmap(optimiser.update)(jnp.zeros((50, 4)), states, points)
    assert len(np.unique(np.asarray(updates))) == 200
