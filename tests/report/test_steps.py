"""The figure of inference step by step shows the numbers it is given."""

import numpy as np
import optax
import pytest
from flax import nnx

import pcmodel
from pcmodel.report.steps import inference_figure

NETWORK = pcmodel.dense((4, 3, 2), precisions=[2.0, 1.0, 1.0], rngs=nnx.Rngs(0))
IMAGES = np.random.default_rng(0).normal(size=(3, 4))
SOLVER = pcmodel.StateDescent(optax.sgd(0.05))


def lines(axes):
    return {line.get_label(): line.get_ydata() for line in axes.lines}


@pytest.mark.parametrize("data", [IMAGES, IMAGES[0]], ids=["batch", "one"])
def test_its_lines_are_means_over_examples(data):
    steps = pcmodel.inference_steps(NETWORK, data, num_steps=5, solver=SOLVER)
    figure = inference_figure(steps, heading="Descent")
    energy, errors, distance = figure.axes
    for name in NETWORK.names:
        expected = np.reshape(steps.level_energies[name], (-1, 6)).mean(axis=0)
        np.testing.assert_allclose(lines(energy)[name], expected)
    squares = np.square(steps.errors["hidden1"]).reshape(-1, 6, 3).mean(axis=(0, 2))
    np.testing.assert_allclose(errors.lines[1].get_ydata(), np.sqrt(squares))
    norms = np.reshape(steps.gradient_norm, (-1, 6))
    np.testing.assert_allclose(distance.lines[-1].get_ydata(), norms.mean(axis=0))
    assert len(distance.lines) == (4 if data.ndim == 2 else 1)
