"""What a call means that leaves an option out: part of the interface, so that results stay what they were.

A default that is changed on purpose changes people's results: say so where changes are told, then write the table
anew with `python tests/test_defaults.py`.
"""

import dataclasses
import importlib
import inspect
import json
import pkgutil
from pathlib import Path

import jax.numpy as jnp
import optax

import pcmodel

TABLE = Path(__file__).parent / "data" / "defaults.json"
PLAIN = (bool, int, float, str, type(None))


def told(value):
    """A default as JSON takes it; None of what is not plain numbers, words or tuples of these."""
    if isinstance(value, PLAIN):
        return repr(value)
    if isinstance(value, tuple) and all(isinstance(each, PLAIN) for each in value):
        return repr(value)
    if isinstance(value, optax.GradientTransformation):
        move, _ = value.update(jnp.ones(()), value.init(jnp.ones(())), jnp.ones(()))
        return f"optimiser that moves {float(move):.3g} along 1"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            each.name: getattr(value, each.name) for each in dataclasses.fields(value)
        }
        inside = [f"{name}={told(item)}" for name, item in fields.items()]
        return f"{type(value).__name__}({', '.join(inside)})"
    return None


def defaults_of(thing):
    """Parameter and default, of a function or of what makes an object."""
    try:
        parameters = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return {}
    given = {
        each.name: told(each.default)
        for each in parameters
        if each.default is not inspect.Parameter.empty
    }
    return {name: value for name, value in given.items() if value is not None}


def every_default():
    """By name, of what the package defines; several of one name in order."""
    found = {}
    for module in pkgutil.walk_packages(pcmodel.__path__, "pcmodel."):
        if module.name.endswith("__main__"):
            continue
        for name, thing in vars(importlib.import_module(module.name)).items():
            own = getattr(thing, "__module__", None) == module.name
            if own and callable(thing) and not name.startswith("_"):
                defaults = defaults_of(thing)
                if defaults:
                    found.setdefault(name, []).append(defaults)
    return {name: sorted(found[name], key=str) for name in sorted(found)}


def test_what_is_left_out_means_what_it_meant():
    recorded, present = json.loads(TABLE.read_text("utf-8")), every_default()
    changed = {
        name: (recorded.get(name), present.get(name))
        for name in recorded.keys() | present.keys()
        if recorded.get(name) != present.get(name)
    }
    assert not changed, f"defaults differ from {TABLE.name}: {changed}"


if __name__ == "__main__":
    TABLE.write_text(json.dumps(every_default(), indent=1) + "\n", "utf-8")
