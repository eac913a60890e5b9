"""Saving and loading a network: one .npz file, no pickle.

The file holds the arrays, a description of the architecture, and a SHA-256 of every array: a damaged file
is refused by name.  It appears whole or not at all.  A network of `dense` or
`linear_gaussian` is rebuilt from the file alone; one of custom layers is loaded `into` a
network of the same architecture.
"""

import hashlib
import json
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from pcmodel.errors import UserError
from pcmodel.likelihood import Bernoulli, Categorical, Gaussian
from pcmodel.networks.layers import Dense, identity
from pcmodel.networks.network import Network, as_model, with_arrays

FORMAT = 1
ACTIVATIONS = {
    "identity": identity,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "gelu": jax.nn.gelu,
    "sigmoid": jax.nn.sigmoid,
    "softplus": jax.nn.softplus,
}
UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    zipfile.BadZipFile,
    NotImplementedError,  # an archive damaged where it names its compression
    TypeError,  # a single array, which numpy does not open as an archive
)
LIKELIHOODS = {kind.name: kind for kind in (Gaussian, Bernoulli, Categorical)}


def save(network: Network, path: str | os.PathLike) -> None:
    """Write a network; an existing file is replaced only once the new one is complete.

    Raises UserError if the place cannot be written.
    """
    arrays = flatten(network)
    metadata = json.dumps(describe(network, arrays))
    target = Path(path)
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(
            dir=target.parent, suffix=".part", delete=False
        ) as file:
            temporary = Path(file.name)
            np.savez(file, **{"metadata": np.array(metadata), **arrays})  # type: ignore[arg-type]
        os.replace(temporary, target)
    except OSError as error:
        raise UserError(f"cannot write {target}: {error.strerror}.") from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def load(path: str | os.PathLike, *, into: Network | None = None) -> Network:
    """Read a network written by `save`.

    into: a network of the same architecture to take the arrays (a copy is returned); needed
        for custom layers.  Raises UserError for a missing, foreign or damaged file, or another
        architecture.
    """
    arrays, metadata = read(Path(path))
    network = into if into is not None else rebuild(metadata, path)
    expected = {name: value.shape for name, value in flatten(network).items()}
    found = {name: value.shape for name, value in arrays.items()}
    if expected != found or metadata["widths"] != list(network.widths):
        raise UserError(
            f"{path} holds a network of widths {metadata['widths']}, which does not fit one "
            f"of widths {list(network.widths)}."
        )
    for key in ("activations", "likelihood"):
        own = describe(network, {})[key]
        if own != metadata[key]:
            raise UserError(
                f"{path} holds a network with {key} {metadata[key]}, which does not fit one "
                f"with {own}."
            )
    pure = as_model(network)
    leaves, tree = jax.tree.flatten((pure.weights, pure.log_precisions))
    names = list(expected)
    restored = [
        jnp.asarray(arrays[name], leaf.dtype)
        for name, leaf in zip(names, leaves, strict=True)
    ]
    weights, log_precisions = jax.tree.unflatten(tree, restored)
    return with_arrays(network, weights, log_precisions)


def flatten(network: Network) -> dict[str, np.ndarray]:
    """Arrays by path, in tree order."""
    pure = as_model(network)
    leaves = jax.tree_util.tree_leaves_with_path((pure.weights, pure.log_precisions))
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}


def describe(network: Network, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """What is needed to rebuild and to check the network."""
    return {
        "format": FORMAT,
        "widths": list(network.widths),
        "names": list(network.names),
        "likelihood": network.likelihood.name,
        "is_linear": network.is_linear,
        "activations": [activation_name(layer) for layer in network.layers],
        "precision_shapes": [
            None if value is None else list(value[...].shape)
            for value in network.log_precision
        ],
        "sha256": {name: digest(value) for name, value in arrays.items()},
    }


def activation_name(layer: nnx.Module) -> str | None:
    """Name of a dense layer's activation; None for a layer this file cannot rebuild."""
    if type(layer) is not Dense:
        return None
    names = [name for name, value in ACTIVATIONS.items() if value is layer.activation]
    return names[0] if names else None


def digest(array: np.ndarray) -> str:
    """SHA-256 of an array's bytes."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def read(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays and metadata, checked against their digests."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        metadata = json.loads(str(arrays.pop("metadata")))
    except FileNotFoundError:
        raise UserError(f"there is no file {path}.") from None
    except UNREADABLE as error:
        raise UserError(f"{path} is not a readable network file: {error}") from None
    if not isinstance(metadata, dict):
        raise UserError(f"{path} is not a network file.")
    if metadata.get("format") != FORMAT:
        raise UserError(
            f"{path} has format {metadata.get('format')}; this version reads {FORMAT}."
        )
    for name, value in arrays.items():
        if digest(value) != metadata["sha256"].get(name):
            raise UserError(
                f"{path} is damaged: array {name} does not match its checksum."
            )
    return arrays, metadata


def rebuild(metadata: dict[str, Any], path: str | os.PathLike) -> Network:
    """An empty network of the described architecture."""
    activations = metadata["activations"]
    if None in activations:
        raise UserError(
            f"{path} holds custom layers: pass a network of the same architecture, "
            "load(path, into=network)."
        )
    widths = metadata["widths"]
    layers = [
        Dense(above, below, activation=ACTIVATIONS[name], rngs=nnx.Rngs(0))
        for below, above, name in zip(widths, widths[1:], activations, strict=False)
    ]
    shapes = metadata["precision_shapes"]
    return Network(
        layers,
        widths,
        log_precisions=[None if s is None else np.zeros(s) for s in shapes],
        likelihood=LIKELIHOODS[metadata["likelihood"]](),
        names=metadata["names"],
        is_linear=metadata["is_linear"],
    )
