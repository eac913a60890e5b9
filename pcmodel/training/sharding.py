"""Data parallelism: each device holds the whole state and a part of every batch."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from pcmodel.errors import UserError


def batch_sharding(num_devices: int) -> NamedSharding | None:
    """How a batch is divided among devices; None for one device.

    With several processes (`jax.distributed`) the devices are those of all of them.
    Raises UserError for more devices than there are, and for fewer than the processes' own.
    """
    found = jax.devices()
    if num_devices > len(found):
        raise UserError(
            f"{num_devices} were asked for, but jax sees {len(found)} "
            f"({found[0].platform})",
            where="devices",
            expected=f"{len(found)} or fewer",
        )
    if jax.process_count() > 1 and num_devices != len(found):
        raise UserError(
            f"{num_devices} were asked for, but {jax.process_count()} processes share "
            f"{len(found)}",
            where="devices",
            expected=f"{len(found)}",
        )
    if num_devices == 1:
        return None
    mesh = jax.make_mesh(
        (num_devices,),
        ("data",),
        axis_types=(AxisType.Auto,),
        devices=found[:num_devices],
    )
    return NamedSharding(mesh, PartitionSpec("data"))


def replicate(tree: Any, sharding: NamedSharding | None) -> Any:
    """The same arrays on every device of the mesh (on the default device without one)."""
    if sharding is None:
        return jax.device_put(tree)
    everywhere = NamedSharding(sharding.mesh, PartitionSpec())

    def put(array: Any) -> jax.Array:
        if jnp.issubdtype(array.dtype, jax.dtypes.prng_key):
            words = put(jax.random.key_data(array))
            return jax.random.wrap_key_data(words, impl=jax.random.key_impl(array))
        return jax.make_array_from_process_local_data(everywhere, np.asarray(array))

    return jax.tree.map(put, tree)


def on_host(tree: Any) -> Any:
    """The arrays as numpy arrays, from whichever devices hold them."""
    return jax.tree.map(np.asarray, tree)
