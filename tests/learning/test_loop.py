"""The loop: chunks, resumption, preparation, donation."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.inference import TruncatedNewton
from pcmodel.learning import Learning, Position, PosteriorSamples
from pcmodel.learning.em import LearningState
from pcmodel.learning.loop import chunks, is_finite, learn, run_chunk
from pcmodel.learning.precisions.m_step import Frozen
from pcmodel.networks.pure import as_model
from pcmodel.runtime.contents import Static

DATA = np.random.default_rng(0).normal(size=(22, 4))
LEARNING = Learning(
    optax.adam(1e-2), e_step=PosteriorSamples(solver=TruncatedNewton(3))
)


def run(data=None, *, num_epochs=3, learning=LEARNING, **options):
    """Learn from random data; returns the state, the curve, and what each chunk reported."""
    network = pcmodel.dense((4, 3, 2), rngs=nnx.Rngs(0))
    pure = as_model(network)
    structure = pose(pure, DATA).problem.structure
    values = (jnp.asarray(DATA), jnp.zeros((22, 0)), jnp.zeros((22, 0)))
    seen = []

    def keep(chunk):
        seen.append(chunk._replace(state=jax.tree.map(jnp.copy, chunk.state)))

    state, curve = learn(
        structure,
        pure.weights,
        pure.log_precisions,
        values if data is None else data,
        jax.random.key(1),
        learning=learning,
        num_epochs=num_epochs,
        batch_size=5,
        on_chunk=keep,
        **options,
    )
    return state, curve, seen


def assert_same(one, other):
    jax.tree.map(np.testing.assert_array_equal, one, other)


def assert_close(one, other):
    for got, expected in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-13)


def test_chunks_cover_every_batch_once_from_any_start():
    """Prevents batches from being skipped or repeated where a run is cut."""
    for begin in (Position(), Position(1, 3)):
        done = [
            (place.epoch, place.batch + number)
            for place, size, _ in chunks(begin, 3, 7, 3)
            for number in range(size)
        ]
        every = [(epoch, batch) for epoch in range(3) for batch in range(7)]
        assert done == [pair for pair in every if pair >= tuple(begin)]
    assert [size for _, size, _ in chunks(Position(), 1, 7, 3)] == [3, 3, 1]
    assert [size for _, size, _ in chunks(Position(), 1, 2, 9)] == [1, 1]


def test_a_run_continued_from_any_chunk_ends_the_same_to_the_bit():
    """Prevents an interrupted training from becoming another training."""
    whole, curve, seen = run(chunks_per_epoch=2)
    assert [chunk.position for chunk in seen[:3]] == [(0, 2), (1, 0), (1, 2)]
    for cut in (0, 2):
        rest = run(chunks_per_epoch=2, resume=(seen[cut].state, seen[cut].position))
        assert_same(rest[0], whole)
        np.testing.assert_array_equal(rest[1].energy, curve.energy[cut + 1 :])
    # Where it is cut changes nothing either: one program serves chunks of any length.
    before = run_chunk._cache_size()
    assert_same(run()[0].weights, whole.weights)
    assert run_chunk._cache_size() == before


def test_the_curve_is_the_mean_of_what_batches_reported():
    """Prevents a curve whose points stand for other epochs than they say."""
    _, halves, _ = run(chunks_per_epoch=2)
    _, whole, seen = run()
    np.testing.assert_allclose(
        whole.energy, halves.energy.reshape(3, 2).mean(axis=1), rtol=1e-10
    )
    np.testing.assert_allclose(whole.energy, whole.level_energies.sum(axis=1))
    np.testing.assert_allclose(halves.epoch, [0.5, 1, 1.5, 2, 2.5, 3])
    assert [chunk.examples for chunk in seen] == [20] * 3
    assert np.isnan(whole.acceptance).all()
    # Three products leave a part of the way, measured at the answer in posterior standard deviations.
    np.testing.assert_allclose(
        whole.residual, halves.residual.reshape(3, 2).mean(axis=1), rtol=1e-10
    )
    assert np.all((whole.residual > 0) & (whole.residual < 0.3))


def doubled(key, example):
    """Data kept as integers on the device, made into levels when needed."""
    del key
    return (example["image"] / 2.0, jnp.zeros(0), jnp.zeros(0))


def noisy(key, example):
    values = doubled(key, example)
    return (values[0] + jax.random.normal(key, (4,)), *values[1:])


@pytest.mark.slow
def test_prepared_data_teach_what_plain_data_do():
    """Prevents augmentation from mixing examples up, or from being the same in each epoch."""
    plain = run()[0]
    made = run({"image": 2 * jnp.asarray(DATA)}, prepare=doubled)[0]
    assert_close(made.weights, plain.weights)
    data = {"image": 2 * jnp.asarray(DATA)}
    once, again = (run(data, prepare=noisy)[0] for _ in range(2))
    assert_same(once.weights, again.weights)
    other = jax.tree.leaves(once.weights)[0]
    assert not np.allclose(other, jax.tree.leaves(plain.weights)[0])


def test_the_state_is_given_to_the_next_chunk_but_the_callers_is_kept():
    """Prevents training from doubling its memory, or from eating its input."""
    first, *_ = run()
    again, *_ = run(num_epochs=4, resume=(first, Position(3)))
    assert all(not leaf.is_deleted() for leaf in jax.tree.leaves(first))
    assert not np.allclose(*(jax.tree.leaves(s.weights)[0] for s in (first, again)))
    aliased = run_chunk.lower(
        jax.tree.map(jnp.copy, first),
        (jnp.asarray(DATA), jnp.zeros((22, 0)), jnp.zeros((22, 0))),
        jax.random.key(0),
        jnp.asarray(0),
        jnp.asarray(4),
        structure=pose(
            pcmodel.dense((4, 3, 2), rngs=nnx.Rngs(0)), DATA
        ).problem.structure,
        learning=Static(LEARNING),
        batch_size=5,
    ).as_text()
    assert aliased.count("tf.aliasing_output") >= len(jax.tree.leaves(first.weights))


@pytest.mark.parametrize("chunks_per_epoch", [1, 2])
def test_learning_that_diverges_keeps_the_last_network_seen_to_be_finite(
    chunks_per_epoch,
):
    """Prevents a night of training from being lost to its last chunk."""

    def spoiled(key, example):
        values = doubled(key, example)
        return (values[0] * example["scale"], *values[1:])

    scale = jnp.where(jnp.arange(22) == 3, 1e200, 1.0)
    broken = {"image": 2 * jnp.asarray(DATA), "scale": scale}
    state, curve, _ = run(broken, prepare=spoiled, chunks_per_epoch=chunks_per_epoch)
    assert curve.stopped_early
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state.weights))


def test_a_step_that_explodes_is_not_in_the_curve_nor_in_the_network():
    """The seventh step leaves weights of 1e200, whose energy the eighth finds to be no number."""

    def rate(step):
        return jnp.where(step < 6, 1e-3, 1e200)

    still = Frozen()
    learning = Learning(optax.sgd(rate), precision_step=still)
    state, curve, seen = run(learning=learning, chunks_per_epoch=4)
    assert len(seen) == 7 and curve.stopped_early
    assert curve.energy.tolist() == [float(each.info.energy) for each in seen[:6]]
    assert_same(state.weights, seen[5].state.weights)


@pytest.mark.parametrize("amiss", [np.nan, np.inf, -np.inf])
def test_one_number_that_is_not_finite_ends_a_run(amiss):
    """Anywhere in any weight or log-precision, whatever stands beside it."""
    pure = as_model(pcmodel.dense((4, 3, 2), rngs=nnx.Rngs(0)))
    whole = LearningState(pure.weights, pure.log_precisions, *[()] * 4)
    assert is_finite(whole)
    leaves, form = jax.tree.flatten(whole)
    assert len(leaves) == 8
    for number, leaf in enumerate(leaves):
        spoiled = [*leaves]
        spoiled[number] = jnp.ravel(leaf).at[-1].set(amiss)
        assert not is_finite(jax.tree.unflatten(form, spoiled))
