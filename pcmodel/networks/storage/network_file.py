"""Saving and loading a network: one .npz file, no pickle.

The file contains the arrays, a description of the architecture, and a SHA-256 of every array, with which damage is
detected.  It is written atomically.  A network of this package's layers is rebuilt from the file alone; one with custom
layers, or with a likelihood whose class is not defined when it is loaded, is loaded `into` a network of the same
architecture (see `pcmodel.networks.storage.likelihoods`).  Shared parameters are stored once and shared again after
loading.
"""

import io
import json
import os
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments, short
from pcmodel.inputs.files import (
    UNREADABLE_ARCHIVE,
    parse_json,
    read_bytes,
    shown,
    why_unreadable,
)
from pcmodel.inputs.hashes import hash_array, hash_text
from pcmodel.networks.network import Network
from pcmodel.networks.pure import as_model, with_arrays
from pcmodel.networks.storage.description import build_layer, describe_layer
from pcmodel.networks.storage.graph import (
    GRAPH,
    build_likelihoods,
    build_parts,
    describe_graph,
    share_precisions,
)
from pcmodel.networks.storage.likelihoods import (
    build_likelihood,
    describe_likelihood,
    told,
)
from pcmodel.networks.storage.tying import describe_ties, tie_layers
from pcmodel.record.files import write_bytes

FORMAT = 4
READABLE = (2, 3, 4)
"""Readable versions of the format: 2 has neither shared parameters nor dtypes that numpy does not have, 3 no checksum
of the metadata."""
NEEDED: dict[str, Any] = {
    "widths": list,
    "names": list,
    "likelihood": object,
    "is_linear": bool,
    "layers": list,
    "precision_shapes": list,
    "sha256": dict,
}
OPTIONAL: dict[str, Any] = {"types": dict, "ties": list} | GRAPH
"""Optional entries of the metadata and their types."""


@checked_arguments
def save(network: Network, path: str | os.PathLike) -> None:
    """Write a network; an existing file is replaced only when the new one is complete.

    Raises UserError if the file cannot be written, and for a likelihood whose options cannot be stored.
    """
    arrays = flatten(network)
    metadata = describe(network, arrays)
    content = {
        "metadata": np.array(json.dumps(metadata | {"checksum": checksum(metadata)})),
        **{name: as_stored(value) for name, value in arrays.items()},
    }
    check_place(path)
    buffer = io.BytesIO()
    np.savez(buffer, **content)  # type: ignore[arg-type]
    try:
        write_bytes(Path(path), buffer.getvalue())
    except UserError as error:
        cause = error.__cause__
        reason = getattr(cause, "strerror", None) or "no such name can be given"
        raise UserError(f"cannot write {shown(path)}: {reason}.") from None


def check_place(path: str | os.PathLike) -> None:
    """Raise a UserError unless the folder exists: a misspelt one is not created."""
    try:
        Path(path).parent.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"cannot write {shown(path)}: {reason}.") from None


def checksum(metadata: dict[str, Any]) -> str:
    """SHA-256 of the metadata of a file, the checksums of the arrays included."""
    return hash_text(json.dumps(metadata, sort_keys=True))


@checked_arguments
def load(path: str | os.PathLike, *, into: Network | None = None) -> Network:
    """Read a network written by `save`.

    into: a network of the same architecture, needed for custom layers; a copy of it with the arrays is returned.

    Raises UserError for a missing or damaged file, one that is not a network, or another architecture.
    """
    arrays, metadata = read(Path(path))
    path = shown(path)
    network = into if into is not None else rebuild(metadata, path)
    misfit = (
        f"{path} holds a network of widths {metadata['widths']}, which does not fit one "
        f"of widths {list(network.widths)}."
    )
    if metadata["widths"] != list(network.widths):
        raise UserError(misfit)
    check_same(metadata, describe(network, {}), path)
    expected = {name: value.shape for name, value in flatten(network).items()}
    if expected != {name: value.shape for name, value in arrays.items()}:
        raise UserError(misfit)
    pure = as_model(network)
    leaves, tree = jax.tree.flatten((pure.weights, pure.log_precisions))
    names = list(expected)
    restored = [
        jnp.asarray(arrays[name], number_type(arrays[name], leaf, into))
        for name, leaf in zip(names, leaves, strict=True)
    ]
    weights, log_precisions = jax.tree.unflatten(tree, restored)
    return with_arrays(network, weights, log_precisions)


def number_type(stored: np.ndarray, own: jax.Array, into: Network | None) -> np.dtype:
    """The dtype of a loaded array: that of `into`, or without it that of the file."""
    if into is not None:
        return own.dtype
    return jax.dtypes.canonicalize_dtype(stored.dtype)


def as_stored(array: np.ndarray) -> np.ndarray:
    """The array in a dtype that numpy can write; others (bfloat16) as their bits."""
    if array.dtype.kind != "V" and array.dtype.isbuiltin == 1:
        return array
    return array.view(f"u{array.dtype.itemsize}")


def as_meant(array: np.ndarray, dtype: str) -> np.ndarray:
    """The inverse of `as_stored`."""
    return array if str(array.dtype) == dtype else array.view(jnp.dtype(dtype))


def flatten(network: Network) -> dict[str, np.ndarray]:
    """The arrays of a network by path, in tree order."""
    pure = as_model(network)
    leaves = jax.tree_util.tree_leaves_with_path((pure.weights, pure.log_precisions))
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}


