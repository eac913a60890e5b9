"""What a learning step reports is what its E-step said, averaged over the batch."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.learning import (
    Backpropagation,
    ClosedForm,
    Frozen,
    Hmc,
    Incremental,
    Learning,
)
from pcmodel.learning.e_step import Expectation, Memory
from pcmodel.learning.em import LearningInfo, em_step, init_learning
from pcmodel.learning.loop import Position, level_diagonal, row_of
from pcmodel.networks.pure import as_model

DATA = np.asarray([[0.5, -1.0], [2.0, 0.3], [-0.4, 1.5], [1.0, 1.0]])
RESIDUALS = np.asarray([0.05, 0.2, 0.01, 0.7])
ACCEPTANCES = np.asarray([0.9, 0.5, 0.8, 1.0])


@dataclass(frozen=True)
class Told:
    """An E-step of two fixed draws an example that reports given numbers."""

    learns_precision: ClassVar[bool] = True

    def init(self, problem, num_examples, key):
        del problem, key
        return Memory(jnp.arange(num_examples), jnp.asarray(3.0))

    def expect(self, problem, key, own=(), shared=()):
        del key, shared
        data = problem.inputs.values[0]
        top = jnp.stack([data[:1], -data[1:]])
        latents = (jnp.stack([data, data]), top)
        found = Expectation(
            latents, jnp.asarray(RESIDUALS)[own], jnp.asarray(ACCEPTANCES)[own]
        )
        return found, own

    def adapt(self, shared, batch):
        return shared + jnp.sum(batch.acceptance)


def test_a_step_reports_means_over_the_batch():
    """Prevents sums that pass for means, and diagnostics in each other's place.

    Expected energies over both draws by hand: precisions 2 and 3 of a linear network.
    """
    weight = np.asarray([[0.7], [-1.1]])
    network = pcmodel.linear_gaussian([weight], [2.0, 3.0])
    pure = as_model(network)
    structure = pose(pure, DATA).problem.structure
    learning = Learning(optax.set_to_zero(), ClosedForm(), e_step=Told())
    state = init_learning(
        pure.weights,
        pure.log_precisions,
        learning,
        structure=structure,
        num_examples=4,
        key=jax.random.key(0),
    )
    values = (jnp.asarray(DATA), jnp.zeros((4, 0)))
    step = jax.jit(
        lambda state, values, indices: em_step(
            state,
            values,
            jax.random.key(0),
            structure=structure,
            learning=learning,
            indices=indices,
        )
    )
    moved, info = step(state, values, jnp.arange(4))
    np.testing.assert_allclose(info.residual, RESIDUALS.mean())
    np.testing.assert_allclose(info.converged, 0.5)  # below 0.1 of a standard deviation
    np.testing.assert_allclose(info.acceptance, ACCEPTANCES.mean())
    np.testing.assert_allclose(moved.inference.shared, 3.0 + ACCEPTANCES.sum())
    np.testing.assert_array_equal(moved.inference.examples, np.arange(4))
    bottom, top, squares = [], [], []
    for data in DATA:
        for latent in (data[0], -data[1]):
            error = data - weight[:, 0] * latent
            squares.append((np.mean(error**2), latent**2))
            bottom.append(0.5 * 2 * error @ error + np.log(2 * np.pi / 2))
            top.append(0.5 * 3 * latent**2 + 0.5 * np.log(2 * np.pi / 3))
    expected = [np.mean(bottom), np.mean(top)]
    np.testing.assert_allclose(info.level_energies, expected, rtol=1e-12)
    np.testing.assert_allclose(info.energy, sum(expected), rtol=1e-12)
    # The M-step sees the same errors: the precisions are their inverse second moments.
    for found, moment in zip(
        moved.log_precisions, np.mean(squares, axis=0), strict=True
    ):
        np.testing.assert_allclose(np.exp(-found), moment, rtol=1e-12)
    # Two examples of the four, in another order: each with its own memory.
    some, info = step(state, (values[0][:2], values[1][:2]), jnp.asarray([3, 1]))
    np.testing.assert_allclose(info.residual, RESIDUALS[[3, 1]].mean())
    np.testing.assert_array_equal(some.inference.examples, np.arange(4))


@pytest.mark.parametrize(
    "rule", [Backpropagation(), Incremental(2)], ids=["backpropagation", "incremental"]
)
def test_rules_without_an_e_step_leave_its_memory_alone(rule):
    """Prevents chains from being lost, or shuffled, by a few steps under another rule."""
    pure = as_model(pcmodel.linear_gaussian([np.ones((2, 1))], [2.0, 3.0]))
    structure = pose(pure, DATA, clamp={"top": np.ones((4, 1))}).problem.structure
    learning = Learning(
        optax.sgd(0.1), precision_step=Frozen(), e_step=Hmc(), rule=rule
    )
    state = init_learning(
        pure.weights,
        pure.log_precisions,
        learning,
        structure=structure,
        num_examples=4,
        key=jax.random.key(0),
    )
    values = (jnp.asarray(DATA), jnp.ones((4, 1)))
    step = jax.jit(partial(em_step, structure=structure, learning=learning))
    moved, _ = step(state, values, jax.random.key(1), indices=jnp.arange(4))
    for got, before in zip(
        jax.tree.leaves(moved.inference), jax.tree.leaves(state.inference), strict=True
    ):
        np.testing.assert_array_equal(got, before)
    assert jax.tree.structure(moved.inference) == jax.tree.structure(state.inference)


def test_a_full_precision_is_reported_by_its_diagonal():
    """Prevents couplings from passing for precisions in the curve."""
    full = jnp.asarray([[1.0, 0.0], [5.0, 3.0]])
    np.testing.assert_array_equal(level_diagonal(full), [1.0, 3.0])
    for value in (jnp.asarray(0.7), jnp.asarray([0.1, 0.2])):
        np.testing.assert_array_equal(level_diagonal(value), value)
    pure = as_model(pcmodel.linear_gaussian([np.ones((2, 1))], [2.0, 3.0]))
    state = init_learning(
        pure.weights,
        (full, None),
        Learning(optax.sgd(0.1)),
        structure=pose(pure, np.zeros(2)).problem.structure,
    )
    nothing = LearningInfo(*(jnp.zeros(()) for _ in range(5)))
    row = row_of(state, Position(2, 3), 4, nothing)
    np.testing.assert_allclose(row[0], 2.75)
    np.testing.assert_allclose(row[-1], [2.0, np.nan])
