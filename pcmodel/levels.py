"""Finding a level by name or index."""

from pcmodel.errors import UserError


def level_index(level: str | int, names: tuple[str, ...]) -> int:
    """Index of a level given its name or index (negative counts from the top).

    "top" and "data" always name the last and the first level.
    """
    if isinstance(level, str):
        if level in names:
            return names.index(level)
        if level in ("top", "data"):
            return len(names) - 1 if level == "top" else 0
        raise UserError(
            f"unknown level {level!r}: this network has {', '.join(names)}."
        )
    if not -len(names) <= level < len(names):
        raise UserError(
            f"level {level} does not exist: this network has {len(names)} levels "
            f"(0 = {names[0]} .. {len(names) - 1} = {names[-1]})."
        )
    return level % len(names)
