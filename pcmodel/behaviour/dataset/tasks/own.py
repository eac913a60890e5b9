"""A user's own task: a small YAML file that says what is predicted, and how the columns are called.

    like: binary
    about: rain is predicted, then seen
    columns:
      outcome: {names: [rain], about: whether it rained}
      response: {names: [umbrella]}

`like` is the shipped task whose responses and models it has; what the file does not say of a column is as there.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pcmodel.behaviour.dataset.tasks.interface import Column, Task
from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.configurations.strict_yaml import line_of_error, load_yaml
from pcmodel.inputs.files import read_text, shown

ENDINGS = (".yaml", ".yml")
KEYS = ("like", "about", "columns", "scale")
COLUMN_KEYS = ("names", "about", "low", "high", "optional", "examples")
EXAMPLE = "like: binary, and columns with the names that they have in the table"


def is_own_task(name: str) -> bool:
    """Whether a task's name is that of a file.

    >>> is_own_task("binary"), is_own_task("my_task.yaml")
    (False, True)
    """
    return name.endswith(ENDINGS)


def read_task(path: str, shipped: Mapping[str, Task]) -> Task:
    """The task of a file; UserError, which names the file, for anything in it that cannot be."""
    where = shown(path)
    content = _mapping(_content(path), where, "the file", KEYS)
    like = content.get("like")
    if like is None:
        raise UserError("does not say what it is like", where=where, expected=EXAMPLE)
    if like not in shipped:
        raise unknown_name("task", like, shipped, where=f"{where}, like")
    base = shipped[like]
    columns = _mapping(content.get("columns", {}), where, "columns", ())
    known = [column.name for column in base.columns]
    for name in columns:
        if name not in known:
            raise unknown_name(
                f"column of the {like} task", name, known, where=f"{where}, columns"
            )
    own = tuple(
        _column(column, columns.get(column.name, {}), where) for column in base.columns
    )
    given = {
        column.name: column.names[: len(column.names) - len(old.names)]
        for column, old in zip(own, base.columns, strict=True)
    }
    _check_twice(given, where)
    own = _without(own, base)
    return replace(
        base,
        name=Path(path).stem,
        about=_text(content.get("about", base.about), where, "about"),
        columns=own,
        like=base.name,
        scale=_scale(content.get("scale", ()), base, where),
    )


def _content(path: str) -> Any:
    """What stands in the file; UserError for one that cannot be read or is no YAML."""
    text = read_text(path)
    try:
        return load_yaml(text)
    except UserError as error:
        raise UserError(str(error), where=shown(path)) from None
    except Exception as error:  # a parser's own errors are of every class
        line, reason = line_of_error(text, error)
        raise UserError(
            f"line {line} is not YAML ({reason[:200]})", where=shown(path)
        ) from None


def _mapping(content: Any, where: str, what: str, known: tuple[str, ...]) -> dict:
    """Names and values; UserError for anything else, and for names that are not known."""
    if not isinstance(content, dict):
        raise UserError(
            f"{what} holds no names with values", where=where, expected=EXAMPLE
        )
    for name in content:
        if known and name not in known:
            raise unknown_name(f"entry of {what}", name, known, where=where)
    return content


def _column(base: Column, given: Any, where: str) -> Column:
    """A column with what the file says of it."""
    place = f"{where}, columns.{base.name}"
    if isinstance(given, str | list):
        given = {"names": given}
    given = _mapping(given, place, "the column", COLUMN_KEYS)
    changed: dict[str, Any] = {}
    if "names" in given:
        changed["names"] = (*_texts(given["names"], place, "names"), *base.names)
    if "examples" in given:
        changed["examples"] = _texts(given["examples"], place, "examples")
        if len(changed["examples"]) != len(base.examples or range(6)):
            raise UserError(
                f"has {len(changed['examples'])} examples", where=place, expected="six"
            )
    if "about" in given:
        changed["about"] = _text(given["about"], place, "about")
    for end in ("low", "high"):
        if end in given:
            changed[end] = _number(given[end], place, end)
            if base.kind != "number":
                raise UserError(
                    f"has an end of a scale, and holds {base.kind} values",
                    where=f"{place}.{end}",
                    expected="it to be left out",
                )
    if "optional" in given:
        if not isinstance(given["optional"], bool):
            raise UserError(
                f"optional is {given['optional']!r}",
                where=place,
                expected="true or false",
            )
        if given["optional"] and not base.optional:
            raise UserError(
                "cannot be left out, since the models need it",
                where=place,
                expected="optional: false, or no such line",
            )
        changed["optional"] = given["optional"]
    column = replace(base, **changed)
    if (
        column.low is not None
        and column.high is not None
        and not column.low < column.high
    ):
        raise UserError(
            f"goes from {column.low:g} to {column.high:g}",
            where=place,
            expected="low below high",
        )
    return column


def _check_twice(given: Mapping[str, tuple[str, ...]], where: str) -> None:
    """UserError for a name in the table that the file gives to two columns."""
    owner: dict[str, str] = {}
    for column, names in given.items():
        for name in names:
            other = owner.setdefault(name.casefold(), column)
            if other != column:
                raise UserError(
                    f"{name!r} is both the {other} and the {column}",
                    where=where,
                    expected="each name once",
                )


def _without(columns: tuple[Column, ...], before: Task) -> tuple[Column, ...]:
    """The columns without usual names that the file gives to another one."""
    usual = {column.name: column.names for column in before.columns}
    given = {c.name: c.names[: len(c.names) - len(usual[c.name])] for c in columns}
    taken = {name.casefold(): own for own, names in given.items() for name in names}
    return tuple(
        replace(
            column,
            names=tuple(
                name
                for name in column.names
                if taken.get(name.casefold(), column.name) == column.name
            ),
        )
        for column in columns
    )


def _scale(given: Any, base: Task, where: str) -> tuple[float, ...]:
    """Low end, high end and perhaps step of the ratings; empty where the file gives none."""
    if given == ():
        return ()
    place = f"{where}, scale"
    response = base.column(base.response)
    if response.kind != "number" or response.low is not None:
        raise UserError(
            f"is given, but responses of the {base.name} task have none to give",
            where=place,
            expected="it to be left out",
        )
    if not isinstance(given, list) or len(given) not in (2, 3):
        raise UserError(
            f"is {given!r}", where=place, expected="[LOW, HIGH] or [LOW, HIGH, STEP]"
        )
    numbers = tuple(_number(number, place, "an end") for number in given)
    if not numbers[0] < numbers[1] or min(numbers[2:], default=1.0) <= 0.0:
        raise UserError(
            f"is {given!r}", where=place, expected="low below high, and a positive step"
        )
    return numbers


def _number(given: Any, where: str, what: str) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise UserError(f"{what} is {given!r}", where=where, expected="a number")
    if not abs(given) < float("inf"):
        raise UserError(f"{what} is {given!r}", where=where, expected="a finite number")
    return float(given)


def _text(given: Any, where: str, what: str) -> str:
    if not isinstance(given, str) or not given.strip():
        raise UserError(f"{what} is {given!r}", where=where, expected="a text")
    return " ".join(given.split())


def _texts(given: Any, where: str, what: str) -> tuple[str, ...]:
    listed = given if isinstance(given, list) else [given]
    if any(isinstance(text, list | dict | bool) or text is None for text in listed):
        raise UserError(f"{what} is {given!r}", where=where, expected="a list of texts")
    found = tuple(str(text).strip() for text in listed)
    if not found or not all(found):
        raise UserError(f"{what} is {given!r}", where=where, expected="a list of texts")
    return found
