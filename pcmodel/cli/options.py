"""From the command line and files to an experiment's `Config`.

An unknown name, a wrong type or a value out of range is refused in one sentence.
Defaults (or the smoke configuration) are overridden by the file, and both by the options.
"""

import re
import types
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pcmodel.cli.load import Experiment
from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arguments import short
from pcmodel.inputs.configurations import read_configuration
from pcmodel.inputs.numerals import NUMBER, is_odd, to_finite
from pcmodel.record import to_jsonable


def build_config(
    experiment: Experiment,
    tokens: Sequence[str] = (),
    *,
    smoke: bool = False,
    file: Path | None = None,
) -> Any:
    """The configuration of one run.

    **Arguments:**

    - `tokens`: the words of the command line that are options, `["--training.epochs", "3", ...]`.
    - `smoke`: start from `Config.smoke()` instead of the defaults.
    - `file`: a JSON or YAML file with any of the fields.

    Raises UserError for unknown names, wrong types and values out of range.
    """
    with made_by_author(experiment.name):
        base = _base(experiment, smoke)
        return configure(
            experiment.config, base, tokens, file=file, where=experiment.name
        )


@contextmanager
def made_by_author(name: str) -> Iterator[None]:
    """Report what the experiment's own class raises as a UserError of one sentence."""
    try:
        yield
    except UserError:
        raise
    except (ValueError, TypeError) as error:
        raise UserError(f"its Config cannot be made ({error})", where=name) from error


def configure(
    kind: type,
    base: Any,
    tokens: Sequence[str] = (),
    *,
    file: Path | None = None,
    where: str,
) -> Any:
    """An instance of the dataclass `kind`: values of `base`, then of the file, then of the options.

    Raises UserError, naming the option and the file or `where`, for unknown names and wrong types.
    """
    if not tokens and file is None:
        return base
    types_of = field_types(kind)
    _check_tokens(tokens, types_of, where)
    parser = _parser(kind)
    parser.set_defaults(_flat(to_jsonable(base), types_of))
    if file is not None:
        values = read_configuration(file)
        _check_keys(values, types_of, str(file))
        parsed = _parse(lambda: parser.parse_object(values), types_of, str(file))
        parser.set_defaults(_flat(parsed.as_dict(), types_of))
    parsed = _parse(lambda: parser.parse_args(list(tokens)), types_of, where)
    return kind(**vars(parser.instantiate(parsed)))


def _parser(config: type) -> Any:
    try:
        from jsonargparse import ArgumentParser
    except ImportError:  # used from a checkout without its dependencies
        raise UserError(
            "options and configuration files need the package jsonargparse",
            expected="it to be installed, or a run without them",
        ) from None
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(config)
    return parser


def field_types(config: type, prefix: str = "") -> dict[str, Any]:
    """The type of every field; fields of nested dataclasses have dotted names."""
    hints = get_type_hints(config)
    found: dict[str, Any] = {}
    for field in fields(config):
        kind, name = hints[field.name], prefix + field.name
        if is_dataclass(kind) and isinstance(kind, type):
            found |= field_types(kind, name + ".")
        else:
            found[name] = kind
    return found


def _base(experiment: Experiment, smoke: bool) -> Any:
    if not smoke:
        return experiment.config()
    if not hasattr(experiment.config, "smoke"):
        raise UserError("has no smoke configuration", where=experiment.name)
    return experiment.config.smoke()  # pyright: ignore[reportAttributeAccessIssue]


def _flat(values: Mapping, types_of: Mapping[str, Any], prefix: str = "") -> dict:
    flat = {}
    for key, value in values.items():
        name = prefix + key
        if name in types_of:
            flat[name] = value
        else:
            flat |= _flat(value, types_of, name + ".")
    return flat


def _check_tokens(
    tokens: Sequence[str], types_of: Mapping[str, Any], where: str
) -> None:
    """Refuse unknown options, stray words and options without a value."""
    waiting = None
    for token in tokens:
        if waiting is None:
            waiting = _option_name(token, types_of, where)
        else:
            if token.startswith("--"):
                raise _no_value(waiting, types_of, where)
            _check_numerals(token, waiting, types_of[waiting], where)
            waiting = None
    if waiting is not None:
        raise _no_value(waiting, types_of, where)


