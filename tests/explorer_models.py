"""What the explorer's page computes with, as the package's own objects."""

import jax.numpy as jnp
import numpy as np
from explorer_twin import tables
from flax import nnx

import pcmodel
from pcmodel.explorer.tables import DATA, INFUSION_HOURS, SHOWN
from pcmodel.networks.pure import with_arrays
from pcmodel.neuromodulation import Bolus, Infusion, Oral


def chain_network(precisions, prior_mean):
    """Four scalar levels with weights of 1."""
    return pcmodel.linear_gaussian(
        [np.ones((1, 1))] * 3, list(precisions), prior_mean=np.array([prior_mean])
    )


def route_of(name):
    """The route by which the page gives a compound."""
    kind = SHOWN[name][0]
    return {"oral": Oral(), "bolus": Bolus(), "infusion": Infusion(INFUSION_HOURS)}[
        kind
    ]


def digits_network(which):
    """The shipped hierarchy as a network of the package, in double precision."""
    widths, arrays = tables()["digits"]["widths"], np.load(DATA / "digits.npz")
    network = pcmodel.dense(widths, precisions=[1.0] * 4, rngs=nnx.Rngs(0))
    layers = tuple(
        {
            "weight": jnp.asarray(arrays[f"{which}_weight{level}"], float),
            "bias": jnp.asarray(arrays[f"{which}_bias{level}"], float),
        }
        for level in range(3)
    )
    prior_mean = jnp.asarray(arrays["prior_mean"], float)
    log_precisions = [jnp.asarray(each, float) for each in arrays["log_precisions"]]
    weights = {"layers": layers, "prior_mean": prior_mean}
    return with_arrays(network, weights, tuple(log_precisions))
