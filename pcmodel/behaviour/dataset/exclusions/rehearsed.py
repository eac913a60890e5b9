"""Practice that is recognised by its place: before the trials, under another name.

`probe` may be a stimulus, and block 0 the first of several; they are practice where all
their rows come before what is called the task, or are fewer than those of every other block.
"""

from collections import Counter
from collections.abc import Sequence

from pcmodel.behaviour.dataset.exclusions.practice_words import folded, yes_or_no
from pcmodel.behaviour.dataset.naming import called, plain
from pcmodel.behaviour.dataset.schema import BLOCK_NAMES
from pcmodel.behaviour.dataset.tables.cells import is_missing

FIRST = {
    *("train", "trn", "example", "examples", "probe", "pilot", "prac", "pr"),
    *("beispiel", "exemple", "ejemplo", "esempio", "voorbeeld", "warm up", "dry run"),
}
LATER = {
    *("test", "tests", "exp", "experiment", "experimental", "real", "main", "task"),
    *("trial", "trials", "hauptteil", "haupt", "aufgabe", "scored", "formal"),
}
TASKS = {
    *("istest", "isexperimental", "experimental", "ismain", "main", "isreal", "real"),
    *("isexperiment", "istask", "ismaintask", "istesttrial", "isexp", "maintask"),
}
SHORT = 0.7  # of the trials of any other block, at most


def rehearsed(name: str, cells: Sequence[str], who: Sequence[str]) -> set[str]:
    """The levels of a column that are practice, by their place before the others.

    >>> sorted(rehearsed("kind", ["example", "real", "real"], ["a"] * 3))
    ['example']
    """
    stripped = [cell.strip() for cell in cells]
    levels = {cell for cell in set(stripped) if not is_missing(cell)}
    if plain(name) in TASKS and {yes_or_no(level) for level in levels} == {0.0, 1.0}:
        first = {level for level in levels if yes_or_no(level) == 0.0}
    elif called([name], BLOCK_NAMES):
        return _first_blocks(levels, stripped, who)
    else:
        first = {level for level in levels if folded(level) in FIRST}
        if not {folded(level) for level in levels - first} & LATER:
            return set()
    return first if _comes_first(first, stripped, who) else set()


def _first_blocks(
    levels: set[str], cells: Sequence[str], who: Sequence[str]
) -> set[str]:
    """Block 0 where it is shorter than the others, or P before T1 or 1."""
    if "0" in levels:
        return {"0"} if len(levels) > 1 and _is_shorter("0", cells, who) else set()
    first = {level for level in levels if folded(level).rstrip("0123456789") == "p"}
    rest = levels - first
    return first if rest and _comes_first(first, cells, who) else set()


def _comes_first(first: set[str], cells: Sequence[str], who: Sequence[str]) -> bool:
    """Whether these levels come before all others of everyone who has both, and someone has."""
    begun: set[str] = set()
    for person, cell in zip(who, cells, strict=True):
        if cell not in first:
            begun.add(person)
        elif person in begun:
            return False
    return any(c in first and p in begun for p, c in zip(who, cells, strict=True))


def _is_shorter(level: str, cells: Sequence[str], who: Sequence[str]) -> bool:
    """Whether a level has fewer rows than any other, in everyone who has it and another."""
    counts: dict[str, Counter[str]] = {}
    for person, cell in zip(who, cells, strict=True):
        counts.setdefault(person, Counter())[cell] += 1
    short = [
        own[level] <= SHORT * min(n for name, n in own.items() if name != level)
        for own in counts.values()
        if level in own and len(own) > 1
    ]
    return bool(short) and all(short)
