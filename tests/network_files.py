"""Networks to be saved, and what their files hold."""

import json

import jax.numpy as jnp
import numpy as np
from flax import nnx

import pcmodel
from pcmodel.networks.network import Network
from pcmodel.networks.storage.network_file import checksum

UNITS = np.array([1.0, 2.0, 3.0, 4.0])
FULL = np.array([[2.0, 0.5], [0.5, 1.0]])


def tanh_network(seed=0, **options):
    options = {"precisions": (4.0, UNITS, FULL), **options}
    return pcmodel.dense((3, 4, 2), rngs=nnx.Rngs(seed), **options)


def bernoulli_network():
    return tanh_network(
        precisions=(None, 2.0, 1.0),
        likelihood=pcmodel.Bernoulli(),
        names=["a", "b", "c"],
    )


class Doubling(nnx.Module):
    """A layer no file can describe."""

    def __init__(self):
        self.factor = nnx.Param(jnp.array(2.0))

    def __call__(self, above):
        return self.factor[...] * above


def custom_network(value=2.0):
    network = Network([Doubling()], [2, 2], log_precisions=[0.0, 0.0])
    network.layers[0].factor[...] = value
    return network


def rewritten(path, change):
    """The file with its arrays changed and a valid archive, duly signed, around them."""
    with np.load(path) as file:
        arrays = dict(file)
    change(arrays)
    metadata = json.loads(str(arrays["metadata"]))
    metadata.pop("checksum")
    signed = metadata | {"checksum": checksum(metadata)}
    arrays["metadata"] = np.array(json.dumps(signed))
    np.savez(path, **arrays)


def said(path):
    """What the file says about its network, and its arrays."""
    with np.load(path) as file:
        arrays = dict(file)
    return json.loads(str(arrays.pop("metadata"))), arrays
