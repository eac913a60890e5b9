"""What became of a wrong input, and how many ended how."""

import io
import signal
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

import jax
import numpy as np

from pcmodel import UserError

NAMED, RIGHT, RAW = "named error", "accepted and right", "raw exception"
NAN, WRONG = "silent NaN", "accepted and wrong"
KINDS = (NAMED, RIGHT, RAW, NAN, WRONG)
PATIENCE = 180
"""Seconds."""
LONGEST = 600
"""Letters of a sentence."""


def verdict_of(call: Callable[[], Any], *, right: Any = None) -> tuple[str, str]:
    """A verdict, and a few words on it.

    right: what a call that is accepted must give; None where it must not be accepted.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"), at_most(PATIENCE):
        warnings.simplefilter("ignore")
        try:
            found = call()
            jax.block_until_ready(
                [x for x in leaves(found) if isinstance(x, jax.Array)]
            )
        except UserError as error:
            told = str(error)
            is_sentence = "\n" not in told and 0 < len(told) < LONGEST
            return (NAMED if is_sentence else WRONG), told[:160]
        except Exception as error:
            return RAW, f"{type(error).__name__}: {str(error)[:120]}"
    if has_nan(found):
        return NAN, ""
    if right is not None and same(found, right):
        return RIGHT, ""
    return WRONG, repr(found)[:80].replace("\n", " ")


class Waited(Exception):
    """An answer that does not come is no answer."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise `Waited` in what takes longer, where the system has alarms."""

    def ring(*_: Any) -> None:
        raise Waited(f"no answer in {seconds} s")

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(int(seconds))
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def leaves(tree: Any) -> list[Any]:
    """The numbers of an answer."""
    return jax.tree.leaves(tree)


def has_nan(tree: Any) -> bool:
    """Whether any number of an answer is NaN."""
    for leaf in leaves(tree):
        kind = getattr(getattr(leaf, "dtype", None), "kind", "")
        if kind == "f" or isinstance(leaf, float):
            if np.any(np.isnan(np.asarray(leaf))):
                return True
    return False


def same(found: Any, expected: Any) -> bool:
    """Whether two answers are the same numbers."""
    first, second = leaves(found), leaves(expected)
    return len(first) == len(second) and all(map(_same, first, second))


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    if np.shape(a) != np.shape(b):
        return False
    return np.allclose(np.asarray(a, float), np.asarray(b, float), 1e-5, 1e-5)


def printed(counts: Mapping[str, int]) -> str:
    """Counts, in the order of the kinds."""
    return ", ".join(f"{kind}: {counts.get(kind, 0)}" for kind in KINDS)


def tally(results: Any, tell: Callable[[str], None] = print) -> Counter[str]:
    """Count verdicts; tell of each that is neither a named error nor a right answer."""
    counts: Counter[str] = Counter()
    for what, (verdict, words) in results:
        counts[verdict] += 1
        if verdict not in (NAMED, RIGHT):
            tell(f"{verdict:18} {what}  {words}")
    return counts


def quietly(call: Callable[[], Any]) -> tuple[Any, str, str]:
    """A call's result, and what it wrote to both channels."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        result = call()
    return result, out.getvalue(), err.getvalue()
