"""Files that are downloaded once and checked against a published checksum.

A file that is already in its place is used as it is and never replaced. A download is stored as a
whole, with the right checksum, or not at all.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pcmodel.errors import UserError
from pcmodel.runtime.progress import Progress, Stage

PLACE_VARIABLE = "PCMODEL_DATA"


class Remote(NamedTuple):
    """A file to be downloaded.

    name: of the file.
    addresses: tried in order.
    checksum: `sha256:...` or `md5:...`.
    """

    name: str
    addresses: tuple[str, ...]
    checksum: str


def data_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder of all data sets: PCMODEL_DATA, else the user's cache.

    The cache is `pcmodel/data` under XDG_CACHE_HOME (else ~/.cache).
    """
    if place := environment.get(PLACE_VARIABLE):
        return Path(place).expanduser()
    home = environment.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "pcmodel" / "data"


def fetch(remote: Remote, folder: Path) -> Path:
    """The file in `folder`, downloaded if it is not there.

    UserError, without a file left, when no address has it, when the download has another checksum,
    when the folder cannot be written, or when `pooch` is not installed.
    """
    path = folder / remote.name
    if path.exists():
        return path
    pooch = _import_pooch(remote, folder)
    failures = []
    for address in remote.addresses:
        failure = _attempt(pooch, remote, address, folder)
        if failure is None:
            return path
        failures.append(f"{address} ({failure})")
    raise UserError(
        f"could not be downloaded from {' nor from '.join(failures)}",
        where=remote.name,
        expected=f"a connection, or that file ({remote.checksum}) put into {folder}",
    )


def _attempt(pooch: Any, remote: Remote, address: str, folder: Path) -> str | None:
    """Download from one address; None, or the reason why it failed."""
    try:
        _download(pooch, remote, address, folder)
    except OSError as error:
        if _is_of_the_file_system(error):
            raise _unwritable(folder, error) from error
        return _network_failure(error)
    except ValueError:
        return f"its checksum is not {remote.checksum}, so nothing was kept"
    return None


def _download(pooch: Any, remote: Remote, address: str, folder: Path) -> None:
    with _quiet(pooch), Progress(lines=True).stage(f"download {remote.name}") as stage:
        pooch.retrieve(
            address,
            known_hash=remote.checksum,
            fname=remote.name,
            path=folder,
            downloader=pooch.HTTPDownloader(
                progressbar=_Megabytes(stage), chunk_size=1 << 16
            ),
        )


def _import_pooch(remote: Remote, folder: Path) -> Any:
    try:
        import pooch
    except ImportError as error:
        raise UserError(
            "downloading needs the package pooch, which is not installed",
            where=remote.name,
            expected=f"pooch, or the file from {remote.addresses[0]} put into {folder}",
        ) from error
    return pooch


@contextmanager
def _quiet(pooch: Any) -> Iterator[None]:
    """Suppress pooch's own line on the terminal, which the stage replaces."""
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("WARNING")
    try:
        yield
    finally:
        logger.setLevel(level)


class _Megabytes:
    """A progress bar for pooch that advances a stage."""

    def __init__(self, stage: Stage):
        self._stage = stage
        self._done = 0
        self.total = 0

    def update(self, num_bytes: int) -> None:
        self._done += num_bytes
        of_total = f" of {self.total / 1e6:.1f}" if self.total else ""
        self._stage.advance(0, note=f"{self._done / 1e6:.1f}{of_total} MB")

    def reset(self) -> None:
        self._done = 0

    def close(self) -> None:
        pass


def _is_of_the_file_system(error: OSError) -> bool:
    """Whether an error is of the file system; those of the network have no number."""
    is_local = error.errno is not None or isinstance(error, PermissionError)
    return is_local and not isinstance(error, ConnectionError)


def _network_failure(error: OSError) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"the server answers {response.status_code}"
    return f"no connection, or one that broke off: {type(error).__name__}"


def _unwritable(folder: Path, error: OSError) -> UserError:
    return UserError(
        f"cannot write there ({error.strerror or 'permission denied'})",
        where=str(folder),
        expected=f"a folder that can be written, named in {PLACE_VARIABLE}",
    )
