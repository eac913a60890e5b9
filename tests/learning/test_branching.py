"""Precisions of a branching tanh hierarchy with two ends, learned from samples of known ones."""

import jax
import numpy as np
import optax
import pytest
from flax import nnx

import pcmodel
from pcmodel import Level
from pcmodel.learning import Hmc, NaturalGradient

TRUE = {"image": 4.0, "sound": 2.0, "sight": 3.0, "hearing": 1.5, "self": 1.0}


def streams(precisions):
    """Two streams from one top, every map through tanh, the same weights at every call."""
    rngs = nnx.Rngs(5)

    def layer(above, below):
        return pcmodel.Dense(above, below, scale=1.5, rngs=rngs)

    return pcmodel.hierarchy(
        {
            "image": Level(
                12, parents=["sight"], layer=layer(4, 12), precision=precisions["image"]
            ),
            "sound": Level(
                8, parents=["hearing"], layer=layer(3, 8), precision=precisions["sound"]
            ),
            "sight": Level(
                4, parents=["self"], layer=layer(2, 4), precision=precisions["sight"]
            ),
            "hearing": Level(
                3, parents=["self"], layer=layer(2, 3), precision=precisions["hearing"]
            ),
            "self": Level(2, precision=precisions["self"]),
        },
        rngs=nnx.Rngs(0),
    )


@pytest.mark.slow
def test_the_precisions_of_two_streams_are_recovered():
    """All five from one, by HMC and natural gradients: within 5 %, or two standard errors of these data."""
    true = streams(TRUE)
    image, sound, *_ = pcmodel.sample(true, jax.random.key(1), 2000)
    learning = pcmodel.Learning(
        optax.set_to_zero(), precision_step=NaturalGradient(), e_step=Hmc()
    )
    found = pcmodel.train(
        streams(dict.fromkeys(TRUE, 1.0)),
        {"image": image, "sound": sound},
        key=jax.random.key(2),
        learning=learning,
        num_epochs=700,
        batch_size=500,
    )
    assert found.network.names == tuple(TRUE)
    assert all(found.precisions.settled), found.precisions.reasons
    for level, (name, value) in enumerate(TRUE.items()):
        learned = float(found.network.log_precision[level][...])
        allowed = max(0.05, 2 * float(found.precisions.standard_errors[level]))
        assert abs(learned - np.log(value)) < allowed, (name, np.exp(learned), allowed)
        print(name, np.exp(learned), value, found.precisions.standard_errors[level])
