"""Equal layers kept as one array and run as one loop: the same network, in a smaller program."""

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
from pcmodel.inference import GaussNewton, TruncatedNewton, infer_one
from pcmodel.inference.whitened import objective, unroll, whitened_from_latents
from pcmodel.learning import (
    FixedHiddenPrecision,
    FixedWeightNorm,
    Frozen,
    Learning,
    PointEstimate,
)
from pcmodel.learning.em import em_step, init_learning
from pcmodel.model.energy import (
    energy,
    latents_from_state,
    predictions,
    state_from_latents,
)
from pcmodel.model.generative import predict_down, stacks_of, sweep
from pcmodel.model.problem import level_runs
from pcmodel.networks import pure as networks
from pcmodel.networks.pure import as_model, with_arrays

GAUSSIAN = pcmodel.Gaussian()


def deep(*, likelihood=GAUSSIAN, unit=(), full=False, widths=None):
    """Six equal residual layers of three units between a label of two and an input of four."""
    rngs = nnx.Rngs(3)
    widths = widths or (2, *(3,) * 7, 4)
    layers = [
        pcmodel.Residual(pcmodel.Dense(3, 3, rngs=rngs))
        if above == below == 3
        else pcmodel.Dense(above, below, rngs=rngs)
        for below, above in pairwise(widths)
    ]
    rng = np.random.default_rng(0)
    precisions = []
    for level, width in enumerate(widths):
        shape = (width,) if level in unit else ()
        value = rng.normal(size=(width, width) if full else shape)
        precisions.append(0.5 * value)
    if not isinstance(likelihood, pcmodel.Gaussian):
        precisions[0] = None
    return pcmodel.Network(
        layers,
        widths,
        log_precisions=precisions,
        prior_mean=rng.normal(size=widths[-1]),
        likelihood=likelihood,
    )


CASES = {
    "classifier": ({}, {}),
    "gains": ({}, {"modulation": pcmodel.Modulation({2: 0.3, "hidden4": 2.0})}),
    "per unit": ({"unit": range(9)}, {}),
    "mixed": ({"unit": (4,)}, {}),
    "full": ({"full": True}, {}),
    "data level in the run": ({"widths": (3,) * 7}, {}),
    "discrete": (
        {"widths": (3,) * 7, "likelihood": pcmodel.Bernoulli()},
        {},
    ),
    "clamped inside": (
        {},
        {
            "clamp": {
                3: pcmodel.Clamp(
                    np.array([1.0, 0.0, 0.0]), np.array([True, False, False])
                )
            }
        },
    ),
    "belief inside": ({}, {"prior": pcmodel.Belief.of(np.full(3, 0.5), 4.0, level=3)}),
}


# One of each kind of run; the others are for the slow tests.
QUICK = ("classifier", "full", "clamped inside")


@pytest.fixture(
    params=[
        name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
        for name in CASES
    ]
)
def both(request, monkeypatch):
    """(stacked, layer by layer): the same problem and network twice, and the network."""
    build, options = CASES[request.param]
    network = deep(**build)
    data = np.array([1.0, 0.0, 1.0])[: network.widths[0]]
    stacked = pose(network, data, **options).problem
    monkeypatch.setattr(networks, "STACKED_FROM", 99)
    return stacked, pose(network, data, **options).problem, request.param


def test_the_energy_and_its_pieces_are_those_of_the_layers(both):
    """Prevents a run from being reversed, shifted by a level, or given another level's precision."""
    stacked, plain, case = both
    assert stacks_of(stacked.structure.model) and not stacks_of(plain.structure.model)
    runs = [run for run in level_runs(stacked) if run.is_stack]
    assert len(runs) == (2 if case in ("mixed", "clamped inside") else 1)
    key = jax.random.key(1)
    z = jax.random.normal(key, (plain.structure.num_free,))
    close = partial(np.testing.assert_allclose, rtol=1e-12, atol=1e-12)
    ours, theirs = unroll(stacked, z), unroll(plain, z)
    jax.tree.map(close, ours, theirs)
    close(whitened_from_latents(stacked, ours.latents), z)
    state = state_from_latents(plain.structure, ours.latents)
    jax.tree.map(
        close, latents_from_state(stacked, state), latents_from_state(plain, state)
    )
    moved = tuple(x + 0.1 * (i + 1) for i, x in enumerate(ours.latents))
    close(energy(stacked, moved), energy(plain, moved))
    jax.tree.map(close, predictions(stacked, moved), predictions(plain, moved))
    jax.tree.map(
        close,
        jax.grad(partial(objective, stacked))(z),
        jax.grad(partial(objective, plain))(z),
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "both",
    [
        "full",
        "gains",
        "discrete",
    ],
    indirect=True,
)
def test_the_answers_are_those_of_the_layers(both):
    """Prevents inference or its posterior from reading a stack in another order."""
    stacked, plain, _ = both
    found = [
        infer_one(problem, GaussNewton(), jnp.zeros(problem.structure.num_free))
        for problem in (stacked, plain)
    ]
    assert found[0].converged
    jax.tree.map(
        partial(np.testing.assert_allclose, rtol=1e-7, atol=1e-8),
        found[0].latents,
        found[1].latents,
    )


