"""Precisions learned alone, the weights held: what tests of M-steps and chains share."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.learning import Learning
from pcmodel.learning.loop import learn
from pcmodel.networks.pure import as_model

HELD = optax.set_to_zero()
"""One object: another would be another program to compile."""


def learn_precisions(network, data, e_step, step, *, steps, frozen=(), seed=0):
    """State and curve of full-batch steps that leave the weights alone."""
    pure = as_model(network)
    structure = pose(network, np.asarray(data)).problem.structure
    empty = jnp.zeros((len(data), 0))
    learning = Learning(
        HELD,
        precision_step=step,
        e_step=e_step,
        frozen_precisions=frozen,
    )
    return learn(
        structure,
        pure.weights,
        pure.log_precisions,
        (jnp.asarray(data), *(empty for _ in pure.model.widths[1:])),
        jax.random.key(seed),
        learning=learning,
        num_epochs=steps,
        batch_size=len(data),
    )


def tanh_case(widths, truth, num_examples, *, start=None, scale=1.5, seed=0):
    """The network with its precisions at `start`, and data of the truth; every map through tanh."""
    layers = [
        pcmodel.Dense(above, below, scale=scale, rngs=nnx.Rngs(100 * seed + place))
        for place, (below, above) in enumerate(pairwise(widths))
    ]
    true = pcmodel.Network(layers, widths, log_precisions=list(np.log(truth)))
    data = pcmodel.sample(true, jax.random.key(seed), num_examples)[0]
    start = [0.0] * len(widths) if start is None else start
    return pcmodel.Network(layers, widths, log_precisions=start), data
