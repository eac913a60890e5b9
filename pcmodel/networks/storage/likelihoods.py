"""Likelihoods as JSON: those of this package by name, a user's by its class and options.

Only the options of a dataclass are stored, and only a likelihood class that is already defined when the file is loaded
is used: a file contains no code.
"""

import dataclasses
import math
import os
import sys
from typing import Any

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import short
from pcmodel.model.likelihood import (
    Bernoulli,
    Categorical,
    Gaussian,
    Likelihood,
    is_likelihood,
)

LIKELIHOODS = {kind.name: kind for kind in (Gaussian, Bernoulli, Categorical)}


def describe_likelihood(likelihood: Likelihood) -> Any:
    """The name of a likelihood of this package, or class and options of a user's likelihood.

    Raises UserError for a likelihood whose options cannot be stored as JSON.
    """
    kind = type(likelihood)
    if LIKELIHOODS.get(getattr(likelihood, "name", "")) is kind:
        return likelihood.name
    where = f"{kind.__module__}.{kind.__qualname__}"
    if dataclasses.is_dataclass(likelihood):
        options = {
            f.name: getattr(likelihood, f.name) for f in dataclasses.fields(likelihood)
        }
    else:
        options = dict(getattr(likelihood, "__dict__", {}))
    for name, value in options.items():
        if not is_simple(value):
            raise UserError(
                f"a network of likelihood {where} cannot be saved: its option {name!r} is a "
                f"{type(value).__name__}, and a file holds numbers, strings, booleans, None and lists of them."
            )
    return {
        "class": where,
        "options": {name: as_list(value) for name, value in options.items()},
    }


def is_simple(value: Any) -> bool:
    """Whether a value is unchanged by a round trip through JSON (tuples are restored as tuples)."""
    if isinstance(value, float):
        return type(value) is float and math.isfinite(value)
    if isinstance(value, tuple):
        return all(is_simple(item) for item in value)
    return value is None or type(value) in (bool, int, str)


def as_list(value: Any) -> Any:
    """A value with tuples as lists, as in JSON."""
    return [as_list(item) for item in value] if isinstance(value, tuple) else value


def as_tuple(value: Any) -> Any:
    """The inverse of `as_list`."""
    return tuple(as_tuple(item) for item in value) if isinstance(value, list) else value


def build_likelihood(described: Any, path: str | os.PathLike) -> Likelihood:
    """The likelihood described in a file.

    Raises UserError if its class is not defined or has changed.
    """
    if isinstance(described, str) and described in LIKELIHOODS:
        return LIKELIHOODS[described]()
    known: Any = described if is_description(described) else {}
    found = defined(str(known.get("class"))) if known else None
    if found is not None:
        options = {
            name: as_tuple(value) for name, value in known.get("options", {}).items()
        }
        try:
            likelihood = found(**options)
            if describe_likelihood(likelihood) == described:
                return likelihood
        except (TypeError, ValueError, UserError):
            pass
    raise UserError(
        f"{path} holds a network with likelihood {told(described)}, which is not defined here with these options: "
        "import or define it first, or pass a network that has it, load(path, into=network)."
    )


def is_description(described: Any) -> bool:
    """Whether a value is a class with options, as `describe_likelihood` returns."""
    return isinstance(described, dict) and isinstance(
        described.get("options", {}), dict
    )


def defined(where: str) -> Any:
    """The likelihood class of a module and name, if it is already defined; else None."""
    parts = where.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        found: Any = sys.modules.get(".".join(parts[:cut]))
        for name in parts[cut:]:
            found = getattr(found, name, None)
        if isinstance(found, type) and is_likelihood(found):
            return found
    return None


def told(described: Any) -> str:
    """A likelihood as text for error messages."""
    if not is_description(described):
        return short(described)
    options = ", ".join(f"{k}={v!r}" for k, v in described.get("options", {}).items())
    return f"{described.get('class')}({options})"
