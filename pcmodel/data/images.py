"""Image data sets with labels: of the package, downloaded once, or from a user's folder.

Images are unsigned bytes, which take an eighth of the memory of float64: the trainer moves them to
the device once, and `as_levels` converts each batch there.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, UInt8

from pcmodel.data.checks import (
    as_bytes,
    as_labels,
    check_brightness,
    check_images,
    check_labels,
)
from pcmodel.data.cifar import (
    HUNDRED,
    TEN,
    Batch,
    Format,
    read_archive,
    read_folder,
)
from pcmodel.data.digits import IMAGE_SIDE, NUM_CLASSES, load_digits_split
from pcmodel.data.download import data_folder, fetch
from pcmodel.data.idx import read_idx
from pcmodel.data.published import CIFAR10, CIFAR100, FASHION_MNIST, MNIST, Published
from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arguments import checked_arguments

MNIST_SHAPE = (28, 28, 1)

Folder = str | Path | None


class ImageData(NamedTuple):
    """A data set of labelled images.

    train_images: grey levels 0 to 255.
    train_labels: 0 to num_classes - 1.
    test_images: grey levels 0 to 255.
    test_labels: 0 to num_classes - 1.
    name: of the data set.
    num_classes: the number of classes.
    """

    train_images: UInt8[np.ndarray, "train height width channels"]
    train_labels: Int[np.ndarray, " train"]
    test_images: UInt8[np.ndarray, "test height width channels"]
    test_labels: Int[np.ndarray, " test"]
    name: str
    num_classes: int

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """The shape of one image, (height, width, channels)."""
        height, width, channels = self.train_images.shape[1:]
        return height, width, channels


def check_image_data(data: ImageData) -> ImageData:
    """The data set with images as bytes and labels as whole numbers.

    UserError naming the set for images that are no grey levels of 0 to 255 or of two shapes, and for
    labels that are not one class for each image.
    """
    if not isinstance(data, ImageData):
        raise UserError(
            f"is {type(data).__name__}",
            where="data",
            expected="pcmodel.ImageData(train_images, train_labels, test_images, test_labels, "
            "name, num_classes)",
        )
    if not isinstance(data.num_classes, int | np.integer) or data.num_classes < 2:
        raise UserError(
            f"num_classes is {data.num_classes!r}",
            where=f"{data.name}",
            expected="a whole number of 2 or more",
        )
    parts = []
    for kind in ("train", "test"):
        where = f"{kind} images of {data.name}"
        images = as_bytes(getattr(data, f"{kind}_images"), where=where)
        check_brightness(images, where=where)
        labels = as_labels(
            getattr(data, f"{kind}_labels"),
            len(images),
            num_classes=int(data.num_classes),
            where=f"{kind} labels of {data.name}",
        )
        parts += [images, labels]
    check_images(
        parts[2], shape=parts[0].shape[1:], where=f"test images of {data.name}"
    )
    return ImageData(*parts, str(data.name), int(data.num_classes))  # pyright: ignore[reportCallIssue]


class ValidationSplit(NamedTuple):
    """A data set with a part of its training images held out.

    data: without the held-out images.
    images: the held-out images.
    labels: of the held-out images.
    """

    data: ImageData
    images: UInt8[np.ndarray, "num height width channels"]
    labels: Int[np.ndarray, " num"]


@checked_arguments
def load_images(name: str, folder: Folder = None) -> ImageData:
    """The data set called `name`: digits, mnist, fashion_mnist, cifar10 or cifar100.

    `folder` is as for that set's own loader; the digits take none. UserError for another name, and
    as that loader does.
    """
    if name not in LOADERS:
        raise unknown_name("image data set", name, LOADERS)
    if name != "digits":
        return LOADERS[name](folder)
    if folder is not None:
        raise UserError(
            "the digits come with the package", where=str(folder), expected="no folder"
        )
    return load_digits_images()


def load_digits_images() -> ImageData:
    """The digits of scikit-learn, 8 x 8, with the split of `load_digits_split`.

    Their 17 grey levels k become v = round(255 k / 16), so that k = round(16 v / 255) exactly.
    """
    split = load_digits_split()
    shape = (-1, IMAGE_SIDE, IMAGE_SIDE, 1)
    return ImageData(
        np.round(255 * split.train_images).astype(np.uint8).reshape(shape),
        split.train_labels.astype(np.int32),
        np.round(255 * split.test_images).astype(np.uint8).reshape(shape),
        split.test_labels.astype(np.int32),
        "digits",
        NUM_CLASSES,
    )


def load_mnist(folder: Folder = None) -> ImageData:
    """MNIST: 60,000 and 10,000 images of 28 x 28 x 1 (LeCun et al. 1998).

    Downloaded once, with checksum, into `pcmodel.data.download.data_folder()`. Or read from a
    `folder` with the four idx files, compressed or not, or with a subfolder `mnist` that has them;
    then nothing is downloaded, and no checksum is compared.

    UserError, naming the file, when it is missing, cannot be downloaded, is damaged or truncated, or
    holds images of another shape or labels out of range.
    """
    return _load_idx(MNIST, folder)


def load_fashion_mnist(folder: Folder = None) -> ImageData:
    """Fashion-MNIST: clothes in MNIST's sizes and format (Xiao et al. 2017).

    As `load_mnist`, with a subfolder `fashion_mnist`. The file names are those of MNIST, so that
    MNIST's own folder, given here, is not recognised as another data set.
    """
    return _load_idx(FASHION_MNIST, folder)


def load_cifar10(folder: Folder = None) -> ImageData:
    """CIFAR-10: 50,000 and 10,000 colour images of 32 x 32 x 3 (Krizhevsky 2009).

    As `load_mnist`; a `folder` holds the six `.bin` batches or `cifar-10-binary.tar.gz`, in itself
    or in a subfolder `cifar10` or `cifar-10-batches-bin`. A batch may hold any number of records.
    """
    return _load_cifar(CIFAR10, TEN, folder)


def load_cifar100(folder: Folder = None) -> ImageData:
    """CIFAR-100: CIFAR-10's sizes, 100 (fine) classes of 500 and 100 images (Krizhevsky 2009).

    As `load_cifar10`; a `folder` holds `train.bin` and `test.bin` or `cifar-100-binary.tar.gz`, in
    itself or in a subfolder `cifar100` or `cifar-100-binary`.
    """
    return _load_cifar(CIFAR100, HUNDRED, folder)


LOADERS: dict[str, Callable[..., ImageData]] = {
    "digits": load_digits_images,
    "mnist": load_mnist,
    "fashion_mnist": load_fashion_mnist,
    "cifar10": load_cifar10,
    "cifar100": load_cifar100,
}


def split_validation(data: ImageData, num: int) -> ValidationSplit:
    """Hold out the last `num` training images, in their order; views, not copies.

    UserError unless 0 < num < the number of training images, and as `check_image_data` does.
    """
    data = check_image_data(data)
    count = len(data.train_images)
    if not 0 < num < count:
        raise UserError(
            f"cannot hold out {num} images",
            where=data.name,
            expected=f"1 to {count - 1}, since it has {count} training images",
        )
    kept = data._replace(
        train_images=data.train_images[:-num], train_labels=data.train_labels[:-num]
    )
    return ValidationSplit(kept, data.train_images[-num:], data.train_labels[-num:])


def _load_idx(source: Published, folder: Folder) -> ImageData:
    root = None if folder is None else Path(folder).expanduser()
    train = _idx_examples(source, (0, 1), root)
    test = _idx_examples(source, (2, 3), root)
    return ImageData(*train, *test, source.name, NUM_CLASSES)


def _idx_examples(
    source: Published, files: tuple[int, int], root: Path | None
) -> tuple[np.ndarray, np.ndarray]:
    """The images, (n, height, width, 1), and the labels of two idx files."""
    remotes = [source.files[index] for index in files]
    places = [_find_idx(source, remote.name, root) for remote in remotes]
    paths = [
        place or fetch(remote, data_folder() / source.name)
        for place, remote in zip(places, remotes, strict=True)
    ]
    images = read_idx(paths[0], num_axes=3, original=remotes[0].checksum)[..., None]
    labels = read_idx(paths[1], num_axes=1, original=remotes[1].checksum)
    check_images(images, shape=MNIST_SHAPE, where=str(paths[0]))
    check_labels(labels, len(images), num_classes=NUM_CLASSES, where=str(paths[1]))
    return images, labels.astype(np.int32)


def _find_idx(source: Published, name: str, root: Path | None) -> Path | None:
    """The file under its published name or its name when unpacked; None for a download."""
    plain = name.removesuffix(".gz")
    for place in _places(source, root):
        for variant in (name, plain, plain.replace("-idx", ".idx")):
            if (place / variant).is_file():
                return place / variant
    if root is not None:
        raise UserError(
            f"there is no {name}", where=str(root), expected=_layout(source)
        )
    return None


def _load_cifar(source: Published, kind: Format, folder: Folder) -> ImageData:
    root = None if folder is None else Path(folder).expanduser()
    batches = _cifar_batches(source, kind, root)
    train = [batches[name] for name in kind.train]
    test_images, test_labels = batches[kind.test]
    return ImageData(
        np.concatenate([images for images, _ in train]),
        np.concatenate([labels for _, labels in train]).astype(np.int32),
        test_images,
        test_labels.astype(np.int32),
        source.name,
        kind.num_classes,
    )


def _cifar_batches(
    source: Published, kind: Format, root: Path | None
) -> dict[str, Batch]:
    """Every batch by the name of its file."""
    (remote,) = source.files
    places = _places(source, root)
    for place in places:
        if (place / kind.names[0]).is_file():
            return read_folder(place, kind)
    archives = [path for place in places if (path := place / remote.name).is_file()]
    if root is not None and not archives:
        raise UserError(
            f"there is no {kind.names[0]} and no {remote.name}",
            where=str(root),
            expected=_layout(source),
        )
    path = archives[0] if archives else fetch(remote, data_folder() / source.name)
    return read_archive(path, kind, original=remote.checksum)


def _places(source: Published, root: Path | None) -> list[Path]:
    """The folders in which copies are looked for; the root only if the user named it."""
    inside = [(root or data_folder()) / subfolder for subfolder in source.subfolders]
    return inside if root is None else [*inside, root]


def _layout(source: Published) -> str:
    return f"the files of {source.name} there or in a subfolder {source.subfolders[0]}"
