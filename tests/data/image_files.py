"""Small image data sets written in their original file formats, for the loaders to read."""

import gzip
import io
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "images"

IDX_NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
CIFAR_NAMES = (*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin")


def shared_images():
    """The folder of real images beside the repository; skips the test without it."""
    if not SHARED.exists():
        pytest.skip("needs shared/data/images beside the repository")
    return SHARED


def idx_bytes(array):
    header = struct.pack(">BBBB", 0, 0, 8, array.ndim)
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return header + sizes + array.astype(np.uint8).tobytes()


def idx_arrays(num_train=7, num_test=3, side=28):
    """Images, labels, images, labels: no two images alike."""
    rng = np.random.default_rng(0)
    return tuple(
        rng.integers(0, high, (num, *shape)).astype(np.uint8)
        for num in (num_train, num_test)
        for high, shape in ((256, (side, side)), (10, ()))
    )


def write_idx(folder, arrays, compress=True):
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in zip(IDX_NAMES, arrays, strict=True):
        content = idx_bytes(array)
        path = folder / (f"{name}.gz" if compress else name)
        path.write_bytes(gzip.compress(content) if compress else content)
    return folder


def cifar_contents(num=4):
    """Name -> bytes of each batch, and name -> (images, labels) they stand for."""
    rng = np.random.default_rng(1)
    contents, truth = {}, {}
    for name in CIFAR_NAMES:
        images = rng.integers(0, 256, (num, 32, 32, 3)).astype(np.uint8)
        labels = rng.integers(0, 10, num).astype(np.uint8)
        planes = [images[..., channel].reshape(num, 1024) for channel in range(3)]
        records = np.concatenate([labels[:, None], *planes], axis=1)
        contents[name], truth[name] = records.tobytes(), (images, labels)
    return contents, truth


def write_cifar(folder, contents):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def write_cifar_archive(path, contents):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path
