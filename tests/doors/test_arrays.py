"""What comes in at a door is right or refused in a sentence: masks, labels, starts, images, tracing."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel import Clamp, UserError

RNG = np.random.default_rng(0)
WEIGHT = RNG.normal(size=(4, 2))
LINEAR = pcmodel.linear_gaussian([WEIGHT], [4.0, 1.0], prior_mean=np.array([0.3, -0.2]))
TANH = pcmodel.dense((4, 3, 2), rngs=nnx.Rngs(0))
CLASSES = pcmodel.dense((10, 3, 10), likelihood=pcmodel.Categorical(), rngs=nnx.Rngs(0))
KEY = jax.random.key(0)


def battery(*options):
    """Counts of the battery, in a process without the tests' type checker: a list is no `ArrayLike`."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.doors.arrays", *options]
    environment = {**os.environ, "PYTHONPATH": str(root), "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, check=True, cwd=root
    )
    *bad, counts = done.stdout.strip().splitlines()
    return bad, ast.literal_eval(counts)


def test_generated_inputs_are_right_or_refused_in_a_sentence():
    """Prevents a dropped mask, imaginary part or overflow from becoming a belief."""
    bad, counts = battery("--quick")
    assert not bad
    assert counts["right"] > 40 and counts["named error"] > 50


@pytest.mark.slow
@pytest.mark.parametrize("double", ["0", "1"])
def test_generated_inputs_are_right_or_refused_everywhere(double, monkeypatch):
    """The same at every door, three times over, in both precisions."""
    monkeypatch.setenv("JAX_ENABLE_X64", double)
    bad, _ = battery("--rounds", "3")
    assert not bad


def test_what_is_masked_is_missing():
    """Prevents whatever stands under a mask (a zero, a NaN) from being taken for data."""
    data = RNG.normal(size=(3, 4))
    hidden = np.array([False, True, False, False])
    masked = np.ma.array(np.where(hidden, np.nan, data), mask=np.tile(hidden, (3, 1)))
    seen = WEIGHT[~hidden]
    for given in (masked,):
        found = pcmodel.posterior(LINEAR, given)
        precision = np.eye(2) + 4 * seen.T @ seen
        held = np.array([0.3, -0.2])
        mean = (
            held
            + np.linalg.solve(
                precision, 4 * seen.T @ (data[:, ~hidden] - held @ seen.T).T
            ).T
        )
        np.testing.assert_allclose(found.mean[1], mean, rtol=1e-9)
        np.testing.assert_allclose(found.mean[0][:, 1], mean @ WEIGHT[1], rtol=1e-9)
    masked.mask[0, 0] = True
    with pytest.raises(UserError, match=r"examples 0 and 1 differ.*share one"):
        pcmodel.infer(LINEAR, masked)


@pytest.mark.slow
def test_training_ignores_what_is_masked():
    """Prevents training from learning the zeros under a mask."""
    hidden = np.tile([False, True, False, False], (4, 1))
    data = RNG.normal(size=(4, 4))
    options = {"key": KEY, "num_epochs": 1, "batch_size": 2}
    curves = [
        pcmodel.train(LINEAR, given, **options).curve.energy
        for given in (
            np.ma.array(data, mask=hidden),
            np.ma.array(np.where(hidden, 1e3, data), mask=hidden),
            data,
        )
    ]
    np.testing.assert_array_equal(curves[0], curves[1])
    assert np.all(curves[0] != curves[2])


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        (np.array([0, 1, 2, 3]), r"np\.isin"),
        (np.array([2]), r"np\.isin"),
        (np.array([0.5, 1, 0, 0]), "no booleans"),
        (np.array([[1, 1, 0, 0], [1, 0, 0, 0]]), "examples 0 and 1 differ"),
        (np.ma.array([True] * 4, mask=[0, 1, 0, 0]), "itself masked"),
        (np.array([True, False]), r"\(4,\)"),
    ],
    ids=str,
)
def test_a_mask_is_boolean(mask, said):
    """Prevents a list of indices from clamping every unit but the first."""
    with pytest.raises(UserError, match=said):
        pcmodel.infer(LINEAR, clamp={0: Clamp(np.ones(4), mask)})
    with pytest.raises(UserError, match=said):
        pcmodel.complete(LINEAR, np.ones(4), mask, key=KEY)


def test_zeros_and_ones_are_a_mask_unless_they_could_be_indices():
    clamped = pcmodel.infer(
        LINEAR, clamp={0: Clamp(np.ones(4), np.array([1, 0, 1, 1]))}
    )
    mask = np.array([True, False, True, True])
    expected = pcmodel.infer(LINEAR, clamp={0: Clamp(np.ones(4), mask)})
    np.testing.assert_array_equal(clamped.latents[1], expected.latents[1])
    with pytest.raises(UserError, match="could be booleans or indices"):
        pcmodel.infer(LINEAR, clamp={1: Clamp(np.ones(2), np.array([0, 1]))})


START = (jnp.ones((2, 4)), jnp.ones((2, 3)), jnp.ones((2, 2)))


@pytest.mark.parametrize(
    ("initial", "said"),
    [
        (tuple(each[:1].repeat(3, 0) for each in START), r"\(3, 4\).*\(2, 4\)"),
        (START[:2], "2 arrays.*3 arrays"),
        ((START[0], START[2], START[1]), "'hidden1'.*has shape"),
        ((START[0], START[1], START[2] * np.nan), "'top'.*NaN"),
    ],
    ids=["another batch", "a level short", "swapped", "NaN"],
)
def test_a_start_fits_the_problem(initial, said):
    """Prevents the start of other data from being read as that of these."""
    with pytest.raises(UserError, match=said):
        pcmodel.infer(TANH, np.ones((2, 4)), initial=initial)


def test_what_is_clamped_starts_at_its_value_and_one_start_serves_a_batch():
    data = RNG.normal(size=(2, 4))
    right = (jnp.asarray(data), START[1], START[2])
    expected = pcmodel.infer(TANH, data, initial=right)
    for initial in (START, tuple(each[0] for each in START)):
        found = pcmodel.infer(TANH, data, initial=initial)
        np.testing.assert_array_equal(found.whitened, expected.whitened)
        np.testing.assert_array_equal(found.latents[0], data)


def test_labels_are_not_taken_for_a_vector():
    """Prevents ten labels of ten classes from clamping one vector for every example."""
    labels, images = np.arange(10) % 7, np.zeros((10, 10)) + np.eye(10)
    calls = [
        lambda given: pcmodel.infer(CLASSES, images, clamp={"top": given}),
        lambda given: pcmodel.train(
            CLASSES, images, clamp={"top": given}, key=KEY, batch_size=5
        ),
    ]
    for call in calls:
        for given in (labels, jnp.asarray(labels), labels * 1.0):
            with pytest.raises(UserError, match=r"np\.eye\(10\)\[labels\]"):
                call(given)
    with pytest.raises(UserError, match=r"np\.eye\(10\)\[labels\]"):
        pcmodel.infer(CLASSES, np.eye(10, dtype=int)[3])
    with pytest.raises(UserError, match=r"labels\? .*np\.eye\(10\)"):
        pcmodel.infer(CLASSES, np.array([1, 2, 3]))
    vector = pcmodel.infer(CLASSES, images[3], clamp={"top": labels})
    assert not vector.is_batched
