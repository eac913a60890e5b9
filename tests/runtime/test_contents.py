"""Settings compared by content: equal ones share a program, and no two different ones ever do."""

import collections
import dataclasses
import functools
import importlib
import os
import sys
import threading
import types

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from optax import contrib

import pcmodel
from pcmodel.api.batching import compiled
from pcmodel.networks.pure import as_model
from pcmodel.runtime.contents import Content, Static

RATE, SETTINGS = 0.1, types.ModuleType("settings")


def decaying(rate):
    return lambda step: rate / (1 + step)


def of_rank(least):
    return lambda weights: jax.tree.map(lambda leaf: leaf.ndim >= least, weights)


def labelled(name):
    return lambda weights: jax.tree.map(lambda _: name, weights)


class Schedule:
    """A rate of a user's own class."""

    factor = 1.0

    def __init__(self, rate):
        self.rate = rate

    def __call__(self, step):
        return self.factor * self.rate / (1 + step)

    def constant(self, step):
        return self.rate


@dataclasses.dataclass(frozen=True, slots=True)
class Slotted:
    rate: float


def recursive(rate):
    def outer(step):
        return rate if step == 0 else outer(step - 1)

    return outer


def noisy(rate):
    return optax.noisy_sgd(rate, key=jax.random.key(0))


MAKERS = {
    "adam": optax.adam,
    "momentum": lambda r: optax.sgd(0.1, momentum=r),
    "array": lambda r: optax.sgd(jnp.asarray(r)),
    "cosine": lambda r: optax.adam(optax.cosine_decay_schedule(r, 100)),
    "own schedule": lambda r: optax.adam(decaying(r)),
    "joined": lambda r: optax.sgd(
        optax.join_schedules([decaying(r), optax.constant_schedule(r)], [3])
    ),
    "object": lambda r: optax.adam(Schedule(r)),
    "bound method": lambda r: optax.adam(Schedule(r).constant),
    "partial": lambda r: optax.adam(functools.partial(lambda s, rate: rate, rate=r)),
    "muon": contrib.muon,
    "plateau": lambda r: optax.chain(optax.adam(r), contrib.reduce_on_plateau()),
    "masked": lambda r: optax.masked(optax.adam(0.1), of_rank(r)),
    "labels": lambda r: optax.multi_transform({r: optax.adam(0.1)}, labelled(r)),
    "inject": lambda r: optax.inject_hyperparams(optax.adam)(learning_rate=r),
    "clip": lambda r: optax.chain(optax.clip_by_global_norm(r), optax.adam(0.1)),
    "noise": noisy,
    "slots": lambda r: decaying(Slotted(r)),
    "recursion": recursive,
    "array mask": lambda r: decaying(np.arange(3) > 10 * r),
    "dict": lambda r: decaying({"rate": r}),
    "default": lambda r: functools.partial(lambda step, rate=r: rate),
    "solver": lambda r: pcmodel.StateDescent(optax.adam(r)),
    "learning": lambda r: pcmodel.Learning(optax.adam(r)),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_what_is_made_alike_is_equal_and_another_number_is_another_setting(kind):
    """Prevents a fresh optimiser from being compiled again, and a sweep over rates from reusing one rate."""
    make = MAKERS[kind]
    one, again, other = Content(make(0.1)), Content(make(0.1)), Content(make(0.2))
    assert one == again and hash(one) == hash(again)
    assert one != other


def holding(value):
    return lambda step: value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (1, 1.0),
        (0.0, -0.0),
        ([1], (1,)),
        (np.float32(1), np.float64(1)),
        (np.ones(3), jnp.ones(3)),
        (np.ones((2, 3)), np.ones((3, 2))),
        (np.zeros(2, np.int32), np.zeros(2, np.float32)),
        (np.ma.array([1, 2], mask=[0, 1]), np.ma.array([1, 2], mask=[1, 0])),
        (collections.deque([1]), collections.deque([2])),
        ({"a": 1, "b": 2}, {"a": 2, "b": 1}),
        (jnp.tanh, jnp.sinh),
        (lambda x: x + 1, lambda x: x + 2),
        (lambda x: x.min(), lambda x: x.max()),
        (jax.random.key(0), jax.random.key(1)),
        (jax.tree.structure({"a": 1}), jax.tree.structure({"b": 1})),
        (Schedule, Slotted),
        (None, ()),
    ],
)
def test_different_things_closed_over_are_different_settings(one, other):
    """Prevents two settings from sharing a program because they print or compare alike."""
    assert Content(holding(one)) != Content(holding(other))
    assert Content(holding(one)) == Content(holding(one))


def refers(step):
    return RATE


def refers_deeply(step):
    def inner():
        return refers(step)

    return inner()


def refers_to_module(step):
    return SETTINGS.rate


def with_attribute(step):
    return with_attribute.rate


def changes():
    """(a setting, what changes it afterwards) for everything that can change in place."""
    items, array, deque = [0.1], np.ones(2), collections.deque([1])
    schedule, generator = Schedule(0.1), np.random.default_rng(0)
    SETTINGS.rate = with_attribute.rate = 0.1
    return {
        "list": (holding(items), lambda: items.append(1)),
        "array": (holding(array), lambda: array.__setitem__(0, 2.0)),
        "deque": (holding(deque), lambda: deque.append(2)),
        "object": (schedule, lambda: setattr(schedule, "rate", 0.2)),
        "bound": (schedule.constant, lambda: setattr(schedule, "rate", 0.3)),
        "class": (Schedule(0.1), lambda: setattr(Schedule, "factor", 3.0)),
        "generator": (holding(generator), generator.normal),
        "global": (refers, lambda: globals().__setitem__("RATE", 0.2)),
        "deep global": (refers_deeply, lambda: globals().__setitem__("RATE", 0.3)),
        "module": (refers_to_module, lambda: setattr(SETTINGS, "rate", 0.2)),
        "attribute": (with_attribute, lambda: setattr(with_attribute, "rate", 0.2)),
    }