def describe(network: Network, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """The metadata with which a network is rebuilt and checked."""
    return {
        "format": FORMAT,
        "widths": list(network.widths),
        "names": list(network.names),
        "likelihood": describe_likelihood(network.likelihood),
        "ties": describe_ties(network),
        "types": {name: str(value.dtype) for name, value in arrays.items()},
        **describe_graph(network),
        "is_linear": network.is_linear,
        "layers": [describe_layer(layer) for layer in network.layers],
        "precision_shapes": [
            None if value is None else list(value[...].shape)
            for value in network.log_precision
        ],
        "sha256": {name: hash_array(value) for name, value in arrays.items()},
    }


def read(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays and metadata of a file; raises UserError if they do not match their checksums."""
    where = shown(path)
    content = read_bytes(path)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        text = str(arrays.pop("metadata"))
    except UNREADABLE_ARCHIVE as error:
        raise UserError(
            f"is not a readable network file: {why_unreadable(error)}",
            where=where,
            expected="a file written by pcmodel.save (a table of trials is read by "
            "load_series)",
        ) from None
    metadata = parse_json(text, where=where)
    check_metadata(metadata, where)
    for name, value in arrays.items():
        if hash_array(value) != metadata["sha256"].get(name):
            raise UserError(
                f"{where} is damaged: array {name} does not match its checksum."
            )
    types = metadata.get("types", {})
    try:
        arrays = {
            name: as_meant(value, types.get(name, str(value.dtype)))
            for name, value in arrays.items()
        }
    except (TypeError, ValueError) as error:
        raise UserError(f"{where} is not a readable network file: {error}") from None
    return arrays, {"ties": [], **metadata}


def check_metadata(metadata: Any, where: str) -> None:
    """Raise a UserError unless this is the unchanged metadata of a network file."""
    if not isinstance(metadata, dict):
        raise UserError(f"{where} is not a network file.")
    if metadata.get("format") not in READABLE:
        raise UserError(
            f"{where} has format {short(metadata.get('format'))}; this version reads "
            f"{', '.join(map(str, READABLE[:-1]))} and {READABLE[-1]}."
        )
    told = metadata.pop("checksum", None)
    if metadata["format"] > 3 and told != checksum(metadata):
        raise UserError(
            f"{where} is damaged or was edited: what it says about the network does not match "
            "its checksum."
        )
    if not metadata.keys() >= NEEDED.keys():
        missing = ", ".join(sorted(NEEDED.keys() - metadata.keys()))
        raise UserError(f"{where} is not a network file: it lacks {missing}.")
    for name, kind in {**NEEDED, **OPTIONAL}.items():
        if name in metadata and not isinstance(metadata[name], kind):
            raise UserError(
                f"{where} is not a network file: its {name} is {short(metadata[name])}."
            )


def check_same(
    found: dict[str, Any], own: dict[str, Any], path: str | os.PathLike
) -> None:
    """Raise a UserError unless a file's layers and likelihood equal the network's."""
    if found["likelihood"] != own["likelihood"]:
        raise UserError(
            f"{path} holds a network with likelihood {told(found['likelihood'])}, which does not "
            f"fit one with {told(own['likelihood'])}."
        )
    if any(found.get(name) != own.get(name) for name in GRAPH if name != "parts"):
        raise UserError(
            f"{path} holds a network with other parents of its levels, likelihoods or shared precisions, which does "
            "not fit this one."
        )
    if found["ties"] != own["ties"]:
        raise UserError(
            f"{path} holds a network in which other layers share parameters, which does not fit this one."
        )
    if len(found["layers"]) != len(own["layers"]):
        raise UserError(
            f"{path} describes {len(found['layers'])} layers, which does not fit a network "
            f"of {len(own['layers'])}."
        )
    for level, (theirs, ours) in enumerate(
        zip(found["layers"], own["layers"], strict=True)
    ):
        if theirs != ours:
            raise UserError(
                f"{path}: the layer that predicts level {level} does not fit the network's: "
                f"{difference(theirs, ours)}."
            )


def difference(theirs: Any, ours: Any) -> str:
    """The difference between two layers' descriptions, in words."""
    if not isinstance(theirs, dict) or not isinstance(ours, dict):
        return "one of them is custom"
    keys = [key for key in {**theirs, **ours} if theirs.get(key) != ours.get(key)]
    return f"{keys[0]} {theirs.get(keys[0])}, not {ours.get(keys[0])}"


def rebuild(metadata: dict[str, Any], path: str | os.PathLike) -> Network:
    """A network of the described architecture with arbitrary arrays; raises UserError for an invalid description."""
    layers = metadata["layers"]
    if None in layers:
        raise UserError(
            f"{path} holds custom layers: pass a network of the same architecture, "
            "load(path, into=network)."
        )
    shapes = metadata["precision_shapes"]
    likelihood = build_likelihood(metadata["likelihood"], path)
    try:
        precisions = [None if s is None else np.zeros(s) for s in shapes]
    except (TypeError, ValueError, MemoryError) as error:
        reason = f"its precision_shapes are {short(shapes)} ({error})"
        raise UserError(f"{path} is not a network file: {reason}.") from None
    return Network(
        tie_layers([build_layer(layer) for layer in layers], layers, metadata["ties"]),
        metadata["widths"],
        log_precisions=share_precisions(precisions, metadata, path),
        likelihood=build_likelihoods(metadata, likelihood, path),
        names=metadata["names"],
        is_linear=metadata["is_linear"],
        parents=metadata.get("parents"),
        parts=build_parts(metadata, path),
    )