def _option_name(token: str, types_of: Mapping[str, Any], where: str) -> str | None:
    if not token.startswith("--"):
        raise UserError(
            f"does not know what to do with {token!r}",
            where=where,
            expected="options written --name value",
        )
    name, has_value, value = token[2:].partition("=")
    if name not in types_of:
        raise unknown_name("option", name, types_of, where=where)
    if has_value:
        _check_numerals(value, name, types_of[name], where)
    return None if has_value else name


def _check_null(value: Any, name: str, kind: Any, where: str) -> None:
    """Refuse a null value where the field does not allow one."""
    if value is None and "NoneType" not in describe_kinds(kind):
        raise UserError(
            f"option {name!r} has no value", where=where, expected=describe_type(kind)
        )


def _check_numerals(value: Any, name: str, kind: Any, where: str) -> None:
    """Refuse 1_0, 010 and 1:30 as numbers, since YAML versions read them differently."""
    if "str" in describe_kinds(kind):
        return
    words = (
        value
        if isinstance(value, list | tuple)
        else re.split(r"[\[\],\s]+", str(value))
    )
    for word in words:
        if is_odd(str(word)) or (_is_numeral(word) and to_finite(str(word)) is None):
            raise UserError(
                f"option {name!r} cannot be {short(word)}",
                where=where,
                expected=describe_type(kind),
            )


def _is_numeral(word: Any) -> bool:
    return isinstance(word, str | int) and bool(NUMBER.fullmatch(str(word)))


def describe_kinds(kind: Any) -> set[str]:
    """The names of the plain types inside a type.

    >>> sorted(describe_kinds(tuple[float, ...] | None))
    ['NoneType', 'float']
    """
    inside = [part for part in get_args(kind) if part is not Ellipsis]
    if get_origin(kind) is Literal:
        return {type(part).__name__ for part in inside}
    if not inside:
        return {getattr(kind, "__name__", str(kind))}
    return set().union(*map(describe_kinds, inside))


def _no_value(name: str, types_of: Mapping[str, Any], where: str) -> UserError:
    return UserError(
        f"option {name!r} was given no value",
        where=where,
        expected=describe_type(types_of[name]),
    )


def _check_keys(
    values: Any, types_of: Mapping[str, Any], where: str, prefix: str = ""
) -> None:
    if not isinstance(values, Mapping):
        raise UserError(
            f"{prefix.rstrip('.') or 'the file'} holds {short(values)}",
            where=where,
            expected="names and values",
        )
    for key, value in values.items():
        name = f"{prefix}{key}"
        if any(known.startswith(name + ".") for known in types_of):
            _check_keys(value, types_of, where, name + ".")
        elif name not in types_of:
            raise unknown_name("option", name, types_of, where=where)
        else:
            _check_null(value, name, types_of[name], where)
            _check_numerals(value, name, types_of[name], where)


def _parse(parse: Any, types_of: Mapping[str, Any], where: str) -> Any:
    from argparse import ArgumentError

    try:
        return parse()
    except (ArgumentError, TypeError, KeyError) as error:
        raise _wrong_type(str(error), types_of, where) from error


def _wrong_type(message: str, types_of: Mapping[str, Any], where: str) -> UserError:
    key = re.search(r'key "([^"]+)"', message)
    value = re.search(r"(?:Got|Given) value: (.*)", message)
    if not key or key[1] not in types_of:
        return UserError(" ".join(message.split()), where=where)
    given = f" {value[1]!r}" if value else ""
    return UserError(
        f"option {key[1]!r} cannot be{given}",
        where=where,
        expected=describe_type(types_of[key[1]]),
    )


def describe_type(kind: Any) -> str:
    """A type in words a user can follow.

    >>> describe_type(Literal["a", "b"])
    "'a' or 'b'"
    >>> describe_type(tuple[float, ...])
    'a list of numbers such as [0.5, 1.0]'
    """
    words = {
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        str: "text",
        type(None): "null",
    }
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in words:
        return words[kind]
    if origin is Literal:
        return " or ".join(repr(value) for value in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(describe_type(argument) for argument in arguments)
    examples = {
        int: "whole numbers such as [1, 2]",
        float: "numbers such as [0.5, 1.0]",
    }
    if origin in (tuple, list):
        return f"a list of {examples.get(arguments[0], 'values such as [a, b]')}"
    return str(getattr(kind, "__name__", kind))