@pytest.mark.parametrize("kind", changes())
def test_a_setting_changed_afterwards_is_another(kind):
    """Prevents a program compiled for the old rate from being run for the new one."""
    setting, change = changes()[kind]
    before = Static(setting)
    change()
    assert before != Static(setting)
    assert Static(setting) == Static(setting)


def tanh_of(slope):
    """Fresh functions every time."""
    return lambda x: jnp.tanh(slope * x)


def inferred(slope=1.0, rate=1e-2, seed=0, mask=(True, True, False)):
    network = pcmodel.dense((3, 2, 2), activation=tanh_of(slope), rngs=nnx.Rngs(seed))
    solver = pcmodel.StateDescent(optax.adam(rate), tolerance=0.0, max_steps=2)
    clamp = {0: pcmodel.Clamp(np.ones(3), np.array(mask))}
    return pcmodel.infer(network, clamp=clamp, solver=solver)


def test_fresh_but_equal_settings_are_compiled_once():
    """Activation, optimiser and mask made anew share a program; another of any is another."""
    before = compiled._cache_size()
    found = [inferred(), inferred(), inferred(seed=1)]
    assert compiled._cache_size() == before + 1
    np.testing.assert_array_equal(found[0].energy, found[1].energy)
    inferred(rate=2e-2)
    slope = inferred(slope=2.0)
    inferred(mask=(True, False, True))
    assert compiled._cache_size() == before + 4
    assert float(slope.energy) != float(found[0].energy)


def test_two_networks_of_one_architecture_share_their_model():
    """Prevents every network built by the same lines from being compiled anew."""
    one, other, third = (
        as_model(pcmodel.dense((3, 2), activation=tanh_of(s), rngs=nnx.Rngs(seed)))
        for s, seed in ((1.0, 0), (1.0, 1), (2.0, 0))
    )
    assert one.model == other.model and hash(one.model) == hash(other.model)
    wide = pcmodel.dense((3, 2, 2), activation=tanh_of(1.0), rngs=nnx.Rngs(0))
    steep = pcmodel.dense((3, 2, 2), activation=tanh_of(2.0), rngs=nnx.Rngs(0))
    assert as_model(wide).model != as_model(steep).model
    assert third.model == one.model  # the only layer is linear


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """A module of a user's package, with a number in it that is changed later."""
    package = tmp_path / "changing"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "settings.py").write_text("SLOPE = 1.0\n")
    (package / "relative.py").write_text(
        "def slope(x):\n    from . import settings\n    return settings.SLOPE * x\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield importlib.import_module("changing.settings")
    for name in [name for name in sys.modules if name.split(".")[0] == "changing"]:
        del sys.modules[name]


def lookers_up(settings):
    """Functions that find the number in as many ways."""
    holder = types.SimpleNamespace(inside=[settings])
    scope = {
        "changing": sys.modules["changing"],
        "holder": holder,
        "importlib": importlib,
    }
    sources = (
        "lambda x: changing.settings.SLOPE * x",
        "lambda x: holder.inside[0].SLOPE * x",
        "lambda x: getattr(changing.settings, 'SLOPE') * x",
        "lambda x: importlib.import_module('changing.settings').SLOPE * x",
    )
    yield from (eval(source, {**scope, "__name__": "own"}) for source in sources)
    yield lambda x: settings.SLOPE * x

    def by_import(x):
        from changing.settings import SLOPE  # pyright: ignore[reportMissingImports]

        return SLOPE * x

    yield by_import
    yield importlib.import_module("changing.relative").slope


def test_what_a_function_finds_in_a_module_is_part_of_what_it_says(settings):
    """Prevents the number of an earlier setting from being given for a later one."""
    for number, function in enumerate(lookers_up(settings)):
        settings.SLOPE = 1.0
        one, same = Content(function), Content(function)
        settings.SLOPE = 3.0
        other = Content(function)
        assert one == same and one != other, number
        assert function(2.0) == 6.0


def test_what_a_function_finds_in_the_environment_is_part_of_what_it_says(monkeypatch):
    def slope(x):
        return float(os.environ["SLOPE_OF_A_TEST"]) * x

    monkeypatch.setenv("SLOPE_OF_A_TEST", "1")
    one = Content(slope)
    monkeypatch.setenv("SLOPE_OF_A_TEST", "3")
    assert one != Content(slope)


def test_a_setting_is_read_while_another_thread_changes_it():
    """Prevents "dictionary changed size during iteration": caches, classes and modules of others are read as well."""

    class Changing:
        pass

    setting, held, found = Changing(), {"fixed": 1.0}, {"fixed"}
    setting.held = held
    module = types.ModuleType("changing")
    vars(module)["__builtins__"] = __builtins__
    exec("def rate(step):\n    return step, name0, name1", vars(module))
    many, stop = [f"name{number}" for number in range(50)], threading.Event()

    def change():
        while not stop.is_set():
            for name in many:
                held[name], module.__dict__[name] = Schedule(1.0), 1.0
                found.add(name)
                setattr(Changing, name, 1.0)
            for name in many:
                del held[name], module.__dict__[name]
                found.remove(name)
                delattr(Changing, name)

    before, thread = sys.getswitchinterval(), threading.Thread(target=change)
    sys.setswitchinterval(1e-6)
    thread.start()
    try:
        for _ in range(30):
            Static((held, setting, vars(module)["rate"], found))
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(before)
    still = {"fixed": 1.0}
    assert held == still and Content(held) == Content(still)
