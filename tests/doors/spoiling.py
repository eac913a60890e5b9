"""Wrong values for an argument, drawn from what its annotation says it takes.

Every value knows what it would be right for; it is wrong for a parameter that takes none of that.  Ranges
are told here a second time, by hand: what the package's annotations say is what is tested.
"""

import os
import types
import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, SupportsIndex, Union

import jax
import numpy as np

from .disguises import KEY, POISONS


class Junk(NamedTuple):
    """A value, and the kinds that it is right for."""

    name: str
    value: Any
    fits: frozenset[str]


def _junk(name: str, value: Any, *fits: str) -> Junk:
    return Junk(name, value, frozenset(fits))


class Poison(NamedTuple):
    """A good array and what spoils it."""

    make: Callable[[np.ndarray, np.random.Generator], Any]
    good: np.ndarray
    rng: np.random.Generator


class Stranger:
    """An object of no use."""


PLAIN = (
    _junk("None", None, "none"),
    _junk("True", True, "bool", "array"),
    _junk("a word", "psilocybine", "str"),
    _junk("a number in text", "1_0", "str"),
    _junk("an empty text", "", "str"),
    _junk("a zero byte", "a\0b", "str"),
    _junk("bytes", b"abc", "bytes"),
    _junk("3", 3, "int", "float", "array", "index"),
    _junk("2.5", 2.5, "float", "array"),
    _junk("an imaginary number", 1 + 2j),
    _junk("NaN", float("nan")),
    _junk("infinity", float("inf")),
    _junk("numpy's NaN", np.float32("nan")),
    _junk("a number too large for floats", 10**400, "int", "index"),
    _junk("an object", Stranger()),
    _junk("a class", Stranger, "callable"),
    _junk("a function", lambda *a, **k: None, "callable"),
    _junk("an empty list", [], "array", "sequence"),
    _junk("a list of words", ["a", "b"], "sequence of str"),
    _junk("a list of None", [None, None]),
    _junk("a list of lists", [[1.0], [2.0, 3.0]]),
    _junk("a dictionary", {"a": 1}, "mapping"),
    _junk("a set", {1, 2}),
    _junk("a generator", (i for i in range(3))),
    _junk("an array", np.array([1.0, 2.0]), "array", "sequence of float"),
    _junk("an array of words", np.array(["a", "b"]), "sequence of str"),
    _junk("an array of dates", np.array(["2020-01-01"], "datetime64[D]")),
    _junk("a random key", KEY, "array"),
    _junk("a path", os.path, ""),
    _junk("an error", ValueError("no")),
)
COUNTS = {
    "num_people": 0,
    "burn_in": 0,
    "padding": 0,
    "num_epochs": 1,
    "max_iterations": 0,
    "max_steps": 0,
    "batch_size": 1,
}
"""The least of a whole number, where it is not 1; `None`: any."""
ANY_WHOLE = {
    "sign",
    "lowest",
    "full_metric",
    "level",
    "levels",
    "target",
    "first",
    "second",
    "signs",
    "frozen_precisions",
    "fixed_layers",
    "fixed_precisions",
    "fixed_prior_means",
}
LOWEST = {"settle": 0, "num_samples": 1, "num_people": 0}
RANGES: dict[str, tuple[float, float, str]] = {
    "scale": (0.0, np.inf, "most"),
    "rate": (0.0, 1.0, "least"),
    "deviation": (0.0, np.inf, "most"),
    "weight_rate": (0.0, np.inf, "most"),
    "bias_rate": (0.0, np.inf, "most"),
    "multiplier": (-np.inf, np.inf, "both"),
    "variance_floor": (0.0, np.inf, "most"),
    "strength": (-np.inf, np.inf, "both"),
    "step_size": (0.0, np.inf, "both"),
    "target_acceptance": (0.0, 1.0, "both"),
    "jitter": (0.0, 1.0, "most"),
    "largest_move": (0.0, np.inf, "both"),
    "least_share": (0.0, 1.0, "least"),
    "forget": (0.0, 1.0, "least"),
    "tolerance": (0.0, np.inf, "most"),
    "hours": (0.0, np.inf, "both"),
    "hazard": (0.0, 1.0, ""),
    "catch_probability": (0.0, 1.0, ""),
    "noise_sds": (0.0, np.inf, "both"),
    "share": (0.0, 1.0, "most"),
    "selectivity": (0.0, np.inf, "most"),
    "exemption": (0.0, 1.0, ""),
    "restoring_1a": (-np.inf, np.inf, "both"),
    "strengthening": (1.0, np.inf, "both"),
    "transmission": (0.0, np.inf, "most"),
    "plasticity": (0.0, np.inf, "most"),
    "value": (0.0, np.inf, "both"),
    "start_weight": (-np.inf, np.inf, "both"),
    "coupling": (0.0, np.inf, "both"),
    "seen": (-np.inf, np.inf, "both"),
    "expected": (-np.inf, np.inf, "both"),
    "convex": (0.0, 1.0, "both"),
    "cause": (0.0, np.inf, "both"),
    "log_odds": (0.0, np.inf, "most"),
    "time": (0.0, np.inf, "both"),
    "bar_length": (0.0, np.inf, "both"),
    "bars": (0.0, np.inf, "both"),
    "contrast": (0.0, np.inf, "both"),
    "background": (0.0, np.inf, "most"),
    "memory_rate": (0.0, 1.0, ""),
    "adaptation_rate": (0.0, 1.0, ""),
    "adaptation_recovery": (0.0, 1.0, ""),
    "trial_ms": (0.0, np.inf, "both"),
    "onset_ms": (0.0, np.inf, "most"),
    "ms_per_unit": (0.0, np.inf, "both"),
    "kernel_ms": (0.0, np.inf, "both"),
    "step_ms": (0.0, np.inf, "both"),
    "deviant_share": (0.0, 1.0, ""),
    "resolution": (0.0, np.inf, "both"),
    "kept": (0.0, 1.0, "least"),
}
"""Where the numbers of each option lie: ends, and which of them are not allowed themselves."""
OUTSIDE = (-np.inf, -1e6, -1.0, -1e-9, 0.0, 1.0, 1 + 1e-9, 1e6, np.inf)


