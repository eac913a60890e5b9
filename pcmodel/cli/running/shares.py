"""One computation shared by several jobs: each computes its own numbers into the common store.

A share is `I/N`: of numbered pieces of work, those of every N-th block, from the I-th. A job computes its share and
saves nothing else; the command without a share then finds every piece in the store and sums them up.
"""

import re
from argparse import ArgumentTypeError
from collections.abc import Iterator, MutableMapping
from typing import Any, NamedTuple

MOST_JOBS = 10_000


class Share(NamedTuple):
    """A share of the work.

    number: which one, from 0.
    total: how many there are.
    """

    number: int
    total: int

    def __str__(self) -> str:
        return f"{self.number}/{self.total}"


def read_share(text: str) -> Share:
    """A share I/N; ArgumentTypeError for any other text."""
    found = re.fullmatch(r"(\d{1,5})/(\d{1,5})", text)
    if found:
        share = Share(int(found[1]), int(found[2]))
        if share.number < share.total <= MOST_JOBS:
            return share
    raise ArgumentTypeError(
        f"{text[:40]!r} is no share; expected I/N, I from 0 to N - 1"
    )


class ShareDone(Exception):
    """The share is computed; what is read next belongs to another."""


class SharedStore(MutableMapping[int, Any]):
    """The store of a job: others' pieces count as there, and reading one ends the job.

    stored: the common store.
    share: the job's.
    together: pieces that are computed in one program, which one job has whole.
    """

    def __init__(
        self, stored: MutableMapping[int, Any], share: Share, *, together: int = 1
    ):
        self._stored, self._share, self._together = stored, share, together

    def is_own(self, number: int) -> bool:
        """Whether the piece belongs to this share."""
        return number // self._together % self._share.total == self._share.number

    def __contains__(self, number: object) -> bool:
        if isinstance(number, int) and not self.is_own(number):
            return True
        return number in self._stored

    def __getitem__(self, number: int) -> Any:
        if not self.is_own(number):
            raise ShareDone
        return self._stored[number]

    def __setitem__(self, number: int, row: Any) -> None:
        self._stored[number] = row

    def __delitem__(self, number: int) -> None:
        del self._stored[number]

    def __iter__(self) -> Iterator[int]:
        """The pieces that can be read: those of the share."""
        return (number for number in self._stored if self.is_own(number))

    def __len__(self) -> int:
        return sum(1 for _ in self)
