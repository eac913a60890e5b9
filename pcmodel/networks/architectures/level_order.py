"""The order of the levels of a directed hierarchy: every level before its parents, tops last."""

from collections.abc import Mapping, Sequence

from pcmodel.errors import UserError


def level_order(parents: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Level names, each before its parents and tops last, otherwise in the given order as far as that is possible.

    parents: names of the parents of each level; () for a top.

    Raises UserError for a parent that does not exist or is named twice, for a level linked to no other, and for a cycle.
    """
    check_parents(parents)
    children = {name: [c for c in parents if name in parents[c]] for name in parents}
    placed: list[str] = []
    waiting = [name for name in parents if parents[name]]
    while waiting:
        ready = [n for n in waiting if all(child in placed for child in children[n])]
        if not ready:
            raise UserError(cycle_message(parents, waiting))
        placed.append(ready[0])
        waiting.remove(ready[0])
    return (*placed, *(name for name in parents if not parents[name]))


def check_parents(parents: Mapping[str, Sequence[str]]) -> None:
    """Raise a UserError for a parent that does not exist or is named twice, and for a level that is linked to no other."""
    linked = {one for name, own in parents.items() if own for one in (name, *own)}
    for name, own in parents.items():
        for parent in own:
            if parent not in parents:
                raise UserError(
                    f"level {name!r} has parent {parent!r}, which is no level: there are {', '.join(parents)}."
                )
        if len(set(own)) < len(own):
            raise UserError(f"level {name!r} names a parent twice: {', '.join(own)}.")
        if name not in linked and len(parents) > 1:
            raise UserError(
                f"level {name!r} has no parents and is nobody's parent: no other level learns anything from it."
            )


def cycle_message(parents: Mapping[str, Sequence[str]], among: Sequence[str]) -> str:
    """A sentence that names a cycle among levels, and what is possible instead."""
    path = [among[0]]
    while path.count(path[-1]) < 2:
        path.append(next(p for p in parents[path[-1]] if p in among))
    cycle = path[path.index(path[-1]) :]
    return (
        f"levels {' <- '.join(cycle)} are predicted from each other in a cycle, which has no joint density; let both be "
        "predicted from a common parent, or unroll the cycle over time steps."
    )