def step_from(network, gauge):
    """One learning step with the layers' weights taken apart again."""
    posed = pose(network, np.eye(2), clamp={"top": np.ones((2, 4))})
    pure = as_model(network)
    learning = Learning(
        optax.adam(0.1),
        e_step=PointEstimate(TruncatedNewton(2)),
        precision_step=Frozen(),
        gauge=gauge,
    )
    state = init_learning(
        pure.weights, pure.log_precisions, learning, structure=posed.problem.structure
    )
    values = tuple(
        value if value.ndim == 2 else jnp.zeros((2, 0))
        for value in posed.problem.inputs.values
    )
    state, info = em_step(
        state,
        values,
        jax.random.key(0),
        structure=posed.problem.structure,
        learning=learning,
    )
    return with_arrays(network, state.weights, state.log_precisions), info


@pytest.mark.slow
@pytest.mark.parametrize(
    ("gauge", "unit"),
    [
        (FixedHiddenPrecision(), ()),
        (FixedWeightNorm(), range(9)),
        (FixedWeightNorm(), (4,)),
    ],
)
def test_a_learning_step_is_that_of_the_layers(gauge, unit, monkeypatch):
    """Prevents gradient, optimiser or gauge from treating a stack as one layer."""
    network = deep(unit=unit)
    stacked, info = step_from(network, gauge)
    monkeypatch.setattr(networks, "STACKED_FROM", 99)
    plain, expected = step_from(network, gauge)
    close = partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-11)
    jax.tree.map(close, info, expected)
    ours, theirs = (as_model(one).weights for one in (stacked, plain))
    jax.tree.map(close, ours, theirs)
    before = as_model(network).weights
    moved = jax.tree.map(lambda a, b: float(jnp.abs(a - b).max()), ours, before)
    assert min(jax.tree.leaves(moved["layers"])) > 1e-3


def test_the_gauge_holds_each_layer_of_a_stack_and_frees_the_lowest():
    """A dense stack that begins at the data: its first layer is free, every other keeps its norm.

    Prevents one norm for the whole stack, which would let one layer grow at another's cost.
    """
    network = pcmodel.dense((3,) * 7, rngs=nnx.Rngs(0))
    pure = as_model(network)
    assert pure.model.spans == ((0, 5), (5, 6))  # the layer out of the top is linear
    moved = jax.tree.map(
        lambda leaf: (
            leaf * (1 + jnp.arange(len(leaf))).reshape(-1, *[1] * (leaf.ndim - 1))
        ),
        pure.weights,
    )
    kept = FixedWeightNorm().project(
        moved, pure.weights, pure.log_precisions, model=pure.model
    )

    def norms(weights):
        return np.linalg.norm(np.asarray(weights["layers"][0]["weight"]), axis=(1, 2))

    np.testing.assert_allclose(norms(kept)[1:], norms(pure.weights)[1:], rtol=1e-12)
    np.testing.assert_array_equal(
        kept["layers"][0]["weight"][0], moved["layers"][0]["weight"][0]
    )


def test_a_top_down_pass_is_the_layers_one_after_the_other():
    """Prevents the loop of a stack from starting at the wrong end."""
    network = deep()
    pure = as_model(network)
    expected = above = network.prior_mean[...]
    for layer in reversed(network.layers):
        expected = layer(expected)
    found = predict_down(pure.model, pure.weights, {8: above})
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(sweep(pure.model, pure.weights)[0], expected, rtol=1e-12)


def test_the_program_does_not_grow_with_depth():
    """Prevents a deep network from being unrolled, which takes minutes to compile."""

    def products(depth):
        network = pcmodel.residual_mlp(
            4, 3, depth=depth, num_classes=2, rngs=nnx.Rngs(0)
        )
        return str(
            jax.make_jaxpr(lambda: step_from(network, FixedHiddenPrecision())[1])()
        ).count("dot_general")

    assert products(8) == products(16) > 0


def test_equal_layers_of_other_options_are_not_stacked():
    """Prevents layers with one shape and different activations from being run as one."""
    rngs = nnx.Rngs(0)
    layers = [
        pcmodel.Dense(3, 3, activation=jnp.tanh if i % 2 else jax.nn.relu, rngs=rngs)
        for i in range(8)
    ]
    network = pcmodel.Network(layers, (3,) * 9, log_precisions=[0.0] * 9)
    assert not stacks_of(as_model(network).model)


def test_a_stack_is_saved_and_loaded(tmp_path):
    """Prevents a deep network from being restored with its layers exchanged."""
    network = deep()
    pcmodel.save(network, tmp_path / "deep.npz")
    again = pcmodel.load(tmp_path / "deep.npz")
    for ours, theirs in zip(again.layers, network.layers, strict=True):
        jax.tree.map(np.testing.assert_array_equal, nnx.state(ours), nnx.state(theirs))
