"""Image data sets: what is read is what was written, and what is wrong is named."""

import gzip
import subprocess
import sys

import numpy as np
import pytest

from pcmodel.data import images as images_module
from pcmodel.data.digits import load_digits_split
from pcmodel.data.images import (
    load_cifar10,
    load_digits_images,
    load_fashion_mnist,
    load_images,
    load_mnist,
    split_validation,
)
from pcmodel.data.standardisation import standardise
from pcmodel.errors import UserError
from tests.data.image_files import (
    CIFAR_NAMES,
    IDX_NAMES,
    cifar_contents,
    idx_arrays,
    idx_bytes,
    shared_images,
    write_cifar,
    write_cifar_archive,
    write_idx,
)


@pytest.fixture(autouse=True)
def nothing_is_downloaded(monkeypatch, tmp_path):
    """A test that reaches for the net fails instead."""

    def refuse(remote, folder):
        raise AssertionError(f"would download {remote.name}")

    monkeypatch.setattr(images_module, "fetch", refuse)
    monkeypatch.setenv("PCMODEL_DATA", str(tmp_path / "kept"))


def assert_holds(data, arrays):
    train_images, train_labels, test_images, test_labels = arrays
    np.testing.assert_array_equal(data.train_images, train_images[..., None])
    np.testing.assert_array_equal(data.train_labels, train_labels)
    np.testing.assert_array_equal(data.test_images, test_images[..., None])
    np.testing.assert_array_equal(data.test_labels, test_labels)
    assert data.train_images.dtype == np.uint8 and data.train_labels.dtype == np.int32


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("subfolder", ["", "mnist", "MNIST/raw"])
def test_mnist_is_read_as_it_was_written(tmp_path, compress, subfolder):
    """Prevents transposed images, and labels of other images."""
    write_idx(tmp_path / subfolder, idx_arrays(), compress)
    assert_holds(load_mnist(tmp_path), idx_arrays())


def test_names_that_other_unpackers_leave_are_found(tmp_path):
    write_idx(tmp_path, idx_arrays(), compress=False)
    for name in IDX_NAMES:
        (tmp_path / name).rename(tmp_path / name.replace("-idx", ".idx"))
    assert_holds(load_mnist(str(tmp_path)), idx_arrays())


def test_a_file_that_a_browser_decompressed_is_read(tmp_path):
    """Prevents a name from being believed more than the content."""
    write_idx(tmp_path, idx_arrays())
    path = tmp_path / f"{IDX_NAMES[0]}.gz"
    path.write_bytes(gzip.decompress(path.read_bytes()))
    assert_holds(load_mnist(tmp_path), idx_arrays())


def test_what_lies_in_the_kept_folder_is_used_as_it_is(tmp_path):
    """Prevents a user's own copy from being replaced by a download."""
    write_idx(tmp_path / "kept" / "mnist", idx_arrays())
    assert_holds(load_images("mnist"), idx_arrays())
    write_idx(tmp_path / "kept", idx_arrays(5))
    with pytest.raises(AssertionError, match="would download train-images"):
        load_fashion_mnist()  # the files lying about there are of another set


def test_fashion_has_a_folder_of_its_own(tmp_path):
    write_idx(tmp_path / "mnist", idx_arrays(5))
    write_idx(tmp_path / "fashion_mnist", idx_arrays(6))
    data = load_images("fashion_mnist", tmp_path)
    assert data.name == "fashion_mnist" and len(data.train_images) == 6
    assert len(load_mnist(tmp_path).train_images) == 5


@pytest.mark.parametrize("form", ["bins", "archive", "subfolder"])
def test_cifar_is_read_as_it_was_written(tmp_path, form):
    """Prevents exchanged colours, transposed images and batches out of order."""
    contents, truth = cifar_contents()
    if form == "archive":
        # Batches in another order than the names'.
        reverse = dict(reversed(contents.items()))
        write_cifar_archive(tmp_path / "cifar-10-binary.tar.gz", reverse)
    else:
        inside = "cifar-10-batches-bin" if form == "subfolder" else ""
        write_cifar(tmp_path / inside, contents)
    data = load_cifar10(tmp_path)
    for part, index in ((data.train_images, 0), (data.train_labels, 1)):
        expected = np.concatenate([truth[name][index] for name in CIFAR_NAMES[:5]])
        np.testing.assert_array_equal(part, expected)
    np.testing.assert_array_equal(data.test_images, truth["test_batch.bin"][0])
    np.testing.assert_array_equal(data.test_labels, truth["test_batch.bin"][1])
    assert data.image_shape == (32, 32, 3) and data.name == "cifar10"
    assert data.train_labels.dtype == np.int32


