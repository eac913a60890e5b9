"""Addresses and checksums of the published image data sets.

The checksums are those of the files as their authors released them.
"""

from typing import NamedTuple

from pcmodel.data.download import Remote


class Published(NamedTuple):
    """A published data set.

    name: of the data set.
    files: to be downloaded.
    subfolders: in which copies are looked for.
    """

    name: str
    files: tuple[Remote, ...]
    subfolders: tuple[str, ...]


IDX_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def _remotes(bases: tuple[str, ...], checksums: tuple[str, ...]) -> tuple[Remote, ...]:
    return tuple(
        Remote(name, tuple(base + name for base in bases), f"sha256:{checksum}")
        for name, checksum in zip(IDX_FILES, checksums, strict=True)
    )


MNIST = Published(  # LeCun, Bottou, Bengio & Haffner 1998
    "mnist",
    _remotes(
        (
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        (
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    ),
    ("mnist", "MNIST/raw"),
)

FASHION_MNIST = Published(  # Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747
    "fashion_mnist",
    _remotes(
        (
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ),
        (
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    ),
    ("fashion_mnist", "fashion-mnist", "FashionMNIST/raw"),
)

CIFAR10 = Published(  # Krizhevsky 2009, Learning multiple layers of features from tiny images
    "cifar10",
    (
        Remote(
            "cifar-10-binary.tar.gz",
            ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
            "sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        ),
    ),
    ("cifar10", "cifar-10-batches-bin", "cifar10/cifar-10-batches-bin"),
)

CIFAR100 = Published(  # Krizhevsky 2009
    "cifar100",
    (
        Remote(
            "cifar-100-binary.tar.gz",
            ("https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",),
            "sha256:58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        ),
    ),
    ("cifar100", "cifar-100-binary", "cifar100/cifar-100-binary"),
)