def tags(hint: Any) -> frozenset[str]:
    """What kinds an annotation takes."""
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return tags(inside[0])
    if origin in (Union, types.UnionType):
        return frozenset().union(*map(tags, inside))
    if origin is Literal:
        return frozenset({"literal"})
    if hint in (None, type(None)):
        return frozenset({"none"})
    plain = {bool: "bool", int: "int", float: "float", str: "str", bytes: "bytes"}
    if hint in plain:
        return frozenset({plain[hint]})
    if hint is SupportsIndex:
        return frozenset({"int"})
    if hint is Any or hint is object:
        return frozenset({"any"})
    if origin in (Callable, typing.get_origin(Callable[..., Any])) or hint is Callable:
        return frozenset({"callable"})
    if origin in (Mapping, dict) or hint in (Mapping, dict):
        return frozenset({"mapping"})
    if origin in (Sequence, Collection, Iterable, tuple, list):
        each = sorted(tags(inside[0])) if inside else []
        return frozenset({"sequence", *(f"sequence of {tag}" for tag in each)})
    if is_array(hint):
        return frozenset({"array"})
    return frozenset({"object"})


def is_array(hint: Any) -> bool:
    """Whether an annotation is about arrays."""
    if type(hint).__module__.startswith("jaxtyping"):
        return True
    return isinstance(hint, type) and (
        issubclass(hint, jax.Array | np.ndarray | np.generic)
        or "jaxtyping" in getattr(hint, "__module__", "")
    )


def spoiled(
    name: str, hint: Any, good: Any, rng: np.random.Generator
) -> Iterator[tuple[str, Any]]:
    """Values that a parameter cannot take, each with its name."""
    takes = tags(hint)
    if "any" in takes:
        return
    for junk in PLAIN:
        if not _could_be(junk, takes):
            yield junk.name, junk.value
    if "float" in takes and "array" not in takes and name in RANGES:
        for number in OUTSIDE:
            if not _inside(number, *RANGES[name]):
                yield f"{number:g}", number
    if "int" in takes and name not in ANY_WHOLE and "array" not in takes:
        least = COUNTS.get(name, LOWEST.get(name, 1))
        for number in (-(10**12), -7, -1, 0):
            if number < least:
                yield str(number), number
                yield f"numpy's {number}", np.int64(number)
    if "array" in takes and isinstance(good, np.ndarray):
        for word, poison in POISONS.items():
            yield f"{word} (array)", Poison(poison, good, rng)
    yield from _inner(takes, good, rng)


def _inner(
    takes: frozenset[str], good: Any, rng: np.random.Generator
) -> Iterator[tuple[str, Any]]:
    """One item of a good sequence or mapping replaced."""
    if isinstance(good, list | tuple) and good and not hasattr(good, "_fields"):
        inner = frozenset(t.removeprefix("sequence of ") for t in takes)
        for junk in PLAIN:
            if not _could_be(junk, inner):
                place = int(rng.integers(len(good)))
                items = [*good[:place], junk.value, *good[place + 1 :]]
                yield f"{junk.name} at [{place}]", type(good)(items)
    if isinstance(good, Mapping):
        for junk in PLAIN[:20]:
            yield f"{junk.name} as a value", dict.fromkeys(good, junk.value)


def _could_be(junk: Junk, takes: frozenset[str]) -> bool:
    if junk.fits & takes:
        return True
    # Lists are arrays to whoever takes arrays, and short texts are levels' names.
    if "array" in takes and junk.name in ("a list of lists", "an array of words"):
        return False
    return junk.name == "3" and "float" in takes


def _inside(number: float, least: float, most: float, open_: str) -> bool:
    above = number > least if open_ in ("least", "both") else number >= least
    below = number < most if open_ in ("most", "both") else number <= most
    return above and below


def value_of(given: Any) -> Any:
    """A value to be given; poisons are made when they are asked for."""
    if isinstance(given, Poison):
        return given.make(given.good, given.rng)
    if isinstance(given, tuple) and len(given) == 1 and isinstance(given[0], Poison):
        return (value_of(given[0]),)
    return given
