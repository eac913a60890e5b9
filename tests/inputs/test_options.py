"""Every options object of the package: what a field cannot be is refused where it is made, in one sentence."""

import dataclasses
import importlib
import pkgutil
import types
import typing
from functools import cache

import jax.numpy as jnp
import numpy as np
import pytest

import pcmodel
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import check_range, checked_options
from pcmodel.inputs.ranges import Count, Range, Share

# What fields without a default are given.
NEEDED = {
    "CheckPlan": ("binary", "hgf2"),
    "RecoverPlan": ("binary", ("hgf2",)),
    "DesignPlan": ("binary", "hgf2", "omega2=1"),
    "Plan": ("trials.csv", "binary", "hgf2"),
}
# Models and their parts, which functions of the package make; and what looks at its options itself, after the
# type checker of these tests, with tests of its own.
SPARED = (
    *("pcmodel.behaviour.models", "pcmodel.behaviour.perception"),
    *("pcmodel.behaviour.change_point", "pcmodel.neuromodulation.accounts"),
    *("pcmodel.networks.layers.pooling", "pcmodel.sessions.protocol"),
)
WRONG = {
    int: [
        *(True, np.bool_(True), 1.5, np.float64(2.0), "3", 1j, None),
        *(float("nan"), float("inf"), np.zeros(2, int)),
    ],
    float: [
        *(True, np.bool_(False), "3", None, 1j, np.zeros(2)),
        *(float("nan"), np.float32("nan"), jnp.asarray(jnp.nan), np.asarray(np.nan)),
    ],
    bool: [0, 1, 2.0, "true", None],
    str: [3, None, b"x", 1.5, True],
}
SAME = {
    int: [np.int32, np.int64, np.asarray, jnp.asarray],
    float: [np.float32, np.float64, np.asarray, jnp.asarray],
}


@cache
def options_objects():
    """By name, one of each dataclass that can be made of its defaults."""
    found = {}
    for module in pkgutil.walk_packages(pcmodel.__path__, "pcmodel."):
        if module.name.endswith("__main__"):
            continue
        for kind in vars(importlib.import_module(module.name)).values():
            if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
                continue
            name, given = kind.__name__, NEEDED.get(kind.__name__, ())
            needed = [
                f
                for f in dataclasses.fields(kind)
                if f.init
                and f.default is dataclasses.MISSING
                and f.default_factory is dataclasses.MISSING
            ]
            if len(needed) == len(given) and not kind.__module__.startswith(SPARED):
                found[name] = kind(*given)
    return found


def fields_of(thing):
    """Name, plain type, and whether None is a value, of each field with one plain type."""
    hints = typing.get_type_hints(type(thing))
    for field in dataclasses.fields(thing):
        hint = hints[field.name]
        is_either = typing.get_origin(hint) in (typing.Union, types.UnionType)
        inside = typing.get_args(hint) if is_either else (hint,)
        kinds = [kind for kind in WRONG if any(kind is part for part in inside)]
        others = set(map(repr, inside)) - {repr(type(None)), *map(repr, kinds)}
        if len(kinds) == 1 and not others:
            yield field.name, kinds[0], type(None) in inside


def test_the_walk_meets_the_options_that_users_fill_in():
    known = {"Plan", "Nuts", "TrainingPlan", "EStepPlan", "GaussNewton", "HmcOptions"}
    assert known <= options_objects().keys()
    assert ("num_warmup", int, False) in list(fields_of(options_objects()["Nuts"]))


def test_what_a_field_cannot_be_is_one_sentence():
    for name, thing in options_objects().items():
        for field, kind, optional in fields_of(thing):
            for wrong in WRONG[kind]:
                if wrong is None and optional:
                    continue
                with pytest.raises(UserError, match=field) as caught:
                    dataclasses.replace(thing, **{field: wrong})
                    pytest.fail(f"{name}.{field} took {wrong!r}")
                assert len(str(caught.value)) < 200


def test_what_has_a_range_is_neither_endless_nor_far_below():
    for name, thing in options_objects().items():
        limited = typing.get_type_hints(type(thing), include_extras=True)
        for field, kind, _ in fields_of(thing):
            if "Range(" in repr(limited[field]) and "least=-inf" not in repr(
                limited[field]
            ):
                for wrong in (-(10**12), *([float("inf")] if kind is float else [])):
                    with pytest.raises(UserError, match=field):
                        dataclasses.replace(thing, **{field: wrong})
                        pytest.fail(f"{name}.{field} took {wrong!r}")


def test_numbers_of_numpy_and_jax_are_numbers():
    for thing in options_objects().values():
        for field, kind, _ in fields_of(thing):
            value = getattr(thing, field)
            if value is None or kind not in SAME:
                continue
            for of_another_library in SAME[kind]:
                given = of_another_library(value)
                taken = getattr(dataclasses.replace(thing, **{field: given}), field)
                assert np.float32(taken) == np.float32(value)


@checked_options("coin.")
@dataclasses.dataclass(frozen=True)
class Options:
    """Of a test."""

    flips: Count = 3
    bias: Share = 0.5
    sides: tuple[Count, ...] = (1, 2)


def test_options_say_where_they_are_wrong():
    for wrong, sentence in (
        ({"flips": 0}, "coin.flips: cannot be 0; expected a whole number, 1 or more"),
        ({"bias": 1.5}, "coin.bias: cannot be 1.5; expected a number, 0 to 1"),
        ({"bias": np.inf}, "coin.bias: cannot be inf; expected a number, 0 to 1"),
        ({"sides": (1, 0)}, "coin.sides[1]: cannot be 0; expected a sequence of: "),
    ):
        with pytest.raises(UserError) as caught:
            Options(**wrong)
        assert str(caught.value).startswith(sentence)


def test_equal_options_are_one():
    """Options are arguments that programs are compiled for, and are hashed as such."""
    other = Options(np.int64(3), bias=jnp.asarray(0.5), sides=np.asarray([1, 2]))
    assert other == Options() and hash(other) == hash(Options())
    assert type(other.flips) is int and other.sides == (1, 2)


@pytest.mark.parametrize(
    ("number", "limits", "told"),
    [
        (1, Range(2), "people: cannot be 1; expected 2 or more"),
        (11, Range(2, 10), "people: cannot be 11; expected at most 10"),
        (0.0, Range(0.0, 1.0, "both"), "people: cannot be 0.0; expected above 0"),
        (float("nan"), Range(), "people: cannot be nan; expected finite"),
    ],
    ids=str,
)
def test_a_number_out_of_range_names_the_end_it_misses(number, limits, told):
    with pytest.raises(UserError) as caught:
        check_range(number, limits, where="people")
    assert str(caught.value) == told
    check_range(5 if limits.holds(5) else 0.5, limits, where="people")
