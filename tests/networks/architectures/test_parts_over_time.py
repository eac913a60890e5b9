"""Parts of levels over time: the same units at every step, read and given by one name."""

import numpy as np
from flax import nnx

import pcmodel
from pcmodel import Level


def test_parts_are_the_same_at_every_step_the_first_ones_included():
    network = pcmodel.over_time(
        {
            "report": Level(1, parents=["state"]),
            "state": Level(3, parents=["state[-1]"], parts={"self": 1, "world": 2}),
        },
        3,
        rngs=nnx.Rngs(0),
    )
    series = np.asarray([[0.5], [0.1], [-2.0]])
    world = np.arange(6.0).reshape(3, 2)
    given = pcmodel.at_steps({"report": series, "state/world": world})
    assert "state[2]/world" in given
    found = pcmodel.infer(network, given)
    np.testing.assert_array_equal(
        pcmodel.over_steps(network, found.latents, "state/world"), world
    )
    whole = pcmodel.over_steps(network, found.latents, "state")
    part = pcmodel.over_steps(network, found.latents, "state/self")
    np.testing.assert_array_equal(part, whole[:, :1])
    masked = np.ma.masked_array(np.zeros((3, 3)), np.zeros((3, 3), bool))
    masked[:, 1:], masked[:, 0] = world, np.ma.masked
    same = pcmodel.infer(network, pcmodel.at_steps({"report": series, "state": masked}))
    np.testing.assert_array_equal(
        pcmodel.over_steps(network, same.latents, "state"), whole
    )