@pytest.mark.parametrize("form", ["bins", "archive"])
def test_cifar100_is_read_by_its_fine_classes(tmp_path, form):
    """Prevents the coarse class, the first byte of a record, from being the label."""
    rng = np.random.default_rng(2)
    contents, truth = {}, {}
    for name, num in (("train.bin", 5), ("test.bin", 3)):
        images = rng.integers(0, 256, (num, 32, 32, 3)).astype(np.uint8)
        coarse, fine = rng.integers(0, 20, num), rng.integers(0, 100, num)
        planes = [images[..., channel].reshape(num, 1024) for channel in range(3)]
        records = [coarse[:, None], fine[:, None], *planes]
        contents[name] = np.concatenate(records, axis=1).astype(np.uint8).tobytes()
        truth[name] = images, fine
    if form == "archive":
        write_cifar_archive(tmp_path / "cifar-100-binary.tar.gz", contents)
    else:
        write_cifar(tmp_path, contents)
    data = load_images("cifar100", tmp_path)
    for name, images, labels in (
        ("train.bin", data.train_images, data.train_labels),
        ("test.bin", data.test_images, data.test_labels),
    ):
        np.testing.assert_array_equal(images, truth[name][0])
        np.testing.assert_array_equal(labels, truth[name][1])
    assert data.num_classes == 100 and data.name == "cifar100"


def spoil(tmp_path, index, change, compress=False):
    """Write MNIST with one file's content changed; the file."""
    write_idx(tmp_path, idx_arrays(), compress)
    path = tmp_path / (IDX_NAMES[index] + (".gz" if compress else ""))
    path.write_bytes(change(path.read_bytes()))
    return path


