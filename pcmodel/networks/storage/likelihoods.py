"""Likelihoods as JSON: this package's by their name, a user's own by its class and options.

Only what the options of a dataclass say is stored, and only a class that is already defined where the file is loaded
is taken, if it is a likelihood: a file brings no code.
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
    """The name of a likelihood of this package, else class and options.

    Raises UserError for one whose options a file cannot hold: it could not be told from another.
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
    """Whether JSON gives a value back as it was (a tuple comes back as one)."""
    if isinstance(value, float):
        return type(value) is float and math.isfinite(value)
    if isinstance(value, tuple):
        return all(is_simple(item) for item in value)
    return value is None or type(value) in (bool, int, str)


def as_list(value: Any) -> Any:
    """Tuples as lists, as JSON has them."""
    return [as_list(item) for item in value] if isinstance(value, tuple) else value


def as_tuple(value: Any) -> Any:
    """`as_list` undone."""
    return tuple(as_tuple(item) for item in value) if isinstance(value, list) else value


def build_likelihood(described: Any, path: str | os.PathLike) -> Likelihood:
    """The likelihood of a file.

    Raises UserError where its class is not defined here, or has changed.
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
    """Whether it names a class and options, as `describe_likelihood` does."""
    return isinstance(described, dict) and isinstance(
        described.get("options", {}), dict
    )


def defined(where: str) -> Any:
    """A likelihood class that is defined already, by module and name; None if there is none."""
    parts = where.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        found: Any = sys.modules.get(".".join(parts[:cut]))
        for name in parts[cut:]:
            found = getattr(found, name, None)
        if isinstance(found, type) and is_likelihood(found):
            return found
    return None


def told(described: Any) -> str:
    """A likelihood in words."""
    if not is_description(described):
        return short(described)
    options = ", ".join(f"{k}={v!r}" for k, v in described.get("options", {}).items())
    return f"{described.get('class')}({options})"