def flip_a_byte(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


SPOILT = {
    "cut short": (
        0,
        lambda content: content[:-1],
        "holds 5487 values; expected the 7 x",
    ),
    "too long": (3, lambda content: content + b"0", "holds 4 values; expected the 3"),
    "empty": (
        1,
        lambda content: b"",
        "begins with the bytes (none); expected 00 00 08",
    ),
    "only the magic": (
        0,
        lambda content: content[:9],
        "begins with the bytes 00 00 08",
    ),
    "labels for images": (
        0,
        lambda content: idx_bytes(np.zeros(7)),
        "begins with the bytes 00 00 08 01; expected 00 00 08 03",
    ),
    "another shape": (
        2,
        lambda content: idx_bytes(np.zeros((3, 20, 28))),
        "holds 3 images of 20 x 28 x 1; expected images of 28 x 28 x 1",
    ),
    "no images": (
        0,
        lambda content: idx_bytes(np.zeros((0, 28, 28))),
        "holds 0 images of 28 x 28 x 1",
    ),
    "a label too few": (
        1,
        lambda content: idx_bytes(np.zeros(6)),
        "holds 6 labels for 7 images",
    ),
    "a label out of range": (
        3,
        lambda content: idx_bytes(np.array([0, 10, 3])),
        "example 1 has label 10; expected 0 to 9",
    ),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_wrong_idx_file_is_named(tmp_path, name):
    """Prevents learning from half a file, or from labels of other images."""
    index, change, words = SPOILT[name]
    path = spoil(tmp_path, index, change)
    with pytest.raises(UserError) as caught:
        load_mnist(tmp_path)
    assert str(caught.value).startswith(f"{path}: ") and words in str(caught.value)


@pytest.mark.parametrize(
    "change", [lambda content: content[: len(content) // 2], flip_a_byte]
)
def test_damaged_compression_is_named_with_the_checksum_of_the_original(
    tmp_path, change
):
    path = spoil(tmp_path, 0, change, compress=True)
    with pytest.raises(UserError, match="damaged or cut short") as caught:
        load_mnist(tmp_path)
    assert str(path) in str(caught.value) and "sha256:440fcabf" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda content: content[:-1], "holds 12291 bytes; expected whole records"),
        (lambda content: b"", "holds 0 bytes"),
        (lambda content: b"\x0a" + content[1:], "example 0 has label 10"),
    ],
)
def test_a_wrong_batch_is_named(tmp_path, change, words):
    contents, _ = cifar_contents()
    contents["data_batch_3.bin"] = change(contents["data_batch_3.bin"])
    write_cifar(tmp_path / "bins", contents)
    write_cifar_archive(tmp_path / "tar" / "cifar-10-binary.tar.gz", contents)
    for folder in ("bins", "tar"):
        with pytest.raises(UserError, match=r"data_batch_3\.bin") as caught:
            load_cifar10(tmp_path / folder)
        assert words in str(caught.value) and folder in str(caught.value)


def test_a_missing_batch_is_named(tmp_path):
    contents, _ = cifar_contents()
    del contents["data_batch_4.bin"]
    write_cifar(tmp_path / "bins", contents)
    write_cifar_archive(tmp_path / "tar" / "cifar-10-binary.tar.gz", contents)
    for folder in ("bins", "tar"):
        with pytest.raises(UserError, match=r"no data_batch_4\.bin"):
            load_cifar10(tmp_path / folder)


@pytest.mark.parametrize(
    "change",
    [lambda content: content[: len(content) // 2], flip_a_byte, lambda content: b"?"],
)
def test_a_damaged_archive_is_named_with_the_checksum_of_the_original(tmp_path, change):
    path = write_cifar_archive(tmp_path / "cifar-10-binary.tar.gz", cifar_contents()[0])
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(UserError, match="damaged or cut short") as caught:
        load_cifar10(tmp_path)
    assert str(path) in str(caught.value) and "sha256:c4a38c50" in str(caught.value)


@pytest.mark.parametrize("load", [load_mnist, load_fashion_mnist, load_cifar10])
def test_a_folder_without_the_files_says_what_was_looked_for(tmp_path, load):
    """Prevents a misspelt folder from ending in a download."""
    with pytest.raises(UserError, match="there or in a subfolder") as caught:
        load(tmp_path / "nowhere")
    assert str(tmp_path / "nowhere") in str(caught.value)


def test_names_are_listed_when_none_fits():
    with pytest.raises(
        UserError, match=r"did you mean 'mnist'.*fashion_mnist, cifar10"
    ):
        load_images("minst")
    with pytest.raises(UserError, match="the digits come with the package"):
        load_images("digits", "somewhere")


def test_digits_lose_nothing_as_bytes():
    """Prevents another split, or other pixels, than the rest of the package's."""
    data, split = load_digits_images(), load_digits_split()
    for bytes_, shares in (
        (data.train_images, split.train_images),
        (data.test_images, split.test_images),
    ):
        levels = np.round(16 * bytes_.astype(float) / 255)
        np.testing.assert_array_equal(levels.reshape(len(levels), -1) / 16, shares)
    assert data.train_images.max() == 255 and data.image_shape == (8, 8, 1)
    np.testing.assert_array_equal(data.train_labels, split.train_labels)
    np.testing.assert_array_equal(data.test_labels, split.test_labels)


def test_validation_is_the_end_of_training_and_touches_no_test_image(tmp_path):
    write_idx(tmp_path, idx_arrays())
    data = load_mnist(tmp_path)
    kept, images, labels = split_validation(data, 2)
    joined = np.concatenate([kept.train_images, images])
    np.testing.assert_array_equal(joined, data.train_images)
    np.testing.assert_array_equal(labels, data.train_labels[5:])
    np.testing.assert_array_equal(kept.train_labels, data.train_labels[:5])
    assert kept.test_images is data.test_images
    for num in (0, 7, -1):
        with pytest.raises(UserError, match="1 to 6"):
            split_validation(data, num)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The real images, in their original formats."""
    folder = tmp_path_factory.mktemp("images")
    script = shared_images() / "unpack.py"
    subprocess.run([sys.executable, script, folder], check=True)
    return folder


@pytest.mark.slow
def test_the_real_mnist_has_its_published_moments_and_counts(unpacked):
    """Mean 0.1307 and sd 0.3081 of white are used throughout the literature."""
    data = load_mnist(unpacked)
    assert data.train_images.shape == (60000, 28, 28, 1)
    assert data.test_images.shape == (10000, 28, 28, 1)
    np.testing.assert_array_equal(data.train_labels[:5], [5, 0, 4, 1, 9])
    np.testing.assert_array_equal(data.test_labels[:5], [7, 2, 1, 0, 4])
    assert np.bincount(data.train_labels)[[0, 1, 5]].tolist() == [5923, 6742, 5421]
    moments = standardise(data.train_images)
    np.testing.assert_allclose(moments.mean / 255, [0.1307], atol=5e-5)
    np.testing.assert_allclose(moments.sd / 255, [0.3081], atol=5e-5)


@pytest.mark.slow
def test_the_real_cifar_has_its_published_moments_and_counts(unpacked):
    """Means 125.3, 123.0, 113.9 and sds 63.0, 62.1, 66.7 (He et al. and others)."""
    data = load_cifar10(unpacked)
    assert data.train_images.shape == (50000, 32, 32, 3)
    assert data.test_images.shape == (1000, 32, 32, 3)
    assert np.bincount(data.train_labels).tolist() == [5000] * 10
    np.testing.assert_array_equal(data.train_labels[:5], [6, 9, 9, 4, 1])
    np.testing.assert_array_equal(data.test_labels[:5], [3, 8, 8, 0, 6])
    moments = standardise(data.train_images)
    np.testing.assert_allclose(moments.mean, [125.3, 123.0, 113.9], atol=0.06)
    np.testing.assert_allclose(moments.sd, [63.0, 62.1, 66.7], atol=0.06)
